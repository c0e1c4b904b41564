//! A Graph request as the services see it, and the answer they give.
//!
//! Owns path normalisation: doubled slashes collapse, every segment is percent-decoded once, `users('x')` becomes the
//! two segments `users` and `x`, a function's empty parentheses go (`delta()` is `delta`), and an alternate key
//! `applications(appId='x')` becomes `applications` and `(appId='x')`. Fixed words keep the client's case: compare
//! them without case. Ids are never changed.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use crate::auth::Caller;
use crate::odata::error::Stamp;

/// Which edition of Graph was addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiVersion {
    /// `/v1.0`
    V1,
    /// `/beta`
    Beta,
}

impl ApiVersion {
    /// As it stands in a URL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// A normalised request with its authenticated sender.
#[derive(Debug, Clone)]
pub struct GraphRequest {
    /// HTTP method.
    pub method: Method,
    /// Edition.
    pub version: ApiVersion,
    /// Path after the edition.
    pub segments: Vec<String>,
    /// The query as sent, without `?`.
    pub raw_query: String,
    /// The query decoded, `+` meaning a space.
    pub query: Vec<(String, String)>,
    /// Request headers.
    pub headers: HeaderMap,
    /// Request body.
    pub body: Bytes,
    /// `scheme://host` as the client addressed it; absolute URLs start with it.
    pub base_url: String,
    /// The sender.
    pub caller: Caller,
    /// Ids and time of this exchange.
    pub stamp: Stamp,
}

impl GraphRequest {
    /// `scheme://host/v1.0`, the start of every absolute URL and `@odata.context`.
    #[must_use]
    pub fn service_root(&self) -> String {
        format!("{}/{}", self.base_url, self.version.as_str())
    }

    /// The body as JSON; an empty body is an empty object.
    pub fn json_body(&self) -> Result<serde_json::Value, crate::odata::error::ODataError> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(serde_json::Value::Object(serde_json::Map::new()));
        }
        serde_json::from_slice(&self.body).map_err(|_| {
            crate::odata::error::ODataError::bad_request("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
        })
    }

    /// All values of a header, joined with commas (HTTP lists may be split over several header lines).
    #[must_use]
    pub fn header_list(&self, name: &str) -> String {
        let values: Vec<&str> = self
            .headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        values.join(",")
    }
}

/// An answer of a service.
#[derive(Debug, Clone)]
pub struct GraphResponse {
    /// HTTP status.
    pub status: StatusCode,
    /// Response headers.
    pub headers: HeaderMap,
    /// Response body.
    pub body: Bytes,
}

/// The content type Graph gives JSON.
pub const JSON_CONTENT_TYPE: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

impl GraphResponse {
    /// A JSON document.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("values built by the sandbox have string keys and serialise");
        Self::bytes(status, HeaderValue::from_static(JSON_CONTENT_TYPE), body.into())
    }

    /// Any bytes with their content type.
    #[must_use]
    pub fn bytes(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type);
        Self { status, headers, body }
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// Adds a header; a value that HTTP cannot carry is left out.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

/// Splits a raw (still percent-encoded) path into the segments of the rules above.
#[must_use]
pub fn segments(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .flat_map(split_key)
        .collect()
}

fn split_key(raw: &str) -> Vec<String> {
    let decoded = percent_decode_str(raw).decode_utf8_lossy().into_owned();
    let Some((name, argument)) = decoded.strip_suffix(')').and_then(|rest| rest.split_once('(')) else {
        return vec![decoded];
    };
    if name.is_empty() {
        return vec![decoded];
    }
    let name = name.to_owned();
    let argument = argument.trim();
    if argument.is_empty() {
        return vec![name];
    }
    match argument.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(key) => vec![name, key.replace("''", "'")],
        None if argument.contains('=') => vec![name, format!("({argument})")],
        None => vec![name, argument.to_owned()],
    }
}

/// The value of an alternate key segment: `(appId='x')` asked for `appid` gives `x`.
#[must_use]
pub fn alternate_key(segment: &str, property: &str) -> Option<String> {
    let (name, value) = segment.strip_prefix('(')?.strip_suffix(')')?.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case(property) {
        return None;
    }
    let value = value.trim();
    let value = value
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap_or(value);
    Some(value.replace("''", "'"))
}

/// Decodes a query; `+` is a space and names may be encoded (`%24top`).
#[must_use]
pub fn query_pairs(raw: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(raw.as_bytes()).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_slashes_and_encoding_are_normalised() {
        assert_eq!(
            segments("//users/u%40contoso.example//messages"),
            ["users", "u@contoso.example", "messages"]
        );
    }

    #[test]
    fn keys_in_parentheses_become_segments() {
        assert_eq!(
            segments("/users('a')/mailFolders('in''box')/messages/delta()"),
            ["users", "a", "mailFolders", "in'box", "messages", "delta"]
        );
    }

    #[test]
    fn an_encoded_slash_stays_inside_its_segment() {
        assert_eq!(segments("/me/messages/AA%2FB=="), ["me", "messages", "AA/B=="]);
    }

    #[test]
    fn alternate_keys_are_kept_apart_from_ids() {
        let path = segments("/applications(appId='x')");
        assert_eq!(path, ["applications", "(appId='x')"]);
        assert_eq!(alternate_key(&path[1], "appid").as_deref(), Some("x"));
        assert_eq!(alternate_key("x", "appid"), None);
    }
}
