//! An application's proof of itself by a certificate: a signed assertion in place of a secret.
//!
//! Owns the two forms that Microsoft asks for: the assertion for the token endpoint, and the proof
//! of possession for `addKey` and `removeKey`. Never shows the key. Invariant: every assertion is
//! fresh, names the certificate by its SHA-256 thumbprint, and lives for at most ten minutes.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use crate::class::Class;
use crate::error::{Error, Result};
use crate::ports::{Entropy, request_guid};

/// What the directory itself is called in a proof of possession.
const DIRECTORY: &str = "00000002-0000-0000-c000-000000000000";

/// The limit for a proof; an assertion may live longer, and has no reason to.
const LIFE_SECONDS: i64 = 9 * 60;

/// An earlier begin forgives a clock that is a little ahead of Microsoft's; part of the life.
const EARLIER_SECONDS: i64 = 60;

/// A certificate with its private key, ready to sign.
#[derive(Clone)]
pub struct CertificateKey {
    pair: Arc<RsaKeyPair>,
    thumbprint: String,
    entropy: Arc<dyn Entropy>,
}

impl CertificateKey {
    /// A certificate (DER) and its RSA private key (DER, PKCS #8 or PKCS #1). `None` if the key is
    /// not one, or has less than 2048 bits. Whether the two belong together is the caller's to check:
    /// see [`CertificateKey::public_key`].
    pub fn new(certificate: &[u8], private_key: &[u8], entropy: Arc<dyn Entropy>) -> Option<Self> {
        let pair = RsaKeyPair::from_pkcs8(private_key).or_else(|_| RsaKeyPair::from_der(private_key));
        Some(Self {
            pair: Arc::new(pair.ok()?),
            thumbprint: URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, certificate)),
            entropy,
        })
    }

    /// The public half of the private key, as a certificate holds it (PKCS #1).
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// For the token endpoint, which is the audience.
    pub(crate) fn assertion(&self, endpoint: &Url, client_id: &str, now: Timestamp) -> Result<SecretString> {
        let claims = json!({ "aud": endpoint.as_str(), "iss": client_id, "sub": client_id });
        self.sign(claims, now)
    }

    /// For `addKey` and `removeKey` of one application.
    pub(crate) fn proof(&self, application_object_id: &str, now: Timestamp) -> Result<SecretString> {
        self.sign(json!({ "aud": DIRECTORY, "iss": application_object_id }), now)
    }

    fn sign(&self, mut claims: Value, now: Timestamp) -> Result<SecretString> {
        let begin = now.as_second() - EARLIER_SECONDS;
        claims["jti"] = json!(request_guid(&*self.entropy));
        claims["nbf"] = json!(begin);
        claims["iat"] = json!(begin);
        claims["exp"] = json!(begin + LIFE_SECONDS);
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| {
                let text = "the private key of the certificate can't sign";
                Error::new(Class::Bug, "sign assertion", "unsignable", text)
            })?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(SecretString::from(token))
    }
}

impl fmt::Debug for CertificateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateKey")
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}
