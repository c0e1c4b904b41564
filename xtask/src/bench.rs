//! `cargo xtask bench`: builds a part of the product optimised and measures it.
//!
//! Owns the choice of the part; what is measured, and how it is shown, belongs to that part. Its numbers judge nothing.

mod mail;

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    process::{cargo, run as run_visibly},
    workspace::Workspace,
};

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Which part
    #[arg(value_enum)]
    part: Part,
    /// Arguments of the benchmark, such as `--full`, `--messages 200000` or `--json`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Part {
    /// The offline tenant
    Sandbox,
    /// The reading of delivery reports, against the corpus
    Mail,
}

/// Builds and runs the benchmark.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let package = match options.part {
        Part::Sandbox => "guichet-sandbox",
        Part::Mail => return mail::run(workspace, &options.arguments),
    };
    let mut bench = cargo(
        workspace,
        &["bench", "--locked", "-p", package, "--bench", "sandbox", "--"],
    );
    bench.args(options.arguments.iter().skip_while(|argument| *argument == "--"));
    run_visibly(&mut bench)?;
    Ok(ExitCode::SUCCESS)
}
