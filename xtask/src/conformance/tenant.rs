//! A running sandbox for one client and one way of pointing it there.
//!
//! Owns the process and the namespaces that it runs in. Invariant: the process ends with this value.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::{bounded, client::Way};
use crate::{process::output, workspace::Workspace};

/// A sandbox starts within this time or not at all.
const PATIENCE: Duration = Duration::from_secs(60);
/// What would lead a client elsewhere or make it trust others.
const FOREIGN: [&str; 14] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_DIR",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_SECRET",
    "PYTHONPATH",
];
/// The variables by which the clients' libraries are told whom to trust.
const TRUST: [&str; 4] = [
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
];

/// How namespaces of one's own can be had here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// With a user namespace, which needs no rights.
    OfUser,
    /// As root.
    OfRoot,
}

impl Namespaces {
    /// The one that works here.
    pub fn find() -> Option<Self> {
        [Self::OfUser, Self::OfRoot].into_iter().find(|kind| {
            let mut command = Command::new("unshare");
            // The whole way: loopback and the hosts file too.
            let probe = output(
                command
                    .args(kind.unshare())
                    .args(["mount", "--bind", "/dev/null", "/etc/hosts"]),
            );
            let enter = output(Command::new("nsenter").arg("--version"));
            [probe, enter]
                .into_iter()
                .all(|done| done.is_ok_and(|done| done.status.success()))
        })
    }

    const fn unshare(self) -> &'static [&'static str] {
        match self {
            Self::OfUser => &["--map-root-user", "--mount", "--net"],
            Self::OfRoot => &["--mount", "--net"],
        }
    }

    const fn enter(self) -> &'static [&'static str] {
        match self {
            Self::OfUser => &["--user", "--preserve-credentials", "--mount", "--net"],
            Self::OfRoot => &["--mount", "--net"],
        }
    }
}

/// The sandbox and where its client works.
#[derive(Debug)]
pub struct Tenant {
    child: Child,
    directory: PathBuf,
    way: Way,
    namespaces: Option<Namespaces>,
    cache: PathBuf,
}

impl Drop for Tenant {
    fn drop(&mut self) {
        // It may have ended by itself; that shows in what the client saw.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Tenant {
    /// Starts a sandbox in an empty directory and waits until it describes itself.
    pub fn start(
        workspace: &Workspace,
        python: &Path,
        directory: PathBuf,
        way: Way,
        namespaces: Option<Namespaces>,
    ) -> Result<Self> {
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        let mut words: Vec<PathBuf> = Vec::new();
        let namespaces = if way == Way::Alias {
            let kind = namespaces.context("namespaces are not allowed here")?;
            words.push("unshare".into());
            words.extend(kind.unshare().iter().map(PathBuf::from));
            words.push(python.to_owned());
            words.push(workspace.conformance_suite().join("python/namespace.py"));
            Some(kind)
        } else {
            None
        };
        words.push(workspace.binary());
        let own = directory.join("sandbox");
        let listen = if way == Way::Alias {
            "127.0.0.1:443"
        } else {
            "127.0.0.1:0"
        };
        words.extend(["--json", "sandbox", "--service-certificate", "--dir"].map(PathBuf::from));
        words.push(own.clone());
        words.extend(["--listen", listen, "--control", "127.0.0.1:0", "--smtp", "127.0.0.1:0"].map(PathBuf::from));
        if way == Way::Proxy {
            words.extend(["--connect-proxy", "127.0.0.1:0"].map(PathBuf::from));
        }
        let (out, talk) = (directory.join("sandbox.out"), directory.join("sandbox.log"));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        let child = bounded::start(&mut command, &out, &talk)?;
        let mut tenant = Self {
            child,
            directory,
            way,
            namespaces,
            cache: workspace.conformance_work().join("bytecode"),
        };
        let description = tenant.description();
        let started = bounded::wait_for(PATIENCE, || {
            if let Some(status) = tenant.child.try_wait()? {
                bail!("the sandbox ended with {status}: {}", bounded::tail(&talk));
            }
            Ok(description.is_file().then_some(()))
        })?;
        started.with_context(|| format!("the sandbox did not start: {}", bounded::tail(&talk)))?;
        Ok(tenant)
    }

    /// Where the sandbox says how it can be reached.
    pub fn description(&self) -> PathBuf {
        self.directory.join("sandbox/sandbox.json")
    }

    /// Where the client finds what it is given.
    pub fn given(&self) -> PathBuf {
        self.directory.join("tenant.json")
    }

    /// A file in the client's working directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A command that sees the sandbox as the client shall see it.
    pub fn command(&self, workspace: &Workspace, python: &Path, words: &[PathBuf]) -> Command {
        let mut command = match self.namespaces {
            None => Command::new("env"),
            Some(kind) => {
                let mut command = Command::new("nsenter");
                command
                    .arg("--target")
                    .arg(self.child.id().to_string())
                    .args(kind.enter());
                // Whoever enters starts at the root directory.
                command.args(["--", "env", "--chdir"]).arg(&self.directory);
                command
            }
        };
        command.args(words).current_dir(&self.directory);
        for name in FOREIGN {
            command.env_remove(name);
        }
        let authority = self.directory.join("sandbox/ca.pem");
        for name in TRUST {
            command.env(name, &authority);
        }
        let mut path = python.parent().unwrap_or(python).as_os_str().to_owned();
        if let Some(inherited) = env::var_os("PATH") {
            path.push(":");
            path.push(inherited);
        }
        command
            .env("PATH", path)
            .env("HOME", &self.directory)
            .env("PYTHONPYCACHEPREFIX", &self.cache)
            .env("CONFORMANCE_SUITE", workspace.conformance_suite())
            .env("CONFORMANCE_DESCRIPTION", self.description());
        command
    }

    /// The proxy that the client shall use, if this way has one.
    pub fn proxy(&self) -> Result<Option<String>> {
        if self.way != Way::Proxy {
            return Ok(None);
        }
        let text = fs::read(self.description())?;
        let description: serde_json::Value = serde_json::from_slice(&text)?;
        let address = description["connect_proxy"].as_str();
        Ok(Some(address.context("the sandbox names no proxy")?.to_owned()))
    }
}
