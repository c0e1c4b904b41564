//! What the store promises, seen from outside.

mod accounts;
mod backend;
mod blobs;
mod conversations;
mod durability;
mod events;
mod fence;
mod findings;
mod fixture;
mod ledger;
mod open;
mod outbox;
mod quarantine;
mod replies;
mod threading;
mod trace;
mod traffic;
mod writes;
