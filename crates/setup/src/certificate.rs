//! A certificate as the application's credential: made here or brought, and how it is opened.
//!
//! Owns the PEM text that is sealed: the certificate and its private key. Never writes a private key
//! anywhere but into the vault. Invariant: what is accepted holds an RSA key that fits its
//! certificate, which is what Entra can check.

use std::{path::Path, sync::Arc, time::Duration};

use guichet_graph::{CertificateKey, Entropy};
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256,
    RsaKeySize, date_time_ymd,
};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use x509_parser::{pem::Pem, prelude::X509Certificate, public_key::PublicKey};

use crate::Error;

/// A certificate with a chain and its key are some kilobytes.
const MAX_PEM_BYTES: u64 = 256 * 1024;

/// A certificate with its key, checked.
pub(crate) struct Certificate {
    /// What is sealed.
    pub pem: SecretString,
    pub der: Vec<u8>,
    pub expires_at: Timestamp,
    pub key: CertificateKey,
}

/// Makes a self-signed certificate with an RSA key of 2048 bits. The key is drawn from the operating
/// system's generator, as the vault's are.
pub(crate) fn generate(name: &str, now: Timestamp, days: u16, entropy: Arc<dyn Entropy>) -> Result<Certificate, Error> {
    let unmade = |detail: String| Error::Certificate {
        origin: "the new certificate".to_owned(),
        detail,
    };
    let failed = |error: rcgen::Error| unmade(error.to_string());
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(failed)?;
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let at = |time: Timestamp| date_time_ymd(1970, 1, 1) + Duration::from_secs(time.as_second().unsigned_abs());
    // A clock that is a little behind ours must not find a certificate of the future.
    params.not_before = at(now - SignedDuration::from_hours(24));
    params.not_after = at(now + SignedDuration::from_hours(24 * i64::from(days)));
    let certificate = params.self_signed(&key).map_err(failed)?;
    let private = Zeroizing::new(key.serialize_pem());
    let pem = SecretString::from(format!("{}{}", certificate.pem(), private.as_str()));
    parse(pem, "the new certificate", entropy)
}

/// Reads a brought certificate and its key, PEM; both may stand in one file.
pub(crate) fn read(certificate: &Path, key: &Path, entropy: Arc<dyn Entropy>) -> Result<Certificate, Error> {
    let mut text = bounded(certificate)?;
    if key != certificate {
        text.push('\n');
        text.push_str(&bounded(key)?);
    }
    parse(SecretString::from(text), &certificate.display().to_string(), entropy)
}

fn bounded(path: &Path) -> Result<String, Error> {
    let refused = |detail: String| Error::Certificate {
        origin: path.display().to_string(),
        detail,
    };
    let length = std::fs::metadata(path)
        .map_err(|error| refused(error.to_string()))?
        .len();
    if length > MAX_PEM_BYTES {
        return Err(refused(format!(
            "it has {length} bytes, which is no PEM file of a certificate"
        )));
    }
    std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))
}

/// Checks and opens what was made, brought or sealed. `origin` names it in an error.
pub(crate) fn parse(pem: SecretString, origin: &str, entropy: Arc<dyn Entropy>) -> Result<Certificate, Error> {
    let refused = |detail: &str| Error::Certificate {
        origin: origin.to_owned(),
        detail: detail.to_owned(),
    };
    let (mut der, mut private) = (None, None);
    for block in Pem::iter_from_buffer(pem.expose_secret().as_bytes()) {
        let block = block.map_err(|_| refused("it is not PEM"))?;
        match block.label.as_str() {
            // The first is the application's own; what follows is its chain.
            "CERTIFICATE" => _ = der.get_or_insert(block.contents),
            "PRIVATE KEY" | "RSA PRIVATE KEY" => _ = private.get_or_insert(Zeroizing::new(block.contents)),
            "ENCRYPTED PRIVATE KEY" => {
                return Err(refused("its private key is encrypted: decrypt it with `openssl pkcs8`"));
            }
            "EC PRIVATE KEY" => return Err(refused("its key is an elliptic curve's, and Entra accepts RSA only")),
            _ => {}
        }
    }
    let der = der.ok_or_else(|| refused("it holds no certificate"))?;
    let private = private.ok_or_else(|| refused("it holds no private key"))?;
    let key = CertificateKey::new(&der, &private, entropy)
        .ok_or_else(|| refused("its private key is not an RSA key of 2048 bits or more"))?;
    let (fits, expires) = {
        let parsed = Pem {
            label: String::new(),
            contents: der.clone(),
        };
        let certificate: X509Certificate<'_> =
            parsed.parse_x509().map_err(|_| refused("its certificate is damaged"))?;
        let public = certificate.public_key();
        let is_rsa = matches!(public.parsed(), Ok(PublicKey::RSA(_)));
        let same = public.subject_public_key.data.as_ref() == key.public_key();
        (is_rsa && same, certificate.validity().not_after.timestamp())
    };
    if !fits {
        return Err(refused("its private key belongs to another certificate"));
    }
    let expires_at = Timestamp::from_second(expires).map_err(|_| refused("its last day is no date"))?;
    Ok(Certificate {
        pem,
        der,
        expires_at,
        key,
    })
}
