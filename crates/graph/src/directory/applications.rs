//! Application registrations.

use http::Method;
use serde_json::{Map, Value, json};

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::{GraphPath, literal};
use crate::request::Call;
use crate::retry::Effect;
use crate::wire::directory::{Application, ApplicationPatch, DirectoryObject, Ensured, NewApplication};

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

    /// Makes a directory object an owner of the application; one that is already is success.
    ///
    /// # Errors
    /// [`crate::Error::is_not_found`] if either is not there.
    pub async fn add_application_owner(&self, object_id: &str, owner: &str) -> Result<Ensured> {
        const OPERATION: &str = "add owner of application";
        let path = GraphPath::new("applications").id(object_id).then("owners").then("$ref");
        let owner = self.address(OPERATION, &GraphPath::new("directoryObjects").id(owner))?;
        let url = self.address(OPERATION, &path)?;
        let call = Call::write(OPERATION, Method::POST, url, Effect::Idempotent);
        match self.perform(&call.json(&json!({ "@odata.id": owner.as_str() }))?).await {
            Ok(()) => Ok(Ensured::Created),
            Err(error) if error.is_already_exists() => Ok(Ensured::Existed),
            Err(error) => Err(error),
        }
    }

    /// Object ids of the application's owners.
    ///
    /// # Errors
    /// [`crate::Error::is_not_found`].
    pub async fn application_owners(&self, object_id: &str) -> Result<Vec<String>> {
        const OPERATION: &str = "list owners of application";
        let path = GraphPath::new("applications").id(object_id).then("owners");
        let url = self.address(OPERATION, &path.query("$select", "id"))?;
        let owners: Vec<DirectoryObject> = self.fetch_all(Call::read(OPERATION, url)).await?;
        Ok(owners.into_iter().map(|owner| owner.id).collect())
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
