//! The test runner: cargo-nextest, or cargo itself where that can't be had.
//!
//! Owns how the tests are started. nextest gives every test its own process, time-outs and the serial
//! group of `.config/nextest.toml`; `cargo test` runs the same tests without these. Invariant: which
//! of the two it was is always said.

use std::{env, path::PathBuf, process::Command};

use anyhow::Result;

use super::Outcome;
use crate::{
    process::{cargo, first_line, program_in, run},
    workspace::Workspace,
};

/// The version that is installed where there is none; it builds with our oldest Rust.
const NEXTEST_VERSION: &str = "0.9.143";
/// The tests that drive the binary from outside, which take long.
const END_TO_END: &str = "package(guichet-cli) and binary(/^e2e/)";

/// How tests are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runner {
    /// `cargo nextest`, from the search path.
    Nextest,
    /// A nextest that was installed for this work tree.
    OwnNextest(PathBuf),
    /// `cargo test`.
    CargoTest,
}

impl Runner {
    /// The best one that is here.
    pub fn find(workspace: &Workspace) -> Self {
        if first_line(&mut cargo(workspace, &["nextest", "--version"])).is_some() {
            return Self::Nextest;
        }
        let own = workspace
            .tools()
            .join("bin")
            .join(format!("cargo-nextest{}", env::consts::EXE_SUFFIX));
        if first_line(Command::new(&own).args(["nextest", "--version"])).is_some() {
            return Self::OwnNextest(own);
        }
        Self::CargoTest
    }

    /// Makes sure that there is a nextest, if one can be had; else says what is used instead.
    pub fn prepare(workspace: &Workspace, no_install: bool) -> Option<String> {
        if Self::find(workspace) != Self::CargoTest {
            eprintln!("found cargo-nextest");
            return None;
        }
        if no_install {
            return Some("cargo-nextest is missing: the tests run under cargo test".to_owned());
        }
        let tools = workspace.tools();
        eprintln!(
            "installing cargo-nextest {NEXTEST_VERSION} into {} (once, some minutes)",
            tools.display()
        );
        let mut install = cargo(
            workspace,
            &["install", "--locked", "--version", NEXTEST_VERSION, "--root"],
        );
        // Not our rustflags and target directory: the tool is no part of the build.
        install
            .arg(&tools)
            .arg("cargo-nextest")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS");
        let failed = run(&mut install).err()?;
        Some(format!(
            "cargo-nextest can't be installed ({failed}): the tests run under cargo test"
        ))
    }

    /// Runs the tests; `fast` leaves out the end-to-end ones.
    pub fn run(&self, workspace: &Workspace, fast: bool) -> Result<Outcome> {
        let mut command = match self {
            Self::Nextest => cargo(workspace, &["nextest"]),
            Self::OwnNextest(program) => program_in(workspace, program, &["nextest"]),
            Self::CargoTest => return cargo_test(workspace, fast),
        };
        command.args(["run", "--workspace", "--locked"]);
        if fast {
            command.args(["--filterset", &format!("not ({END_TO_END})")]);
        }
        run(&mut command)?;
        Ok(Outcome::Passed(left_out(fast).to_owned()))
    }
}

fn cargo_test(workspace: &Workspace, fast: bool) -> Result<Outcome> {
    let mut command = cargo(
        workspace,
        &["test", "--workspace", "--locked", "--no-fail-fast", "--lib", "--bins"],
    );
    if !fast {
        command.arg("--tests");
    }
    run(&mut command)?;
    let more = if fast {
        "; without integration tests (--fast)"
    } else {
        ""
    };
    Ok(Outcome::Passed(format!(
        "under cargo test, since cargo-nextest is missing{more}"
    )))
}

const fn left_out(fast: bool) -> &'static str {
    if fast {
        "without the end-to-end tests (--fast)"
    } else {
        ""
    }
}
