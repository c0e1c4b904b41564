//! One worker for each followed folder: waits until the folder is dirty or due, then makes a round.

mod patience;
mod quiet;
mod round;

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use guichet_domain::{
    FolderId,
    round::{After, Outcome, after},
};
use jiff::SignedDuration;
use tokio::sync::Notify;

use crate::{Nodes, context::Context};
use quiet::{Quiet, rest_since};
use round::{RoundError, Rounds};

/// Pause before a folder is asked for again that another node is walking.
const OWNED_ELSEWHERE: Duration = Duration::from_secs(1);

/// Wait after a hint, so that mails which arrive together are read in one round. A notification takes seconds to
/// come, so nobody notices; the requests of a round are paid once instead of for each mail.
const GATHER: Duration = Duration::from_millis(300);

/// Follows one folder until the engine stops.
pub(crate) async fn follow(context: Arc<Context>, folder: FolderId, dirty: Arc<Notify>) {
    let mut rounds = Rounds::new(context.clone(), folder);
    let mut failures = 0u32;
    let mut bad_mail = false;
    let mut pause = Duration::ZERO;
    // Whether a round is owed: after a start, a wake-up or a failure. Otherwise another node may have made it.
    let mut owed = true;
    let mut quiet = Quiet::default();
    loop {
        // A wake-up that came during the last round is kept by the Notify and starts the next one
        // at once. While a folder fails, wake-ups do not shorten the back-off; but new mail does not
        // wait for one that is bad by itself.
        if failures > 0 && !bad_mail {
            if !context.sleep(pause).await {
                return;
            }
            owed = true;
        } else {
            tokio::select! {
                biased;
                () = context.stop.cancelled() => return,
                () = dirty.notified() => {
                    owed = true;
                    if !context.sleep(GATHER).await {
                        return;
                    }
                    // What was hinted at meanwhile is part of this round.
                    let _ = dirty.notified().now_or_never();
                }
                () = context.time.sleep(pause) => {}
            }
        }
        let interval = quiet.interval(&context, folder);
        if !owed {
            let rest = match quiet.rest(context.now(), interval) {
                Some(rest) => Some(rest),
                None => made_elsewhere(&context, folder, interval).await,
            };
            if let Some(rest) = rest {
                // Looked at again soon: the subscription may end meanwhile.
                pause = rest.min(context.config.poll_interval);
                continue;
            }
        }
        let ended = tokio::select! {
            biased;
            () = context.stop.cancelled() => return,
            ended = take_turn(&context, &mut rounds) => ended,
        };
        match ended {
            Ok(()) => {
                failures = 0;
                quiet.walked(context.now(), !owed && rounds.taken() > 0);
                owed = false;
                pause = context.config.poll_interval;
                context.handle.metrics().rounds.inc();
                let now = context.now();
                context.handle.shared.board.update(folder, |status| {
                    status.failures = 0;
                    status.last_error.clear();
                    status.synced_at = Some(now);
                });
            }
            // The other node's walk may have passed the place of a mail that woke this one.
            Err(RoundError::OwnedElsewhere) if context.config.nodes == Nodes::Many => {
                pause = OWNED_ELSEWHERE;
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                context.handle.metrics().rounds_failed.inc();
                tracing::warn!(%folder, failures, error = %error, "round failed");
                let text = error.to_string();
                context.handle.shared.board.update(folder, |status| {
                    status.failures = failures;
                    status.last_error = text;
                });
                bad_mail = error.is_of_one_mail();
                pause = pause_after(&error, failures);
            }
        }
    }
}

/// How long this node has nothing to do for the folder, because another has just walked it to its end.
async fn made_elsewhere(context: &Context, folder: FolderId, interval: Duration) -> Option<Duration> {
    if context.config.nodes == Nodes::One {
        return None;
    }
    // What can't be read is for the round to report.
    let synced_at = context.store.synced_at(folder).await.ok().flatten()?;
    // The board shows the folder, not this node's part in it.
    context
        .handle
        .shared
        .board
        .update(folder, |status| status.synced_at = Some(synced_at));
    rest_since(synced_at, context.now(), interval)
}

async fn take_turn(context: &Context, rounds: &mut Rounds) -> Result<(), RoundError> {
    let _turn = context.gates.round().await;
    rounds.run().await
}

fn pause_after(error: &RoundError, failures: u32) -> Duration {
    let retry_after = error
        .retry_after()
        .and_then(|asked| SignedDuration::try_from(asked).ok());
    match after(Outcome::Failed { retry_after, failures }) {
        After::Backoff(pause) => pause.unsigned_abs(),
        After::Continue | After::Done | After::Rebaseline => Duration::ZERO,
    }
}
