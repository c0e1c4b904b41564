//! Client secrets of an application.

use http::Method;
use jiff::Timestamp;
use serde_json::json;

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::GraphPath;
use crate::request::Call;
use crate::retry::Effect;
use crate::wire::directory::NewSecret;

impl GraphClient {
    /// Creates a client secret. Its value is in this answer and nowhere else.
    ///
    /// # Errors
    /// `Denied` where the tenant's policy forbids secrets or such long ones. If
    /// `may_have_had_effect`, a secret whose value nobody knows may exist: find it by its display
    /// name among the application's credentials and remove it.
    pub async fn add_password(&self, application: &str, display_name: &str, end: Timestamp) -> Result<NewSecret> {
        const OPERATION: &str = "create client secret";
        let path = GraphPath::new("applications").id(application).then("addPassword");
        let call = Call::write(OPERATION, Method::POST, self.address(OPERATION, &path)?, Effect::Once);
        let body = json!({ "passwordCredential": { "displayName": display_name, "endDateTime": format!("{end:.0}") } });
        self.fetch(&call.json(&body)?).await
    }

    /// Removes a client secret; one that is gone already is success.
    ///
    /// # Errors
    /// As for any write.
    pub async fn remove_password(&self, application: &str, key_id: &str) -> Result<()> {
        const OPERATION: &str = "remove client secret";
        let path = GraphPath::new("applications").id(application).then("removePassword");
        let call = Call::write(
            OPERATION,
            Method::POST,
            self.address(OPERATION, &path)?,
            Effect::Idempotent,
        );
        match self.perform(&call.json(&json!({ "keyId": key_id }))?).await {
            Err(error) if error.class == crate::Class::Gone => Ok(()),
            outcome => outcome,
        }
    }
}
