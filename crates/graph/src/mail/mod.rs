//! Calls on mailboxes. Every one asks for immutable ids, so that an id read once stays good when
//! the message moves inside its mailbox.

mod attachments;
mod delta;
mod drafts;
mod folders;
pub(crate) mod messages;
mod rules;
mod upload;
