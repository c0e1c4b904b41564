//! The steps of a test run and what each of them executes.
//!
//! Owns the order and the cargo command lines. Invariant: the steps that compile for tests select the
//! same packages, targets and features, so that nothing is compiled twice.

use anyhow::Result;
use clap::ValueEnum;

use super::{Options, Outcome, dependencies, environment, runner::Runner};
use crate::{
    conformance,
    process::{cargo, run},
    workspace::Workspace,
};

/// One thing that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Step {
    /// The tools are there; what is missing is installed or named
    Environment,
    /// `cargo fmt --check`
    #[value(name = "fmt")]
    Format,
    /// Neither `ring` nor OpenSSL is in the build
    Tls,
    /// `cargo deny check`, where cargo-deny is installed
    Deny,
    /// `cargo clippy` with warnings as errors
    Clippy,
    /// `cargo doc` with warnings as errors
    #[value(name = "doc")]
    Documentation,
    /// The binary and every test program
    Build,
    /// The examples in the documentation
    #[value(name = "doctest")]
    DocTests,
    /// Third parties' clients against the sandbox, where Python, Node and the registries are
    Conformance,
    /// All other tests
    Tests,
}

impl Step {
    /// All of them in their order: cheap ones first, and the tests last, since theirs is the output
    /// that a reader looks for.
    pub const ALL: [Self; 10] = [
        Self::Environment,
        Self::Format,
        Self::Tls,
        Self::Deny,
        Self::Clippy,
        Self::Documentation,
        Self::Build,
        Self::DocTests,
        Self::Conformance,
        Self::Tests,
    ];

    /// Its name on the command line and in the summary.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Format => "fmt",
            Self::Tls => "tls",
            Self::Deny => "deny",
            Self::Clippy => "clippy",
            Self::Documentation => "doc",
            Self::Build => "build",
            Self::DocTests => "doctest",
            Self::Conformance => "conformance",
            Self::Tests => "tests",
        }
    }

    /// What it is for, for the reader of the log.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Environment => "what the tests need",
            Self::Format => "the sources are formatted",
            Self::Tls => "one TLS provider, and it is aws-lc-rs",
            Self::Deny => "advisories, licences and sources of dependencies",
            Self::Clippy => "lints",
            Self::Documentation => "the documentation builds",
            Self::Build => "the binary and every test program",
            Self::DocTests => "examples in the documentation",
            Self::Conformance => "unmodified third parties' clients against the sandbox",
            Self::Tests => "all tests",
        }
    }

    /// Whether `--fast` runs it.
    pub const fn is_fast(self) -> bool {
        matches!(self, Self::Format | Self::Clippy | Self::Tests)
    }

    /// Does it.
    pub fn run(self, workspace: &Workspace, options: &Options) -> Result<Outcome> {
        let arguments: &[&str] = match self {
            Self::Environment => return environment::prepare(workspace, options.no_install),
            Self::Tls => return dependencies::one_tls_provider(workspace),
            Self::Deny => return dependencies::deny(workspace),
            Self::Conformance => return third_parties(workspace, options),
            Self::Tests => return Runner::find(workspace).run(workspace, options.fast),
            Self::Format => &["fmt", "--all", "--check"],
            Self::Clippy => &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
            Self::Documentation => &["doc", "--workspace", "--no-deps", "--locked"],
            // All targets, not only the binary: development dependencies switch on features of shared
            // crates, and a build without them would be a second build of half of the tree.
            Self::Build => &["build", "--workspace", "--all-targets", "--locked"],
            Self::DocTests => &["test", "--doc", "--workspace", "--locked"],
        };
        let mut command = cargo(workspace, arguments);
        if self == Self::Documentation {
            command.env("RUSTDOCFLAGS", "-D warnings");
        }
        run(&mut command)?;
        Ok(Outcome::PASSED)
    }
}

/// The findings go to stderr as a table; what was skipped is part of the summary's line.
fn third_parties(workspace: &Workspace, options: &Options) -> Result<Outcome> {
    // As in the build step, so that nothing is built twice.
    run(&mut cargo(
        workspace,
        &["build", "--workspace", "--all-targets", "--locked"],
    ))?;
    let report = conformance::attempt(workspace, &conformance::Options::everything(options.no_install))?;
    eprint!("{report}");
    let counts = format!("{} checks of clients passed", report.passed());
    let skipped = report.reasons_to_skip().join("; ");
    Ok(match (report.failed(), report.passed()) {
        (0, 0) => Outcome::Skipped(skipped),
        (0, _) if skipped.is_empty() => Outcome::Passed(counts),
        (0, _) => Outcome::Passed(format!("{counts}; skipped: {skipped}")),
        (failed, _) => Outcome::Failed(format!("{failed} checks of clients failed, see the table above")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_knows_every_step_by_the_name_of_the_summary() {
        for step in Step::ALL {
            let value = step.to_possible_value().expect("no step is hidden");
            assert_eq!(value.get_name(), step.name());
        }
        assert_eq!(Step::value_variants(), Step::ALL, "the order of both lists is one");
    }
}
