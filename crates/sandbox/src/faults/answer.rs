//! Answers in place of the service's.
//!
//! Owns the documents that Graph, the identity provider and a gateway in between give for a status, and the code and
//! message that usually come with one.

use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::faults::StatusFault;
use crate::odata::error::{ODataError, Stamp};
use crate::server::paths::GraphResponse;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=us-ascii");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

impl StatusFault {
    /// The answer as Graph gives it.
    #[must_use]
    pub fn graph_response(&self, stamp: &Stamp) -> GraphResponse {
        let (code, message) = usual(self.status);
        let code = self.code.clone().unwrap_or_else(|| code.to_owned());
        let message = self.message.clone().unwrap_or_else(|| message.to_owned());
        let mut response = ODataError::new(status_code(self.status), code, message).render(stamp);
        self.finish(&mut response);
        response
    }

    /// The answer as the identity provider gives it.
    #[must_use]
    pub fn login_response(&self) -> GraphResponse {
        let mut response = if self.status == 429 {
            GraphResponse::bytes(status_code(self.status), TEXT, "Too Many Requests".into())
        } else {
            let document = json!({
                "error": self.code.as_deref().unwrap_or("temporarily_unavailable"),
                "error_description": self.message.as_deref()
                    .unwrap_or("AADSTS90033: A transient error has occurred. Please try again."),
                "error_codes": [90_033],
            });
            GraphResponse::json(status_code(self.status), &document)
        };
        self.finish(&mut response);
        response
    }

    fn finish(&self, response: &mut GraphResponse) {
        if let Some(body) = &self.body {
            response.body = body.clone().into();
        }
        let headers: &mut HeaderMap = &mut response.headers;
        let retry_after = match &self.retry_after {
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
            None => None,
        };
        if let Some(Ok(value)) = retry_after.map(|text| HeaderValue::from_str(&text)) {
            headers.insert(RETRY_AFTER, value);
        }
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
    }
}

/// The page that a gateway shows when what stands behind it fails.
#[must_use]
pub fn gateway_page(status: u16) -> GraphResponse {
    let status = status_code(status);
    let reason = status.canonical_reason().unwrap_or("Error");
    let page = format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \"http://www.w3.org/TR/html4/strict.dtd\">\r\n<HTML><HEAD><TITLE>{reason}</TITLE>\r\n<META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; charset=us-ascii\"></HEAD>\r\n<BODY><h2>{reason}</h2>\r\n<hr><p>HTTP Error {}. The gateway could not reach the service.</p>\r\n</BODY></HTML>\r\n",
        status.as_u16()
    );
    GraphResponse::bytes(status, HTML, page.into())
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The code and message that usually come with a status.
fn usual(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => (
            "InvalidAuthenticationToken",
            "Lifetime validation failed, the token is expired.",
        ),
        403 => (
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        ),
        404 => ("ErrorItemNotFound", "The specified object was not found in the store."),
        409 => (
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.",
        ),
        410 => (
            "SyncStateNotFound",
            "The sync state generation is not found; generation=1;[highest=0].",
        ),
        412 => (
            "ErrorIrresolvableConflict",
            "The change key passed in the request does not match the current change key for the item.",
        ),
        429 => (
            "ApplicationThrottled",
            "Application is over its MailboxConcurrency limit.",
        ),
        500 => (
            "ErrorInternalServerError",
            "An internal server error occurred. The operation failed.",
        ),
        502 => ("BadGateway", "The upstream server failed to fulfil the request."),
        503 => (
            "ServiceUnavailable",
            "The service is unavailable. Please try again later.",
        ),
        504 => ("UnknownError", ""),
        _ => ("UnknownError", "An error ordered by a test."),
    }
}
