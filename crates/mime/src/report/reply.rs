//! SMTP reply codes: `550`.
//!
//! Owns their reading from the middle of sentences. A number counts as a reply code only where a
//! server's answer begins.

/// What stands before an answer when another server quotes it, in lower case.
const INTRODUCTIONS: &[&str] = &[
    "smtp;",
    "said:",
    "said",
    "reason:",
    "<<<",
    ">>>",
    "returned",
    "->",
    "error_code :",
    "error code:",
    "with:",
    "]:",
    ":",
    "(",
    "'",
    "\"",
    "<",
    "-",
    "message",
    "out:",
    "error",
    "response:",
    "answer",
    "reply:",
    "...",
];

/// The reply code that a diagnostic holds: the last that begins an answer, since servers quote the
/// one that they heard themselves at the end.
pub(super) fn code(text: &str) -> Option<u16> {
    let codes = codes(text);
    let refusal = codes.iter().rfind(|(code, _)| *code >= 400);
    refusal.or(codes.last()).map(|(code, _)| *code)
}

/// Every reply code with where it begins.
pub(super) fn codes(text: &str) -> Vec<(u16, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for at in 0..bytes.len().saturating_sub(2) {
        let digits = &bytes[at..at + 3];
        let is_code =
            matches!(digits[0], b'2' | b'4' | b'5') && matches!(digits[1], b'0'..=b'7') && digits[2].is_ascii_digit();
        if !is_code {
            continue;
        }
        let ends = match bytes.get(at + 3) {
            None | Some(b' ' | b'-' | b':' | b'\n' | b'\r' | b'\t' | b',' | b'\'' | b'\\' | b'#' | b';') => true,
            Some(_) => false,
        };
        // `250-` at the end of a number such as `550-0` is none, and neither is a part of an identifier.
        let goes_on = bytes.get(at + 3) == Some(&b'-')
            && bytes.get(at + 4).is_some_and(u8::is_ascii_hexdigit)
            && !looks_like_status(&bytes[at + 4..]);
        let glued = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'.' | b'@' | b'/'));
        let with_status = bytes.get(at + 4) == Some(&digits[0]) && bytes.get(at + 5) == Some(&b'.');
        if ends && !goes_on && !glued && (with_status || begins_answer(&text[..at])) {
            let code = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
            found.push((code, at));
        }
    }
    found
}

fn looks_like_status(rest: &[u8]) -> bool {
    matches!(rest, [b'2' | b'4' | b'5', b'.', ..]) || rest.first().is_some_and(u8::is_ascii_alphabetic)
}

fn begins_answer(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let line = line.trim_end();
    if line.is_empty() {
        return true;
    }
    let lower = line.to_ascii_lowercase();
    INTRODUCTIONS.iter().any(|word| lower.ends_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_recognised_where_it_begins() {
        for (text, expected) in [
            ("smtp; 550 5.1.1 unknown", 550),
            ("host mx.example [192.0.2.1] said: 452 4.3.1 full", 452),
            ("550-5.7.26 not accepted", 550),
            ("554 4.4.7 Message expired.<421 4.4.2 Connection timed out>", 421),
            ("ERROR_CODE :550, ERROR_CODE :5.1.1 x", 550),
            ("(reason: 550 Unauthenticated senders)", 550),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_answer() {
        for text in [
            "after 432000 seconds",
            "in 420 minutes",
            "id 550aa-1",
            "Thu, 29 Apr 2010 10:20:30 +0900",
            "port 500",
        ] {
            assert_eq!(code(text), None, "{text}");
        }
    }
}
