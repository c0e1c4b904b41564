//! A text in each language, with placeholders.

use super::Language;

/// One text in each language. `{name}` is a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    english: &'static str,
    french: &'static str,
}

/// The words of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingText {
    /// One sentence: what is.
    pub title: Text,
    /// What to do; empty when nothing is to be done.
    pub fix: Text,
}

impl Text {
    /// A text in English and French.
    pub const fn new(english: &'static str, french: &'static str) -> Self {
        Self { english, french }
    }

    /// The text with its placeholders.
    pub const fn get(self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::French => self.french,
        }
    }

    /// The text with each `{name}` replaced. What a value holds is not looked at again. A
    /// placeholder without a value stays as it is, so that it is seen.
    pub fn fill(self, language: Language, params: &[(&'static str, String)]) -> String {
        let mut rest = self.get(language);
        let mut filled = String::with_capacity(rest.len() + 32);
        while let Some((before, name, after)) = next_placeholder(rest) {
            filled.push_str(before);
            match params.iter().find(|(key, _)| *key == name) {
                Some((_, value)) => filled.push_str(value),
                None => filled.extend(["{", name, "}"]),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

impl FindingText {
    /// Title and fix, each in English and French.
    pub const fn new(title: [&'static str; 2], fix: [&'static str; 2]) -> Self {
        Self {
            title: Text::new(title[0], title[1]),
            fix: Text::new(fix[0], fix[1]),
        }
    }
}

fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// The names of the placeholders, sorted.
#[cfg(test)]
pub(super) fn placeholders(template: &'static str) -> std::collections::BTreeSet<&'static str> {
    let mut names = std::collections::BTreeSet::new();
    let mut rest = template;
    while let Some((_, name, after)) = next_placeholder(rest) {
        names.insert(name);
        rest = after;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_once_and_missing_ones_are_seen() {
        let text = Text::new("{a} then {b} then {a}", "{b}");
        let params = [("a", "{b}".to_owned()), ("b", "2".to_owned())];
        assert_eq!(text.fill(Language::English, &params), "{b} then 2 then {b}");
        assert_eq!(text.fill(Language::French, &[]), "{b}");
    }
}
