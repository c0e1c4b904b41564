//! The clients, and the ways each can be pointed at the sandbox.
//!
//! Owns the table. The versions are what the pins say, and a test compares the two. Knows nothing of how a client is
//! installed or run.

use clap::ValueEnum;

/// How a client that has Microsoft's addresses built in comes to the sandbox instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// By the client's own options: authority and base address.
    Option,
    /// By a hosts file, in namespaces of its own.
    Alias,
    /// By `HTTPS_PROXY` and the sandbox's CONNECT listener.
    Proxy,
}

impl Way {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 3] = [Self::Option, Self::Alias, Self::Proxy];

    /// Its name in the report and for the scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Option => "option",
            Self::Alias => "alias",
            Self::Proxy => "proxy",
        }
    }
}

/// What runs a client's script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    Python,
    Node,
    /// The script is a crate of its own.
    Rust,
}

/// One client and its script.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Its name in the report and for `--client`.
    pub name: &'static str,
    /// Packages and versions, as pinned; none for what comes with Python or Debian.
    pub packages: &'static [(&'static str, &'static str)],
    pub runtime: Runtime,
    /// File in the directory of its runtime.
    pub script: &'static str,
    pub ways: &'static [Way],
}

impl Client {
    /// Its packages with their versions, for the report.
    pub fn versions(&self) -> String {
        let each = self
            .packages
            .iter()
            .map(|(package, version)| format!("{package} {version}"));
        each.collect::<Vec<_>>().join(", ")
    }
}

/// All clients, in the order of the report.
pub const CLIENTS: [Client; 10] = [
    Client {
        name: "msal",
        packages: &[("msal", "1.39.0")],
        runtime: Runtime::Python,
        script: "client_msal.py",
        ways: &Way::ALL,
    },
    Client {
        name: "msgraph-sdk",
        packages: &[("azure-identity", "1.27.0"), ("msgraph-sdk", "1.65.0")],
        runtime: Runtime::Python,
        script: "client_msgraph_sdk.py",
        ways: &Way::ALL,
    },
    Client {
        name: "O365",
        packages: &[("o365", "2.1.10")],
        runtime: Runtime::Python,
        script: "client_o365.py",
        ways: &[Way::Alias, Way::Proxy],
    },
    Client {
        name: "microsoftgraph-python",
        packages: &[("microsoftgraph-python", "1.1.8.1")],
        runtime: Runtime::Python,
        script: "client_microsoftgraph.py",
        ways: &[Way::Alias, Way::Proxy],
    },
    Client {
        name: "parsedmarc",
        packages: &[("parsedmarc", "11.1.0")],
        runtime: Runtime::Python,
        script: "client_parsedmarc.py",
        ways: &[Way::Alias, Way::Proxy],
    },
    Client {
        name: "smtp",
        packages: &[],
        runtime: Runtime::Python,
        script: "client_smtp.py",
        ways: &[Way::Option],
    },
    Client {
        name: "msal-node",
        packages: &[("@azure/msal-node", "7.2.3")],
        runtime: Runtime::Node,
        script: "client_msal_node.mjs",
        ways: &[Way::Option, Way::Alias],
    },
    Client {
        name: "microsoft-graph-client",
        packages: &[
            ("@azure/identity", "4.13.1"),
            ("@microsoft/microsoft-graph-client", "3.0.7"),
        ],
        runtime: Runtime::Node,
        script: "client_graph.mjs",
        ways: &[Way::Option, Way::Alias],
    },
    Client {
        name: "nodemailer-msgraph-transport",
        packages: &[("nodemailer-msgraph-transport", "1.0.1")],
        runtime: Runtime::Node,
        script: "client_nodemailer.mjs",
        ways: &[Way::Alias],
    },
    Client {
        name: "openidconnect",
        packages: &[("openidconnect", "4.1.0")],
        runtime: Runtime::Rust,
        script: "conformance-openidconnect",
        ways: &Way::ALL,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    fn suite() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance")
    }

    #[test]
    fn every_version_is_the_one_that_is_pinned() {
        let read = |file: &str| fs::read_to_string(suite().join(file)).expect("the pins are part of the repository");
        let (python, node, rust) = (
            read("python/requirements.txt"),
            read("node/package.json"),
            read("rust/Cargo.toml"),
        );
        for client in CLIENTS {
            for (package, version) in client.packages {
                let pinned = match client.runtime {
                    Runtime::Python => python.lines().any(|line| line == format!("{package}=={version}")),
                    Runtime::Node => node.contains(&format!("\"{package}\": \"{version}\"")),
                    Runtime::Rust => rust.contains(&format!("{package} = {{ version = \"={version}\"")),
                };
                assert!(pinned, "{package} {version} is not what is pinned");
            }
        }
    }

    #[test]
    fn every_script_is_there() {
        for client in CLIENTS {
            let directory = match client.runtime {
                Runtime::Python => "python",
                Runtime::Node => "node",
                Runtime::Rust => continue,
            };
            let script = suite().join(directory).join(client.script);
            assert!(script.is_file(), "{}", script.display());
        }
    }

    #[test]
    fn pins_name_no_registry() {
        let lock = fs::read_to_string(suite().join("node/package-lock.json")).expect("the lock file");
        assert!(
            !lock.contains("\"resolved\""),
            "npm config omit-lockfile-registry-resolved=true"
        );
        let pins = fs::read_to_string(suite().join("python/requirements.txt")).expect("the pins");
        assert!(
            !pins.contains("--") && !pins.contains("://"),
            "an option in the requirements"
        );
    }
}
