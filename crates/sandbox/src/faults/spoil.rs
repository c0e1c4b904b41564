//! Answers that are spoiled on their way.
//!
//! Owns the bodies that end early, come slowly or are not what they are called. A slow body is sent whole in the end:
//! after [`LONGEST_DRIP`] the rest comes at once.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::HeaderValue;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};

use crate::faults::answer::gateway_page;
use crate::server::paths::GraphResponse;

/// Longest slow body: a fault must not look like a hanging process.
const LONGEST_DRIP: Duration = Duration::from_secs(600);
/// Pause between two pieces of a slow body.
const PAUSE: Duration = Duration::from_millis(100);
/// The start of a JSON document, and then something else.
const GARBAGE: &[u8] = b"{\"value\": [{\"id\": \xff\xfe\x00<<garbage>> ";

/// How an answer is spoiled, and whether the service does its work first.
#[derive(Debug, Clone)]
pub struct Spoiling {
    /// How.
    pub spoiled: Spoiled,
    /// Whether the service does what was asked.
    pub after_effect: bool,
}

/// How an answer is spoiled.
#[derive(Debug, Clone)]
pub enum Spoiled {
    /// So many bytes arrive; half of them when none is said.
    Truncated(Option<usize>),
    /// So many bytes a second.
    Slow(u32),
    /// Not JSON, whatever the header says.
    Garbage,
    /// Called something else.
    ContentType(String),
    /// A gateway's page with this status.
    Page(u16),
}

impl Spoiling {
    /// Spoils what the service answered.
    #[must_use]
    pub fn after(spoiled: Spoiled) -> Self {
        Self {
            spoiled,
            after_effect: true,
        }
    }

    /// The answer with its content changed; what happens to its bytes on the wire is [`Spoiling::body`]'s.
    #[must_use]
    pub fn content(&self, mut answer: GraphResponse) -> GraphResponse {
        match &self.spoiled {
            Spoiled::Page(status) => return gateway_page(*status),
            Spoiled::Garbage => answer.body = Bytes::from_static(GARBAGE),
            Spoiled::ContentType(value) => {
                if let Ok(value) = HeaderValue::from_str(value) {
                    answer.headers.insert(CONTENT_TYPE, value);
                }
            }
            Spoiled::Truncated(_) | Spoiled::Slow(_) => {
                answer.headers.insert(CONTENT_LENGTH, answer.body.len().into());
            }
        }
        answer
    }

    /// The body as it goes over the wire.
    pub fn body(&self, bytes: Bytes) -> Body {
        match self.spoiled {
            Spoiled::Truncated(wanted) => truncated(&bytes, wanted),
            Spoiled::Slow(rate) => slow(bytes, rate),
            Spoiled::Garbage | Spoiled::ContentType(_) | Spoiled::Page(_) => Body::from(bytes),
        }
    }
}

fn truncated(bytes: &Bytes, wanted: Option<usize>) -> Body {
    let sent = wanted.unwrap_or(bytes.len() / 2).min(bytes.len().saturating_sub(1));
    let part = bytes.slice(..sent);
    Body::from_stream(stream::unfold(Some(part), |part| async move {
        match part {
            // The first piece; an empty one would not be sent.
            Some(part) if !part.is_empty() => Some((Ok(part), Some(Bytes::new()))),
            // Then time for it to leave, and the break.
            Some(_) => {
                tokio::time::sleep(PAUSE).await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None))
            }
            None => None,
        }
    }))
}

fn slow(bytes: Bytes, rate: u32) -> Body {
    let pieces_per_second = 1000 / u32::try_from(PAUSE.as_millis()).unwrap_or(100);
    let (size, pause) = if rate >= pieces_per_second {
        (rate / pieces_per_second, PAUSE)
    } else {
        (1, Duration::from_secs(1) / rate.max(1))
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    Body::from_stream(stream::unfold(
        (bytes, Duration::ZERO),
        move |(mut rest, waited)| async move {
            if rest.is_empty() {
                return None;
            }
            if waited >= LONGEST_DRIP {
                return Some((Ok::<_, io::Error>(rest), (Bytes::new(), waited)));
            }
            if waited > Duration::ZERO || pause > PAUSE {
                tokio::time::sleep(pause).await;
            }
            let piece = rest.split_to(size.min(rest.len()));
            Some((Ok(piece), (rest, waited + pause)))
        },
    ))
}
