//! Federated identity credentials of an application: outside issuers that speak for it.

use http::Method;
use serde_json::json;

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::GraphPath;
use crate::request::Call;
use crate::retry::Effect;
use crate::wire::directory::FederatedCredential;

const COLLECTION: &str = "federatedIdentityCredentials";

impl GraphClient {
    /// The application's federated credentials, at most 20.
    ///
    /// # Errors
    /// [`crate::Error::is_not_found`].
    pub async fn federated_credentials(&self, application: &str) -> Result<Vec<FederatedCredential>> {
        const OPERATION: &str = "list federated credentials";
        let path = GraphPath::new("applications").id(application).then(COLLECTION);
        self.fetch_all(Call::read(OPERATION, self.address(OPERATION, &path)?))
            .await
    }

    /// Registers one. Issuer and subject together are unique for an application, and so is the name.
    ///
    /// # Errors
    /// `Denied` without the right to. [`crate::Error::is_already_exists`] for a name, or an issuer and subject, that is
    /// there.
    pub async fn add_federated_credential(
        &self,
        application: &str,
        name: &str,
        issuer: &str,
        subject: &str,
        audience: &str,
    ) -> Result<FederatedCredential> {
        const OPERATION: &str = "register federated credential";
        let path = GraphPath::new("applications").id(application).then(COLLECTION);
        let call = Call::write(OPERATION, Method::POST, self.address(OPERATION, &path)?, Effect::Once);
        let body = json!({ "name": name, "issuer": issuer, "subject": subject, "audiences": [audience] });
        self.fetch(&call.json(&body)?).await
    }

    /// Removes one; one that is gone already is success.
    ///
    /// # Errors
    /// As for any write.
    pub async fn remove_federated_credential(&self, application: &str, id: &str) -> Result<()> {
        let path = GraphPath::new("applications").id(application).then(COLLECTION).id(id);
        self.delete("remove federated credential", &path).await
    }
}
