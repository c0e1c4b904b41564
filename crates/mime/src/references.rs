//! Message ids in `Message-ID`, `In-Reply-To` and `References`.
//!
//! Owns their extraction from what programs write around them. Invariant: an id holds no blanks
//! or angle brackets, is never cut, and lists are bounded, first and last ids kept.

use crate::{
    bounds::{MAX_MESSAGE_ID, MAX_REFERENCES},
    words,
};

/// The ids of one or several headers of a kind, in order, each once; the flag says that some were
/// left out for their length or number.
pub(crate) fn ids<'a>(values: impl Iterator<Item = &'a [u8]>) -> (Vec<String>, bool) {
    let mut out = Vec::<String>::new();
    let mut seen = std::collections::HashSet::new();
    let mut left_out = false;
    for value in values {
        for id in of_value(&words::decode(value)) {
            if id.len() > MAX_MESSAGE_ID {
                left_out = true;
            } else if seen.insert(id.clone()) {
                out.push(id);
            }
        }
    }
    if out.len() > MAX_REFERENCES {
        left_out = true;
        // The first is the root of the conversation, the last ones are the nearest.
        let surplus = out.len() - MAX_REFERENCES;
        out.drain(1..=surplus);
    }
    (out, left_out)
}

/// The id in a header with a single one, as `Content-ID`.
pub(crate) fn id(value: &[u8]) -> Option<String> {
    let single = value.iter();
    ids(std::iter::once(single.as_slice())).0.into_iter().next()
}

fn of_value(value: &str) -> Vec<String> {
    let bracketed = bracketed(value);
    if !bracketed.is_empty() {
        return bracketed;
    }
    let value = without_comments(value);
    let words = value
        .split([' ', '\t', ',', ';', '<', '>'])
        .filter(|word| !word.is_empty());
    let with_at: Vec<String> = words.clone().filter(|word| word.contains('@')).map(clean).collect();
    if !with_at.is_empty() {
        return with_at;
    }
    // A single word is an id even without an at sign; several words are a sentence.
    match words.collect::<Vec<_>>().as_slice() {
        [single] => vec![clean(single)],
        _ => Vec::new(),
    }
}

/// What stands in angle brackets; one missing bracket between two ids is tolerated.
fn bracketed(value: &str) -> Vec<String> {
    let mut out = Vec::new();
    for piece in value.split('<').skip(1) {
        let inner = piece.split('>').next().unwrap_or_default();
        // Folding may have put blanks inside; an open bracket runs to the next blank only.
        let id = if piece.contains('>') {
            clean(inner)
        } else {
            clean(inner.split_whitespace().next().unwrap_or_default())
        };
        if !id.is_empty() {
            out.push(id);
        }
    }
    out
}

fn clean(id: &str) -> String {
    id.chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .collect::<String>()
        .trim_matches([',', ';', '"', '\''])
        .to_owned()
}

fn without_comments(value: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Vec<String> {
        ids(std::iter::once(value.as_bytes())).0
    }

    #[test]
    fn ids_are_found_in_what_programs_write() {
        for (input, expected) in [
            ("<a@b.example>", vec!["a@b.example"]),
            ("<a@b> <c@d>,<e@f>", vec!["a@b", "c@d", "e@f"]),
            ("Your message of \"Mon, 1 Jan\" <a@b>", vec!["a@b"]),
            ("a@b, c@d (comment x@y)", vec!["a@b", "c@d"]),
            ("<a@b <c@d>", vec!["a@b", "c@d"]),
            ("<long-\t part@b>", vec!["long-part@b"]),
            ("<no-at-sign>", vec!["no-at-sign"]),
            ("4711", vec!["4711"]),
            ("your mail of yesterday", vec![]),
            ("<> <>", vec![]),
            ("<a@b> <a@b>", vec!["a@b"]),
        ] {
            assert_eq!(read(input), expected, "{input}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let values = [b"<a@b>".as_slice(), b"<c@d> <a@b>"];
        assert_eq!(ids(values.into_iter()).0, ["a@b", "c@d"]);
    }

    #[test]
    fn long_lists_keep_the_root_and_the_nearest() {
        let value: String = (0..10_000).map(|i| format!("<{i}@x> ")).collect();
        let (ids, left_out) = ids(std::iter::once(value.as_bytes()));
        assert_eq!(ids.len(), MAX_REFERENCES);
        assert_eq!(
            (ids[0].as_str(), ids[MAX_REFERENCES - 1].as_str(), left_out),
            ("0@x", "9999@x", true)
        );
    }

    #[test]
    fn overlong_ids_are_left_out_whole() {
        assert_eq!(
            ids(std::iter::once(format!("<{}>", "a".repeat(2_000)).as_bytes())),
            (vec![], true)
        );
    }
}
