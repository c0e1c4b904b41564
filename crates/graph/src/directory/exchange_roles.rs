//! RBAC for Applications: Exchange's own roles, limited to some mailboxes.
//!
//! Only the beta version of Graph has them (`/roleManagement/exchange`). Needs
//! RoleManagement.ReadWrite.Exchange and, of a person, Exchange Administrator. What these roles give
//! appears in no token.

use http::Method;
use serde_json::json;

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::GraphPath;
use crate::request::Call;
use crate::retry::Effect;
use crate::wire::exchange_roles::{AppScope, ExchangeAssignment, ExchangeRole};

fn path(resource: &'static str) -> GraphPath {
    GraphPath::new("roleManagement").then("exchange").then(resource)
}

impl GraphClient {
    /// The roles that an application can be given, such as `Application Mail.Send`.
    ///
    /// # Errors
    /// As for any read.
    pub async fn exchange_roles(&self) -> Result<Vec<ExchangeRole>> {
        const OPERATION: &str = "list Exchange roles";
        let url = self.beta_address(OPERATION, &path("roleDefinitions"))?;
        self.fetch_all(Call::read(OPERATION, url)).await
    }

    /// The management scopes of the organisation.
    ///
    /// # Errors
    /// As for any read.
    pub async fn app_scopes(&self) -> Result<Vec<AppScope>> {
        const OPERATION: &str = "list management scopes";
        let url = self.beta_address(OPERATION, &path("customAppScopes"))?;
        self.fetch_all(Call::read(OPERATION, url)).await
    }

    /// Creates a management scope: the recipients that the filter (OPATH) matches.
    ///
    /// # Errors
    /// `Invalid` for a filter that Exchange does not understand, or a name that is taken.
    pub async fn create_app_scope(&self, name: &str, filter: &str) -> Result<AppScope> {
        const OPERATION: &str = "create management scope";
        let url = self.beta_address(OPERATION, &path("customAppScopes"))?;
        let body = json!({
            "type": "RecipientScope",
            "displayName": name,
            "customAttributes": { "Exclusive": false, "RecipientFilter": filter },
        });
        self.fetch(&Call::write(OPERATION, Method::POST, url, Effect::Once).json(&body)?)
            .await
    }

    /// Replaces the filter of a management scope.
    ///
    /// # Errors
    /// [`crate::Error::is_not_found`].
    pub async fn update_app_scope(&self, id: &str, filter: &str) -> Result<()> {
        const OPERATION: &str = "change management scope";
        let url = self.beta_address(OPERATION, &path("customAppScopes").id(id))?;
        let call = Call::write(OPERATION, Method::PATCH, url, Effect::Idempotent);
        let body = json!({ "customAttributes": { "RecipientFilter": filter } });
        self.perform(&call.json(&body)?).await
    }

    /// The Exchange roles that a service principal was given.
    ///
    /// # Errors
    /// As for any read.
    pub async fn exchange_assignments(&self, service_principal: &str) -> Result<Vec<ExchangeAssignment>> {
        const OPERATION: &str = "list Exchange role assignments";
        let url = self.beta_address(OPERATION, &path("roleAssignments"))?;
        let mut all: Vec<ExchangeAssignment> = self.fetch_all(Call::read(OPERATION, url)).await?;
        all.retain(|assignment| assignment.is_of(service_principal));
        Ok(all)
    }

    /// Gives a service principal an Exchange role within a management scope.
    ///
    /// # Errors
    /// `Invalid` when there is such an assignment already; [`crate::Error::is_not_found`] while
    /// Exchange does not know a new service principal.
    pub async fn assign_exchange_role(&self, service_principal: &str, role: &str, scope: &str) -> Result<()> {
        const OPERATION: &str = "assign Exchange role";
        let url = self.beta_address(OPERATION, &path("roleAssignments"))?;
        let body = json!({
            "principalId": format!("/ServicePrincipals/{service_principal}"),
            "roleDefinitionId": role,
            "appScopeId": scope,
        });
        self.perform(&Call::write(OPERATION, Method::POST, url, Effect::Once).json(&body)?)
            .await
    }

    /// Takes an Exchange role away; one that is gone already is success.
    ///
    /// # Errors
    /// As for any write.
    pub async fn remove_exchange_assignment(&self, id: &str) -> Result<()> {
        const OPERATION: &str = "remove Exchange role assignment";
        let url = self.beta_address(OPERATION, &path("roleAssignments").id(id))?;
        self.delete_at(OPERATION, url).await
    }

    /// Deletes a management scope; one that is gone already is success.
    ///
    /// # Errors
    /// `Invalid` while an assignment uses it.
    pub async fn delete_app_scope(&self, id: &str) -> Result<()> {
        const OPERATION: &str = "delete management scope";
        let url = self.beta_address(OPERATION, &path("customAppScopes").id(id))?;
        self.delete_at(OPERATION, url).await
    }
}
