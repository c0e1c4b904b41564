//! `cargo xtask sim`: the simulation of several nodes, for as many seeds as are asked for.
//!
//! Owns the numbers only; the test is the one that runs every day. Invariant: the exit code is the test's.

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    process::{cargo, run as run_visibly},
    workspace::Workspace,
};

/// Which simulations are run.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many seeds
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// This seed alone, and what happens in it line by line
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
}

/// Runs the test and shows what it says.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let (from, seeds) = match options.seed {
        Some(seed) => (seed, 1),
        None => (options.from, options.seeds),
    };
    // The build is the one of the other tests: the whole workspace decides about features.
    let mut test = cargo(workspace, &["test", "--workspace", "--locked", "--test", "storms"]);
    test.args([
        "--",
        "--nocapture",
        "--exact",
        "nothing_is_lost_or_doubled_in_any_storm",
    ]);
    test.env("GUICHET_SIM_FROM", from.to_string());
    test.env("GUICHET_SIM_SEEDS", seeds.to_string());
    run_visibly(&mut test)?;
    Ok(ExitCode::SUCCESS)
}
