//! The handshake with an endpoint: it must echo a token before anything is sent to it.
//!
//! Owns the request and the judgement of its answer (contract §3): within ten seconds, status 200, `text/plain`, the
//! decoded token and nothing else. Every refusal is an `InvalidRequest`; what exactly was wrong stands in the journal.

use bytes::Bytes;
use http::StatusCode;
use url::Url;

use crate::notify::outgoing::Outgoing;
use crate::notify::validate::invalid;
use crate::odata::error::ODataError;

/// As much of an endpoint's answer as is read; the token is shorter.
const MAX_ECHO: usize = 4_096;

/// Why an endpoint did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No answer in time.
    TimedOut,
    /// No answer at all.
    Unreachable(String),
    /// Another status than 200.
    Status(u16),
    /// Not `text/plain`.
    ContentType(String),
    /// Not the token.
    Mismatch,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimedOut => formatter.write_str("no answer in time"),
            Self::Unreachable(reason) => write!(formatter, "no answer: {reason}"),
            Self::Status(status) => write!(formatter, "status {status} instead of 200"),
            Self::ContentType(found) => write!(formatter, "content type '{found}' instead of text/plain"),
            Self::Mismatch => formatter.write_str("the body is not the decoded validation token"),
        }
    }
}

impl Problem {
    /// The answer to the client.
    #[must_use]
    pub fn refusal(&self) -> ODataError {
        invalid(match self {
            Self::TimedOut => "Subscription validation request timed out.",
            Self::Unreachable(_) | Self::Status(_) => {
                "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request."
            }
            Self::ContentType(_) => {
                "Subscription validation request failed. Notification endpoint must respond with content type text/plain to validation request."
            }
            Self::Mismatch => {
                "Subscription validation request failed. Response must exactly match validationToken query parameter."
            }
        })
    }
}

/// Asks an endpoint to echo `token`. How long that may take is the caller's business.
pub async fn ask(outgoing: &Outgoing, url: &str, token: &str) -> Result<(), Problem> {
    let mut target = Url::parse(url).map_err(|error| Problem::Unreachable(error.to_string()))?;
    target.query_pairs_mut().append_pair("validationToken", token);
    // One byte more than is allowed shows that there is more.
    let reply = outgoing
        .post(target.as_str(), "text/plain; charset=utf-8", Bytes::new(), MAX_ECHO + 1)
        .await
        .map_err(Problem::Unreachable)?;
    if reply.status != StatusCode::OK.as_u16() {
        return Err(Problem::Status(reply.status));
    }
    let essence = reply.content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("text/plain") {
        return Err(Problem::ContentType(reply.content_type));
    }
    if reply.body == token.as_bytes() {
        Ok(())
    } else {
        Err(Problem::Mismatch)
    }
}
