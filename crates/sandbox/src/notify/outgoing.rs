//! The way to endpoints: the HTTP client that speaks to them, or, in one process with a simulation, its receiver.
//!
//! Owns its trust (the given authorities and no other) and its manners: no redirects, no proxy, a new connection for
//! every request. Time limits are its users' business.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::CONTENT_TYPE;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::notify::NotifySettings;

/// What an endpoint answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`; empty when there is none.
    pub content_type: String,
    /// The body, or as much of it as was asked for.
    pub body: Vec<u8>,
}

/// A request to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Address, with the validation token in a handshake.
    pub url: String,
    /// Notifications, or nothing in a handshake.
    pub body: Bytes,
}

/// Endpoints that live in this process.
pub trait Receiver: Send + Sync + std::fmt::Debug {
    /// Answers a request, or gives nothing when the connection broke.
    fn receive(&self, posted: Posted) -> BoxFuture<'static, Option<Reply>>;
}

/// How endpoints are reached.
#[derive(Debug)]
pub enum Outgoing {
    /// Over the network.
    Network(reqwest::Client),
    /// In this process.
    InProcess(Arc<dyn Receiver>),
}

impl Outgoing {
    /// As the settings say.
    pub fn new(settings: &NotifySettings) -> Result<Self, String> {
        match &settings.receiver {
            Some(receiver) => Ok(Self::InProcess(receiver.clone())),
            None => client(&settings.trusted_pem).map(Self::Network),
        }
    }

    /// Sends one request and reads up to `most` bytes of the answer; the error is the reason why there is none.
    pub async fn post(&self, url: &str, content_type: &str, body: Bytes, most: usize) -> Result<Reply, String> {
        let client = match self {
            Self::Network(client) => client,
            Self::InProcess(receiver) => {
                let url = url.to_owned();
                let reply = receiver.receive(Posted { url, body }).await;
                return reply.ok_or_else(|| "the connection broke".to_owned());
            }
        };
        let failed = |error: reqwest::Error| reasons(&error.without_url());
        let request = client.post(url).header(CONTENT_TYPE, content_type).body(body);
        let mut response = request.send().await.map_err(failed)?;
        let header = response.headers().get(CONTENT_TYPE);
        let mut reply = Reply {
            status: response.status().as_u16(),
            content_type: header.map_or_else(String::new, |value| {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            }),
            body: Vec::new(),
        };
        while reply.body.len() < most
            && let Some(chunk) = response.chunk().await.map_err(failed)?
        {
            reply.body.extend_from_slice(&chunk);
        }
        reply.body.truncate(most);
        Ok(reply)
    }
}

/// A failure with what caused it.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// A client that trusts these authorities; the error says what is wrong with them.
pub fn client(trusted_pem: &[Vec<u8>]) -> Result<reqwest::Client, String> {
    let mut roots = rustls::RootCertStore::empty();
    for pem in trusted_pem {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
        .map_err(|error| error.to_string())
}
