//! The transport of production: reqwest over rustls.
//!
//! Owns the connection pool. Never follows redirects, since a redirected request would carry its
//! credentials to an address nobody chose; never repeats a request, since only the caller knows
//! whether it may; never reads more of a body than it was allowed.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{HeaderMap, Method};

use crate::config::NetConfig;
use crate::error::{TransportError, TransportErrorKind};
use crate::tls::{install_tls_provider, read_ca_file};
use crate::transport::{BodyLimit, HttpRequest, HttpResponse, Transport};

/// How long an unused connection is kept. Shorter than what gateways keep it, so that a request
/// rarely meets a connection that is being closed at the same moment.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// Unused connections kept for each host; Microsoft's hosts speak HTTP/2 and need one.
const POOL_IDLE_PER_HOST: usize = 16;

/// How often an HTTP/2 connection is probed, so that a dead path is noticed before the request
/// time-out.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// First allocation for a body of unknown or large declared size; a declared size is a claim.
const FIRST_ALLOCATION: u64 = 64 * 1024;

/// Sends requests through a shared pool of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
}

impl ReqwestTransport {
    /// Builds the client and reads the extra certificates.
    ///
    /// # Errors
    /// Kind `Invalid`, naming the certificate file or the setting that cannot be used.
    pub fn new(config: &NetConfig) -> Result<Self, TransportError> {
        install_tls_provider();

        let mut certificates = Vec::new();
        for path in &config.extra_ca_files {
            certificates.extend(read_ca_file(path)?);
        }

        let mut builder = reqwest::Client::builder()
            .user_agent(&config.user_agent)
            .connect_timeout(config.connect_timeout)
            .timeout(config.request_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_IDLE_PER_HOST)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .tls_certs_merge(certificates);
        if let Some(url) = &config.proxy {
            let proxy = reqwest::Proxy::all(url.as_str())
                .map_err(|error| TransportError::configuration(format!("proxy: {}", error.without_url())))?
                .no_proxy(reqwest::NoProxy::from_env());
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(|error| {
            TransportError::configuration(format!(
                "the HTTP client: {}; where the system has no CA certificates, install them (package \
                 ca-certificates) or list a file in extra_ca_files",
                crate::error::chain(&error)
            ))
        })?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: HttpRequest, limit: BodyLimit) -> Result<HttpResponse, TransportError> {
        let HttpRequest {
            method,
            url,
            mut headers,
            body,
        } = request;
        state_empty_body(&method, &body, &mut headers);

        let mut outgoing = reqwest::Request::new(method, url.clone());
        *outgoing.headers_mut() = headers;
        if !body.is_empty() {
            *outgoing.body_mut() = Some(body.into());
        }

        let mut answer = self
            .client
            .execute(outgoing)
            .await
            .map_err(|error| TransportError::from_reqwest(error, &url))?;
        let too_large = || {
            let detail = format!("more than the allowed {} bytes", limit.get());
            TransportError::new(TransportErrorKind::BodyTooLarge, &url, detail)
        };

        let declared = answer.content_length().unwrap_or(0);
        if declared > limit.get() {
            return Err(too_large());
        }
        let first = usize::try_from(declared.min(FIRST_ALLOCATION)).unwrap_or(0);
        let mut received = BytesMut::with_capacity(first);
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| TransportError::from_reqwest(error, &url))?
        {
            if (received.len() + chunk.len()) as u64 > limit.get() {
                return Err(too_large());
            }
            received.extend_from_slice(&chunk);
        }

        Ok(HttpResponse {
            status: answer.status(),
            headers: std::mem::take(answer.headers_mut()),
            body: received.freeze(),
        })
    }
}

/// Some gateways answer 411 to a POST that does not state its length, even an empty one.
fn state_empty_body(method: &Method, body: &Bytes, headers: &mut HeaderMap) {
    let expects_body = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    if expects_body && body.is_empty() {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
}
