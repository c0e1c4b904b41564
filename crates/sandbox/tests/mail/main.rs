//! Mail as third-party clients meet it: over HTTPS, with tokens, through every layer.

mod batch;
mod flow;
#[path = "../tenant/harness.rs"]
mod harness;
mod notifications;
mod queries;
mod subscriptions;
mod uploads;
