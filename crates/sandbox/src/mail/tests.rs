//! Tests of the mailboxes through the requests that clients send, without a network.

mod attachments;
mod contract_examples;
mod corpus;
mod delta;
mod delta_model;
mod drafts;
mod folders;
mod listing;
mod messages;
mod replies;
mod sending;
mod uploads;
pub mod world;
