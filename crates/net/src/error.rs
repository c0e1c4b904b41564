//! How an exchange can fail before there is a whole answer.
//!
//! Owns the kinds of failure and the one fact that decides whether a request may be repeated:
//! could the other side have acted on it? Never holds a query string, a header or a body.

use std::error::Error as _;

use url::Url;

use crate::transport::loggable;

/// What stopped the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportErrorKind {
    /// The host name has no address.
    Dns,
    /// No connection to the host or the proxy could be opened.
    Connect,
    /// The TLS handshake failed, usually because the certificate is not trusted.
    Tls,
    /// The whole exchange took too long.
    Timeout,
    /// The connection was cut after the request may have been sent.
    Closed,
    /// The answer is larger than the caller allows.
    BodyTooLarge,
    /// The request or the configuration cannot be used as it stands; nothing was sent.
    Invalid,
}

/// No whole answer arrived.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {detail}{}", .kind.phrase(), in_parentheses(.url))]
pub struct TransportError {
    /// What stopped the exchange.
    pub kind: TransportErrorKind,
    /// Address without query; empty when the failure concerns no address.
    pub url: String,
    /// The chain of causes as text, without secrets.
    pub detail: String,
}

impl TransportErrorKind {
    const fn phrase(self) -> &'static str {
        match self {
            Self::Dns => "cannot resolve the host name",
            Self::Connect => "cannot connect",
            Self::Tls => "cannot agree on a trusted TLS connection",
            Self::Timeout => "no answer in time",
            Self::Closed => "connection cut before the answer was complete",
            Self::BodyTooLarge => "answer is too large",
            Self::Invalid => "cannot be sent",
        }
    }
}

impl TransportError {
    /// An error of the given kind for an address.
    pub fn new(kind: TransportErrorKind, url: &Url, detail: impl Into<String>) -> Self {
        Self {
            kind,
            url: loggable(url),
            detail: detail.into(),
        }
    }

    /// A configuration that no client can be built from.
    pub(crate) fn configuration(detail: impl Into<String>) -> Self {
        Self {
            kind: TransportErrorKind::Invalid,
            url: String::new(),
            detail: detail.into(),
        }
    }

    /// Whether the other side may have received and acted on the request.
    ///
    /// `false` only where the request provably never left: no address, no connection, no TLS
    /// session, or a request that could not be built.
    pub const fn may_have_had_effect(&self) -> bool {
        match self.kind {
            TransportErrorKind::Dns
            | TransportErrorKind::Connect
            | TransportErrorKind::Tls
            | TransportErrorKind::Invalid => false,
            TransportErrorKind::Timeout | TransportErrorKind::Closed | TransportErrorKind::BodyTooLarge => true,
        }
    }

    pub(crate) fn from_reqwest(error: reqwest::Error, url: &Url) -> Self {
        let kind = kind_of(&error);
        // reqwest's own text repeats the whole address, query included.
        let error = error.without_url();
        Self {
            kind,
            url: loggable(url),
            detail: chain(&error),
        }
    }
}

fn in_parentheses(url: &str) -> String {
    if url.is_empty() {
        String::new()
    } else {
        format!(" ({url})")
    }
}

/// The order matters: a connection that could not be opened in time is both a connect failure and
/// a time-out, and only the first of the two proves that nothing was sent.
fn kind_of(error: &reqwest::Error) -> TransportErrorKind {
    if error.is_dns() {
        TransportErrorKind::Dns
    } else if error.is_connect() {
        if caused_by_tls(error) {
            TransportErrorKind::Tls
        } else {
            TransportErrorKind::Connect
        }
    } else if error.is_builder() {
        TransportErrorKind::Invalid
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else {
        TransportErrorKind::Closed
    }
}

fn caused_by_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(current) = cause {
        if current.is::<rustls::Error>() {
            return true;
        }
        // An `io::Error` names as its source the source of what it wraps, and may wrap another.
        let mut wrapped = current
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        while let Some(inner) = wrapped {
            if inner.is::<rustls::Error>() {
                return true;
            }
            wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        }
        cause = current.source();
    }
    false
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let next = current.to_string();
        // Wrappers often print what they wrap.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = current.source();
    }
    text
}
