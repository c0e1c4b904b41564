//! Where things are: the repository, the build directory, the test mails.
//!
//! Owns paths only; creates and changes nothing. Invariant: every path that it gives is absolute.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The environment variable that names the directory of test mails.
pub const CORPUS_VARIABLE: &str = "GUICHET_CORPUS";

/// The checked-out repository and its build directory.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds both from where cargo put this program.
    pub fn find() -> Result<Self> {
        // Set by `cargo run`; the value of compile time serves a binary that is started by hand.
        let manifest =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = manifest
            .parent()
            .context("xtask lies outside of a workspace")?
            .to_owned();
        let program = env::current_exe().context("the path of xtask itself is unknown")?;
        // <target>/<profile>/xtask, wherever cargo was told to build.
        let target = program.parent().and_then(Path::parent);
        let target = target.context("xtask was not started from a build directory; use `cargo xtask`")?;
        Ok(Self {
            root,
            target: target.to_owned(),
        })
    }

    /// The repository's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The build directory.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The scripts and pins of the third parties' clients.
    pub fn conformance_suite(&self) -> PathBuf {
        self.root.join("tests").join("conformance")
    }

    /// Where the clients' packages and their tenants are.
    pub fn conformance_work(&self) -> PathBuf {
        self.target.join("conformance")
    }

    /// Tools that were installed for this work tree alone.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// The product's binary, as the `dev` profile builds it.
    pub fn binary(&self) -> PathBuf {
        self.target
            .join("debug")
            .join(format!("guichet{}", env::consts::EXE_SUFFIX))
    }

    /// The directory of test mails: the one that the environment names, else the one beside the
    /// repository, if it is there.
    pub fn corpus(&self) -> Option<PathBuf> {
        if let Some(named) = env::var_os(CORPUS_VARIABLE) {
            return std::path::absolute(named).ok();
        }
        let beside = self.root.parent()?.join("shared").join("corpus");
        beside.is_dir().then_some(beside)
    }
}
