//! The server's certificate: loaded with clear errors, followed while the service runs.
//!
//! A renewed certificate needs no restart: the files are read again and again, and a pair that is
//! complete and right replaces the old one for new connections. A pair that is not (half written, wrong
//! key) is logged once and the old one stays. Uses the aws-lc-rs provider by name, so that it does not
//! depend on what the process installed.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_util::sync::CancellationToken;

use crate::serving::Error;

/// How often the files are looked at. Certificates are renewed days before they end.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// A chain of certificates has some kilobytes; anything larger is another file.
const MAX_FILE: u64 = 1024 * 1024;

/// Files of the server's certificate, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by the intermediate ones.
    pub certificate: PathBuf,
    /// Its private key (PKCS#8, PKCS#1 or SEC1), not encrypted.
    pub key: PathBuf,
}

/// The bytes of both files.
#[derive(PartialEq, Eq)]
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The certificate in use.
pub(crate) struct Certificates {
    files: TlsFiles,
    config: RustlsConfig,
    /// The pair that was looked at last, whether it was right or not.
    seen: Pair,
}

/// What a look at the files has led to.
#[derive(Debug)]
pub(crate) enum Look {
    Unchanged,
    Replaced,
    /// The files changed, but can't be used; the old certificate stays.
    Kept(Error),
}

impl Certificates {
    pub async fn load(files: TlsFiles) -> Result<Self, Error> {
        let seen = read_pair(&files).await?;
        let config = RustlsConfig::from_config(server_config(&files, &seen)?);
        Ok(Self { files, config, seen })
    }

    pub fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Reads the files again and takes a new pair into use.
    pub async fn look(&mut self) -> Look {
        let pair = match read_pair(&self.files).await {
            Ok(pair) if pair == self.seen => return Look::Unchanged,
            Ok(pair) => pair,
            Err(error) => return Look::Kept(error),
        };
        let built = server_config(&self.files, &pair);
        self.seen = pair;
        match built {
            Ok(config) => {
                self.config.reload_from_config(config);
                Look::Replaced
            }
            Err(error) => Look::Kept(error),
        }
    }

    /// Looks at the files until the service stops.
    pub async fn follow(mut self, shutdown: CancellationToken) {
        let mut complaint = String::new();
        while shutdown
            .run_until_cancelled(tokio::time::sleep(LOOK_EVERY))
            .await
            .is_some()
        {
            match self.look().await {
                Look::Unchanged => {}
                Look::Replaced => {
                    complaint.clear();
                    tracing::info!(file = %self.files.certificate.display(), "the renewed certificate is in use");
                }
                Look::Kept(error) => {
                    let text = error.to_string();
                    if text != complaint {
                        tracing::warn!(error = text, "the certificate files changed; the old certificate stays");
                        complaint = text;
                    }
                }
            }
        }
    }
}

async fn read_pair(files: &TlsFiles) -> Result<Pair, Error> {
    let certificate = read(&files.certificate)
        .await
        .map_err(|detail| certificate_error(files, detail))?;
    let key = read(&files.key).await.map_err(|detail| key_error(files, detail))?;
    Ok(Pair { certificate, key })
}

async fn read(path: &Path) -> Result<Vec<u8>, String> {
    let size = tokio::fs::metadata(path)
        .await
        .map_err(|error| error.to_string())?
        .len();
    if size > MAX_FILE {
        return Err(format!("it has {size} bytes, more than any certificate"));
    }
    tokio::fs::read(path).await.map_err(|error| error.to_string())
}

fn certificate_error(files: &TlsFiles, detail: impl Into<String>) -> Error {
    Error::Certificate {
        path: files.certificate.clone(),
        detail: detail.into(),
    }
}

fn key_error(files: &TlsFiles, detail: impl Into<String>) -> Error {
    Error::Key {
        path: files.key.clone(),
        detail: detail.into(),
    }
}

fn server_config(files: &TlsFiles, pair: &Pair) -> Result<Arc<ServerConfig>, Error> {
    let chain = CertificateDer::pem_slice_iter(&pair.certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| certificate_error(files, format!("no valid PEM: {error}")))?;
    if chain.is_empty() {
        return Err(certificate_error(files, "it holds no `BEGIN CERTIFICATE` section"));
    }
    let key = PrivateKeyDer::from_pem_slice(&pair.key).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => {
            key_error(files, "it holds no unencrypted `BEGIN PRIVATE KEY` section")
        }
        other => key_error(files, format!("no valid PEM: {other}")),
    })?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| certificate_error(files, error.to_string()))?;
    let mut config = builder
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                let detail = format!("it does not belong to the certificate {}", files.certificate.display());
                key_error(files, detail)
            }
            rustls::Error::InvalidCertificate(problem) => certificate_error(files, format!("{problem:?}")),
            other => key_error(files, other.to_string()),
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self_signed, write_pair};

    #[tokio::test]
    async fn wrong_files_are_named_with_the_cause() {
        let dir = tempfile::tempdir().expect("directory");
        let files = write_pair(dir.path(), &self_signed());
        Certificates::load(files.clone())
            .await
            .map(|_| ())
            .expect("a right pair");

        let missing = TlsFiles {
            certificate: dir.path().join("absent.pem"),
            ..files.clone()
        };
        let error = Certificates::load(missing).await.map(|_| ()).unwrap_err();
        assert!(
            matches!(&error, Error::Certificate { .. }) && error.to_string().contains("absent.pem"),
            "{error}"
        );

        let swapped = TlsFiles {
            certificate: files.key.clone(),
            key: files.certificate.clone(),
        };
        assert!(matches!(
            Certificates::load(swapped).await.map(|_| ()),
            Err(Error::Certificate { .. })
        ));

        let no_key = TlsFiles {
            key: files.certificate.clone(),
            ..files.clone()
        };
        assert!(matches!(
            Certificates::load(no_key).await.map(|_| ()),
            Err(Error::Key { .. })
        ));

        std::fs::write(&files.key, self_signed().1).expect("written");
        let error = Certificates::load(files).await.map(|_| ()).unwrap_err();
        assert!(
            error.to_string().contains("does not belong to the certificate"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn renewed_pair_replaces_the_old_one_and_a_broken_one_does_not() {
        let dir = tempfile::tempdir().expect("directory");
        let files = write_pair(dir.path(), &self_signed());
        let mut certificates = Certificates::load(files.clone()).await.expect("loaded");
        let in_use = certificates.config().get_inner();
        assert!(matches!(certificates.look().await, Look::Unchanged));

        let renewed = self_signed();
        std::fs::write(&files.certificate, &renewed.0).expect("written");
        assert!(matches!(certificates.look().await, Look::Kept(Error::Key { .. })));
        assert!(Arc::ptr_eq(&in_use, &certificates.config().get_inner()));

        std::fs::write(&files.key, &renewed.1).expect("written");
        assert!(matches!(certificates.look().await, Look::Replaced));
        assert!(!Arc::ptr_eq(&in_use, &certificates.config().get_inner()));
    }
}
