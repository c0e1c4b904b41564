//! A text as lines that know how deep they are quoted.
//!
//! Owns the reading of `>`. Invariant: every line begins where a part may begin, in ascending order.

use std::borrow::Cow;

use crate::bounds::MAX_DIVIDED_LINES;

/// What the HTML around a line says of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hint {
    #[default]
    None,
    /// It says who wrote what follows.
    Attribution,
    /// History begins here.
    History,
    /// It is in a signature.
    Signature,
}

/// A line.
#[derive(Clone, Debug, Default)]
pub(super) struct Line<'a> {
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// Its text without marks of quoting, trimmed.
    pub(super) text: Cow<'a, str>,
    /// How deep it is quoted; 0 is the author's own.
    pub(super) depth: usize,
    /// Whether the quoting is beyond doubt, as with an element made for it.
    pub(super) cited: bool,
    pub(super) hint: Hint,
}

impl Line<'_> {
    /// Whether it parts paragraphs of the author's own; an empty line in a quote belongs to the quote.
    pub(super) fn is_blank(&self) -> bool {
        self.text.is_empty() && self.depth == 0
    }
}

/// Lines of plain text, one beyond the bound at most.
pub(super) fn of_text(text: &str) -> Vec<Line<'_>> {
    let mut out: Vec<Line<'_>> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n').take(MAX_DIVIDED_LINES + 1) {
        let (mut depth, mut rest) = quoting(line);
        // Mailboxes in files put a mark before lines that begin so.
        if depth == 1 && line.starts_with(">From ") && out.last().is_none_or(|before| before.depth == 0) {
            (depth, rest) = (0, line);
        }
        out.push(Line {
            start,
            text: Cow::Borrowed(rest.trim()),
            depth,
            ..Line::default()
        });
        start += line.len();
    }
    out
}

/// How often a line is quoted, and what follows the marks.
pub(super) fn quoting(line: &str) -> (usize, &str) {
    let (mut depth, mut rest) = (0, line);
    while let Some(after) = rest.strip_prefix(' ').unwrap_or(rest).strip_prefix('>') {
        depth += 1;
        rest = after;
    }
    (depth, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_quoting_are_counted() {
        for (line, expected) in [
            ("> a", (1, " a")),
            (">> a", (2, " a")),
            ("> > a", (2, " a")),
            ("a > b", (0, "a > b")),
        ] {
            assert_eq!(quoting(line), expected, "{line}");
        }
    }

    #[test]
    fn an_escaped_from_is_the_authors_own() {
        let depths = |text| of_text(text).iter().map(|line| line.depth).collect::<Vec<_>>();
        assert_eq!(depths("a\n>From here on\n"), [0, 0]);
        assert_eq!(depths("> a\n>From here on\n"), [1, 1]);
    }
}
