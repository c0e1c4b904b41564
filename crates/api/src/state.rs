//! What the handlers share: the parts that the program hands over, and the bounds on work in flight.

use std::{collections::BTreeMap, fmt, ops::Deref, sync::Arc};

use bytes::Bytes;
use futures::future::BoxFuture;
use guichet_domain::{
    AddressRange,
    finding::Finding,
    ports::{Clock, Entropy},
    routing::Route,
};
use guichet_store::Store;
use http::{HeaderMap, header};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{metrics::HttpMetrics, openapi::openapi};

/// Requests that are worked on at once. Beyond, a request is refused with 503: a queue would only make
/// every client wait past its time-out.
pub(crate) const MAX_IN_FLIGHT: usize = 512;
/// Posts to the notification endpoint that are worked on at once. Anybody can reach it, so it has a share
/// of its own and can't use up that of the clients with a key.
pub(crate) const MAX_NOTIFICATIONS_AT_ONCE: usize = 64;
/// Event streams at once; each one holds a connection for hours.
pub(crate) const MAX_STREAMS: usize = 256;
/// Replies whose bodies are in memory at once. A body may have 30 MB and is held about three times
/// (JSON, base 64, bytes), so four keep the process below half a gigabyte.
pub(crate) const MAX_REPLIES_AT_ONCE: usize = 4;

/// What the HTTP layer works with.
#[derive(Clone)]
pub struct ApiParts {
    /// The ledger.
    pub store: Store,
    /// The running engine.
    pub engine: guichet_engine::Handle,
    /// The present time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes for ids.
    pub entropy: Arc<dyn Entropy>,
    /// The configured routes, in their order.
    pub routes: Arc<Vec<Route>>,
    /// Ranges from which mail is sent into the tenant by SMTP, by region.
    pub addresses: Arc<BTreeMap<String, Vec<AddressRange>>>,
    /// Version of the program.
    pub version: &'static str,
    /// Where `/v1/findings` gets its findings; without it the route says that there are none to be had.
    pub findings: Option<Arc<dyn FindingsSource>>,
}

impl fmt::Debug for ApiParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiParts")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Language of texts for an administrator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English; also for every language that is not served.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// The language that a request asks for.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let accept = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        Self::negotiate(accept.unwrap_or_default())
    }

    /// Reads an `Accept-Language` value: the first range that is served decides, in the order in which
    /// it is written (browsers write the preferred one first).
    fn negotiate(accept: &str) -> Self {
        let served = |range: &str| {
            let tag = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            match tag.split('-').next() {
                Some("fr") => Some(Self::French),
                Some("en") => Some(Self::English),
                _ => None,
            }
        };
        accept.split(',').find_map(served).unwrap_or_default()
    }
}

/// Checks the whole set-up, as `guichet doctor` does.
pub trait FindingsSource: Send + Sync + fmt::Debug {
    /// Every finding, texts in the given language. May take seconds: it asks Microsoft.
    fn findings(&self, language: Language) -> BoxFuture<'_, Vec<Finding>>;
}

/// The shared state; cloning is cheap.
#[derive(Clone)]
pub(crate) struct ApiState(Arc<Shared>);

pub(crate) struct Shared {
    pub parts: ApiParts,
    pub metrics: HttpMetrics,
    /// Ends the event streams.
    pub shutdown: CancellationToken,
    pub in_flight: Semaphore,
    pub notifications: Semaphore,
    pub streams: Arc<Semaphore>,
    pub replies: Arc<Semaphore>,
    /// One check at a time: checks ask Microsoft and are throttled there.
    pub findings_turn: Semaphore,
    /// The OpenAPI document, serialised once.
    pub openapi: Bytes,
}

impl ApiState {
    pub fn new(parts: ApiParts, shutdown: CancellationToken) -> Self {
        let metrics = HttpMetrics::new(&parts.engine, parts.version);
        // Serialising maps and strings can't fail; an empty document would fail the tests at once.
        let document = serde_json::to_vec(&openapi()).unwrap_or_default();
        Self(Arc::new(Shared {
            parts,
            metrics,
            shutdown,
            in_flight: Semaphore::new(MAX_IN_FLIGHT),
            notifications: Semaphore::new(MAX_NOTIFICATIONS_AT_ONCE),
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            replies: Arc::new(Semaphore::new(MAX_REPLIES_AT_ONCE)),
            findings_turn: Semaphore::new(1),
            openapi: document.into(),
        }))
    }

    pub fn store(&self) -> &Store {
        &self.parts.store
    }
}

impl Deref for ApiState {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_served_language_is_taken() {
        for (accept, language) in [
            ("fr-CH, en;q=0.8", Language::French),
            ("de, FR;q=0.5, en", Language::French),
            ("en-GB", Language::English),
            ("ja", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::negotiate(accept), language, "{accept}");
        }
    }
}
