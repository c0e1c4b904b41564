//! `cargo xtask test`: everything that CI checks, in one fixed order, with a summary.
//!
//! Owns which steps run and what their outcomes amount to. Never changes a source file. Invariant: a
//! step that failed does not hide the ones after it, and the exit code is 0 only if none failed.

mod dependencies;
mod environment;
mod runner;
mod step;
mod summary;

use std::process::ExitCode;

use anyhow::Result;

use crate::{stopwatch::Stopwatch, workspace::Workspace};
use step::Step;
use summary::{Line, Summary};

/// What to check.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Run this step alone (repeat it for several), in the usual order
    #[arg(long, value_enum, value_name = "STEP", conflicts_with = "fast")]
    only: Vec<Step>,
    /// Run formatting, lints and all tests but the end-to-end ones: the loop while writing
    #[arg(long)]
    fast: bool,
    /// Install nothing: name what is missing and go on without it
    #[arg(long)]
    no_install: bool,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It found nothing wrong; the text may say more.
    Passed(String),
    /// It could not be done here, and that is no fault of the sources.
    Skipped(String),
    /// It found something wrong or could not do its work.
    Failed(String),
}

impl Outcome {
    /// Passed, with nothing to add.
    pub const PASSED: Self = Self::Passed(String::new());
}

/// Runs the chosen steps and prints the summary to stdout.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let mut summary = Summary::default();
    for step in chosen(options) {
        eprintln!("\n== {}: {}", step.name(), step.purpose());
        let watch = Stopwatch::start();
        let outcome = step
            .run(workspace, options)
            .unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        summary.add(Line {
            name: step.name(),
            outcome,
            took: watch.elapsed(),
        });
    }
    print!("\n{summary}");
    Ok(if summary.failed() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn chosen(options: &Options) -> impl Iterator<Item = Step> {
    Step::ALL
        .into_iter()
        .filter(|step| options.only.is_empty() || options.only.contains(step))
        .filter(|step| !options.fast || step.is_fast())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(only: &[Step], fast: bool) -> Options {
        Options {
            only: only.to_vec(),
            fast,
            no_install: true,
        }
    }

    #[test]
    fn without_options_every_step_runs() {
        assert_eq!(chosen(&options(&[], false)).count(), Step::ALL.len());
    }

    #[test]
    fn named_steps_run_alone_and_in_the_usual_order() {
        let steps: Vec<Step> = chosen(&options(&[Step::Tests, Step::Format], false)).collect();
        assert_eq!(steps, [Step::Format, Step::Tests]);
    }

    #[test]
    fn fast_leaves_out_what_takes_long() {
        let steps: Vec<Step> = chosen(&options(&[], true)).collect();
        assert!(steps.contains(&Step::Tests));
        assert!(!steps.contains(&Step::Documentation), "{steps:?}");
    }
}
