//! Connecting and diagnosing, against a small tenant in memory that keeps to Microsoft's contract.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apply;
mod certificate;
mod destroy;
mod doctor;
mod fake;
mod kill;
mod rotate;
mod scope;
mod sign_in;
mod work;
mod world;
