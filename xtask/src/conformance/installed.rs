//! The clients' packages, installed below the build directory.
//!
//! Owns one directory a runtime, named by a hash of the pins: what is there and complete is used again, so that a run
//! after the first installs nothing. Never installs anything outside of the build directory. Invariant: a directory
//! without the mark `complete` is never used.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::{
    bounded,
    client::{Client, Runtime},
};
use crate::{
    process::{cargo, first_line},
    workspace::Workspace,
};

/// An installation that takes longer has no network.
const PATIENCE: Duration = Duration::from_secs(240);
/// The oldest Node that the pinned packages accept.
const OLDEST_NODE: u32 = 20;
const COMPLETE: &str = "complete";

/// What the scripts of a runtime are started with, or why they can't be.
#[derive(Clone, Debug)]
pub struct Installed {
    pub python: Result<PathBuf, String>,
    pub node: Result<PathBuf, String>,
    pub rust: Result<PathBuf, String>,
}

impl Installed {
    /// Installs what the clients need, unless `no_install` forbids what is not there yet.
    pub fn prepare(workspace: &Workspace, clients: &[Client], no_install: bool) -> Self {
        let needs = |runtime| clients.iter().any(|client| client.runtime == runtime);
        // Python prepares the tenant for every client.
        let python = python(workspace, no_install).map_err(|error| format!("{error:#}"));
        let other = |runtime, install: fn(&Workspace, bool) -> Result<PathBuf>| match &python {
            Err(reason) => Err(reason.clone()),
            Ok(_) if needs(runtime) => install(workspace, no_install).map_err(|error| format!("{error:#}")),
            Ok(_) => Err("not asked for".to_owned()),
        };
        Self {
            node: other(Runtime::Node, node),
            rust: other(Runtime::Rust, rust),
            python,
        }
    }

    /// The command that runs a client's script, without its arguments.
    pub fn command(&self, client: &Client, suite: &Path) -> Result<Vec<PathBuf>, String> {
        match client.runtime {
            Runtime::Python => Ok(vec![self.python()?, suite.join("python").join(client.script)]),
            Runtime::Node => Ok(vec!["node".into(), self.node.clone()?.join(client.script)]),
            Runtime::Rust => Ok(vec![self.rust.clone()?]),
        }
    }

    /// The interpreter that has the clients' packages.
    pub fn python(&self) -> Result<PathBuf, String> {
        Ok(self.python.clone()?.join("bin").join("python3"))
    }
}

fn python(workspace: &Workspace, no_install: bool) -> Result<PathBuf> {
    let Some(version) = first_line(Command::new("python3").arg("--version")) else {
        bail!("there is no python3 (Debian package python3-venv)");
    };
    let pins = workspace.conformance_suite().join("python/requirements.txt");
    let home = home(workspace, "python", &[&pins], &version)?;
    complete(&home, no_install, || {
        run(Command::new("python3").args(["-m", "venv"]).arg(&home), &home)?;
        run(
            Command::new(home.join("bin/python3"))
                .args(["-m", "pip", "install", "--quiet", "--no-input", "--no-compile"])
                .args(["--disable-pip-version-check", "--no-deps", "--requirement"])
                .arg(&pins),
            &home,
        )
    })?;
    Ok(home)
}

fn node(workspace: &Workspace, no_install: bool) -> Result<PathBuf> {
    let version = first_line(Command::new("node").arg("--version"));
    let version = version.context("there is no node")?;
    let major = version.trim_start_matches('v').split('.').next();
    if major.and_then(|major| major.parse().ok()).unwrap_or(0) < OLDEST_NODE {
        bail!("node is {version} and the packages need {OLDEST_NODE} or newer");
    }
    let sources = workspace.conformance_suite().join("node");
    let pins = [sources.join("package.json"), sources.join("package-lock.json")];
    let home = home(workspace, "node", &[&pins[0], &pins[1]], &version)?;
    let copy = |from: &Path| {
        let to = home.join(from.file_name().unwrap_or_default());
        fs::copy(from, &to).with_context(|| format!("{} can't be copied", from.display()))
    };
    complete(&home, no_install, || {
        for file in &pins {
            copy(file)?;
        }
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        run(Command::new("npm").args(arguments).current_dir(&home), &home)
    })?;
    // A module finds packages beside itself, so the scripts go where the packages are.
    for entry in fs::read_dir(&sources)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "mjs") {
            copy(&path)?;
        }
    }
    Ok(home)
}

/// Built each time: cargo knows itself what is new. It shares the build directory with the workspace.
fn rust(workspace: &Workspace, no_install: bool) -> Result<PathBuf> {
    let manifest = workspace.conformance_suite().join("rust/Cargo.toml");
    let mut command = cargo(workspace, &["build", "--quiet", "--locked", "--manifest-path"]);
    command.arg(manifest).arg("--target-dir").arg(workspace.target());
    if no_install {
        command.arg("--offline");
    }
    crate::process::run(&mut command)?;
    Ok(workspace.binary().with_file_name("conformance-openidconnect"))
}

fn home(workspace: &Workspace, runtime: &str, pins: &[&Path], version: &str) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    for file in pins {
        fs::read(file)
            .with_context(|| format!("{} can't be read", file.display()))?
            .hash(&mut hasher);
    }
    let name = format!("{runtime}-{:016x}", hasher.finish());
    Ok(workspace.conformance_work().join(name))
}

fn complete(home: &Path, no_install: bool, install: impl FnOnce() -> Result<()>) -> Result<()> {
    if home.join(COMPLETE).is_file() {
        return Ok(());
    }
    if no_install {
        bail!("the packages are not installed yet, and nothing may be (--no-install)");
    }
    if home.exists() {
        fs::remove_dir_all(home).with_context(|| format!("{} is incomplete and can't be removed", home.display()))?;
    }
    fs::create_dir_all(home)?;
    eprintln!("installing the clients' packages into {} (once)", home.display());
    install()?;
    fs::write(home.join(COMPLETE), "")?;
    Ok(())
}

fn run(command: &mut Command, home: &Path) -> Result<()> {
    let (out, talk) = (home.with_extension("out"), home.with_extension("log"));
    let status = bounded::run(command, &out, &talk, PATIENCE)?;
    if !status.success() {
        bail!(
            "{} ended with {status}: {}",
            command.get_program().display(),
            bounded::tail(&talk)
        );
    }
    Ok(())
}
