//! The steps of one mail's way through Guichet, as `guichet trace` shows them.

use serde::{Deserialize, Serialize};

/// A step of a mail. The text form is stored and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A delta page listed it for the first time.
    Seen,
    /// Its MIME was fetched and stored.
    Fetched,
    /// It was parsed; the detail lists deviations.
    Parsed,
    /// The loop guard classified its author.
    Classified,
    /// It joined or opened a conversation; the detail says why.
    Threaded,
    /// A route gave it to a queue; the detail says why.
    Routed,
    /// Its receipt, message, conversation, events and the cursor were committed.
    Committed,
    /// It was listed or delivered again and changed nothing.
    SeenAgain,
    /// It was set aside with its bytes.
    Quarantined,
    /// It was in quarantine, and somebody asked for another try.
    Replayed,
    /// It was in quarantine, or a job about it was given up, and somebody decided to leave it at that.
    Discarded,
    /// It was gone before it could be fetched.
    Gone,
    /// It is the program's own probe, and is not taken in.
    Probe,
    /// It was marked read in the mailbox.
    MarkedRead,
    /// A reply to it was accepted from a client.
    ReplyAccepted,
    /// The draft of the reply exists in the mailbox.
    ReplyDrafted,
    /// An attachment of the reply was uploaded.
    ReplyAttached,
    /// The mailbox was asked to send the draft.
    ReplySubmitted,
    /// The sent copy was found: the reply is out.
    ReplySent,
    /// An attempt failed and will be repeated.
    AttemptFailed,
    /// The job was given up.
    DeadLettered,
}

impl Step {
    /// Every step, in the order of a mail's way.
    pub const ALL: [Self; 21] = [
        Self::Seen,
        Self::Fetched,
        Self::Parsed,
        Self::Classified,
        Self::Threaded,
        Self::Routed,
        Self::Committed,
        Self::SeenAgain,
        Self::Quarantined,
        Self::Replayed,
        Self::Discarded,
        Self::Gone,
        Self::Probe,
        Self::MarkedRead,
        Self::ReplyAccepted,
        Self::ReplyDrafted,
        Self::ReplyAttached,
        Self::ReplySubmitted,
        Self::ReplySent,
        Self::AttemptFailed,
        Self::DeadLettered,
    ];

    /// The text under which the step is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Fetched => "fetched",
            Self::Parsed => "parsed",
            Self::Classified => "classified",
            Self::Threaded => "threaded",
            Self::Routed => "routed",
            Self::Committed => "committed",
            Self::SeenAgain => "seen_again",
            Self::Quarantined => "quarantined",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
            Self::Gone => "gone",
            Self::Probe => "probe",
            Self::MarkedRead => "marked_read",
            Self::ReplyAccepted => "reply_accepted",
            Self::ReplyDrafted => "reply_drafted",
            Self::ReplyAttached => "reply_attached",
            Self::ReplySubmitted => "reply_submitted",
            Self::ReplySent => "reply_sent",
            Self::AttemptFailed => "attempt_failed",
            Self::DeadLettered => "dead_lettered",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}
