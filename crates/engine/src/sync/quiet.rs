//! How long a folder may rest that a subscription wakes.
//!
//! Polling such a folder only finds what a notification should have told of, so it is done seldom: an idle mailbox
//! costs next to nothing. A poll that does find mail shows that notifications get lost, and then the folder is polled
//! as if it had no subscription.

use std::time::Duration;

use guichet_domain::FolderId;
use jiff::{SignedDuration, Timestamp};

use crate::context::Context;

/// How long notifications are not relied on after one was missed.
const DISTRUST: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Default)]
pub(crate) struct Quiet {
    walked_at: Option<Timestamp>,
    distrusted_until: Option<Timestamp>,
}

impl Quiet {
    /// Pause between two rounds that nothing woke.
    pub fn interval(&self, context: &Context, folder: FolderId) -> Duration {
        let often = context.config.poll_interval;
        if context.handle.shared.board.is_notified(folder) && self.is_trusted(context.now()) {
            often.max(context.config.quiet_poll_interval)
        } else {
            often
        }
    }

    /// What is left of the pause; `None` if it is over, or if there was no round yet.
    pub fn rest(&self, now: Timestamp, interval: Duration) -> Option<Duration> {
        rest_since(self.walked_at?, now, interval)
    }

    /// A round came to its end; `missed` says that it found mail which no notification had told of.
    pub fn walked(&mut self, now: Timestamp, missed: bool) {
        self.walked_at = Some(now);
        if missed {
            self.distrusted_until = now.checked_add(DISTRUST).ok();
        }
    }

    fn is_trusted(&self, now: Timestamp) -> bool {
        self.distrusted_until.is_none_or(|until| now >= until)
    }
}

/// What is left at `now` of the pause after a round that ended at `walked_at`; `None` if it is over.
pub(crate) fn rest_since(walked_at: Timestamp, now: Timestamp, interval: Duration) -> Option<Duration> {
    let since = Duration::try_from(now.duration_since(walked_at)).unwrap_or_default();
    interval.checked_sub(since).filter(|rest| !rest.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_rests_for_the_interval_after_a_round() {
        let mut quiet = Quiet::default();
        let (start, interval) = (Timestamp::UNIX_EPOCH, Duration::from_secs(600));
        let at = |seconds| start + SignedDuration::from_secs(seconds);
        assert_eq!(quiet.rest(start, interval), None, "no round yet");
        quiet.walked(start, false);
        assert_eq!(quiet.rest(at(60), interval), Some(Duration::from_secs(540)));
        assert_eq!(quiet.rest(at(600), interval), None);
        assert_eq!(
            quiet.rest(at(-5), interval),
            Some(interval),
            "a clock that was set back"
        );
    }

    #[test]
    fn a_missed_mail_ends_the_trust_for_an_hour() {
        let mut quiet = Quiet::default();
        let start = Timestamp::UNIX_EPOCH;
        quiet.walked(start, true);
        assert!(!quiet.is_trusted(start + SignedDuration::from_mins(59)));
        quiet.walked(start + SignedDuration::from_mins(59), false);
        assert!(quiet.is_trusted(start + SignedDuration::from_mins(60)));
    }
}
