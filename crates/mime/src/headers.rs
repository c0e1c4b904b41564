//! Header blocks: where they end, their fields, unfolded.
//!
//! Owns the split of a block into fields and the unfolding. Never decodes values: they stay bytes.
//! Invariant: reading a block is one pass over its lines and keeps at most the bounded number of
//! fields and bytes, but always finds the end of the block.

use crate::{
    bounds::{MAX_HEADER_BLOCK, MAX_HEADER_VALUE, MAX_HEADERS},
    deviations::{Deviation, Deviations},
};

/// One field, its value unfolded and trimmed.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
}

/// The fields of one block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(pub(crate) Vec<Field>);

impl Fields {
    /// The first field of this name (lower case) that is not blank, else the first.
    pub(crate) fn first(&self, name: &str) -> Option<&[u8]> {
        let mut all = self.all(name);
        let first = all.next()?;
        if first.is_empty() {
            Some(all.find(|value| !value.is_empty()).unwrap_or(first))
        } else {
            Some(first)
        }
    }

    /// Every field of this name (lower case), in order.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.0
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value.as_slice())
    }
}

/// Where a header block stands: the mail's own forgives more, since routing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Mail,
    Part,
}

/// The line at `pos` without its end, and where the next one begins.
pub(crate) fn line_at(raw: &[u8], pos: usize) -> Option<(&[u8], usize)> {
    let rest = raw.get(pos..).filter(|rest| !rest.is_empty())?;
    let (line, next) = match rest.iter().position(|&b| b == b'\n') {
        Some(end) => (&rest[..end], pos + end + 1),
        None => (rest, raw.len()),
    };
    Some((line.strip_suffix(b"\r").unwrap_or(line), next))
}

/// Reads the block that begins at `start`; returns its fields and where the body begins. A line
/// for which `is_boundary` holds ends the block and is left to the caller.
pub(crate) fn read(
    raw: &[u8],
    start: usize,
    level: Level,
    is_boundary: impl Fn(&[u8]) -> bool,
    deviations: &mut Deviations,
) -> (Fields, usize) {
    let mut fields = Vec::<Field>::new();
    let mut total = 0;
    let mut pos = match level {
        Level::Mail => skip_prologue(raw, start),
        Level::Part => start,
    };
    // Whether the last field was kept, so that its continuation lines are as well.
    let mut open = false;
    while let Some((line, next)) = line_at(raw, pos) {
        if is_boundary(line) {
            break;
        }
        if line.is_empty() {
            pos = next;
            break;
        }
        let continuation = matches!(line[0], b' ' | b'\t');
        if continuation && (open || !fields.is_empty()) {
            if let (true, Some(field)) = (open, fields.last_mut()) {
                let text = line.trim_ascii();
                if !field.value.is_empty() && !text.is_empty() {
                    extend(field, b" ", &mut total, deviations);
                }
                extend(field, text, &mut total, deviations);
            }
        } else if let Some((name, value)) = split(line) {
            open = fields.len() < MAX_HEADERS;
            if open {
                let mut field = Field {
                    name: name.to_owned(),
                    value: Vec::new(),
                };
                extend(&mut field, value.trim_ascii(), &mut total, deviations);
                fields.push(field);
            } else {
                deviations.note(Deviation::TooManyHeaders);
            }
        } else {
            deviations.note(Deviation::MalformedHeaderLine);
            let followed_by_header = line_at(raw, next).is_some_and(|(line, _)| is_well_known(line));
            if level == Level::Part || line.starts_with(b"--") || !followed_by_header {
                // The blank line is missing: this is text, and text is never skipped.
                break;
            }
            open = false;
        }
        pos = next;
    }
    (Fields(fields), pos.min(raw.len()))
}

fn extend(field: &mut Field, text: &[u8], total: &mut usize, deviations: &mut Deviations) {
    let room = (MAX_HEADER_VALUE - field.value.len().min(MAX_HEADER_VALUE)).min(MAX_HEADER_BLOCK - *total);
    if text.len() > room {
        deviations.note(Deviation::HeaderTooLong {
            name: crate::deviations::label(&field.name.to_ascii_lowercase()),
        });
    }
    // Cut between words: half an address or id would be another one.
    let whole = || text[..room].iter().rposition(u8::is_ascii_whitespace).unwrap_or(room);
    let taken = if text.len() > room { &text[..whole()] } else { text };
    field.value.extend_from_slice(taken);
    *total += taken.len();
}

/// Skips what often stands before the first header: a byte order mark, blank lines, an mbox line.
fn skip_prologue(raw: &[u8], start: usize) -> usize {
    let mut pos = start;
    if raw[pos..].starts_with(b"\xef\xbb\xbf") {
        pos += 3;
    }
    let after_mark = pos;
    while let Some((line, next)) = line_at(raw, pos) {
        if line.is_empty() || line.starts_with(b"From ") || line.starts_with(b">From ") {
            pos = next;
        } else if split(line).is_some() {
            return pos;
        } else {
            return after_mark;
        }
    }
    after_mark
}

/// Splits a header line at its colon; none if what stands before it cannot be a name.
fn split(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = line.iter().position(|&b| b == b':')?;
    let name = line[..colon].trim_ascii_end();
    let valid = !name.is_empty() && name.iter().all(|b| (33..=126).contains(b));
    let name = std::str::from_utf8(name).ok().filter(|_| valid)?;
    Some((name, &line[colon + 1..]))
}

/// Whether a line is one of the headers that are in nearly every mail.
fn is_well_known(line: &[u8]) -> bool {
    const NAMES: [&str; 16] = [
        "from",
        "to",
        "cc",
        "subject",
        "date",
        "message-id",
        "content-type",
        "mime-version",
        "received",
        "return-path",
        "reply-to",
        "sender",
        "references",
        "in-reply-to",
        "delivered-to",
        "content-transfer-encoding",
    ];
    split(line).is_some_and(|(name, _)| NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(raw: &[u8], level: Level) -> (Vec<(String, String)>, usize) {
        let (fields, body) = read(raw, 0, level, |_| false, &mut Deviations::default());
        let text = |v: &[u8]| String::from_utf8_lossy(v).into_owned();
        (
            fields.0.iter().map(|f| (f.name.clone(), text(&f.value))).collect(),
            body,
        )
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn folded_values_are_joined_by_one_space() {
        let (fields, body) = fields(b"Subject: one\r\n\t two\r\nX: y\r\n\r\nbody", Level::Mail);
        assert_eq!(fields, [pair("Subject", "one two"), pair("X", "y")]);
        assert_eq!(body, 29);
    }

    #[test]
    fn text_without_blank_line_becomes_body() {
        let raw = b"Subject: one\nDear all,\nNote: keep me\n";
        let (fields, body) = fields(raw, Level::Mail);
        assert_eq!(fields, [pair("Subject", "one")]);
        assert_eq!(&raw[body..], b"Dear all,\nNote: keep me\n");
    }

    #[test]
    fn junk_before_a_well_known_header_does_not_hide_it() {
        let (fields, _) = fields(b"Subject: one\njunk without colon\nFrom: a@b.example\n\n", Level::Mail);
        assert_eq!(fields, [pair("Subject", "one"), pair("From", "a@b.example")]);
    }

    #[test]
    fn mbox_line_mark_and_blank_lines_are_skipped() {
        let (fields, _) = fields(b"\xef\xbb\xbf\r\nFrom a@b Mon\r\nSubject : x\r\n\r\n", Level::Mail);
        assert_eq!(fields, [pair("Subject", "x")]);
    }

    #[test]
    fn part_that_begins_with_a_blank_line_has_no_headers() {
        assert_eq!(fields(b"\nSubject: x\n\n", Level::Part), (vec![], 1));
    }

    #[test]
    fn fields_and_bytes_are_bounded_and_the_body_is_still_found() {
        let mut raw = b"X: y\n".repeat(MAX_HEADERS + 10);
        raw.extend_from_slice(b"Long: ");
        raw.extend_from_slice(&b"a".repeat(3 * MAX_HEADER_VALUE));
        raw.extend_from_slice(b"\n\nbody");
        let mut deviations = Deviations::default();
        let (fields, body) = read(&raw, 0, Level::Mail, |_| false, &mut deviations);
        assert_eq!(fields.0.len(), MAX_HEADERS);
        assert_eq!(&raw[body..], b"body");
        assert_eq!(deviations.into_vec(), [Deviation::TooManyHeaders]);

        let mut raw = b"Long: ".to_vec();
        raw.extend_from_slice(&b"a".repeat(3 * MAX_HEADER_VALUE));
        let (fields, _) = read(&raw, 0, Level::Mail, |_| false, &mut Deviations::default());
        assert_eq!(fields.0[0].value.len(), MAX_HEADER_VALUE);
    }
}
