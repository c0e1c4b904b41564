//! Mail as third-party clients meet it: over HTTPS, with tokens, through every layer.

mod batch;
mod flow;
#[path = "../tenant/harness.rs"]
#[expect(dead_code, reason = "the harness serves two test binaries; each uses a part of it")]
mod harness;
mod notifications;
mod queries;
mod subscriptions;
mod uploads;
