//! Application registrations.

use http::Method;
use serde_json::{Map, Value, json};

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::{GraphPath, literal};
use crate::request::Call;
use crate::retry::Effect;
use crate::wire::directory::{Application, ApplicationPatch, NewApplication};

const FIND: &str = "find application";

impl GraphClient {
    /// An application by its object id.
    ///
    /// # Errors
    /// [`crate::Error::is_not_found`].
    pub async fn application(&self, object_id: &str) -> Result<Application> {
        const OPERATION: &str = "read application";
        let url = self.address(OPERATION, &GraphPath::new("applications").id(object_id))?;
        self.fetch(&Call::read(OPERATION, url)).await
    }

    /// The application with this client id, if it is registered in this tenant.
    ///
    /// # Errors
    /// As for any read.
    pub async fn find_application_by_app_id(&self, app_id: &str) -> Result<Option<Application>> {
        let found = self
            .applications_where(&format!("appId eq {}", literal(app_id)))
            .await?;
        Ok(found
            .into_iter()
            .find(|application| application.app_id.eq_ignore_ascii_case(app_id)))
    }

    /// The applications with this display name; names need not be unique.
    ///
    /// # Errors
    /// As for any read.
    pub async fn find_applications_by_display_name(&self, name: &str) -> Result<Vec<Application>> {
        let mut found = self
            .applications_where(&format!("displayName eq {}", literal(name)))
            .await?;
        found.retain(|application| application.display_name.eq_ignore_ascii_case(name));
        Ok(found)
    }

    async fn applications_where(&self, filter: &str) -> Result<Vec<Application>> {
        let url = self.address(FIND, &GraphPath::new("applications").query("$filter", filter))?;
        self.fetch_all(Call::read(FIND, url)).await
    }

    /// Registers an application.
    ///
    /// # Errors
    /// `Denied` without the right to. If `may_have_had_effect`, look by display name first.
    pub async fn create_application(&self, application: &NewApplication) -> Result<Application> {
        const OPERATION: &str = "create application";
        let url = self.address(OPERATION, &GraphPath::new("applications"))?;
        let body = json!({
            "displayName": application.display_name,
            "signInAudience": application.sign_in_audience,
            "web": { "redirectUris": application.redirect_uris },
            "requiredResourceAccess": application.required_resource_access,
        });
        self.fetch(&Call::write(OPERATION, Method::POST, url, Effect::Once).json(&body)?)
            .await
    }

    /// Changes an application.
    ///
    /// # Errors
    /// [`crate::Error::is_not_found`].
    pub async fn update_application(&self, object_id: &str, patch: &ApplicationPatch) -> Result<()> {
        const OPERATION: &str = "update application";
        let mut body = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        set("displayName", patch.display_name.as_ref().map(|name| json!(name)));
        set(
            "signInAudience",
            patch.sign_in_audience.as_ref().map(|audience| json!(audience)),
        );
        set(
            "web",
            patch.redirect_uris.as_ref().map(|uris| json!({ "redirectUris": uris })),
        );
        set(
            "requiredResourceAccess",
            patch.required_resource_access.as_ref().map(|access| json!(access)),
        );
        let url = self.address(OPERATION, &GraphPath::new("applications").id(object_id))?;
        self.perform(&Call::write(OPERATION, Method::PATCH, url, Effect::Idempotent).json(&body)?)
            .await
    }

    /// Deletes an application; one that is gone already is success.
    ///
    /// # Errors
    /// As for any write.
    pub async fn delete_application(&self, object_id: &str) -> Result<()> {
        self.delete("delete application", &GraphPath::new("applications").id(object_id))
            .await
    }
}
