//! The resumable sequence of a reply: draft, attachments, send, confirm.
//!
//! At most once: `send` is asked for only when a look into the mailbox has shown that the draft is
//! still a draft. Whatever happened between two attempts, the next step follows from what was
//! stored and what the mailbox shows.

use serde::{Deserialize, Serialize};

use crate::ImmutableId;

/// What is stored about a reply under way. Written before the step that it announces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// A draft may exist: creating it was begun.
    pub draft_begun: bool,
    /// Immutable id of the draft, once known.
    pub draft: Option<ImmutableId>,
    /// The mailbox may have been asked to send.
    pub send_begun: bool,
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
    /// The message was there and is gone: someone deleted it after we may have asked to send it.
    /// Sending again could double it, so an operator decides.
    GiveUp,
}

/// The step that follows from what is stored and what the mailbox shows.
pub fn next(progress: &Progress, observed: &Observed, attachments: usize) -> Next {
    match observed {
        Observed::NotLooked if progress.draft_begun => Next::Look,
        Observed::NotLooked => Next::CreateDraft,
        Observed::Absent if progress.send_begun => Next::GiveUp,
        Observed::Absent => Next::CreateDraft,
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

    fn id() -> ImmutableId {
        ImmutableId::new("draft")
    }

    #[test]
    fn first_attempt_creates_without_looking() {
        assert_eq!(next(&Progress::default(), &Observed::NotLooked, 2), Next::CreateDraft);
    }

    #[test]
    fn repeated_attempt_always_looks_first() {
        for send_begun in [false, true] {
            for draft in [None, Some(id())] {
                let progress = Progress {
                    draft_begun: true,
                    draft,
                    send_begun,
                };
                assert_eq!(next(&progress, &Observed::NotLooked, 0), Next::Look);
            }
        }
    }

    #[test]
    fn draft_that_vanished_after_send_is_never_created_again() {
        let progress = Progress {
            draft_begun: true,
            draft: Some(id()),
            send_begun: true,
        };
        assert_eq!(next(&progress, &Observed::Absent, 0), Next::GiveUp);
    }

    #[test]
    fn sending_waits_for_every_attachment() {
        let progress = Progress {
            draft_begun: true,
            draft: Some(id()),
            send_begun: false,
        };
        let seen = |attached| Observed::Draft { id: id(), attached };
        assert_eq!(next(&progress, &seen(1), 2), Next::Attach { draft: id(), index: 1 });
        assert_eq!(next(&progress, &seen(2), 2), Next::Send { draft: id() });
    }

    #[test]
    fn sent_message_is_never_sent_again() {
        let progress = Progress {
            draft_begun: true,
            draft: Some(id()),
            send_begun: true,
        };
        assert_eq!(
            next(&progress, &Observed::Sent { id: id() }, 5),
            Next::Finish { sent: id() }
        );
    }
}
