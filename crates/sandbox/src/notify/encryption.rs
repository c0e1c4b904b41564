//! The encryption of resource data for one subscription.
//!
//! Owns the reading of the client's certificate and the scheme of contract §3: a fresh AES-256 key per notification,
//! wrapped with RSA-OAEP (SHA-1); AES-CBC with PKCS #7 padding whose initialisation vector is the first half of the
//! key; HMAC-SHA256 under the same key over the encrypted bytes. It never sees a private key.

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::entra::jwt::{hex, sha1};
use crate::entropy::Entropy;
use crate::notify::subscription::ResourceData;

/// The smallest key that is accepted, in bits.
const MIN_KEY_BITS: usize = 2_048;
/// The largest certificate that is looked at, in characters of base64.
const MAX_CERTIFICATE: usize = 64 * 1024;
/// The symmetric key, in bytes.
const KEY_BYTES: usize = 32;
/// The initialisation vector, in bytes.
const IV_BYTES: usize = 16;

/// Encrypts for the holder of one certificate.
pub struct Sealer {
    key: OaepPublicEncryptingKey,
    certificate_id: String,
    thumbprint: String,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sealer")
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

impl Sealer {
    /// Reads the certificate; the error says what is wrong with it.
    pub fn new(data: &ResourceData) -> Result<Self, &'static str> {
        if data.certificate.len() > MAX_CERTIFICATE {
            return Err("it is too long");
        }
        let text: String = data
            .certificate
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .collect();
        let der = STANDARD
            .decode(text)
            .map_err(|_| "it is not base64 of a certificate in DER")?;
        let (rest, parsed) = X509Certificate::from_der(&der).map_err(|_| "it is not an X.509 certificate")?;
        if !rest.is_empty() {
            return Err("something follows the X.509 certificate");
        }
        let Ok(PublicKey::RSA(rsa)) = parsed.public_key().parsed() else {
            return Err("its key is not an RSA key");
        };
        if rsa.key_size() < MIN_KEY_BITS {
            return Err("its RSA key is shorter than 2048 bits");
        }
        let key = PublicEncryptingKey::from_der(parsed.public_key().raw).map_err(|_| "its RSA key is not usable")?;
        Ok(Self {
            key: OaepPublicEncryptingKey::new(key).map_err(|_| "its RSA key is not usable")?,
            certificate_id: data.certificate_id.clone(),
            thumbprint: hex(&sha1(&der)),
        })
    }

    /// `encryptedContent` for this plain text.
    pub fn seal(&self, plain: &[u8], entropy: &Entropy) -> Result<Value, Unspecified> {
        let mut key = [0_u8; KEY_BYTES];
        entropy.fill(&mut key);
        let mut iv = [0_u8; IV_BYTES];
        iv.copy_from_slice(&key[..IV_BYTES]);
        let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &key)?)?;
        let mut data = plain.to_vec();
        cipher.less_safe_encrypt(&mut data, EncryptionContext::Iv128(FixedLength::from(iv)))?;
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &data);
        let mut wrapped = vec![0_u8; self.key.ciphertext_size()];
        let wrapped = self.key.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut wrapped, None)?;
        Ok(json!({
            "data": STANDARD.encode(&data),
            "dataKey": STANDARD.encode(wrapped),
            "dataSignature": STANDARD.encode(signature.as_ref()),
            "encryptionCertificateId": self.certificate_id,
            "encryptionCertificateThumbprint": self.thumbprint,
        }))
    }
}
