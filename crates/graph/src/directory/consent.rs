//! What applications are granted: application permissions and delegated ones.
//!
//! Owns the calls that are admin consent. An application permission that is granted already is
//! success, because the directory answers a repetition with 400.

use http::Method;
use serde_json::json;

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::{GraphPath, literal};
use crate::request::Call;
use crate::retry::Effect;
use crate::wire::directory::{AppRoleAssignment, Ensured, PermissionGrant};

impl GraphClient {
    /// The application permissions that a service principal holds.
    ///
    /// # Errors
    /// [`crate::Error::is_not_found`].
    pub async fn app_role_assignments(&self, service_principal: &str) -> Result<Vec<AppRoleAssignment>> {
        const OPERATION: &str = "list application permissions";
        let path = GraphPath::new("servicePrincipals")
            .id(service_principal)
            .then("appRoleAssignments");
        self.fetch_all(Call::read(OPERATION, self.address(OPERATION, &path)?))
            .await
    }

    /// Grants an application permission: admin consent. All three are object ids but `role`, which
    /// is the id of the role that `resource` offers.
    ///
    /// # Errors
    /// `Denied` with `Authorization_RequestDenied` without a role that may consent.
    pub async fn assign_app_role(&self, principal: &str, resource: &str, role: &str) -> Result<Ensured> {
        const OPERATION: &str = "grant application permission";
        let path = GraphPath::new("servicePrincipals")
            .id(resource)
            .then("appRoleAssignedTo");
        // A repetition finds the grant in place, so a doubled one cannot arise.
        let call = Call::write(
            OPERATION,
            Method::POST,
            self.address(OPERATION, &path)?,
            Effect::Idempotent,
        );
        let body = json!({ "principalId": principal, "resourceId": resource, "appRoleId": role });
        match self.perform(&call.json(&body)?).await {
            Ok(()) => Ok(Ensured::Created),
            Err(error) if error.is_already_exists() => Ok(Ensured::Existed),
            Err(error) => Err(error),
        }
    }

    /// Takes an application permission back; one that is gone already is success.
    ///
    /// # Errors
    /// As for any write.
    pub async fn remove_app_role(&self, service_principal: &str, assignment: &str) -> Result<()> {
        let path = GraphPath::new("servicePrincipals")
            .id(service_principal)
            .then("appRoleAssignments")
            .id(assignment);
        self.delete("revoke application permission", &path).await
    }

    /// The delegated permissions that a service principal holds.
    ///
    /// # Errors
    /// As for any read.
    pub async fn permission_grants(&self, client: &str) -> Result<Vec<PermissionGrant>> {
        const OPERATION: &str = "list delegated permissions";
        let filter = format!("clientId eq {}", literal(client));
        let url = self.address(
            OPERATION,
            &GraphPath::new("oauth2PermissionGrants").query("$filter", &filter),
        )?;
        let mut grants: Vec<PermissionGrant> = self.fetch_all(Call::read(OPERATION, url)).await?;
        grants.retain(|grant| grant.client_id.eq_ignore_ascii_case(client));
        Ok(grants)
    }

    /// Grants delegated permissions (`scope`, separated by spaces) for every user of the tenant.
    /// `client` and `resource` are object ids of service principals.
    ///
    /// # Errors
    /// [`crate::Error::is_already_exists`] when there is a grant for the pair: update it.
    pub async fn create_permission_grant(&self, client: &str, resource: &str, scope: &str) -> Result<PermissionGrant> {
        const OPERATION: &str = "grant delegated permissions";
        let url = self.address(OPERATION, &GraphPath::new("oauth2PermissionGrants"))?;
        let body =
            json!({ "clientId": client, "consentType": "AllPrincipals", "resourceId": resource, "scope": scope });
        self.fetch(&Call::write(OPERATION, Method::POST, url, Effect::Once).json(&body)?)
            .await
    }

    /// Replaces the scope of a grant.
    ///
    /// # Errors
    /// [`crate::Error::is_not_found`].
    pub async fn update_permission_grant(&self, id: &str, scope: &str) -> Result<()> {
        const OPERATION: &str = "change delegated permissions";
        let url = self.address(OPERATION, &GraphPath::new("oauth2PermissionGrants").id(id))?;
        let call = Call::write(OPERATION, Method::PATCH, url, Effect::Idempotent);
        self.perform(&call.json(&json!({ "scope": scope }))?).await
    }
}
