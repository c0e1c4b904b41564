//! The `Date` header as an instant.
//!
//! Owns the range check; the reading is mail-parser's, which takes the obsolete forms as well.
//! Invariant: what is no date gives none, never an invented one.

use jiff::Timestamp;
use mail_parser::{HeaderValue, parsers::MessageStream};

use crate::words;

/// Reads a date; none if it is not one.
pub(crate) fn parse(value: &[u8]) -> Option<Timestamp> {
    // Some programs encode the zone's name.
    let mut line = words::decode(value);
    line.truncate(line.floor_char_boundary(200));
    if !line.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    // A date without a zone is taken for UTC.
    instant(&line).or_else(|| instant(&format!("{} +0000", line.trim_end())))
}

fn instant(line: &str) -> Option<Timestamp> {
    // The parser gives its result at a line end.
    let line = format!("{line}\n");
    match MessageStream::new(line.as_bytes()).parse_date() {
        HeaderValue::DateTime(date) if date.is_valid() && date.year >= 1970 => {
            Timestamp::from_second(date.to_timestamp()).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn dates_are_instants() {
        for (input, expected) in [
            ("Fri, 19 May 2000 01:06:18 -0400", "2000-05-19T05:06:18Z"),
            ("Fri, 07 Oct 1994 16:15:05 -0700 (PDT)", "1994-10-07T23:15:05Z"),
            ("Wed, 3 May 2007 23:34:45", "2007-05-03T23:34:45Z"),
            ("7 Apr 2026 10:00:01 GMT", "2026-04-07T10:00:01Z"),
        ] {
            assert_eq!(
                parse(input.as_bytes()).map(|t| t.to_string()).as_deref(),
                Some(expected),
                "{input}"
            );
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for input in [
            "",
            "Whenever",
            "yesterday at 10",
            "99 Foo 2020 99:99:99 +9999",
            "\u{661}",
        ] {
            assert_eq!(parse(input.as_bytes()), None, "{input}");
        }
    }
}
