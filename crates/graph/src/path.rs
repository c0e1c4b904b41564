//! Addresses of Graph resources.
//!
//! Owns the encoding: every id and every query value is percent-encoded here, exactly once, and
//! nowhere else. An id that would change the meaning of a path (empty, `.` or `..`) is refused.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::class::Class;
use crate::error::{Error, Result};

/// Everything but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// As in a segment, but the marks of OData expressions stay readable.
const QUERY: &AsciiSet = &SEGMENT
    .remove(b',')
    .remove(b'(')
    .remove(b')')
    .remove(b':')
    .remove(b'/')
    .remove(b'$');

/// A path below the version segment, with its query.
#[derive(Debug, Clone, Default)]
pub(crate) struct GraphPath {
    path: String,
    query: String,
    refused: Option<&'static str>,
}

impl GraphPath {
    /// Starts with a literal segment.
    pub(crate) fn new(first: &'static str) -> Self {
        Self::default().then(first)
    }

    /// `users/{user}`, by id or user principal name.
    pub(crate) fn user(user: &str) -> Self {
        Self::new("users").id(user)
    }

    /// `users/{user}/messages/{id}`.
    pub(crate) fn message(user: &str, id: &str) -> Self {
        Self::user(user).then("messages").id(id)
    }

    /// `users/{user}/mailFolders/{folder}`, by id or well-known name.
    pub(crate) fn folder(user: &str, folder: &str) -> Self {
        Self::user(user).then("mailFolders").id(folder)
    }

    /// Adds a literal segment.
    pub(crate) fn then(mut self, segment: &'static str) -> Self {
        self.path.push('/');
        self.path.push_str(segment);
        self
    }

    /// Adds a segment that came from outside, encoded.
    pub(crate) fn id(mut self, id: &str) -> Self {
        // Dots are unreserved, yet a whole segment of them walks up the path, encoded or not.
        if id.is_empty() || id == "." || id == ".." {
            self.refused = Some("an id in the address is empty or made of dots");
        }
        self.path.push('/');
        self.path.extend(utf8_percent_encode(id, SEGMENT));
        self
    }

    /// Adds a query parameter, its value encoded.
    pub(crate) fn query(mut self, name: &'static str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(name);
        self.query.push('=');
        self.query.extend(utf8_percent_encode(value, QUERY));
        self
    }

    /// Adds `$select`, if anything is selected.
    pub(crate) fn select(self, properties: &[&str]) -> Self {
        if properties.is_empty() {
            self
        } else {
            self.query("$select", &properties.join(","))
        }
    }

    /// The whole address below `base` (which ends in the version segment, without slash).
    pub(crate) fn at(&self, operation: &'static str, base: &str) -> Result<Url> {
        if let Some(refused) = self.refused {
            return Err(Error::new(Class::Invalid, operation, "unusable_id", refused));
        }
        Url::parse(&format!("{base}{}{}", self.path, self.query))
            .map_err(|error| Error::new(Class::Bug, operation, "unusable_address", error.to_string()))
    }
}

/// A string as an OData literal: in single quotes, with those inside doubled.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://graph.example/v1.0";

    #[test]
    fn ids_are_encoded_exactly_once() {
        let url = GraphPath::message("support@contoso.example", "a/b+c=d%2Fe f")
            .at("test", BASE)
            .unwrap();
        assert_eq!(
            url.as_str(),
            "https://graph.example/v1.0/users/support%40contoso.example/messages/a%2Fb%2Bc%3Dd%252Fe%20f"
        );
    }

    #[test]
    fn query_values_cannot_leave_their_parameter() {
        let filter = "subject eq 'a&b#c+d'";
        let url = GraphPath::new("messages")
            .query("$filter", filter)
            .query("$top", "5")
            .at("test", BASE)
            .unwrap();
        let pairs: Vec<_> = url.query_pairs().collect();
        assert_eq!(pairs[0], ("$filter".into(), filter.into()));
        assert_eq!(pairs[1], ("$top".into(), "5".into()));
        assert!(url.fragment().is_none());
    }

    #[test]
    fn ids_that_walk_the_path_are_refused() {
        for id in ["", ".", ".."] {
            assert_eq!(
                GraphPath::message("u", id).at("test", BASE).unwrap_err().class,
                Class::Invalid
            );
        }
        assert!(GraphPath::message("u", "...").at("test", BASE).is_ok());
    }

    #[test]
    fn quotes_in_literals_are_doubled() {
        assert_eq!(literal("it's"), "'it''s'");
    }
}
