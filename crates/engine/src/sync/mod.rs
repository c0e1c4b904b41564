//! One worker for each followed folder: waits until the folder is dirty or due, then makes a round.

mod patience;
mod round;

use std::{sync::Arc, time::Duration};

use guichet_domain::{
    FolderId,
    round::{After, Outcome, after},
};
use jiff::SignedDuration;
use tokio::sync::Notify;

use crate::context::Context;
use round::{RoundError, Rounds};

/// Follows one folder until the engine stops.
pub(crate) async fn follow(context: Arc<Context>, folder: FolderId, dirty: Arc<Notify>) {
    let mut rounds = Rounds::new(context.clone(), folder);
    let mut failures = 0u32;
    let mut bad_mail = false;
    let mut pause = Duration::ZERO;
    loop {
        // A wake-up that came during the last round is kept by the Notify and starts the next one
        // at once. While a folder fails, wake-ups do not shorten the back-off; but new mail does not
        // wait for one that is bad by itself.
        if failures > 0 && !bad_mail {
            if !context.sleep(pause).await {
                return;
            }
        } else {
            tokio::select! {
                () = context.stop.cancelled() => return,
                () = dirty.notified() => {}
                () = context.time.sleep(pause) => {}
            }
        }
        let ended = tokio::select! {
            () = context.stop.cancelled() => return,
            ended = take_turn(&context, &mut rounds) => ended,
        };
        match ended {
            Ok(()) => {
                failures = 0;
                pause = context.config.poll_interval;
                context.handle.metrics().rounds.inc();
                let now = context.now();
                context.handle.shared.board.update(folder, |status| {
                    status.failures = 0;
                    status.last_error.clear();
                    status.synced_at = Some(now);
                });
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
