//! Keeps a lease alive while the work under it goes on.
//!
//! Work may take longer than a lease: a page of large mails from a throttled mailbox, an attachment
//! over a slow line. Never decides who owns anything: the store does, by the epoch. Invariant: once
//! somebody else has taken over, the work is dropped at its next await, so that two owners do not
//! work on the same thing for longer than one renewal takes to notice.

use std::{future::Future, pin::pin};

use guichet_graph::Time;
use jiff::SignedDuration;

/// Renewals that fit into a lease, so that one may fail.
const RENEWALS: u32 = 3;

/// Runs `work` to its end and renews the lease, which is as long as this, meanwhile.
///
/// # Errors
/// [`guichet_store::Error::Fenced`] if somebody else has taken over; the work is dropped then. Other
/// failures of a renewal are not the work's: it goes on, and the fence decides at its commit.
pub(crate) async fn hold<T, R, F>(
    time: &dyn Time,
    lease: SignedDuration,
    work: impl Future<Output = T>,
    renew: R,
) -> guichet_store::Result<T>
where
    R: Fn() -> F,
    F: Future<Output = guichet_store::Result<()>>,
{
    let mut work = pin!(work);
    let pause = lease.unsigned_abs() / RENEWALS;
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            () = time.sleep(pause) => {}
        }
        // The work goes on meanwhile: the renewal may wait for a row that the work's own transaction holds.
        let renewed = tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            renewed = renew() => renewed,
        };
        match renewed {
            Err(error @ guichet_store::Error::Fenced) => return Err(error),
            Err(error) => tracing::warn!(%error, "a lease could not be renewed"),
            Ok(()) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use jiff::Timestamp;

    use super::*;

    const LEASE: SignedDuration = SignedDuration::from_secs(9);

    /// Time that passes at once.
    #[derive(Debug)]
    struct Hasty;

    #[async_trait::async_trait]
    impl Time for Hasty {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        async fn sleep(&self, _: Duration) {
            tokio::task::yield_now().await;
        }
    }

    /// Work that takes as long as this many renewals.
    async fn work_for(renewals: &Cell<u32>, count: u32) -> &'static str {
        while renewals.get() < count {
            tokio::task::yield_now().await;
        }
        "done"
    }

    #[tokio::test]
    async fn lease_is_renewed_as_long_as_the_work_takes() {
        let renewals = Cell::new(0);
        let renew = || async {
            renewals.set(renewals.get() + 1);
            Ok(())
        };
        let ended = hold(&Hasty, LEASE, work_for(&renewals, 7), renew).await;
        assert_eq!(ended.ok(), Some("done"));
        assert_eq!(renewals.get(), 7);
    }

    #[tokio::test]
    async fn renewal_that_waits_for_the_work_does_not_hold_it_up() {
        let steps = Cell::new(0);
        let work = async {
            while steps.get() < 20 {
                steps.set(steps.get() + 1);
                tokio::task::yield_now().await;
            }
            "done"
        };
        let renew = || async {
            // As long as the work has a row locked, but not for ever: a standstill is seen as one.
            for _ in 0..1000 {
                if steps.get() == 20 {
                    return Ok(());
                }
                tokio::task::yield_now().await;
            }
            Err(guichet_store::Error::Fenced)
        };
        assert_eq!(hold(&Hasty, LEASE, work, renew).await.ok(), Some("done"));
    }

    #[tokio::test]
    async fn work_is_dropped_when_somebody_else_has_taken_over() {
        let renewals = Cell::new(0);
        let renew = || async {
            renewals.set(renewals.get() + 1);
            Err(guichet_store::Error::Fenced)
        };
        let ended = hold(&Hasty, LEASE, work_for(&renewals, 7), renew).await;
        assert!(matches!(ended, Err(guichet_store::Error::Fenced)));
        assert_eq!(renewals.get(), 1);
    }
}
