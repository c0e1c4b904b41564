//! Sanitised HTML as lines, each with the place where the markup may be cut before it.
//!
//! Owns the walk over the tags as [`sanitise`](crate::sanitise) writes them: balanced, with every
//! attribute in double quotes. Never fails on other HTML. Invariant: a line begins at a tag or at text,
//! after everything that closes what stands before it.

use std::borrow::Cow;

use super::lines::{Hint, Line, quoting};
use crate::{bounds::MAX_DIVIDED_LINES, history_marks, vocabulary::is_block};

/// Bytes of one line that are looked at; what announces a quote is shorter.
const MAX_LINE: usize = 2_000;
/// Stands for a picture, which is content as well.
const PICTURE: char = '\u{fffc}';

/// Lines of sanitised HTML that hold any text; few more than the bound at most.
pub(super) fn of_html(html: &str) -> Vec<Line<'static>> {
    let mut walk = Walk::default();
    let mut at = 0;
    while let Some(rest) = html
        .get(at..)
        .filter(|rest| !rest.is_empty() && walk.lines.len() <= MAX_DIVIDED_LINES)
    {
        if rest.starts_with('<') {
            let length = tag_length(rest);
            walk.tag(&rest[..length], at);
            at += length;
        } else {
            let length = rest.find('<').unwrap_or(rest.len());
            walk.text(&rest[..length], at);
            at += length;
        }
    }
    walk.end_line();
    walk.lines
}

/// The bytes of the tag that begins here; `>` in attribute values does not end it.
fn tag_length(rest: &str) -> usize {
    let mut quoted = false;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

struct Open {
    name: String,
    quotes: bool,
    cited: bool,
    hint: Hint,
}

#[derive(Default)]
struct Walk {
    lines: Vec<Line<'static>>,
    open: Vec<Open>,
    /// Where the line being read begins, and how many elements were open there.
    start: Option<(usize, usize)>,
    text: String,
    /// From an element without text, for the next line.
    pending: Hint,
    pre: usize,
}

impl Walk {
    fn tag(&mut self, tag: &str, at: usize) {
        let closing = tag.starts_with("</");
        let inner = tag.trim_start_matches(['<', '/']);
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
        let name = &inner[..end];
        let breaks = is_block(name) || matches!(name, "br" | "tr" | "tbody" | "thead" | "tfoot" | "caption" | "figure");
        if breaks {
            self.end_line();
        } else if matches!(name, "td" | "th") {
            self.push(" ");
        }
        if closing {
            return self.close(name);
        }
        if name == "br" {
            return;
        }
        self.begin(at);
        match name {
            "hr" => {
                self.push("----");
                self.end_line();
            }
            "img" => self.push(PICTURE.encode_utf8(&mut [0; 4])),
            "wbr" | "col" => {}
            _ => self.open(name, tag),
        }
    }

    fn open(&mut self, name: &str, tag: &str) {
        let part = attribute(tag, history_marks::ATTRIBUTE);
        let cited = part == Some(history_marks::CITE) || attribute(tag, "type") == Some("cite");
        let hint = match part {
            Some(history_marks::ATTRIBUTION) => Hint::Attribution,
            Some(history_marks::HISTORY) => Hint::History,
            Some(history_marks::SIGNATURE) => Hint::Signature,
            _ => Hint::None,
        };
        if hint == Hint::History {
            self.pending = hint;
        }
        self.pre += usize::from(name == "pre");
        self.open.push(Open {
            name: name.to_owned(),
            quotes: name == "blockquote" || cited,
            cited,
            hint,
        });
    }

    fn close(&mut self, name: &str) {
        let Some(at) = self.open.iter().rposition(|open| open.name == name) else {
            return;
        };
        self.open.truncate(at);
        self.pre = self.open.iter().filter(|open| open.name == "pre").count();
        // A line must not begin inside of what closed before its text.
        if self.text.trim().is_empty() && self.start.is_some_and(|(_, depth)| self.open.len() < depth) {
            self.start = None;
        }
    }

    fn begin(&mut self, at: usize) {
        if self.start.is_none() {
            self.start = Some((at, self.open.len()));
        }
    }

    fn push(&mut self, text: &str) {
        let room = MAX_LINE.saturating_sub(self.text.len());
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
    }

    fn text(&mut self, text: &str, at: usize) {
        let mut at = at;
        for (index, piece) in text.split('\n').enumerate() {
            if index > 0 && self.pre > 0 {
                self.end_line();
            } else if index > 0 {
                self.push(" ");
            }
            if !piece.trim().is_empty() {
                self.begin(at);
                let piece = &piece[..piece.floor_char_boundary(MAX_LINE * 2)];
                self.push(&resolved(piece));
            }
            at += piece.len() + 1;
        }
    }

    fn end_line(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return;
        }
        let Some((start, _)) = self.start.take() else { return };
        let hint = self.open.iter().rev().map(|open| open.hint);
        let around = hint
            .into_iter()
            .find(|hint| matches!(hint, Hint::Attribution | Hint::Signature));
        let hint = match std::mem::take(&mut self.pending) {
            Hint::None => around.unwrap_or_default(),
            pending => pending,
        };
        let (depth, rest) = quoting(text.trim_start());
        let elements = self.open.iter().filter(|open| open.quotes).count();
        let words: Vec<&str> = rest.split_whitespace().collect();
        self.lines.push(Line {
            start,
            text: Cow::Owned(words.join(" ")),
            depth: depth + elements,
            cited: self.open.iter().any(|open| open.cited),
            hint,
        });
    }
}

/// The value of an attribute; as written, since no value that matters has an escape.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let at = tag.find(&format!(" {name}=\""))?;
    let value = &tag[at + name.len() + 3..];
    Some(&value[..value.find('"')?])
}

/// The references that the sanitiser writes, resolved.
fn resolved(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let text = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">");
    Cow::Owned(text.replace("&quot;", "\"").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(html: &str) -> Vec<(String, String, usize)> {
        let lines = of_html(html);
        lines
            .iter()
            .map(|line| {
                (
                    line.text.to_string(),
                    html[line.start..].chars().take(12).collect(),
                    line.depth,
                )
            })
            .collect()
    }

    #[test]
    fn a_line_begins_after_what_closes_the_one_before() {
        assert_eq!(
            lines("<div><p>a <b>b</b></p><br><div></div><div><i>c</i></div></div>"),
            [
                ("a b".into(), "<div><p>a <b".into(), 0),
                ("c".into(), "<div></div><".into(), 0)
            ]
        );
    }

    #[test]
    fn nothing_begins_inside_of_what_closed_before() {
        assert_eq!(
            lines("<div>a<br><i></i></div><blockquote>c</blockquote>")[1],
            ("c".into(), "<blockquote>".into(), 1)
        );
    }

    #[test]
    fn an_empty_mark_holds_for_the_next_line() {
        let lines = of_html("<div>a</div><div data-part=\"history\"></div><hr><b>c</b>");
        assert_eq!(
            lines.iter().map(|line| line.hint).collect::<Vec<_>>(),
            [Hint::None, Hint::History, Hint::None]
        );
    }

    #[test]
    fn foreign_html_is_read_as_far_as_it_goes() {
        assert_eq!(lines("a<b").len(), 1);
        assert_eq!(lines("</p></p>a &amp;lt;<")[0].0, "a &lt;");
        assert_eq!(lines("<pre>a\n&gt; b</pre>")[1], ("b".into(), "&gt; b</pre>".into(), 1));
    }
}
