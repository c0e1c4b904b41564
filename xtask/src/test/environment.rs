//! The tools that the checks need: finds them, installs what it may, names what is missing.
//!
//! Owns the table of Debian packages and the reason for each. Never installs anything outside the
//! build directory unless it runs as root, and nothing at all under `--no-install`. Invariant: a
//! missing tool that is only wanted by some tests never fails a run.

use std::{env, process::Command};

use anyhow::Result;

use super::{Outcome, runner::Runner};
use crate::{
    process::{cargo, first_line, run},
    workspace::Workspace,
};

/// What happens without a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Nothing builds.
    Build,
    /// These tests skip themselves and say so.
    Tests(&'static str),
}

/// A program from a Debian package.
#[derive(Clone, Copy, Debug)]
struct Tool {
    /// The command to look for.
    program: &'static str,
    /// Arguments with which it succeeds if everything of it is there.
    probe: &'static [&'static str],
    /// The Debian package that has it.
    package: &'static str,
    /// What it is for.
    reason: &'static str,
    need: Need,
}

/// Everything that the checks use beyond the Rust toolchain.
const TOOLS: [Tool; 5] = [
    Tool {
        program: "cc",
        probe: &["--version"],
        package: "gcc",
        reason: "compiles SQLite and the cryptography that are built in",
        need: Need::Build,
    },
    Tool {
        program: "git",
        probe: &["--version"],
        package: "git",
        reason: "lists the files that the repository tracks",
        need: Need::Tests("the check of tracked files for machine paths"),
    },
    Tool {
        program: "python3",
        // Debian's python3 alone has venv, but not what a new environment is filled with.
        probe: &["-c", "import ensurepip, sys; print('Python', sys.version.split()[0])"],
        package: "python3-venv",
        reason: "runs third parties' clients against the sandbox",
        need: Need::Tests("conformance"),
    },
    Tool {
        program: "swaks",
        probe: &["--version"],
        package: "swaks",
        reason: "delivers mail to the sandbox as an outsider does",
        need: Need::Tests("the SMTP checks of swaks in conformance"),
    },
    Tool {
        // Debian keeps the server's own programs out of the search path; this one comes with them.
        program: "pg_lsclusters",
        probe: &["--help"],
        package: "postgresql",
        reason: "serves the database that several nodes share",
        need: Need::Tests("the store and the nodes on PostgreSQL"),
    },
];

/// Parts of the toolchain that rustup's minimal profile leaves out.
const COMPONENTS: [&str; 2] = ["fmt", "clippy"];

/// Finds or installs everything; says what is missing and what that costs.
pub fn prepare(workspace: &Workspace, no_install: bool) -> Result<Outcome> {
    let mut fatal = Vec::new();
    let mut notes = Vec::new();
    for component in COMPONENTS {
        match first_line(&mut cargo(workspace, &[component, "--version"])) {
            Some(version) => eprintln!("found {version}"),
            None => fatal.push(format!("cargo {component} (rustup component add rustfmt clippy)")),
        }
    }
    let mut missing: Vec<Tool> = TOOLS.into_iter().filter(|tool| !is_there(tool)).collect();
    if !missing.is_empty() && !no_install && may_install() {
        // What is still missing afterwards is judged by its need.
        if let Err(error) = install(&missing) {
            eprintln!("note: {error:#}");
        }
        missing.retain(|tool| !is_there(tool));
    }
    for tool in missing {
        let Tool {
            program,
            package,
            reason,
            need,
            ..
        } = tool;
        match need {
            Need::Build => fatal.push(format!("{program} (Debian package {package}): {reason}")),
            Need::Tests(which) => notes.push(format!("without {program} (Debian package {package}) skipped: {which}")),
        }
    }
    if let Some(note) = Runner::prepare(workspace, no_install) {
        notes.push(note);
    }
    for note in &notes {
        eprintln!("note: {note}");
    }
    if !fatal.is_empty() {
        return Ok(Outcome::Failed(format!("missing: {}", fatal.join("; "))));
    }
    Ok(Outcome::Passed(notes.join("; ")))
}

fn is_there(tool: &Tool) -> bool {
    let version = first_line(Command::new(tool.program).args(tool.probe));
    if let Some(version) = &version {
        eprintln!("found {version}");
    }
    version.is_some()
}

/// Root on a system with apt.
fn may_install() -> bool {
    let root = first_line(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    let apt = first_line(Command::new("apt-get").arg("--version")).is_some();
    if !root || !apt {
        eprintln!("note: not root on a system with apt-get, so nothing is installed");
    }
    root && apt
}

fn install(missing: &[Tool]) -> Result<()> {
    for tool in missing {
        eprintln!("installing {}: {}", tool.package, tool.reason);
    }
    run(apt().arg("update"))?;
    run(apt()
        .args(["install", "--yes", "--no-install-recommends"])
        .args(missing.iter().map(|tool| tool.package)))
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    if env::var_os("DEBIAN_FRONTEND").is_none() {
        command.env("DEBIAN_FRONTEND", "noninteractive");
    }
    command.arg("--quiet");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_says_why_it_is_wanted() {
        for tool in TOOLS {
            assert!(!tool.reason.is_empty() && !tool.package.is_empty(), "{tool:?}");
        }
    }

    #[test]
    fn tool_that_is_missing_is_noticed() {
        let tool = Tool {
            program: "no-such-program-exists",
            probe: &[],
            package: "none",
            reason: "none",
            need: Need::Tests("none"),
        };
        assert!(!is_there(&tool));
    }
}
