//! The sandbox against the contract: its examples, its types, its recordings, and the page that says what is covered.

mod coverage;
mod directory_life;
mod directory_mistakes;
mod examples;
#[path = "../tenant/harness.rs"]
#[expect(
    dead_code,
    reason = "the harness serves several test binaries; each uses a part of it"
)]
mod harness;
mod mail_mistakes;
mod mistakes;
mod plan;
mod plan_directory;
mod recordings;
mod replay;
mod shape;
mod token_mistakes;
mod types;
mod world;
