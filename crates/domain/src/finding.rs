//! Findings: what is wrong, how we know, and what to do about it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How bad it is. Ordered: the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The check passed.
    Ok,
    /// Worth knowing; mail flows.
    Info,
    /// Mail flows, but will stop or is at risk.
    Warning,
    /// Mail does not flow.
    Error,
}

/// The result of one check, in words for an administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable code in kebab case, for example `credential-secret-wrong`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: an address, an application id, a file. Empty if it is the whole integration.
    pub subject: String,
    /// One sentence in the reader's language.
    pub title: String,
    /// What was observed: request id, error code, claim.
    pub evidence: String,
    /// What to do, in the reader's language. Empty when nothing is to be done.
    pub fix: String,
    /// Where it is explained: a path below `docs/`.
    pub docs: String,
    /// Since when it is seen; `None` where that is not recorded, as for a passed check.
    #[serde(default)]
    pub first_seen: Option<Timestamp>,
}
