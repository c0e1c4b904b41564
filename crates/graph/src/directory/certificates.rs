//! Certificates of an application.
//!
//! Owns the two ways to register one: an administrator's, which replaces the whole list and so sends
//! back what is in it, and the application's own, which needs no permission but a proof that it holds
//! the key of a registered certificate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::GraphPath;
use crate::request::Call;
use crate::retry::Effect;
use crate::token::CertificateKey;
use crate::wire::directory::KeyCredential;

/// A certificate to register.
#[derive(Debug, Clone, Copy)]
pub struct NewCertificate<'a> {
    /// Its id, chosen by us, so that a repetition finds it in place.
    pub key_id: &'a str,
    pub display_name: &'a str,
    pub end: Timestamp,
    /// The certificate itself, DER.
    pub der: &'a [u8],
}

impl NewCertificate<'_> {
    fn wire(&self) -> Value {
        json!({
            "keyId": self.key_id,
            "displayName": self.display_name,
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "endDateTime": format!("{:.0}", self.end),
            "key": STANDARD.encode(self.der),
        })
    }
}

impl GraphClient {
    /// Registers a certificate beside those that are there; one with this id is left as it is.
    ///
    /// # Errors
    /// `Denied` without the right to, or where the tenant's policy forbids it.
    pub async fn add_certificate(&self, application: &str, new: &NewCertificate<'_>) -> Result<()> {
        let mut list = self.certificates(application).await?;
        if list.iter().any(|entry| has_id(entry, new.key_id)) {
            return Ok(());
        }
        list.push(new.wire());
        self.replace_certificates(application, &list).await
    }

    /// Removes a certificate; one that is gone already is success.
    ///
    /// # Errors
    /// As for any write.
    pub async fn remove_certificate(&self, application: &str, key_id: &str) -> Result<()> {
        let mut list = self.certificates(application).await?;
        let before = list.len();
        list.retain(|entry| !has_id(entry, key_id));
        if list.len() == before {
            return Ok(());
        }
        self.replace_certificates(application, &list).await
    }

    /// Registers a certificate as the application itself, which proves that it holds `present`.
    /// Gives the id under which it is registered.
    ///
    /// # Errors
    /// A refusal of the proof. If `may_have_had_effect`, a second certificate may be registered;
    /// whoever holds its key is the same.
    pub async fn add_own_certificate(
        &self,
        application: &str,
        new: &NewCertificate<'_>,
        present: &CertificateKey,
    ) -> Result<KeyCredential> {
        const OPERATION: &str = "renew certificate";
        let path = GraphPath::new("applications").id(application).then("addKey");
        let call = Call::write(OPERATION, Method::POST, self.address(OPERATION, &path)?, Effect::Once);
        let proof = present.proof(application, self.shared().time.now())?;
        let body = json!({
            "keyCredential": new.wire(),
            "passwordCredential": Value::Null,
            "proof": proof.expose_secret(),
        });
        self.fetch(&call.json(&body)?).await
    }

    /// Removes a certificate as the application itself, which proves that it holds `present`.
    ///
    /// # Errors
    /// A refusal of the proof; 400 if no certificate has the id.
    pub async fn remove_own_certificate(
        &self,
        application: &str,
        key_id: &str,
        present: &CertificateKey,
    ) -> Result<()> {
        const OPERATION: &str = "remove own certificate";
        let path = GraphPath::new("applications").id(application).then("removeKey");
        let url = self.address(OPERATION, &path)?;
        let call = Call::write(OPERATION, Method::POST, url, Effect::Idempotent);
        let proof = present.proof(application, self.shared().time.now())?;
        let body = json!({ "keyId": key_id, "proof": proof.expose_secret() });
        match self.perform(&call.json(&body)?).await {
            Err(error) if error.class == crate::Class::Gone => Ok(()),
            outcome => outcome,
        }
    }

    /// As they stand, with their keys, to be sent back without loss.
    async fn certificates(&self, application: &str) -> Result<Vec<Value>> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(rename = "keyCredentials", default)]
            keys: Option<Vec<Value>>,
        }
        const OPERATION: &str = "read certificates";
        let path = GraphPath::new("applications").id(application);
        let url = self.address(OPERATION, &path.query("$select", "id,keyCredentials"))?;
        let wire: Wire = self.fetch(&Call::read(OPERATION, url)).await?;
        let mut list = wire.keys.unwrap_or_default();
        // One past its end would be refused if it were judged as a new one; without its key it stays as it is.
        let now = self.shared().time.now();
        for entry in &mut list {
            let end = entry["endDateTime"]
                .as_str()
                .and_then(|end| end.parse::<Timestamp>().ok());
            if let (Some(members), true) = (entry.as_object_mut(), end.is_some_and(|end| end <= now)) {
                members.remove("key");
            }
        }
        Ok(list)
    }

    async fn replace_certificates(&self, application: &str, list: &[Value]) -> Result<()> {
        const OPERATION: &str = "replace certificates";
        let url = self.address(OPERATION, &GraphPath::new("applications").id(application))?;
        let call = Call::write(OPERATION, Method::PATCH, url, Effect::Idempotent);
        self.perform(&call.json(&json!({ "keyCredentials": list }))?).await
    }
}

fn has_id(entry: &Value, key_id: &str) -> bool {
    entry["keyId"]
        .as_str()
        .is_some_and(|found| found.eq_ignore_ascii_case(key_id))
}
