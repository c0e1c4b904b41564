//! `cargo xtask`: the project's own commands.
//!
//! Owns what a contributor or CI asks for by one word: everything that CI checks, the demonstration,
//! the console's build. Never part of the product and depends on none of its crates: it drives cargo
//! and the binary from outside, as a user does. Invariant: a command that could not do its work
//! exits with a code other than 0.

mod bench;
mod chaos;
mod conformance;
mod console;
mod demo;
mod process;
mod sim;
mod stopwatch;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use workspace::Workspace;

#[derive(Debug, Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    about = "The project's own commands",
    disable_version_flag = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check everything that CI checks; the last line says how many checks passed
    Test(test::Options),
    /// Try unmodified third parties' clients against the sandbox, in every way they can be pointed at it
    Conformance(conformance::Options),
    /// Build, then run the story of an offline tenant: set-up, mail, replies
    ///
    /// Every argument goes to `guichet demo`: `cargo xtask demo --once`, `cargo xtask demo --help`.
    Demo(demo::Options),
    /// Measure how fast and how large a part of the product is
    ///
    /// `cargo xtask bench mail`; `cargo xtask bench sandbox`, where `--full` holds a million mails, `--json` prints for programs.
    Bench(bench::Options),
    /// Kill and stall several nodes on one PostgreSQL database while mail flows, and count what is lost or doubled
    Chaos(chaos::Options),
    /// Simulate several nodes against the sandbox, with everything that can go wrong, seed by seed
    Sim(sim::Options),
    /// Build the console's pages, if they changed
    Console,
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    match task {
        Task::Test(options) => test::run(&workspace, options),
        Task::Conformance(options) => conformance::run(&workspace, options),
        Task::Demo(options) => demo::run(&workspace, options),
        Task::Bench(options) => bench::run(&workspace, options),
        Task::Chaos(options) => chaos::run(&workspace, options),
        Task::Sim(options) => sim::run(&workspace, options),
        Task::Console => {
            println!("{}", console::build(&workspace)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}
