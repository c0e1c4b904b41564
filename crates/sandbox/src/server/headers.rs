//! Headers that every Graph answer carries, and what identifies a request.
//!
//! Owns `request-id`, `client-request-id`, `Date` by the tenant's clock, and the base address a client used. It never
//! overwrites what a service has set.

use http::header::{DATE, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Uri};
use jiff::Timestamp;

use crate::odata::error::Stamp;
use crate::state::Sandbox;

/// Identifies a request that has just arrived.
#[must_use]
pub fn stamp(sandbox: &Sandbox, headers: &HeaderMap) -> Stamp {
    let request_id = sandbox.entropy.uuid();
    let client = headers.get("client-request-id").and_then(|value| value.to_str().ok());
    let client_request_id = client.map_or_else(|| request_id.to_string(), str::to_owned);
    Stamp {
        at: sandbox.clock.now(),
        request_id,
        client_request_id,
    }
}

/// Completes a Graph answer.
pub fn complete(headers: &mut HeaderMap, stamp: &Stamp) {
    let mut add = |name: HeaderName, value: Result<HeaderValue, http::header::InvalidHeaderValue>| {
        if let Ok(value) = value {
            headers.entry(name).or_insert(value);
        }
    };
    add(
        HeaderName::from_static("request-id"),
        HeaderValue::from_str(&stamp.request_id.to_string()),
    );
    add(
        HeaderName::from_static("client-request-id"),
        HeaderValue::from_str(&stamp.client_request_id),
    );
    add(
        HeaderName::from_static("odata-version"),
        Ok(HeaderValue::from_static("4.0")),
    );
    add(http::header::CACHE_CONTROL, Ok(HeaderValue::from_static("no-cache")));
    add(
        http::header::STRICT_TRANSPORT_SECURITY,
        Ok(HeaderValue::from_static("max-age=31536000")),
    );
    add(
        HeaderName::from_static("x-ms-ags-diagnostic"),
        Ok(HeaderValue::from_static(
            r#"{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"SANDBOX"}}"#,
        )),
    );
}

/// The `Date` header: clients measure the difference between their clock and the tenant's by it.
#[must_use]
pub fn date(at: Timestamp) -> (HeaderName, HeaderValue) {
    let text = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
    (DATE, value)
}

/// Which transport a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// TLS.
    Https,
    /// Plain.
    Http,
}

/// `scheme://host[:port]` as the client addressed the sandbox.
#[must_use]
pub fn base_url(scheme: Scheme, uri: &Uri, headers: &HeaderMap) -> String {
    let authority = uri.authority().map(|authority| authority.as_str().to_owned());
    let host = headers
        .get(HOST)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let host = authority.or(host).unwrap_or_else(|| "localhost".to_owned());
    let scheme = match scheme {
        Scheme::Https => "https",
        Scheme::Http => "http",
    };
    format!("{scheme}://{host}")
}
