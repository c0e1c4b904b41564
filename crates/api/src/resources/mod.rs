//! One module for each resource: its handlers and their tests.

pub(crate) mod addresses;
pub(crate) mod attachments;
pub(crate) mod conversations;
pub(crate) mod dead_letters;
pub(crate) mod document;
pub(crate) mod events;
pub(crate) mod findings;
pub(crate) mod health;
pub(crate) mod integration;
pub(crate) mod mailboxes;
pub(crate) mod messages;
pub(crate) mod problems;
pub(crate) mod quarantine;
pub(crate) mod receipts;
pub(crate) mod replies;
pub(crate) mod routes;
pub(crate) mod totals;
pub(crate) mod trace;
