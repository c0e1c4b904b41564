//! The resumable sequence of a reply: draft, attachments, send, confirm.
//!
//! At most once: `send` is asked for only when a look into the mailbox has shown that the draft is
//! still a draft. Whatever happened between two attempts, the next step follows from what was
//! stored and what the mailbox shows.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ImmutableId;

/// After an answer to `send` that left its effect open, the draft is sent again only if it is still a
/// draft this long after it was submitted: whatever the first request did has shown itself by then.
pub const RESUBMIT_AFTER: SignedDuration = SignedDuration::from_secs(20);
/// A reply that was submitted and is not among the sent mail is looked for this long. Exchange accepts
/// at once and sends later, above all when a mailbox exceeds its rate.
pub const LOOK_FOR: SignedDuration = SignedDuration::from_mins(30);

/// What is stored about a reply under way. Written before the step that it announces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// A draft may exist: creating it was begun.
    pub draft_begun: bool,
    /// Immutable id of the draft, once known.
    pub draft: Option<ImmutableId>,
    /// The mailbox may have been asked to send.
    pub send_begun: bool,
    /// When it was asked last.
    #[serde(default)]
    pub submitted_at: Option<Timestamp>,
    /// It said that it will send (202): it must never be asked again.
    #[serde(default)]
    pub accepted: bool,
}

impl Progress {
    /// How long ago the mailbox was asked to send; for ever, if that was not recorded.
    fn since_submitted(&self, now: Timestamp) -> SignedDuration {
        self.submitted_at
            .map_or(SignedDuration::MAX, |at| now.duration_since(at))
    }
}

/// What the mailbox shows of the reply's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// Not looked yet in this attempt.
    NotLooked,
    /// There is no message with our mark.
    Absent,
    /// It is a draft and has attachments with these names and sizes in bytes.
    Draft {
        /// Its immutable id.
        id: ImmutableId,
        /// How many of the reply's attachments are on it already, from the first.
        attached: usize,
    },
    /// It was sent.
    Sent {
        /// Its immutable id.
        id: ImmutableId,
    },
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look for the message: by id if known, else by our mark.
    Look,
    /// Record that a draft is begun, then create it.
    CreateDraft,
    /// Attach the reply's attachment with this index.
    Attach {
        /// The draft.
        draft: ImmutableId,
        /// Index into the reply's attachments.
        index: usize,
    },
    /// Look again later: the mailbox may be sending.
    Wait,
    /// Record that sending is begun, then ask the mailbox to send the draft.
    Send {
        /// The draft.
        draft: ImmutableId,
    },
    /// Record the sent message: the reply is out.
    Finish {
        /// The sent message.
        sent: ImmutableId,
    },
    /// The mailbox was asked to send, and long after the message is neither sent nor a draft that may
    /// be sent again. Sending again could double it, so an operator decides.
    GiveUp,
}

/// The step that follows from what is stored and what the mailbox shows.
pub fn next(progress: &Progress, observed: &Observed, attachments: usize, now: Timestamp) -> Next {
    let since = progress.since_submitted(now);
    match observed {
        Observed::NotLooked if progress.draft_begun => Next::Look,
        Observed::NotLooked => Next::CreateDraft,
        Observed::Absent if progress.send_begun && since < LOOK_FOR => Next::Wait,
        Observed::Absent if progress.send_begun => Next::GiveUp,
        Observed::Absent => Next::CreateDraft,
        Observed::Draft { .. } if progress.accepted && since < LOOK_FOR => Next::Wait,
        Observed::Draft { .. } if progress.accepted => Next::GiveUp,
        Observed::Draft { .. } if progress.send_begun && since < RESUBMIT_AFTER => Next::Wait,
        Observed::Draft { id, attached } if *attached < attachments => Next::Attach {
            draft: id.clone(),
            index: *attached,
        },
        Observed::Draft { id, .. } => Next::Send { draft: id.clone() },
        Observed::Sent { id } => Next::Finish { sent: id.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn id() -> ImmutableId {
        ImmutableId::new("draft")
    }

    fn draft(attached: usize) -> Observed {
        Observed::Draft { id: id(), attached }
    }

    fn submitted(ago: SignedDuration, accepted: bool) -> Progress {
        Progress {
            draft_begun: true,
            draft: Some(id()),
            send_begun: true,
            submitted_at: Some(NOW - ago),
            accepted,
        }
    }

    #[test]
    fn first_attempt_creates_without_looking() {
        assert_eq!(
            next(&Progress::default(), &Observed::NotLooked, 2, NOW),
            Next::CreateDraft
        );
    }

    #[test]
    fn repeated_attempt_always_looks_first() {
        for send_begun in [false, true] {
            for draft in [None, Some(id())] {
                let progress = Progress {
                    draft_begun: true,
                    draft,
                    send_begun,
                    ..Progress::default()
                };
                assert_eq!(next(&progress, &Observed::NotLooked, 0, NOW), Next::Look);
            }
        }
    }

    #[test]
    fn draft_that_vanished_after_send_is_looked_for_and_never_created_again() {
        for accepted in [false, true] {
            let young = submitted(LOOK_FOR / 2, accepted);
            assert_eq!(next(&young, &Observed::Absent, 0, NOW), Next::Wait);
            let old = submitted(LOOK_FOR, accepted);
            assert_eq!(next(&old, &Observed::Absent, 0, NOW), Next::GiveUp);
        }
    }

    #[test]
    fn accepted_reply_is_never_submitted_again() {
        for ago in [SignedDuration::ZERO, RESUBMIT_AFTER, LOOK_FOR, LOOK_FOR * 100] {
            let decided = next(&submitted(ago, true), &draft(0), 0, NOW);
            assert!(matches!(decided, Next::Wait | Next::GiveUp), "{ago:?}: {decided:?}");
        }
    }

    #[test]
    fn ambiguous_submission_is_repeated_only_after_a_while() {
        assert_eq!(
            next(&submitted(RESUBMIT_AFTER / 2, false), &draft(0), 0, NOW),
            Next::Wait
        );
        let after = next(&submitted(RESUBMIT_AFTER, false), &draft(0), 0, NOW);
        assert_eq!(after, Next::Send { draft: id() });
    }

    #[test]
    fn sending_waits_for_every_attachment() {
        let progress = Progress {
            draft_begun: true,
            draft: Some(id()),
            ..Progress::default()
        };
        assert_eq!(
            next(&progress, &draft(1), 2, NOW),
            Next::Attach { draft: id(), index: 1 }
        );
        assert_eq!(next(&progress, &draft(2), 2, NOW), Next::Send { draft: id() });
    }

    #[test]
    fn sent_message_is_never_sent_again() {
        for accepted in [false, true] {
            let progress = submitted(LOOK_FOR, accepted);
            assert_eq!(
                next(&progress, &Observed::Sent { id: id() }, 5, NOW),
                Next::Finish { sent: id() }
            );
        }
    }
}
