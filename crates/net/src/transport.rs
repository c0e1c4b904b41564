//! The port through which every request leaves: one request in, one whole answer out.
//!
//! Owns the shapes of a request and an answer. Never interprets a status: an answer of 500 is an
//! answer, not an error. Invariant: an implementation reads at most `limit` bytes of a body.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::error::TransportError;

/// Most bytes of an answer's body that the caller is willing to hold in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BodyLimit(u64);

impl BodyLimit {
    /// A bound in bytes.
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// A bound in mebibytes.
    pub const fn mebibytes(mebibytes: u64) -> Self {
        Self(mebibytes * 1024 * 1024)
    }

    /// The bound in bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// 8 MiB: room for a full page of JSON, and little enough to hold many at a time.
impl Default for BodyLimit {
    fn default() -> Self {
        Self::mebibytes(8)
    }
}

/// A request to be sent exactly once, as it stands.
#[derive(Clone)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Absolute address, already encoded.
    pub url: Url,
    /// Header fields. Mark credentials with `HeaderValue::set_sensitive`.
    pub headers: HeaderMap,
    /// Body; empty for none.
    pub body: Bytes,
}

/// An answer, read to its end.
#[derive(Clone)]
pub struct HttpResponse {
    /// Status.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body, no longer than the limit of the request.
    pub body: Bytes,
}

/// Sends requests.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends the request once and reads the answer, whatever its status.
    ///
    /// # Errors
    /// When no whole answer arrived. [`TransportError::may_have_had_effect`] tells whether the
    /// other side may have acted on the request all the same.
    async fn send(&self, request: HttpRequest, limit: BodyLimit) -> Result<HttpResponse, TransportError>;
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn send(&self, request: HttpRequest, limit: BodyLimit) -> Result<HttpResponse, TransportError> {
        (**self).send(request, limit).await
    }
}

/// The address without user information, query and fragment, which may hold secrets.
pub(crate) fn loggable(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Fails only for addresses that cannot hold user information, and those need no removal.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &loggable(&self.url))
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Header values are left out: `Location` and `Set-Cookie` may carry secrets.
        let names: Vec<&str> = self.headers.keys().map(http::HeaderName::as_str).collect();
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("header_names", &names)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
