//! RTF as HTML or text: the body that Outlook sends in TNEF.
//!
//! Owns the reading of control words, and of HTML that is carried in RTF (MS-OXRTFEX). Never renders
//! looks: RTF of its own becomes text. Invariant: the output is no longer than a small multiple of the input.

use super::properties;
use crate::{charset, markup};

/// What RTF holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Html(String),
    Text(String),
}

/// Reads RTF as far as it goes.
pub(super) fn read(rtf: &[u8]) -> Content {
    let mut reader = Reader {
        rest: rtf,
        out: String::new(),
        bytes: Vec::new(),
        code_page: 1252,
        groups: Vec::new(),
        group: Group {
            skipped: false,
            in_tag: false,
            fallback: 1,
        },
        is_html: false,
        doubled: false,
        starred: false,
        to_skip: 0,
    };
    reader.run();
    if reader.is_html {
        Content::Html(reader.out)
    } else {
        Content::Text(reader.out)
    }
}

#[derive(Clone, Copy)]
struct Group {
    /// Its text is no text of the document.
    skipped: bool,
    /// Its text is HTML.
    in_tag: bool,
    /// Characters after a Unicode character that stand in for it.
    fallback: usize,
}

struct Reader<'a> {
    rest: &'a [u8],
    out: String,
    /// Bytes in the code page, not decoded yet: a character may have two.
    bytes: Vec<u8>,
    code_page: u32,
    groups: Vec<Group>,
    group: Group,
    is_html: bool,
    /// Within what is there for readers that do not know of the HTML.
    doubled: bool,
    starred: bool,
    to_skip: usize,
}

impl Reader<'_> {
    fn run(&mut self) {
        while let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            match byte {
                b'{' => {
                    self.flush();
                    self.groups.push(self.group);
                    self.to_skip = 0;
                }
                b'}' => {
                    self.flush();
                    self.to_skip = 0;
                    self.starred = false;
                    if let Some(group) = self.groups.pop() {
                        self.group = group;
                    }
                }
                b'\\' => self.control(),
                b'\r' | b'\n' => {}
                _ => self.byte(byte),
            }
        }
        self.flush();
    }

    fn control(&mut self) {
        let Some((&first, rest)) = self.rest.split_first() else {
            return;
        };
        if !first.is_ascii_alphabetic() {
            self.rest = rest;
            return self.symbol(first);
        }
        let end = self
            .rest
            .iter()
            .position(|b| !b.is_ascii_alphabetic())
            .unwrap_or(self.rest.len());
        let (word, mut rest) = self.rest.split_at(end);
        let digits = rest
            .iter()
            .enumerate()
            .take_while(|(at, b)| b.is_ascii_digit() || (*at == 0 && **b == b'-'))
            .count();
        let number = std::str::from_utf8(&rest[..digits])
            .ok()
            .and_then(|digits| digits.parse::<i32>().ok());
        rest = &rest[digits..];
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        self.word(word, number);
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'\'' => {
                if let Some(value) = crate::transfer::hex_pair(self.rest) {
                    self.rest = &self.rest[2..];
                    self.byte(value);
                }
            }
            b'*' => self.starred = true,
            b'~' => self.push("\u{a0}"),
            b'_' => self.push("\u{2011}"),
            b'\\' | b'{' | b'}' => self.byte(symbol),
            b'\r' | b'\n' => self.push("\n"),
            _ => {}
        }
    }

    fn word(&mut self, word: &[u8], number: Option<i32>) {
        let starred = std::mem::take(&mut self.starred);
        match word {
            b"fromhtml" => self.is_html = number != Some(0),
            b"ansicpg" => self.code_page = number.and_then(|n| u32::try_from(n).ok()).unwrap_or(self.code_page),
            b"htmlrtf" => {
                self.flush();
                self.doubled = number != Some(0);
            }
            b"htmltag" => {
                self.flush();
                self.group.in_tag = true;
            }
            b"uc" => self.group.fallback = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).min(16),
            b"u" => {
                let code = number.unwrap_or_default();
                let code = u32::try_from(if code < 0 { code + 65_536 } else { code }).unwrap_or_default();
                self.unicode(code);
                self.to_skip = self.group.fallback;
            }
            b"bin" => {
                let length = number.and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
                self.rest = self.rest.get(length..).unwrap_or_default();
            }
            b"par" | b"line" | b"row" | b"sect" => self.push("\n"),
            b"tab" | b"cell" => self.push("\t"),
            b"lquote" => self.push("‘"),
            b"rquote" => self.push("’"),
            b"ldblquote" => self.push("“"),
            b"rdblquote" => self.push("”"),
            b"bullet" => self.push("•"),
            b"endash" => self.push("–"),
            b"emdash" => self.push("—"),
            b"fonttbl" | b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"object" | b"header" | b"footer"
            | b"listtable" | b"listoverridetable" | b"generator" => self.skip(),
            _ if starred => self.skip(),
            _ => {}
        }
    }

    fn skip(&mut self) {
        self.flush();
        self.group.skipped = true;
    }

    /// Characters beyond the first plane stand as two halves.
    fn unicode(&mut self, code: u32) {
        self.flush();
        let mut c = [0; 4];
        let text = match code {
            0xd800..=0xdbff => {
                let low = self.rest.strip_prefix(b"?").unwrap_or(self.rest);
                let low = low.strip_prefix(b"\\u").and_then(|rest| {
                    let end = rest.iter().skip(1).position(|b| !b.is_ascii_digit())? + 1;
                    let number: i32 = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
                    Some((number, &rest[end..]))
                });
                match low {
                    Some((number, rest)) => {
                        let low = u32::try_from(number + 65_536).unwrap_or_default() & 0x3ff;
                        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
                        char::from_u32(0x10000 + ((code & 0x3ff) << 10 | low))
                    }
                    None => None,
                }
            }
            _ => char::from_u32(code),
        };
        let text = text.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut c);
        self.emit(text);
    }

    fn byte(&mut self, byte: u8) {
        if self.to_skip > 0 {
            self.to_skip -= 1;
        } else if !self.hidden() {
            self.bytes.push(byte);
        }
    }

    fn push(&mut self, text: &str) {
        self.flush();
        self.emit(text);
    }

    fn hidden(&self) -> bool {
        self.group.skipped || (self.is_html && self.doubled)
    }

    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            let (text, _) = charset::decode(&bytes, Some(&properties::charset(self.code_page)));
            self.emit(&text);
        }
    }

    fn emit(&mut self, text: &str) {
        if self.hidden() {
            return;
        }
        if self.is_html && !self.group.in_tag {
            markup::push_text(&mut self.out, text);
        } else {
            self.out.extend(text.chars().filter(|c| *c != '\0'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_from_rtf() {
        let rtf = b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}{\\*\\generator x;}\\f0\\fs20 Caf\\'e9 \\{1\\}\\par\r\n\\u26085?\\u-10179?\\u-8704?\\tab b}";
        assert_eq!(read(rtf), Content::Text("Café {1}\n日😀\tb".to_owned()));
    }

    #[test]
    fn html_is_taken_out_of_rtf() {
        let rtf = b"{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0{\\fonttbl{\\f0 Arial;}}{\\*\\htmltag64 <p>}\\htmlrtf {\\htmlrtf0 a {\\*\\htmltag84 <b>}\\htmlrtf \
            {\\b\\htmlrtf0 b < c\\htmlrtf }\\htmlrtf0{\\*\\htmltag92 </b>}\\htmlrtf\\par}\\htmlrtf0{\\*\\htmltag72 </p>}{\\*\\mhtmltag64 x}}";
        assert_eq!(read(rtf), Content::Html("<p>a <b>b &lt; c</b></p>".to_owned()));
    }

    #[test]
    fn broken_rtf_is_read_as_far_as_it_goes() {
        for (rtf, text) in [
            (&b"a}}}b\\"[..], "ab"),
            (b"\\'zz\\'4", "zz4"),
            (b"\\bin999999999 x", ""),
            (b"{\\u", "\u{0}"),
        ] {
            let read = read(rtf);
            assert_eq!(read, Content::Text(text.replace('\0', "")), "{rtf:?}");
        }
    }
}
