//! Tests of the mailboxes through the requests that clients send, without a network.

mod absence;
mod attachments;
mod contract_examples;
mod corpus;
mod delta;
mod delta_gone;
mod delta_model;
mod drafts;
mod folders;
mod identifiers;
mod listing;
mod messages;
mod replies;
mod rules;
mod search;
mod sending;
mod settings;
mod transport;
mod uploads;
mod views;
pub mod world;
