//! E-mail addresses in the form in which we compare them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An address `local@domain`, lower-cased for comparison. Exchange compares the whole address
/// without regard to case, so we do as well.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

/// The text is not an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an e-mail address: expected local@domain")]
pub struct NotAnAddress(pub String);

impl EmailAddress {
    /// Parses `local@domain`.
    ///
    /// # Errors
    /// [`NotAnAddress`] if there is no `@`, an empty side, white space or a control character.
    pub fn parse(raw: &str) -> Result<Self, NotAnAddress> {
        let text = raw.trim();
        let bad = || NotAnAddress(raw.to_owned());
        let (local, domain) = text.rsplit_once('@').ok_or_else(bad)?;
        let clean = |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control());
        if !clean(local) || !clean(domain) || text.contains(['<', '>']) {
            return Err(bad());
        }
        Ok(Self(text.to_lowercase()))
    }

    /// The address, lower-cased.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the last `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The part after the last `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_folded_and_nonsense_refused() {
        assert_eq!(
            EmailAddress::parse(" Support@Contoso.COM ").map(|a| a.to_string()),
            Ok("support@contoso.com".into())
        );
        for bad in ["", "a", "@b", "a@", "a b@c", "<a@b>"] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad} was accepted");
        }
    }
}
