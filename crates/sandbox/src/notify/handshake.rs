//! The handshake with an endpoint: it must echo a token before anything is sent to it.
//!
//! Owns the request and the judgement of its answer (contract §3): within ten seconds, status 200, `text/plain`, the
//! decoded token and nothing else. Every refusal is an `InvalidRequest`; what exactly was wrong stands in the journal.

use std::time::Duration;

use http::StatusCode;
use url::Url;

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

/// Asks an endpoint to echo `token`.
pub async fn ask(client: &reqwest::Client, url: &str, token: &str, limit: Duration) -> Result<(), Problem> {
    let mut target = Url::parse(url).map_err(|error| Problem::Unreachable(error.to_string()))?;
    target.query_pairs_mut().append_pair("validationToken", token);
    let attempt = async {
        let response = client
            .post(target)
            .header(http::header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .body("")
            .send()
            .await
            .map_err(|error| Problem::Unreachable(reasons(&error.without_url())))?;
        if response.status() != StatusCode::OK {
            return Err(Problem::Status(response.status().as_u16()));
        }
        let content_type = response
            .headers()
            .get(http::header::CONTENT_TYPE)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("text/plain") {
            return Err(Problem::ContentType(content_type));
        }
        if echo(response).await? == token.as_bytes() {
            Ok(())
        } else {
            Err(Problem::Mismatch)
        }
    };
    tokio::time::timeout(limit, attempt)
        .await
        .unwrap_or(Err(Problem::TimedOut))
}

/// A failure with what caused it.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

async fn echo(mut response: reqwest::Response) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| Problem::Unreachable(reasons(&error.without_url())))? else {
            return Ok(bytes);
        };
        if bytes.len() + chunk.len() > MAX_ECHO {
            return Err(Problem::Mismatch);
        }
        bytes.extend_from_slice(&chunk);
    }
}
