//! The MIME tree of a mail: which bytes are which part.
//!
//! Owns the split at boundaries. Walks the lines once, without recursion, and never into nested
//! messages, so neither many boundaries nor deep nesting cost more than the bytes they take. (The
//! walk of mail-parser 0.11 searches the whole rest of the mail for every boundary that is missing,
//! and drops nested messages recursively: 3 MB of `message/rfc822` overflow the stack. Hence an own
//! one; single headers are still read by mail-parser.)
//!
//! Invariant: every byte belongs to a header block, a leaf, or what stands around the parts of a
//! multipart; parts stand in the order of the mail, a container before what it contains.

use crate::{
    bounds::{MAX_BOUNDARY, MAX_DEPTH, MAX_PARTS},
    deviations::{Deviation, Deviations},
    headers::{self, Field, Fields, Level},
    params::Parameterised,
};

/// A part of the mail.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) fields: Fields,
    /// Media type with parameters; the value is never empty.
    pub(crate) content_type: Parameterised,
    /// Bytes of a leaf, as encoded for transfer; of a container, what stands before its parts.
    pub(crate) body: &'a [u8],
    /// Indices of the parts inside; a part without is a leaf.
    pub(crate) children: Vec<usize>,
}

impl Part<'_> {
    pub(crate) fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }
}

/// A multipart whose parts are being read.
struct Open {
    part: usize,
    boundary: Vec<u8>,
    closed: bool,
}

struct Walk<'a, 'd> {
    raw: &'a [u8],
    parts: Vec<Part<'a>>,
    open: Vec<Open>,
    /// The part whose body is being read and where that began; none between parts.
    current: Option<(usize, usize)>,
    deviations: &'d mut Deviations,
}

/// Splits a mail into its parts; the first is the mail itself.
pub(crate) fn walk<'a>(raw: &'a [u8], deviations: &mut Deviations) -> Vec<Part<'a>> {
    let mut walk = Walk {
        raw,
        parts: Vec::new(),
        open: Vec::new(),
        current: None,
        deviations,
    };
    let mut pos = walk.begin_part(0, Level::Mail);
    while let Some((line, next)) = headers::line_at(raw, pos) {
        let Some((level, closing)) = walk.boundary(line) else {
            pos = next;
            continue;
        };
        walk.end_part(pos);
        walk.leave(level + 1);
        if closing {
            walk.open[level].closed = true;
            pos = next;
            continue;
        }
        if walk.open[level].closed {
            walk.open[level].closed = false;
            walk.deviations.note(Deviation::ReopenedMultipart);
        }
        if walk.parts.len() >= MAX_PARTS {
            walk.deviations.note(Deviation::TooManyParts);
            walk.take_rest(next);
            break;
        }
        pos = walk.begin_part(next, Level::Part);
    }
    walk.end_part(raw.len());
    walk.leave(0);
    walk.parts
}

impl<'a> Walk<'a, '_> {
    /// Reads a part's headers at `start`; returns where its body begins.
    fn begin_part(&mut self, start: usize, level: Level) -> usize {
        let open = &self.open;
        let is_boundary = |line: &[u8]| find_boundary(open, line).is_some();
        let (fields, body) = headers::read(self.raw, start, level, is_boundary, self.deviations);
        let parent = self.open.last().map(|open| open.part);
        let default = match parent.map(|parent| self.parts[parent].content_type.value.as_str()) {
            Some("multipart/digest") => "message/rfc822",
            _ => "text/plain",
        };
        let mut content_type = Parameterised::parse(fields.first("content-type").unwrap_or_default());
        if content_type.value.is_empty() || content_type.value == "text" {
            content_type.value = default.to_owned();
        }
        let index = self.parts.len();
        if let Some(parent) = parent {
            self.parts[parent].children.push(index);
        }
        if content_type.value.starts_with("multipart/") {
            if self.open.len() < MAX_DEPTH {
                self.open_multipart(index, &content_type, body);
            } else {
                self.deviations.note(Deviation::NestedTooDeep);
                content_type.value = "application/octet-stream".to_owned();
            }
        }
        self.parts.push(Part {
            fields,
            content_type,
            body: &[],
            children: Vec::new(),
        });
        self.current = Some((index, body));
        body
    }

    fn open_multipart(&mut self, part: usize, content_type: &Parameterised, body: usize) {
        let given = content_type
            .get("boundary")
            .map(str::trim_end)
            .filter(|b| !b.is_empty());
        let boundary = match given {
            Some(boundary) => boundary.as_bytes().to_vec(),
            None => {
                self.deviations.note(Deviation::MissingBoundary);
                match self.guess_boundary(body) {
                    Some(boundary) => boundary,
                    None => return,
                }
            }
        };
        if boundary.len() <= MAX_BOUNDARY {
            self.open.push(Open {
                part,
                boundary,
                closed: false,
            });
        } else {
            self.deviations.note(Deviation::MissingBoundary);
        }
    }

    /// Takes the first line that looks like a boundary where the header forgot to name it.
    fn guess_boundary(&self, body: usize) -> Option<Vec<u8>> {
        /// A preamble is a few lines; looking further would find signatures and rules.
        const LINES: usize = 20;
        let mut pos = body;
        for _ in 0..LINES {
            let (line, next) = headers::line_at(self.raw, pos)?;
            let name = line.strip_prefix(b"--").map(<[u8]>::trim_ascii_end);
            if let Some(name) = name.filter(|name| (1..=70).contains(&name.len()) && !name.contains(&b' ')) {
                let known = find_boundary(&self.open, line).is_some();
                let header_follows = headers::line_at(self.raw, next)
                    .is_some_and(|(line, _)| line.len() > 8 && line[..8].eq_ignore_ascii_case(b"content-"));
                return (!known && header_follows).then(|| name.to_vec());
            }
            pos = next;
        }
        None
    }

    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        find_boundary(&self.open, line)
    }

    /// Ends the part being read before the boundary line at `pos`.
    fn end_part(&mut self, pos: usize) {
        let Some((index, start)) = self.current.take() else {
            return;
        };
        let mut end = pos.max(start);
        // The line end before a boundary line belongs to the boundary.
        if end < self.raw.len() && end > start && self.raw[end - 1] == b'\n' {
            end -= 1;
            if end > start && self.raw[end - 1] == b'\r' {
                end -= 1;
            }
        }
        self.parts[index].body = &self.raw[start..end];
        if self.open.last().is_some_and(|open| open.part == index) {
            self.recover_first_part(index);
        } else {
            self.drop_if_void(index);
        }
    }

    /// Where the boundary line before the first part is missing, that part's headers stand among
    /// those of the multipart, and its text would be taken for a preamble.
    fn recover_first_part(&mut self, container: usize) {
        let fields = &self.parts[container].fields.0;
        let is_type = |field: &&Field| field.name.eq_ignore_ascii_case("content-type");
        let Some(second) = fields.iter().filter(is_type).nth(1) else {
            return;
        };
        let content_type = Parameterised::parse(&second.value);
        let body = self.parts[container].body;
        if !content_type.value.starts_with("text/") || body.trim_ascii().is_empty() {
            return;
        }
        let from = fields.iter().rposition(|field| is_type(&field)).unwrap_or_default();
        let fields = Fields(fields[from..].to_vec());
        let index = self.parts.len();
        self.parts[container].children.push(index);
        self.parts.push(Part {
            fields,
            content_type,
            body,
            children: Vec::new(),
        });
        self.deviations.note(Deviation::MissingBoundaryLine);
    }

    /// A boundary line with nothing after it, as at the end of cut mails, is no part.
    fn drop_if_void(&mut self, index: usize) {
        let part = &self.parts[index];
        let Some(parent) = self.open.last().map(|open| open.part) else {
            return;
        };
        let void = part.fields.0.is_empty() && part.body.trim_ascii().is_empty();
        if void && index + 1 == self.parts.len() {
            self.parts[parent].children.retain(|&child| child != index);
            self.parts.pop();
        }
    }

    /// Leaves the multiparts from this level on.
    fn leave(&mut self, level: usize) {
        while self.open.len() > level {
            let Some(left) = self.open.pop() else { return };
            if self.parts[left.part].children.is_empty() {
                self.deviations.note(Deviation::MissingBoundary);
            } else if !left.closed {
                self.deviations.note(Deviation::TruncatedMultipart);
            }
        }
    }

    /// Keeps everything from `start` on as one leaf of the outermost multipart.
    fn take_rest(&mut self, start: usize) {
        self.leave(1);
        let index = self.parts.len();
        self.parts[0].children.push(index);
        self.parts.push(Part {
            fields: Fields::default(),
            content_type: Parameterised::parse(b"application/octet-stream; name=\"remaining-parts.txt\""),
            body: &[],
            children: Vec::new(),
        });
        self.current = Some((index, start));
    }
}

/// The innermost open multipart that a line bounds, and whether it closes it. One that is closed
/// already is taken only if no other fits.
fn find_boundary(open: &[Open], line: &[u8]) -> Option<(usize, bool)> {
    let line = line.strip_prefix(b"--")?.trim_ascii_end();
    let mut reopened = None;
    for (level, open) in open.iter().enumerate().rev() {
        let Some(rest) = line.strip_prefix(open.boundary.as_slice()) else {
            continue;
        };
        match (rest, open.closed) {
            (b"", false) => return Some((level, false)),
            (b"--", false) => return Some((level, true)),
            (b"", true) if reopened.is_none() => reopened = Some((level, false)),
            _ => {}
        }
    }
    reopened
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The leaves as (media type, body).
    fn leaves(raw: &str) -> (Vec<(String, String)>, Vec<Deviation>) {
        let mut deviations = Deviations::default();
        let parts = walk(raw.as_bytes(), &mut deviations);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let leaves = parts.iter().filter(|part| part.is_leaf());
        (
            leaves
                .map(|part| (part.content_type.value.clone(), text(part.body)))
                .collect(),
            deviations.into_vec(),
        )
    }

    fn plain(bodies: &[&str]) -> Vec<(String, String)> {
        bodies
            .iter()
            .map(|body| ("text/plain".to_owned(), (*body).to_owned()))
            .collect()
    }

    #[test]
    fn parts_are_split_without_the_line_end_of_the_boundary() {
        let raw = "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\none\r\n\r\n--b  \r\n\r\ntwo\r\n--b--\r\nepilogue";
        assert_eq!(leaves(raw), (plain(&["one\r\n", "two"]), vec![]));
    }

    #[test]
    fn boundaries_that_begin_alike_are_told_apart() {
        let raw = "Content-Type: multipart/mixed; boundary=ab\n\n--ab\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--ab\n\ntwo\n--ab--\n";
        assert_eq!(
            leaves(raw),
            (plain(&["one", "two"]), vec![Deviation::TruncatedMultipart])
        );
    }

    #[test]
    fn header_block_that_runs_into_a_boundary_ends_there() {
        let raw =
            "Content-Type: multipart/mixed; boundary=\":b\"\n\n--:b\nContent-Type: text/html\n--:b\n\nx\n--:b--\n";
        assert_eq!(
            leaves(raw).0,
            [("text/html".into(), String::new()), ("text/plain".into(), "x".into())]
        );
    }

    #[test]
    fn boundary_that_never_appears_makes_one_leaf() {
        let (parts, deviations) = leaves("Content-Type: multipart/mixed; boundary=b\n\nbody\n");
        assert_eq!(parts, [("multipart/mixed".into(), "body\n".into())]);
        assert_eq!(deviations, [Deviation::MissingBoundary]);
    }

    #[test]
    fn unnamed_boundary_is_found() {
        let raw = "Content-Type: multipart/mixed\n\n--b\nContent-Type: text/plain\n\none\n--b--\n";
        assert_eq!(leaves(raw), (plain(&["one"]), vec![Deviation::MissingBoundary]));
    }

    #[test]
    fn parts_after_the_closing_boundary_are_kept() {
        let raw = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n";
        assert_eq!(
            leaves(raw),
            (plain(&["one", "two"]), vec![Deviation::ReopenedMultipart])
        );
    }

    #[test]
    fn too_many_parts_end_in_one_leaf_with_the_rest() {
        let mut raw = "Content-Type: multipart/mixed; boundary=b\n\n".to_owned();
        raw.push_str(&"--b\n\nx\n".repeat(100_000));
        let (parts, deviations) = leaves(&raw);
        assert_eq!(parts.len(), MAX_PARTS);
        assert!(parts[MAX_PARTS - 1].1.len() > 90_000 * 6);
        assert!(deviations.contains(&Deviation::TooManyParts));
    }

    #[test]
    fn nesting_is_bounded_and_the_deepest_is_kept_whole() {
        let mut raw = String::new();
        for level in 0..100_000 {
            raw.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"
            ));
        }
        raw.push_str("\nend\n");
        let (parts, deviations) = leaves(&raw);
        assert_eq!(parts.len(), 1);
        assert!(parts[0].1.ends_with("end\n") && parts[0].1.len() > 1_000_000);
        assert!(deviations.contains(&Deviation::NestedTooDeep));
    }

    #[test]
    fn nested_messages_are_not_entered() {
        let raw = "Content-Type: message/rfc822\n\n".repeat(100_000);
        let (parts, _) = leaves(&raw);
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].1.len(), raw.len() - "Content-Type: message/rfc822\n\n".len());
    }
}
