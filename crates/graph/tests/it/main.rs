//! The client as its callers see it, against scripted answers and small servers.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod batch;
mod calls;
mod contract;
mod cut;
mod delta;
mod device_code;
mod directory;
mod discovery;
mod repetition;
mod scripted;
mod sign_in;
mod upload;
mod virtual_time;
