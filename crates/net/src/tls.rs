//! TLS: the one crypto provider, and the certificates an operator adds.
//!
//! Owns the choice of aws-lc and the reading of certificate files. Never replaces the platform's
//! roots: extra certificates are trusted in addition to them. A file that cannot be used is an
//! error that names it, because a silently ignored one shows up later as an untrusted server.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::error::TransportError;

/// Largest certificate file that is read. The bundles of the large distributions are below 1 MB.
const MAX_CA_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// Makes aws-lc the process-wide crypto provider of rustls. Calling it again changes nothing.
pub fn install_tls_provider() {
    // An error says that a provider stands already, which is what we want.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Reads every certificate of a PEM bundle or a single DER certificate.
pub(crate) fn read_ca_file(path: &Path) -> Result<Vec<reqwest::Certificate>, TransportError> {
    let refuse = |why: String| TransportError::configuration(format!("CA file {}: {why}", path.display()));

    let size = std::fs::metadata(path)
        .map_err(|error| refuse(error.to_string()))?
        .len();
    if size > MAX_CA_FILE_BYTES {
        return Err(refuse(format!(
            "{size} bytes are more than the {MAX_CA_FILE_BYTES} that are read"
        )));
    }
    let bytes = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;

    let certificates = parse(&bytes).map_err(refuse)?;
    let mut store = rustls::RootCertStore::empty();
    certificates
        .into_iter()
        .enumerate()
        .map(|(index, der)| {
            let number = index + 1;
            store
                .add(der.clone())
                .map_err(|error| refuse(format!("certificate {number} cannot be trusted: {error}")))?;
            reqwest::Certificate::from_der(&der).map_err(|error| refuse(format!("certificate {number}: {error}")))
        })
        .collect()
}

fn parse(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    // A DER certificate is an ASN.1 sequence; PEM is text.
    if bytes.first() == Some(&0x30) {
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("not valid PEM: {error}"))?;
    if certificates.is_empty() {
        return Err("holds no certificate; expected PEM blocks headed BEGIN CERTIFICATE, or DER".to_owned());
    }
    Ok(certificates)
}
