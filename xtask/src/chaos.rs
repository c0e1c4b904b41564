//! `cargo xtask chaos`: the test of several nodes, for as long and with as much as is asked for.
//!
//! Owns the numbers only; the test is the one that runs every day. Invariant: the exit code is the test's.

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    process::{cargo, run as run_visibly},
    workspace::Workspace,
};

/// How much is done.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Nodes on the one database
    #[arg(long, default_value_t = 4)]
    nodes: u32,
    /// Mails that come in
    #[arg(long, default_value_t = 20_000)]
    mails: u32,
    /// Replies that go out
    #[arg(long, default_value_t = 500)]
    replies: u32,
    /// Seconds in which nodes are killed and stalled, and the database crashes
    #[arg(long, default_value_t = 300)]
    seconds: u32,
    /// Which node it hits, and when
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

/// Runs the test and shows what it says.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    // The build is the one of the other tests: the whole workspace decides about features.
    let mut test = cargo(workspace, &["test", "--workspace", "--locked", "--test", "e2e_nodes"]);
    test.args(["--", "--nocapture"]);
    for (name, number) in [
        ("NODES", options.nodes),
        ("MAILS", options.mails),
        ("REPLIES", options.replies),
        ("SECONDS", options.seconds),
        ("SEED", options.seed),
    ] {
        test.env(format!("GUICHET_CHAOS_{name}"), number.to_string());
    }
    run_visibly(&mut test)?;
    Ok(ExitCode::SUCCESS)
}
