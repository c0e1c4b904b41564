//! The public shapes of the API. They change only by addition; the rows of the store change as it likes.

mod conversations;
mod events;
mod integration;
mod ledger;
mod mailboxes;
mod meetings;
mod messages;
mod parts;
mod replies;

pub(crate) use conversations::{Conversation, ConversationChange, ConversationState};
pub(crate) use events::Event;
pub(crate) use integration::{Integration, IntegrationChange};
pub(crate) use ledger::{DeadLetter, Decided, Finding, PastFinding, Receipt, Totals, Trace};
pub(crate) use mailboxes::{AddressRegion, Mailbox, Route, SyncAccepted};
pub(crate) use messages::{Message, Party};
pub(crate) use replies::{ReplyAccepted, ReplyAttachment, ReplyRequest};

use serde::Serialize;
use utoipa::ToSchema;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Give it back as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// A list that is always whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The rows.
    pub items: Vec<T>,
}
