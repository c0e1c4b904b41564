//! Service principals: applications as a tenant sees them.

use http::Method;
use serde_json::json;

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::{GraphPath, literal};
use crate::request::Call;
use crate::retry::Effect;
use crate::wire::directory::ServicePrincipal;

impl GraphClient {
    /// The service principal of the application with this client id, if the tenant has one.
    ///
    /// # Errors
    /// As for any read.
    pub async fn find_service_principal(&self, app_id: &str) -> Result<Option<ServicePrincipal>> {
        const OPERATION: &str = "find service principal";
        let filter = format!("appId eq {}", literal(app_id));
        let url = self.address(
            OPERATION,
            &GraphPath::new("servicePrincipals").query("$filter", &filter),
        )?;
        let found: Vec<ServicePrincipal> = self.fetch_all(Call::read(OPERATION, url)).await?;
        Ok(found
            .into_iter()
            .find(|principal| principal.app_id.eq_ignore_ascii_case(app_id)))
    }

    /// Creates the service principal of an application.
    ///
    /// # Errors
    /// [`crate::Error::is_already_exists`] when there is one; right after the application's
    /// creation also [`crate::Error::is_not_found`] or `Invalid`, until it has replicated.
    pub async fn create_service_principal(&self, app_id: &str) -> Result<ServicePrincipal> {
        const OPERATION: &str = "create service principal";
        let url = self.address(OPERATION, &GraphPath::new("servicePrincipals"))?;
        let call = Call::write(OPERATION, Method::POST, url, Effect::Once);
        self.fetch(&call.json(&json!({ "appId": app_id }))?).await
    }

    /// Deletes a service principal, and with it its grants; one that is gone already is success.
    ///
    /// # Errors
    /// As for any write.
    pub async fn delete_service_principal(&self, object_id: &str) -> Result<()> {
        let path = GraphPath::new("servicePrincipals").id(object_id);
        self.delete("delete service principal", &path).await
    }

    /// Allows or blocks sign-in of a service principal.
    ///
    /// # Errors
    /// [`crate::Error::is_not_found`].
    pub async fn set_service_principal_enabled(&self, object_id: &str, enabled: bool) -> Result<()> {
        const OPERATION: &str = "update service principal";
        let url = self.address(OPERATION, &GraphPath::new("servicePrincipals").id(object_id))?;
        let call = Call::write(OPERATION, Method::PATCH, url, Effect::Idempotent);
        self.perform(&call.json(&json!({ "accountEnabled": enabled }))?).await
    }
}
