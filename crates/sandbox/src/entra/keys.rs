//! The key that signs every token, and its publication.
//!
//! Owns one RSA key, made at the tenant's first start, its self-signed certificate, and signing and checking with RS256.
//! The private key leaves this file only for the tenant's saved state.

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::error::Error;
use crate::notify::Signer;

/// The signing key and what the world may know of it.
pub struct SigningKey {
    pair: RsaKeyPair,
    public: UnparsedPublicKey<Vec<u8>>,
    kid: String,
    modulus: String,
    exponent: String,
    certificate: String,
    private: SecretString,
}

/// The key as it is saved, so that tokens stay valid over a restart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedKey {
    /// PKCS #8 as base64.
    #[serde(with = "crate::persist::encoding::secret")]
    private: SecretString,
    /// Certificate as base64.
    certificate: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl Signer for SigningKey {
    fn sign(&self, claims: &Value) -> String {
        Self::sign(self, claims, true)
    }
}

impl SigningKey {
    /// A fresh 2048-bit key with its certificate.
    ///
    /// # Errors
    /// When the generator or the certificate builder fails.
    pub fn generate() -> Result<Self, Error> {
        let crypto = |reason: String| Error::Crypto(reason);
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
            .map_err(|error| crypto(error.to_string()))?;
        let mut params = CertificateParams::new(Vec::new()).map_err(|error| crypto(error.to_string()))?;
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "accounts.accesscontrol.windows.net");
        let certificate = params.self_signed(&key).map_err(|error| crypto(error.to_string()))?;
        Self::assemble(key.serialized_der(), certificate.der())
    }

    /// The key of an earlier start.
    ///
    /// # Errors
    /// When it is not whole.
    pub fn restore(saved: &SavedKey) -> Result<Self, Error> {
        let decode = |text: &str| STANDARD.decode(text).map_err(|error| Error::Crypto(error.to_string()));
        Self::assemble(&decode(saved.private.expose_secret())?, &decode(&saved.certificate)?)
    }

    /// What [`SigningKey::restore`] needs.
    #[must_use]
    pub fn saved(&self) -> SavedKey {
        SavedKey {
            private: self.private.clone(),
            certificate: self.certificate.clone(),
        }
    }

    fn assemble(private: &[u8], der: &[u8]) -> Result<Self, Error> {
        let crypto = |reason: String| Error::Crypto(reason);
        let (_, parsed) = X509Certificate::from_der(der).map_err(|error| crypto(error.to_string()))?;
        let Ok(PublicKey::RSA(rsa)) = parsed.public_key().parsed() else {
            return Err(crypto("the signing certificate does not hold an RSA key".to_owned()));
        };
        let unsigned = |bytes: &[u8]| {
            let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
            URL_SAFE_NO_PAD.encode(&bytes[start..])
        };
        let (modulus, exponent) = (unsigned(rsa.modulus), unsigned(rsa.exponent));
        let public = parsed.public_key().subject_public_key.data.to_vec();
        let pair = RsaKeyPair::from_pkcs8(private).map_err(|error| crypto(error.to_string()))?;
        let thumbprint = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, der);
        Ok(Self {
            pair,
            public: UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public),
            kid: URL_SAFE_NO_PAD.encode(thumbprint),
            modulus,
            exponent,
            certificate: STANDARD.encode(der),
            private: SecretString::from(STANDARD.encode(private)),
        })
    }

    /// A signed token. `with_thumbprint` adds `x5t`, as version 1 tokens have it.
    #[must_use]
    pub fn sign(&self, claims: &Value, with_thumbprint: bool) -> String {
        let header = if with_thumbprint {
            json!({"typ": "JWT", "alg": "RS256", "x5t": self.kid, "kid": self.kid})
        } else {
            json!({"typ": "JWT", "alg": "RS256", "kid": self.kid})
        };
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let mut signature = vec![0_u8; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .expect("a signature buffer of the modulus' length fits");
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    /// Whether `signature` belongs to `input` under this key.
    #[must_use]
    pub fn verifies(&self, input: &[u8], signature: &[u8]) -> bool {
        self.public.verify(input, signature).is_ok()
    }

    /// The key as it stands in a key set.
    #[must_use]
    pub fn jwk(&self, issuer: Option<&str>) -> Value {
        let mut jwk = json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": self.modulus,
            "e": self.exponent,
            "x5c": [self.certificate],
        });
        if let Some(issuer) = issuer {
            jwk["issuer"] = issuer.into();
        }
        jwk
    }
}
