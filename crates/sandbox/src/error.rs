//! Why the sandbox could not start or go on.
//!
//! Owns failures of the sandbox's own process. What a client did wrong is never in here: that is an OAuth or OData
//! error document.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Failures of the sandbox itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Choose another address or stop what holds it.
    #[error("cannot listen on {address} for {purpose}: choose another address or port 0")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// Which interface.
        purpose: &'static str,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// Make the path readable and writable.
    #[error("cannot use the file {path}: check that the directory exists and may be written")]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// Repair or set aside the saved state.
    #[error(
        "the saved state in {path} cannot be used: {problem}; restore the file, or start with --fresh, which sets the old state aside as state.previous"
    )]
    State {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Correct the configuration.
    #[error("the sandbox configuration is not usable: {0}")]
    Config(String),
    /// Report: keys or certificates could not be made.
    #[error("cannot make keys or certificates: {0}")]
    Crypto(String),
}

impl Error {
    /// A file that cannot be used.
    #[must_use]
    pub fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            source,
        }
    }

    /// Saved state that cannot be used.
    #[must_use]
    pub fn state(path: &std::path::Path, problem: String) -> Self {
        Self::State {
            path: path.to_owned(),
            problem,
        }
    }
}
