//! What a rule does.
//!
//! Owns the actions with their parameters, where each takes place, and the check of parameters when a rule is added.

use std::collections::BTreeMap;

use http::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::faults::{Effect, Spoiled, Spoiling};

/// What a rule does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Answers in place of the service, or after it when `after_effect` is set.
    Status(StatusFault),
    /// Breaks the connection and does nothing.
    CutBefore,
    /// Does what was asked and breaks the connection instead of answering.
    CutAfter,
    /// Waits before anything else.
    Latency {
        /// How long.
        milliseconds: u64,
        /// At most so much longer, drawn for each request.
        #[serde(default, skip_serializing_if = "is_zero")]
        jitter_milliseconds: u64,
    },
    /// Does what was asked, announces the whole body, sends a part of it and breaks the connection.
    Truncate {
        /// How much is sent; half when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<usize>,
    },
    /// Does what was asked and sends the body slowly.
    Drip {
        /// How slowly.
        bytes_per_second: u32,
    },
    /// Does what was asked and sends a body that is not what its content type says.
    Garbage,
    /// Does what was asked and calls the body something else.
    ContentType {
        /// Value of `Content-Type`.
        value: String,
    },
    /// An HTML page as proxies and gateways answer, in place of the service.
    GatewayPage {
        /// Its status.
        #[serde(default = "bad_gateway")]
        status: u16,
        /// Whether the service does what was asked first.
        #[serde(default)]
        after_effect: bool,
    },
    /// Makes every token that the caller's application holds at this moment invalid; this request already meets it.
    RevokeTokens {
        /// Whether the refusal carries a claims challenge, as continuous access evaluation does.
        #[serde(default = "yes")]
        challenge: bool,
    },
    /// Refuses this one request with a claims challenge.
    ClaimsChallenge,
    /// Resets new connections before a byte is sent.
    ResetConnection,
    /// Answers the first bytes of new TLS connections with a handshake failure.
    TlsFailure,
    /// Says this in an SMTP session instead of carrying a command out.
    SmtpReply {
        /// Where.
        phase: SmtpPhase,
        /// The reply with its code, such as `451 4.3.2 Please try again later`.
        reply: String,
    },
}

/// A point of an SMTP session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpPhase {
    /// The greeting; the session ends after it.
    Connect,
    /// `HELO` and `EHLO`.
    Hello,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Rcpt,
    /// `DATA`, before any content.
    Data,
    /// After the content, which is thrown away.
    EndOfData,
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionFault {
    /// See [`Action::ResetConnection`].
    Reset,
    /// See [`Action::TlsFailure`].
    Tls,
}

/// How tokens are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// Whether the application's tokens become invalid, or only this request is refused.
    pub lasting: bool,
    /// Whether the refusal carries a claims challenge.
    pub challenge: bool,
}

/// An answer in place of the service's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusFault {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`: seconds or an HTTP date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Value>,
    /// Graph's error code; the usual one of the status when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Graph's message; the usual one of the status when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Further headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The whole body in place of an error document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether the service does what was asked first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub after_effect: bool,
}

/// Where an action takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At a request, those in a batch too.
    Request,
    /// At a request's own connection.
    Bytes,
    /// At a connection, before any request.
    Connection,
    /// In an SMTP session.
    Smtp,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn bad_gateway() -> u16 {
    502
}

fn yes() -> bool {
    true
}

impl Action {
    /// Where it takes place.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Status(_)
            | Self::Latency { .. }
            | Self::Garbage
            | Self::ContentType { .. }
            | Self::GatewayPage { .. }
            | Self::RevokeTokens { .. }
            | Self::ClaimsChallenge => Place::Request,
            Self::CutBefore | Self::CutAfter | Self::Truncate { .. } | Self::Drip { .. } => Place::Bytes,
            Self::ResetConnection | Self::TlsFailure => Place::Connection,
            Self::SmtpReply { .. } => Place::Smtp,
        }
    }

    /// What it does to an answer.
    #[must_use]
    pub fn effect(&self) -> Option<Effect> {
        let after = |spoiled| Some(Effect::Spoil(Spoiling::after(spoiled)));
        match self {
            Self::Status(fault) => Some(Effect::Status(fault.clone())),
            Self::CutBefore => Some(Effect::CutBefore),
            Self::CutAfter => Some(Effect::CutAfter),
            Self::Truncate { bytes } => after(Spoiled::Truncated(*bytes)),
            Self::Drip { bytes_per_second } => after(Spoiled::Slow(*bytes_per_second)),
            Self::Garbage => after(Spoiled::Garbage),
            Self::ContentType { value } => after(Spoiled::ContentType(value.clone())),
            Self::GatewayPage { status, after_effect } => Some(Effect::Spoil(Spoiling {
                spoiled: Spoiled::Page(*status),
                after_effect: *after_effect,
            })),
            Self::RevokeTokens { challenge } => Some(Effect::Revoke(Revocation {
                lasting: true,
                challenge: *challenge,
            })),
            Self::ClaimsChallenge => Some(Effect::Revoke(Revocation {
                lasting: false,
                challenge: true,
            })),
            Self::Latency { .. } | Self::ResetConnection | Self::TlsFailure | Self::SmtpReply { .. } => None,
        }
    }

    /// What it does to a connection.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionFault> {
        match self {
            Self::ResetConnection => Some(ConnectionFault::Reset),
            Self::TlsFailure => Some(ConnectionFault::Tls),
            _ => None,
        }
    }

    /// What it says in an SMTP session.
    #[must_use]
    pub fn reply(&self) -> Option<String> {
        match self {
            Self::SmtpReply { reply, .. } => Some(reply.clone()),
            _ => None,
        }
    }

    /// Refuses parameters that cannot be carried out.
    ///
    /// # Errors
    /// Text for the control interface.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Status(fault) => fault.check(),
            Self::Drip { bytes_per_second: 0 } => Err("bytes_per_second is at least 1".to_owned()),
            Self::ContentType { value } if HeaderValue::from_str(value).is_err() => {
                Err(format!("'{value}' is not a usable content type"))
            }
            Self::GatewayPage { status, .. } => check_status(*status),
            Self::SmtpReply { reply, .. } => {
                let code = reply.get(..3).and_then(|code| code.parse::<u16>().ok());
                let usable = code.is_some_and(|code| (400..=599).contains(&code)) && !reply.contains(['\r', '\n']);
                usable
                    .then_some(())
                    .ok_or_else(|| format!("'{reply}' is not a reply: one line that starts with 400 to 599"))
            }
            _ => Ok(()),
        }
    }
}

fn check_status(status: u16) -> Result<(), String> {
    if (200..=599).contains(&status) {
        Ok(())
    } else {
        Err(format!("{status} is not a status a server may answer: give 200 to 599"))
    }
}

impl StatusFault {
    fn check(&self) -> Result<(), String> {
        check_status(self.status)?;
        for (name, value) in &self.headers {
            if HeaderName::try_from(name.as_str()).is_err() || HeaderValue::from_str(value).is_err() {
                return Err(format!("'{name}' is not a usable header"));
            }
        }
        match &self.retry_after {
            None => Ok(()),
            Some(Value::String(text)) if HeaderValue::from_str(text).is_ok() => Ok(()),
            Some(Value::Number(number)) if number.as_f64().is_some_and(|seconds| seconds >= 0.0) => Ok(()),
            Some(other) => Err(format!("retry_after is {other}: give seconds or an HTTP date")),
        }
    }
}
