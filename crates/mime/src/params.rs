//! `Content-Type` and `Content-Disposition`: the value and its parameters.
//!
//! Owns parameter syntax, RFC 2231 included, and its usual breakages: missing semicolons, missing
//! quotes, encoded words inside. Invariant: parameters are bounded, names lower case.

use crate::{
    bounds::MAX_PARAMETERS,
    charset::{self, Fit},
    transfer::hex_pair,
    words,
};

/// A value with parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameterised {
    /// What stands before the parameters, lower case, without blanks.
    pub(crate) value: String,
    parameters: Vec<(String, String)>,
}

impl Parameterised {
    /// The parameter of this name (lower case), decoded.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Parses a header value.
    pub(crate) fn parse(value: &[u8]) -> Self {
        let mut cursor = Cursor { rest: value };
        let head = cursor.until(|b| b == b';' || b.is_ascii_whitespace());
        let mut head = String::from_utf8_lossy(head).to_ascii_lowercase();
        // `text / plain`: blanks around the slash are allowed in the old syntax.
        if cursor.rest.trim_ascii_start().starts_with(b"/") || head.ends_with('/') {
            let tail = cursor.until(|b| b == b';');
            head.extend(String::from_utf8_lossy(tail).to_ascii_lowercase().split_whitespace());
        }
        let mut raw = Vec::new();
        while raw.len() < MAX_PARAMETERS {
            let Some(parameter) = cursor.parameter() else { break };
            raw.push(parameter);
        }
        Self {
            value: head.trim_matches(['"', '\'', ',']).to_owned(),
            parameters: assemble(raw),
        }
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn until(&mut self, stop: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|&b| stop(b)).unwrap_or(self.rest.len());
        let (head, rest) = self.rest.split_at(end);
        self.rest = rest;
        head
    }

    fn parameter(&mut self) -> Option<(String, Vec<u8>)> {
        loop {
            self.until(|b| b != b';' && b != b',' && !b.is_ascii_whitespace());
            if self.rest.is_empty() {
                return None;
            }
            if self.rest[0] == b'(' {
                self.until(|b| b == b')');
                self.rest = self.rest.get(1..).unwrap_or_default();
                continue;
            }
            let name = self.until(|b| b == b'=' || b == b';' || b.is_ascii_whitespace());
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            let blanks = self.rest.len() - self.rest.trim_ascii_start().len();
            if self.rest.get(blanks) != Some(&b'=') {
                // A word that is no parameter.
                continue;
            }
            self.rest = self.rest[blanks + 1..].trim_ascii_start();
            if name.is_empty() {
                continue;
            }
            let value = self.value(&name);
            return Some((name, value));
        }
    }

    fn value(&mut self, name: &str) -> Vec<u8> {
        if self.rest.first() == Some(&b'"') {
            return self.quoted();
        }
        if name.starts_with("name") || name.starts_with("filename") {
            // Unquoted names with blanks are common; nothing but a semicolon ends them.
            return self.until(|b| b == b';').trim_ascii().to_vec();
        }
        self.until(|b| b == b';' || b.is_ascii_whitespace()).to_vec()
    }

    fn quoted(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut pos = 1;
        while let Some(&byte) = self.rest.get(pos) {
            pos += 1;
            match (byte, self.rest.get(pos)) {
                (b'"', _) => break,
                // Only these are meant as escapes: `C:\new` is a path as Windows writes it.
                (b'\\', Some(&next @ (b'"' | b'\\'))) => {
                    out.push(next);
                    pos += 1;
                }
                _ => out.push(byte),
            }
        }
        self.rest = &self.rest[pos.min(self.rest.len())..];
        out
    }
}

/// One piece of a value that RFC 2231 splits.
struct Segment {
    name: String,
    index: u32,
    encoded: bool,
    bytes: Vec<u8>,
}

fn assemble(raw: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    let mut plain = Vec::new();
    let mut segments = Vec::new();
    for (name, bytes) in raw {
        match segment(&name) {
            Some((base, index, encoded)) => segments.push(Segment {
                name: base,
                index,
                encoded,
                bytes,
            }),
            None => plain.push((name, words::decode(&bytes))),
        }
    }
    segments.sort_by(|a, b| (&a.name, a.index).cmp(&(&b.name, b.index)));
    // The extended form is the better one where both are given, so it is found first.
    let mut out: Vec<(String, String)> = Vec::new();
    for group in segments.chunk_by(|a, b| a.name == b.name) {
        out.push((group[0].name.clone(), join(group)));
    }
    out.extend(plain);
    out
}

/// Takes `name*`, `name*0` and `name*0*` apart.
fn segment(name: &str) -> Option<(String, u32, bool)> {
    let (base, rest) = name.split_once('*')?;
    let (index, encoded) = match rest.strip_suffix('*') {
        Some(index) => (index, true),
        None => (rest, rest.is_empty()),
    };
    let index = if index.is_empty() { 0 } else { index.parse().ok()? };
    Some((base.to_owned(), index, encoded))
}

fn join(group: &[Segment]) -> String {
    let mut label = None;
    let mut bytes = Vec::new();
    for (position, segment) in group.iter().enumerate() {
        let mut value = segment.bytes.as_slice();
        if !segment.encoded {
            bytes.extend_from_slice(value);
            continue;
        }
        if position == 0 {
            let mut marks = value.splitn(3, |&b| b == b'\'');
            if let (Some(charset), Some(_), Some(text)) = (marks.next(), marks.next(), marks.next()) {
                label = Some(String::from_utf8_lossy(charset).into_owned());
                value = text;
            }
        }
        while let Some((&byte, after)) = value.split_first() {
            match (byte, hex_pair(after)) {
                (b'%', Some(decoded)) => {
                    bytes.push(decoded);
                    value = &after[2..];
                }
                _ => {
                    bytes.push(byte);
                    value = after;
                }
            }
        }
    }
    match label {
        Some(label) => words::one_line(&charset::decode(&bytes, Some(&label)).0),
        // Encoded words cut into segments: joined first, decoded then.
        None if bytes.windows(2).any(|w| w == b"=?") => words::decode(&bytes),
        None => words::one_line(&charset::guess(&bytes, Fit::Clean).0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(value: &str, name: &str) -> Option<String> {
        Parameterised::parse(value.as_bytes()).get(name).map(str::to_owned)
    }

    #[test]
    fn value_and_plain_parameters() {
        let parsed = Parameterised::parse(b"Text/Plain; Charset=\"UTF-8\"; format=flowed");
        assert_eq!(parsed.value, "text/plain");
        assert_eq!(parsed.get("charset"), Some("UTF-8"));
        assert_eq!(parsed.get("format"), Some("flowed"));
        assert_eq!(Parameterised::parse(b"text / html ; charset=a").value, "text/html");
    }

    #[test]
    fn broken_syntax_still_yields_the_parameters() {
        assert_eq!(get("multipart/mixed boundary=\"b\"", "boundary").as_deref(), Some("b"));
        assert_eq!(get("a/b; x=\"1\" boundary=b", "boundary").as_deref(), Some("b"));
        assert_eq!(get("a/b; boundary=\"open", "boundary").as_deref(), Some("open"));
        assert_eq!(get("a/b; boundary = b (comment)", "boundary").as_deref(), Some("b"));
        assert_eq!(
            get("; filename=my file.pdf; x=y", "filename").as_deref(),
            Some("my file.pdf")
        );
        assert_eq!(
            get("a; filename=\"C:\\new\\a \\\"b\\\".txt\"", "filename").as_deref(),
            Some("C:\\new\\a \"b\".txt")
        );
    }

    #[test]
    fn extended_parameters_are_joined_before_decoding() {
        let value = "attachment; filename*1*=%A9.pdf; filename*0*=utf-8'fr'caf%C3; filename=\"cafe.pdf\"";
        assert_eq!(get(value, "filename").as_deref(), Some("café.pdf"));
        assert_eq!(
            get("a; filename*=\"iso-8859-1''%e9.txt\"", "filename").as_deref(),
            Some("é.txt")
        );
        assert_eq!(
            get("a; filename*0=\"long \"; filename*1=\"name.txt\"", "filename").as_deref(),
            Some("long name.txt")
        );
        let split_word = "a; filename*0=\"=?utf-8?B?Y2Fm\"; filename*1=\"w6k=?=.txt\"";
        assert_eq!(get(split_word, "filename").as_deref(), Some("café.txt"));
    }

    #[test]
    fn encoded_word_in_a_parameter_is_decoded() {
        assert_eq!(
            get("a; name=\"=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=.txt\"", "name").as_deref(),
            Some("テスト.txt")
        );
    }

    #[test]
    fn parameters_are_bounded() {
        let value = format!("a/b{}", "; x=y".repeat(10_000));
        assert_eq!(Parameterised::parse(value.as_bytes()).parameters.len(), MAX_PARAMETERS);
    }
}
