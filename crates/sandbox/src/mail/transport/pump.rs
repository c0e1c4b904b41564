//! The task that moves what waits.
//!
//! Owns the rhythm: it sleeps while nothing waits, and else looks at the tenant's clock, which may be advanced, at
//! short intervals. At most [`AT_ONCE`] mails are handed over at the same time.

use std::time::Duration;

use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::mail::MailService;
use crate::mail::transport::envelope::Failure;
use crate::mail::transport::queue::{Stage, Waiting};

/// Connections to the server outside.
const AT_ONCE: usize = 4;
/// Mails taken from the queue in one go.
const MAX_TAKEN: usize = 100;
/// How often the tenant's clock is looked at.
const CLOCK_GLANCE: Duration = Duration::from_millis(50);

/// Moves what waits until the sandbox stops.
pub async fn run(mail: &MailService, stop: CancellationToken) {
    loop {
        let is_empty = mail.transport.queue().len() == 0;
        let woken = mail.transport.wake.notified();
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = woken => {}
            () = mail.clock.pause(CLOCK_GLANCE), if !is_empty => {}
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = mail.run_queue() => {}
        }
    }
}

impl MailService {
    /// Moves every mail that is due.
    pub async fn run_queue(&self) {
        loop {
            let due = self.transport.queue().take_due(self.clock.now(), MAX_TAKEN);
            if due.is_empty() {
                return;
            }
            futures::stream::iter(due)
                .for_each_concurrent(AT_ONCE, |waiting| self.move_on(waiting))
                .await;
        }
    }

    async fn move_on(&self, waiting: Waiting) {
        let id = waiting.id;
        let derived = match (waiting.stage, self.transport.relay.get()) {
            (Stage::Held, _) => vec![waiting.envelope],
            (Stage::Outside, None) => self.attempt_without_relay(waiting),
            (Stage::Outside, Some(relay)) => {
                // The rules of the control interface come first, so that a test can refuse what the server would take.
                let mut results: Vec<(String, Result<(), Failure>)> = Vec::new();
                let mut open = Vec::new();
                for address in &waiting.envelope.recipients {
                    match self.transport.outside_rules().refusal(address) {
                        Some(failure) => results.push((address.clone(), Err(failure))),
                        None => open.push(address.clone()),
                    }
                }
                if !open.is_empty() {
                    results.extend(relay.send(&waiting.envelope.only_for(open)).await);
                }
                self.settle(waiting, results)
            }
        };
        self.transport.queue().finish(id);
        for envelope in derived {
            self.carry(envelope);
        }
    }
}
