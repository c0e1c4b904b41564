//! Builds the console's pages when their sources changed.
//!
//! Owns the check for Node and the decision whether a build is needed. Never installs Node. Invariant:
//! after success either there is no `console/` or `console/dist` is at least as new as its sources.

use std::{fs, path::Path, process::Command, time::SystemTime};

use anyhow::{Context, Result, bail};

use crate::{
    process::{first_line, program_in, run},
    workspace::Workspace,
};

/// The oldest Node that the console's build tools accept.
const OLDEST_NODE: (u32, u32) = (20, 19);
/// Directories below `console/` that are made, not written.
const MADE: [&str; 2] = ["node_modules", "dist"];

/// What there was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Built {
    /// There is no `console/`: the pages are part of the binary's sources.
    NoConsole,
    /// `console/dist` was newer than every source.
    UpToDate,
    /// `console/dist` was built.
    Now,
}

impl std::fmt::Display for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoConsole => "the console's pages are built into the binary: nothing to build",
            Self::UpToDate => "console/dist is newer than its sources: nothing to build",
            Self::Now => "console/dist is built",
        })
    }
}

/// Builds `console/dist` if it is older than its sources.
pub fn build(workspace: &Workspace) -> Result<Built> {
    let console = workspace.root().join("console");
    if !console.join("package.json").is_file() {
        return Ok(Built::NoConsole);
    }
    let sources = newest(&console, &MADE)?;
    if modified(&console.join("dist").join("index.html")).is_some_and(|built| built >= sources) {
        return Ok(Built::UpToDate);
    }
    check_node(first_line(Command::new("node").arg("--version")).as_deref())?;
    // npm writes this file at the end of an installation.
    let installed = modified(&console.join("node_modules").join(".package-lock.json"));
    if installed.is_none() || installed < modified(&console.join("package-lock.json")) {
        run(program_in(workspace, "npm", &["ci", "--no-audit", "--no-fund"]).current_dir(&console))?;
    }
    run(program_in(workspace, "npm", &["run", "build"]).current_dir(&console))?;
    Ok(Built::Now)
}

fn check_node(version: Option<&str>) -> Result<()> {
    let (major, minor) = OLDEST_NODE;
    let Some(version) = version else {
        bail!(
            "the console needs Node {major}.{minor} or newer to be built and there is no `node`: install it and try again"
        );
    };
    let mut parts = version
        .trim_start_matches('v')
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found < OLDEST_NODE {
        bail!(
            "the console needs Node {major}.{minor} or newer to be built and `node` is {version}: update it and try again"
        );
    }
    Ok(())
}

/// The time of the newest file below `directory`, without the entries of its first level in `except`.
fn newest(directory: &Path, except: &[&str]) -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    let entries = fs::read_dir(directory).with_context(|| format!("{} can't be listed", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path
            .file_name()
            .is_some_and(|name| except.iter().any(|made| name == *made))
        {
            continue;
        }
        // A directory's own time tells of files that were removed.
        newest = newest.max(modified(&path).unwrap_or(SystemTime::UNIX_EPOCH));
        if path.is_dir() {
            newest = newest.max(self::newest(&path, &[])?);
        }
    }
    Ok(newest)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_or_missing_node_is_refused_with_the_version_that_is_needed() {
        for version in [None, Some("v18.19.0"), Some("v20.18.3"), Some("nonsense")] {
            let error = check_node(version).expect_err("it was accepted");
            assert!(error.to_string().contains("20.19"), "{error}");
        }
    }

    #[test]
    fn node_of_the_right_age_is_accepted() {
        for version in ["v20.19.0", "v20.20.2", "v22.1.0", "v100.0.0"] {
            check_node(Some(version)).expect("it is new enough");
        }
    }
}
