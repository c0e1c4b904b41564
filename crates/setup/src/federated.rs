//! A federated credential: a token of an outside issuer in place of a secret of our own.
//!
//! Owns what is recorded of one: whose token it is, and in which file the platform puts it. Never keeps the token: it
//! is read anew for every sign-in, because the platform replaces it within the hour.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use guichet_graph::{AssertionSource, Class, Error as GraphError};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// What Entra wants as audience unless it is told otherwise.
const USUAL_AUDIENCE: &str = "api://AzureADTokenExchange";
/// Entra's limit for issuer, subject and audience.
const LONGEST: usize = 600;
/// A token of a platform has one or two kilobytes.
const LARGEST_TOKEN: u64 = 64 * 1024;

/// Whose token the application is believed, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Federated {
    /// The token's `iss`, exactly as it is there.
    pub issuer: String,
    /// The token's `sub`, exactly as it is there.
    pub subject: String,
    /// The token's `aud`.
    #[serde(default = "usual_audience")]
    pub audience: String,
    /// The file in which the platform keeps the token fresh.
    pub token_file: PathBuf,
}

fn usual_audience() -> String {
    USUAL_AUDIENCE.to_owned()
}

impl Federated {
    /// The key and the problem of what can't be.
    pub(crate) fn check(&self) -> Option<(&'static str, String)> {
        let texts = [
            ("application.federated.issuer", &self.issuer),
            ("application.federated.subject", &self.subject),
            ("application.federated.audience", &self.audience),
        ];
        for (field, text) in texts {
            let length = text.chars().count();
            if text.trim().is_empty() || length > LONGEST {
                return Some((field, format!("it has {length} characters, expected 1 to {LONGEST}")));
            }
        }
        if !self.issuer.starts_with("https://") {
            let problem = format!("`{}` is no https address: Entra asks it for its keys", self.issuer);
            return Some(("application.federated.issuer", problem));
        }
        None
    }

    /// What is sealed. It is no secret; sealed like one, it can't be changed unseen.
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The platform's file.
#[derive(Debug)]
pub(crate) struct TokenFile(pub PathBuf);

/// Code of the error of a file that gives no token.
pub(crate) const UNREADABLE: &str = "assertion_unreadable";

impl AssertionSource for TokenFile {
    fn assertion(&self) -> guichet_graph::Result<SecretString> {
        read(&self.0).map_err(|why| {
            let message = format!("{}: {why}", self.0.display());
            GraphError::new(Class::Invalid, "read the platform's token", UNREADABLE, message)
        })
    }
}

fn read(path: &Path) -> Result<SecretString, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let read = file.take(LARGEST_TOKEN + 1).read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    let token = text.trim();
    if token.len() as u64 > LARGEST_TOKEN {
        return Err(format!("it has more than {LARGEST_TOKEN} bytes"));
    }
    if token.split('.').count() != 3 {
        return Err("what is in it is no token (three parts with dots between them)".to_owned());
    }
    Ok(SecretString::from(token))
}
