//! When a fault happens.
//!
//! Owns the conditions of a rule and how a request is compared with them. Everything is compared without case; a
//! condition that is absent holds.

use std::collections::BTreeMap;

use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::faults::action::{Action, Place, SmtpPhase};

/// When a fault happens and what it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A word for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The normalised, decoded path starts with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// Path and decoded query contain this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_contains: Option<String>,
    /// The method is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The mailbox has this address, sign-in name or object id. In an SMTP session: the recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// The client id of the calling application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Uuid>,
    /// Each of these headers contains this text; an empty text asks for the header only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// How probable it is that a match counts that otherwise would: more than 0, at most 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Start of the rule's random sequence; its id when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The first match that counts, from 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// From there every match, every second, every third…
    #[serde(default = "one")]
    pub every: u64,
    /// How often it happens; absent means once, 0 means without end.
    #[serde(default = "one")]
    pub times: u64,
    /// What happens.
    pub action: Action,
}

fn one() -> u64 {
    1
}

/// A request as rules see it.
pub struct Asked<'a> {
    /// HTTP method.
    pub method: &'a Method,
    /// Normalised, decoded path.
    pub path: &'a str,
    /// The query as sent.
    pub raw_query: &'a str,
    /// Request headers.
    pub headers: &'a HeaderMap,
    /// Client id of the caller, if it is known.
    pub application: Option<Uuid>,
    /// All names of the mailbox, in lower case; asked only when a rule needs them.
    pub mailbox: &'a dyn Fn() -> Vec<String>,
}

impl std::fmt::Debug for Asked<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Asked")
            .field("method", self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Path and query in lower case.
#[derive(Debug)]
pub struct Words {
    path: String,
    whole: String,
}

impl Asked<'_> {
    /// What paths are compared with.
    #[must_use]
    pub fn words(&self) -> Words {
        let path = self.path.to_lowercase();
        let query = percent_decode_str(self.raw_query).decode_utf8_lossy().to_lowercase();
        let whole = if query.is_empty() {
            path.clone()
        } else {
            format!("{path}?{query}")
        };
        Words { path, whole }
    }
}

impl Rule {
    /// Refuses a rule that could never happen or not be carried out.
    ///
    /// # Errors
    /// Text for the control interface.
    pub fn check(&self) -> Result<(), String> {
        self.action.check()?;
        if self.nth == 0 || self.every == 0 {
            return Err("nth and every count from 1".to_owned());
        }
        if self.probability.is_some_and(|chance| !(chance > 0.0 && chance <= 1.0)) {
            return Err("probability is more than 0 and at most 1".to_owned());
        }
        let of_requests = self.path_prefix.is_some()
            || self.path_contains.is_some()
            || self.method.is_some()
            || self.application.is_some()
            || !self.headers.is_empty();
        match self.action.place() {
            Place::Connection if of_requests || self.mailbox.is_some() => {
                Err("a connection has no path, method, mailbox, application or headers yet: leave them out".to_owned())
            }
            Place::Smtp if of_requests => {
                Err("an SMTP session has no path, method, application or headers: leave them out".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether a request is meant.
    #[must_use]
    pub fn matches(&self, asked: &Asked<'_>, words: &Words) -> bool {
        let method_fits = self
            .method
            .as_ref()
            .is_none_or(|wanted| asked.method.as_str().eq_ignore_ascii_case(wanted));
        let prefix_fits = self
            .path_prefix
            .as_ref()
            .is_none_or(|prefix| words.path.starts_with(&prefix.to_lowercase()));
        let text_fits = self
            .path_contains
            .as_ref()
            .is_none_or(|text| words.whole.contains(&text.to_lowercase()));
        let application_fits = self.application.is_none_or(|wanted| asked.application == Some(wanted));
        let headers_fit = self
            .headers
            .iter()
            .all(|(name, text)| header_contains(asked.headers, name, text));
        let fits = method_fits && prefix_fits && text_fits && application_fits && headers_fit;
        fits && self.mailbox.as_ref().is_none_or(|wanted| {
            let wanted = wanted.to_lowercase();
            (asked.mailbox)().contains(&wanted)
        })
    }

    /// Whether a command of an SMTP session is meant.
    #[must_use]
    pub fn matches_smtp(&self, at: SmtpPhase, argument: &str) -> bool {
        let Action::SmtpReply { phase, .. } = &self.action else {
            return false;
        };
        let argument = argument.to_lowercase();
        *phase == at
            && self
                .mailbox
                .as_ref()
                .is_none_or(|wanted| argument.contains(&wanted.to_lowercase()))
    }
}

fn header_contains(headers: &HeaderMap, name: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    let mut values = headers.get_all(name).iter();
    values.any(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase().contains(&text))
}
