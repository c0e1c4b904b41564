//! Forgets what nobody needs any more, a bounded number of rows at a time.
//!
//! Never touches mail, conversations or events: how long those are kept is the operator's to say.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;

use crate::context::Context;

/// Pause between two rounds of tidying.
const EVERY: Duration = Duration::from_secs(3600);
/// How long the answer to a repeated request is remembered: a client that repeats one later is not
/// repeating it because a connection was cut.
const KEYS_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Batches of one round of tidying; what is left waits for the next.
const MAX_BATCHES: u32 = 100;

/// Tidies until the engine stops.
pub(crate) async fn run(context: Arc<Context>) {
    while context.sleep(EVERY).await {
        for _ in 0..MAX_BATCHES {
            match context.store.forget_idempotency_keys(context.now() - KEYS_KEPT).await {
                Ok(0) => break,
                Ok(forgotten) => tracing::debug!(forgotten, "idempotency keys forgotten"),
                Err(error) => {
                    tracing::warn!(%error, "idempotency keys could not be forgotten");
                    break;
                }
            }
        }
    }
}
