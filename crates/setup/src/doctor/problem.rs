//! A result of a check before it has words.

use std::fmt::Display;

use serde::Serialize;

use super::Code;

/// What was observed. [`crate::catalogue::finding`] gives it words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What it is.
    pub code: Code,
    /// What it is about: an address, an application id, a file. Empty if it is everything.
    pub subject: String,
    /// What was seen: error code, request id, claim. Never a secret, never mail.
    pub evidence: String,
    /// Values for the placeholders of the code's texts, besides `subject`.
    #[serde(skip)]
    pub params: Vec<(&'static str, String)>,
}

impl Problem {
    pub(crate) fn new(code: Code, subject: impl Into<String>, evidence: impl Into<String>) -> Self {
        Self {
            code,
            subject: subject.into(),
            evidence: evidence.into(),
            params: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &(impl Display + ?Sized)) -> Self {
        self.params.push((name, value.to_string()));
        self
    }
}
