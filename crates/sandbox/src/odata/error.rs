//! Graph's error document: status, code, message.
//!
//! Owns the shape `{"error":{"code","message","innerError":{"date","request-id","client-request-id"}}}`. It never
//! decides which error applies. Every failed Graph request of the sandbox leaves through [`ODataError::render`].

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::json;
use std::borrow::Cow;
use uuid::Uuid;

use crate::server::paths::GraphResponse;

/// A failed Graph request.
#[derive(Debug, Clone)]
pub struct ODataError {
    /// HTTP status of the answer.
    pub status: StatusCode,
    /// Microsoft's error code, such as `ErrorItemNotFound`; may be empty.
    pub code: Cow<'static, str>,
    /// Text for people.
    pub message: Cow<'static, str>,
    /// Further headers, such as `Retry-After` or `Location`; boxed, since few errors have any.
    pub headers: Box<HeaderMap>,
}

/// What identifies one exchange in answers and logs.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// Arrival by the tenant's clock.
    pub at: Timestamp,
    /// `request-id` of the answer.
    pub request_id: Uuid,
    /// `client-request-id` as the client sent it, else the request id.
    pub client_request_id: String,
}

impl ODataError {
    /// An error with no further headers.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            headers: Box::default(),
        }
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// 400 `BadRequest`.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 400 `Request_BadRequest`, the directory's spelling.
    pub fn directory_bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    }

    /// 400 for a path segment that no resource has.
    #[must_use]
    pub fn unknown_segment(segment: &str) -> Self {
        Self::bad_request(format!("Resource not found for the segment '{segment}'."))
    }

    /// 403 of the directory.
    #[must_use]
    pub fn directory_denied() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    }

    /// 404 for a directory object.
    #[must_use]
    pub fn directory_not_found(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Request_ResourceNotFound",
            format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present."),
        )
    }

    /// 405 for a known resource that does not answer this method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        )
    }

    /// 501 for something Microsoft has and the sandbox has not: never a silently wrong result.
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            format!("the sandbox does not support {what}"),
        )
    }

    /// The answer as it goes over the wire.
    #[must_use]
    pub fn render(self, stamp: &Stamp) -> GraphResponse {
        let date = stamp.at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let body = json!({"error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": date,
                "request-id": stamp.request_id,
                "client-request-id": stamp.client_request_id,
            },
        }});
        let mut response = GraphResponse::json(self.status, &body);
        response.headers.extend(*self.headers);
        response
    }
}
