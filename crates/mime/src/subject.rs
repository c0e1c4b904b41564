//! The subject of an answer.
//!
//! Owns the prefixes that mail programs put before a subject. Invariant: a reply's subject begins
//! with exactly one `Re: `, is one line of bounded length, and making it again changes nothing.

use crate::{bounds::MAX_SUBJECT, words};

/// Answer and forward marks of programs in the languages of Europe and East Asia, lower case.
const MARKS: [&str; 34] = [
    "re", "aw", "antw", "antwort", "wg", "fw", "fwd", "tr", "sv", "vs", "vb", "vl", "vá", "rv", "rif", "ri", "res",
    "enc", "enc.", "odp", "pd", "ynt", "ilt", "bls", "ref", "réf", "rép", "σχετ", "απ", "回复", "答复", "回覆", "转发",
    "返信",
];

/// What the first mark of a subject says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Answer,
    Forward,
}

/// Marks of forwarded mail, lower case. `i` is the one that stands for it in Italian.
const FORWARDS: [&str; 14] = [
    "fw", "fwd", "wg", "tr", "rv", "enc", "enc.", "i", "doorst", "vb", "vl", "pd", "转发", "転送",
];

/// The outermost mark of a subject, behind tags in brackets; none if it has no mark.
pub(crate) fn first_mark(subject: &str) -> Option<Mark> {
    let line = words::one_line(subject);
    let mut rest = line.trim_start();
    while let Some((_, after)) = tag(rest) {
        rest = after.trim_start();
    }
    let head = rest[..rest.find([':', '：'])?].trim_end().to_lowercase();
    if FORWARDS.contains(&head.as_str()) {
        return Some(Mark::Forward);
    }
    mark(rest).map(|_| Mark::Answer)
}

/// `Re: ` and the subject without any marks before it.
pub fn reply_subject(original: &str) -> String {
    let line = words::one_line(original);
    let (tags, rest) = strip(&line);
    let mut base = String::with_capacity(line.len());
    for tag in tags {
        base.push_str(tag);
        base.push(' ');
    }
    base.push_str(rest);
    let bounded: String = base.chars().take(MAX_SUBJECT).collect();
    format!("Re: {}", bounded.trim_end())
}

/// Takes marks off the beginning. Bracketed tags among them, as gateways and lists add, stay once.
fn strip(line: &str) -> (Vec<&str>, &str) {
    let mut tags: Vec<&str> = Vec::new();
    let mut rest = line.trim_start();
    // Tags are only taken out of their place if a mark or the same tag follows.
    let (mut pending, mut kept) = (Vec::new(), rest);
    loop {
        if let Some(after) = mark(rest) {
            tags.append(&mut pending);
            rest = after.trim_start();
            kept = rest;
        } else if let Some((tag, after)) = tag(rest) {
            if !tags.contains(&tag) && !pending.contains(&tag) {
                pending.push(tag);
            } else if tags.contains(&tag) && pending.is_empty() {
                kept = after.trim_start();
            }
            rest = after.trim_start();
        } else {
            return (tags, kept);
        }
    }
}

/// What follows a mark such as `Re:`, `RE[2]:`, `AW :`, `Antw:`; none if there is none.
fn mark(text: &str) -> Option<&str> {
    let end = text.find([':', '：'])?;
    let (head, after) = text.split_at(end);
    let colon = after.chars().next()?;
    let head = head.trim_end().to_lowercase();
    let word = head.trim_end_matches([']', ')']);
    let word = if word.len() < head.len() || word.contains('^') {
        let number = word.rfind(['[', '(', '^'])?;
        let digits = word[number + 1..].trim();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        word[..number].trim_end()
    } else {
        word
    };
    MARKS.contains(&word).then(|| &after[colon.len_utf8()..])
}

/// A short tag in square brackets and what follows it.
fn tag(text: &str) -> Option<(&str, &str)> {
    /// Longer ones are text in brackets.
    const MAX_TAG: usize = 40;
    let inner = text.strip_prefix('[')?;
    let end = inner.find(']')?;
    (end <= MAX_TAG && !inner[..end].contains('[')).then(|| text.split_at(end + 2))
}

#[cfg(test)]
mod tests {
    use super::{Mark, first_mark, reply_subject};

    #[test]
    fn marks_are_not_stacked() {
        for (original, expected) in [
            ("Invoice 7", "Re: Invoice 7"),
            ("Re: Invoice 7", "Re: Invoice 7"),
            ("RE: AW: Fwd: WG: Invoice", "Re: Invoice"),
            ("Antw: SV:TR : Re[2]: RE(3): re^4: x", "Re: x"),
            ("回复：转发: x", "Re: x"),
            ("[EXTERNAL] Re: [EXTERNAL] x", "Re: [EXTERNAL] x"),
            ("Re: [list] Re: x", "Re: [list] x"),
            ("[list] x", "Re: [list] x"),
            ("[a] [b] x", "Re: [a] [b] x"),
            ("Real: estate", "Re: Real: estate"),
            ("Re: ", "Re: "),
            ("", "Re: "),
            ("a\r\nBcc: b", "Re: a  Bcc: b"),
        ] {
            assert_eq!(reply_subject(original), expected, "{original}");
            assert_eq!(reply_subject(expected), expected, "{original}, again");
        }
    }

    #[test]
    fn the_outermost_mark_tells_answer_from_forward() {
        for (subject, expected) in [
            ("RE: FW: x", Some(Mark::Answer)),
            ("[EXTERNAL] WG: AW: x", Some(Mark::Forward)),
            ("TR : x", Some(Mark::Forward)),
            ("転送: x", Some(Mark::Forward)),
            ("Order: x", None),
            ("x", None),
        ] {
            assert_eq!(first_mark(subject), expected, "{subject}");
        }
    }

    #[test]
    fn length_is_bounded() {
        assert_eq!(reply_subject(&"ä".repeat(1_000)).chars().count(), 254);
    }
}
