//! The event stream: one client's place in the total order of events.
//!
//! Reads the ledger, never a channel of events: what was missed while a client was away or slow is still
//! there, so a client that resumes after sequence number n gets n + 1 next, none left out, none twice. A
//! watch on the last committed number wakes the reader; a slow look catches what another process commits.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::response::sse;
use futures::Stream;
use guichet_store::{Event, Store};
use tokio::{sync::OwnedSemaphorePermit, sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::dto;

/// Events read at once; a slow client holds at most so many in memory.
const BATCH: u32 = 200;
/// How often the ledger is looked at without a wake-up.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A comment is sent after so long a silence, so that proxies keep the connection.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client shall wait before it connects again.
const RECONNECT: Duration = Duration::from_secs(2);

/// What a stream needs.
pub(crate) struct Follower {
    store: Store,
    committed: watch::Receiver<i64>,
    shutdown: CancellationToken,
    /// Sequence number of the last event that was handed out.
    after: i64,
    ready: VecDeque<Event>,
    greeted: bool,
    /// Counts the stream against the bound on streams until it ends.
    _place: OwnedSemaphorePermit,
}

impl Follower {
    pub fn new(store: Store, shutdown: CancellationToken, after: i64, place: OwnedSemaphorePermit) -> Self {
        let committed = store.watch_events();
        Self {
            store,
            committed,
            shutdown,
            after,
            ready: VecDeque::new(),
            greeted: false,
            _place: place,
        }
    }

    /// The stream of frames; it ends on shutdown and when the store fails. The client then comes back with
    /// the number of the last event it got.
    pub fn into_stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        futures::stream::unfold(self, |mut follower| async move {
            let frame = follower.next().await?;
            Some((Ok(frame), follower))
        })
    }

    async fn next(&mut self) -> Option<sse::Event> {
        if !self.greeted {
            self.greeted = true;
            // Without data this is no event, but it tells the client its place before anything happens.
            return Some(sse::Event::default().id(self.after.to_string()).retry(RECONNECT));
        }
        loop {
            if self.shutdown.is_cancelled() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                self.after = event.seq;
                return Some(frame(&event));
            }
            // Marked as seen before the look: what is committed after the look wakes us again.
            let watched = self.committed.has_changed().is_ok();
            self.committed.borrow_and_update();
            match self.store.events_after(self.after, BATCH).await {
                Ok(events) if events.is_empty() => self.sleep(watched).await,
                Ok(events) => self.ready = events.into(),
                Err(error) => {
                    tracing::warn!(%error, "an event stream ends: the events can't be read");
                    return None;
                }
            }
        }
    }

    async fn sleep(&mut self, watched: bool) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            _ = self.committed.changed(), if watched => {}
            () = sleep(LOOK_EVERY) => {}
        }
    }
}

fn frame(event: &Event) -> sse::Event {
    let plain = sse::Event::default()
        .id(event.seq.to_string())
        .event(event.kind.as_str());
    let data = serde_json::to_string(&dto::Event::from(event)).unwrap_or_default();
    plain.data(data)
}
