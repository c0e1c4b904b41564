//! The one error of this crate.
//!
//! Owns what is known about a failed call: its class, Microsoft's code and text, the request id to
//! quote in a support case, and whether the call may have had effect. Never holds a query string,
//! a body, a token or a secret.

use std::fmt;
use std::ops::Deref;

use guichet_net::{TransportError, TransportErrorKind};
use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use crate::class::{Class, Origin, RETRY, classify};
use crate::retry::retry_after;
use crate::token::GET_TOKEN;

/// Result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Longest text taken over from an answer; Microsoft's are a few hundred bytes.
const MAX_MESSAGE_CHARS: usize = 1024;

/// Code of a good answer that can't be read.
pub(crate) const UNREADABLE: &str = "unreadable_answer";

/// Longest code or id taken over from an answer.
const MAX_CODE_CHARS: usize = 128;

/// A failed call. Read its fields through [`Failure`], to which it dereferences.
#[derive(Clone)]
pub struct Error(Box<Failure>);

/// What is known about a failed call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// What the caller can do.
    pub class: Class,
    /// HTTP status; `None` when no answer arrived.
    pub status: Option<u16>,
    /// Microsoft's code (`ErrorItemNotFound`, `AADSTS7000215`), or one of ours in lower case
    /// (`transport_closed`, `unreadable_answer`, `foreign_link`, `http_502`).
    pub code: String,
    /// Microsoft's text, or ours as a lower-case fragment.
    pub message: String,
    /// Microsoft's id of the request, for support cases.
    pub request_id: Option<String>,
    /// What was being done, as words ("read message").
    pub operation: &'static str,
    /// Address without query.
    pub url: String,
    /// Whether the other side may have acted on the call although it failed. Always `false` for
    /// calls that only read.
    pub may_have_had_effect: bool,
    /// The transport's failure, where there was no answer.
    pub transport: Option<TransportError>,
}

impl Error {
    /// An error that no answer was needed for: nothing was sent, or a good answer cannot be used.
    pub fn new(class: Class, operation: &'static str, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            class,
            status: None,
            code: code.into(),
            message: message.into(),
            request_id: None,
            operation,
            url: String::new(),
            may_have_had_effect: false,
            transport: None,
        }))
    }

    /// No whole answer arrived. `writes` says whether the call changes anything.
    pub(crate) fn from_transport(operation: &'static str, writes: bool, error: TransportError) -> Self {
        let (class, code) = match error.kind {
            TransportErrorKind::Dns => (RETRY, "transport_dns"),
            TransportErrorKind::Connect => (RETRY, "transport_connect"),
            TransportErrorKind::Tls => (RETRY, "transport_tls"),
            TransportErrorKind::Timeout => (RETRY, "transport_timeout"),
            TransportErrorKind::Closed => (RETRY, "transport_closed"),
            TransportErrorKind::BodyTooLarge => (Class::Invalid, "answer_too_large"),
            TransportErrorKind::Invalid => (Class::Bug, "transport_invalid"),
        };
        let mut failed = Self::new(class, operation, code, error.detail.clone());
        failed.0.may_have_had_effect = writes && error.may_have_had_effect();
        failed.0.url.clone_from(&error.url);
        failed.0.transport = Some(error);
        failed
    }

    /// An answer of Graph that is not a success.
    pub(crate) fn from_answer(
        operation: &'static str,
        writes: bool,
        url: &Url,
        answer: &guichet_net::HttpResponse,
        now: Timestamp,
    ) -> Self {
        let status = answer.status.as_u16();
        let body = GraphErrorBody::read(&answer.body);
        let origin = if body.is_some() {
            Origin::Graph
        } else {
            Origin::Elsewhere
        };
        let GraphErrorBody {
            mut code,
            mut message,
            request_id,
        } = body.unwrap_or_default();
        let mut class = classify(status, &code, &message, origin);
        let advised = retry_after(&answer.headers, Some(now));
        if let (Class::Retry { after }, Some(advised)) = (&mut class, advised) {
            *after = (*after).max(advised);
        }
        if code.is_empty() {
            code = format!("http_{status}");
        }
        if message.is_empty() {
            message = format!("the answer has status {status} and no explanation");
        }
        // Refusals have no effect. A gateway that gave up waiting cannot know, and a 503 is a
        // refusal only where the service itself says when to come back.
        let unclear = status == 408 || (status >= 500 && !(status == 503 && advised.is_some()));
        Self(Box::new(Failure {
            class,
            status: Some(status),
            code,
            message,
            request_id: header_text(answer, "request-id").or(request_id),
            operation,
            url: without_query(url),
            may_have_had_effect: writes && unclear,
            transport: None,
        }))
    }

    /// A success whose body is not what the contract promises. The parser's own text is left out:
    /// it quotes values, and values may be mail or secrets.
    pub(crate) fn unreadable(operation: &'static str, writes: bool, url: &Url, error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            serde_json::error::Category::Data => "JSON of an unexpected shape",
            serde_json::error::Category::Eof => "JSON that ends early",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
        };
        let message = format!(
            "the answer is {what}, at line {} column {}",
            error.line(),
            error.column()
        );
        let mut failed = Self::new(Class::Bug, operation, UNREADABLE, message);
        failed.0.url = without_query(url);
        failed.0.may_have_had_effect = writes;
        failed
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_url(mut self, url: &Url) -> Self {
        self.0.url = without_query(url);
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<String>) -> Self {
        self.0.request_id = id;
        self
    }

    pub(crate) fn with_class(mut self, class: Class) -> Self {
        self.0.class = class;
        self
    }

    pub(crate) fn with_effect(mut self) -> Self {
        self.0.may_have_had_effect = true;
        self
    }

    /// The parts, for callers that keep some of them.
    pub fn into_failure(self) -> Failure {
        *self.0
    }

    /// Whether Graph says that what the call names does not exist. Right after a creation in the
    /// directory this may be replication lag of a few seconds; and a mailbox that cannot be reached
    /// answers it too (look at `class` before taking a message for gone).
    pub fn is_not_found(&self) -> bool {
        self.status == Some(404) && (self.class == Class::Gone || self.class == Class::Denied)
    }

    /// Whether what the call creates exists already.
    pub fn is_already_exists(&self) -> bool {
        // The directory answers 400 with one code for everything and tells by its text.
        let told = self.status == Some(400) && self.message.to_ascii_lowercase().contains("already exist");
        told || (self.status == Some(409) && !self.has_code("ErrorIrresolvableConflict"))
    }

    /// Whether the call met a concurrent change or something that exists already (HTTP 409).
    pub fn is_conflict(&self) -> bool {
        self.status == Some(409)
    }

    /// Whether waiting and repeating is what helps.
    pub fn is_retry(&self) -> bool {
        matches!(self.class, Class::Retry { .. })
    }

    /// Whether no token was to be had, so that the call itself was not made: it says nothing about what was
    /// asked for.
    pub fn is_of_sign_in(&self) -> bool {
        self.operation == GET_TOKEN
    }

    /// Whether the call succeeded and what came back makes no sense: something between here and the service may
    /// have answered, and what was done has to be looked for.
    pub fn is_unreadable_answer(&self) -> bool {
        self.code == UNREADABLE
    }

    /// How long the other side asked to wait; `None` unless waiting and repeating is what helps.
    pub fn retry_after(&self) -> Option<std::time::Duration> {
        match self.class {
            Class::Retry { after } => Some(after),
            _ => None,
        }
    }

    /// Whether the code is the given one, without regard to case.
    pub fn has_code(&self, code: &str) -> bool {
        self.code.eq_ignore_ascii_case(code)
    }
}

impl Deref for Error {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        &self.0
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.operation, self.code, self.message)?;
        if let Some(status) = self.status {
            write!(f, " (HTTP {status}")?;
            match &self.request_id {
                Some(id) => write!(f, ", request {id})")?,
                None => f.write_str(")")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.transport.as_ref().map(|error| error as _)
    }
}

/// The address without query and fragment.
pub(crate) fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// A header's text, where it is short enough to be what it claims.
pub(crate) fn header_text(answer: &guichet_net::HttpResponse, name: &str) -> Option<String> {
    let value = answer.headers.get(name)?.to_str().ok()?;
    (!value.is_empty()).then(|| shortened(value, MAX_CODE_CHARS))
}

pub(crate) fn shortened(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `{"error":{"code","message","innerError"|"innererror":{"request-id"}}}`; the code may be empty.
#[derive(Default)]
struct GraphErrorBody {
    code: String,
    message: String,
    request_id: Option<String>,
}

impl GraphErrorBody {
    fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Outer {
            error: Inner,
        }
        #[derive(Deserialize)]
        struct Inner {
            #[serde(default)]
            code: Option<String>,
            #[serde(default)]
            message: Option<String>,
            #[serde(default, alias = "innererror", rename = "innerError")]
            inner: Option<serde_json::Value>,
        }
        let Outer { error } = serde_json::from_slice(body).ok()?;
        let request_id = error
            .inner
            .as_ref()
            .and_then(|inner| inner.get("request-id"))
            .and_then(|id| id.as_str());
        Some(Self {
            code: shortened(error.code.as_deref().unwrap_or_default(), MAX_CODE_CHARS),
            message: shortened(error.message.as_deref().unwrap_or_default(), MAX_MESSAGE_CHARS),
            request_id: request_id.map(|id| shortened(id, MAX_CODE_CHARS)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use guichet_net::HttpResponse;
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    fn answer(status: u16, body: &'static str, headers: &[(&'static str, &'static str)]) -> HttpResponse {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        let status = StatusCode::from_u16(status).unwrap();
        HttpResponse {
            status,
            headers: map,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    fn failed(answer: &HttpResponse) -> Error {
        let url = Url::parse("https://graph.example/v1.0/users/a/messages?$filter=secret").unwrap();
        Error::from_answer("send draft", true, &url, answer, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn both_spellings_of_the_inner_error_give_the_request_id() {
        for body in [
            r#"{"error":{"code":"X","message":"m","innerError":{"request-id":"abc"}}}"#,
            r#"{"error":{"code":"X","message":"m","innererror":{"request-id":"abc"}}}"#,
        ] {
            assert_eq!(failed(&answer(400, body, &[])).request_id.as_deref(), Some("abc"));
        }
    }

    #[test]
    fn answer_of_a_gateway_in_html_still_becomes_an_error() {
        let error = failed(&answer(502, "<html>bad gateway</html>", &[]));
        assert_eq!(error.code, "http_502");
        assert!(error.is_retry());
    }

    #[test]
    fn only_unclear_answers_may_have_had_effect() {
        let body = r#"{"error":{"code":"","message":""}}"#;
        for (status, unclear) in [
            (400, false),
            (403, false),
            (408, true),
            (429, false),
            (500, true),
            (502, true),
            (504, true),
        ] {
            assert_eq!(
                failed(&answer(status, body, &[])).may_have_had_effect,
                unclear,
                "{status}"
            );
        }
        assert!(failed(&answer(503, body, &[])).may_have_had_effect);
        assert!(!failed(&answer(503, body, &[("retry-after", "3")])).may_have_had_effect);
    }

    #[test]
    fn advised_wait_becomes_part_of_the_class() {
        let body = r#"{"error":{"code":"TooManyRequests","message":""}}"#;
        let error = failed(&answer(429, body, &[("retry-after", "2.128")]));
        assert_eq!(
            error.class,
            Class::Retry {
                after: Duration::from_millis(2128)
            }
        );
    }

    #[test]
    fn query_appears_nowhere() {
        let error = failed(&answer(400, "", &[]));
        assert!(!format!("{error} {error:?}").contains("secret"));
        assert_eq!(error.url, "https://graph.example/v1.0/users/a/messages");
    }

    #[test]
    fn existing_things_are_recognised_by_status_or_text() {
        let body = r#"{"error":{"code":"Request_BadRequest","message":"Permission being assigned already exists on the object"}}"#;
        assert!(failed(&answer(400, body, &[])).is_already_exists());
        assert!(failed(&answer(409, r#"{"error":{"code":"ErrorFolderExists"}}"#, &[])).is_already_exists());
        assert!(!failed(&answer(400, r#"{"error":{"code":"Request_BadRequest"}}"#, &[])).is_already_exists());
    }
}
