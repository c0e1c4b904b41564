//! The languages that administrators read.

use serde::{Deserialize, Serialize};

/// A language of the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::French];

    /// The language of a locale such as `fr_FR.UTF-8`, `fr-CA` or the list `de:fr:en` (the first
    /// language that the catalogue has). English if none is known.
    pub fn from_env(locale: &str) -> Self {
        locale
            .split(':')
            .find_map(|entry| {
                let language = entry.split(['_', '-', '.', '@']).next().unwrap_or_default();
                match language.to_ascii_lowercase().as_str() {
                    "fr" => Some(Self::French),
                    "en" | "c" | "posix" => Some(Self::English),
                    _ => None,
                }
            })
            .unwrap_or_default()
    }

    /// The language's code, `en` or `fr`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_read_as_systems_write_them() {
        for locale in ["fr", "fr_FR.UTF-8", "fr-CA", "FR@euro", "de:fr:en", "fr_BE"] {
            assert_eq!(Language::from_env(locale), Language::French, "{locale}");
        }
        for locale in ["", "C", "C.UTF-8", "en_GB.UTF-8", "de_DE", "frisian", "en:fr"] {
            assert_eq!(Language::from_env(locale), Language::English, "{locale}");
        }
    }
}
