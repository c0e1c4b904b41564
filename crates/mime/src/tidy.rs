//! HTML brought into balance before a tree is built from it.
//!
//! Owns the flat rewriting: known tags only, each one closed where it belongs, depth and number
//! bounded, image and link addresses and styles decided. Never the last word on safety: ammonia
//! cleans what comes out of here. Invariant: the output is balanced, so that building a tree from
//! it takes time and memory in proportion to its length; text is never lost.

use crate::{
    bounds::{MAX_ATTRIBUTE, MAX_HTML_DEPTH, MAX_HTML_TAGS},
    history_marks,
    markup::{self, Piece, push_attribute, push_text},
    style,
    vocabulary::{ATTRIBUTES, is_block, is_table_part, known},
    web_addresses::{Source, link, names_script, source},
};

/// What becomes of images that would be loaded from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RemoteImages {
    /// The address moves to `data-remote-src`.
    Withhold,
    /// The address stays, and withheld ones come back: for mail on its way out.
    Keep,
}

/// Where a withheld image's address stands.
pub(crate) const REMOTE_SOURCE: &str = "data-remote-src";

/// HTML with its tags in balance.
#[derive(Debug)]
pub(crate) struct Tidied {
    pub(crate) html: String,
    pub(crate) remote_images: usize,
}

/// Rewrites HTML; none if it has more tags than are handled.
pub(crate) fn tidy(html: &str, remote: RemoteImages) -> Option<Tidied> {
    let mut tidy = Tidy {
        out: String::with_capacity(html.len()),
        open: Vec::new(),
        beyond: Vec::new(),
        tags: 0,
        remote_images: 0,
        remote,
        after_pre: false,
    };
    markup::read(html, |piece| tidy.piece(&piece));
    tidy.close_to(0);
    (tidy.tags <= MAX_HTML_TAGS).then_some(Tidied {
        html: tidy.out,
        remote_images: tidy.remote_images,
    })
}

struct Tidy {
    out: String,
    open: Vec<&'static str>,
    /// Tags left out for their depth, whose end tags must be left out as well.
    beyond: Vec<&'static str>,
    tags: usize,
    remote_images: usize,
    remote: RemoteImages,
    /// The parser swallows a line end right after `<pre>`, so it is left out at once.
    after_pre: bool,
}

impl Tidy {
    fn piece(&mut self, piece: &Piece<'_>) {
        let after_pre = std::mem::take(&mut self.after_pre);
        match piece {
            Piece::Text(text) => {
                let text = if after_pre { text.trim_start_matches('\n') } else { text };
                self.after_pre = after_pre && text.is_empty();
                push_text(&mut self.out, text);
            }
            Piece::Open { name, attributes } => {
                self.tags += 1;
                if self.tags <= MAX_HTML_TAGS
                    && let Some(name) = known(name)
                {
                    self.start(name, attributes);
                }
            }
            Piece::Close { name } => {
                self.tags += 1;
                if self.tags <= MAX_HTML_TAGS
                    && let Some(name) = known(name)
                {
                    self.end(name);
                }
            }
        }
    }

    fn start(&mut self, name: &'static str, attributes: &[(String, String)]) {
        self.close_implied(name);
        if !self.fits(name) {
            return;
        }
        match name {
            "img" => self.image(attributes),
            "br" | "hr" | "wbr" | "col" => self.tag(name, attributes),
            _ if self.open.len() >= MAX_HTML_DEPTH => self.beyond.push(name),
            _ => {
                self.tag(name, attributes);
                self.open.push(name);
                self.after_pre = name == "pre";
            }
        }
    }

    fn tag(&mut self, name: &str, attributes: &[(String, String)]) {
        self.out.push('<');
        self.out.push_str(name);
        for (attribute, value) in attributes {
            self.attribute(name, attribute, value);
        }
        // Classes and ids do not stay; what they say of quotes does, but not in what we send.
        if self.remote == RemoteImages::Withhold
            && let Some(part) = history_marks::of(name, attributes)
        {
            push_attribute(&mut self.out, history_marks::ATTRIBUTE, part);
        }
        self.out.push('>');
    }

    fn attribute(&mut self, tag: &str, name: &str, value: &str) {
        if value.len() > MAX_ATTRIBUTE {
            return;
        }
        if tag == "a" && name == "href" {
            if let Some(link) = link(value) {
                push_attribute(&mut self.out, name, &link);
            }
            return;
        }
        if !ATTRIBUTES.contains(&name) || names_script(value) {
            return;
        }
        if name == "style" {
            let style = style::filter(value);
            if !style.is_empty() {
                push_attribute(&mut self.out, name, &style);
            }
        } else {
            push_attribute(&mut self.out, name, value);
        }
    }

    fn image(&mut self, attributes: &[(String, String)]) {
        let get = |wanted: &str| {
            attributes
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        let source = get("src").and_then(source).or_else(|| {
            let withheld = get(REMOTE_SOURCE).and_then(source)?;
            matches!(withheld, Source::Remote(_)).then_some(withheld)
        });
        let Some(source) = source else {
            push_text(&mut self.out, get("alt").unwrap_or_default());
            return;
        };
        self.out.push_str("<img");
        match (&source, self.remote) {
            (Source::Embedded(address), _) | (Source::Remote(address), RemoteImages::Keep) => {
                push_attribute(&mut self.out, "src", address);
            }
            (Source::Remote(address), RemoteImages::Withhold) => {
                self.remote_images += 1;
                push_attribute(&mut self.out, REMOTE_SOURCE, address);
            }
        }
        for (name, value) in attributes {
            self.attribute("img", name, value);
        }
        self.out.push('>');
    }

    fn end(&mut self, name: &'static str) {
        if let Some(at) = self.beyond.iter().rposition(|open| *open == name) {
            self.beyond.truncate(at);
            return;
        }
        if let Some(at) = self.find(name) {
            self.close_to(at);
        } else if name == "br" {
            self.out.push_str("<br>");
        }
    }

    /// The innermost open tag of this name that an end tag here may close.
    fn find(&self, name: &str) -> Option<usize> {
        for (at, open) in self.open.iter().enumerate().rev() {
            if *open == name {
                return Some(at);
            }
            let stop = if is_table_part(name) || name == "table" {
                *open == "table" && name != "table"
            } else {
                matches!(*open, "td" | "th" | "caption" | "table")
            };
            if stop {
                return None;
            }
        }
        None
    }

    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some(name) = self.open.pop() else { return };
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
    }

    /// Closes what a start tag ends without saying so.
    fn close_implied(&mut self, name: &str) {
        let (closed, within): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol"]),
            "dd" | "dt" => (&["dd", "dt"], &["dl"]),
            "td" | "th" => (&["td", "th", "caption", "colgroup"], &[]),
            "tr" => (&["tr", "caption", "colgroup"], &[]),
            "thead" | "tbody" | "tfoot" => (&["thead", "tbody", "tfoot", "caption", "colgroup"], &[]),
            "a" => (&["a"], &[]),
            _ => (&[], &[]),
        };
        if let Some(at) = self.outermost(closed, within, is_table_part(name)) {
            self.close_to(at);
        }
        if is_block(name)
            && let Some(at) = self.outermost(&["p"], &[], false)
        {
            self.close_to(at);
        }
    }

    /// The outermost open tag among `names`, looking out to the nearest of `within` or the end of
    /// the table cell (of the table, for its own parts).
    fn outermost(&self, names: &[&str], within: &[&str], table: bool) -> Option<usize> {
        let mut found = None;
        for (at, open) in self.open.iter().enumerate().rev() {
            if *open == "table" || within.contains(open) || (!table && matches!(*open, "td" | "th" | "caption")) {
                break;
            }
            if names.contains(open) {
                found = Some(at);
            }
        }
        found
    }

    /// Whether a tag may stand here: parts of tables in tables, and nothing else between them.
    fn fits(&self, name: &str) -> bool {
        let top = self.open.last().copied().unwrap_or_default();
        match name {
            "td" | "th" => matches!(top, "tr" | "tbody" | "thead" | "tfoot" | "table"),
            "tr" => matches!(top, "tbody" | "thead" | "tfoot" | "table"),
            "thead" | "tbody" | "tfoot" | "caption" | "colgroup" => top == "table",
            "col" => matches!(top, "colgroup" | "table"),
            "img" | "br" => true,
            _ => !matches!(top, "table" | "tr" | "tbody" | "thead" | "tfoot" | "colgroup"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(input: &str) -> String {
        tidy(input, RemoteImages::Withhold).unwrap().html
    }

    #[test]
    fn tags_are_balanced() {
        for (input, expected) in [
            ("<p>a<p>b", "<p>a</p><p>b</p>"),
            (
                "<ul><li>a<li>b<ul><li>c</ul></ul>",
                "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>",
            ),
            ("<b><p>a</b>b", "<b><p>a</p></b>b"),
            ("<p><b>a<div>b</div>", "<p><b>a</b></p><div>b</div>"),
            (
                "<table><tr><td>a<td>b<tr><td>c</table>d",
                "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>d",
            ),
            (
                "<div><table><tr><td></div>x</table>y</div>",
                "<div><table><tr><td>x</td></tr></table>y</div>",
            ),
            ("<td>a</td></b>", "a"),
            (
                "<table><form><tr><font><td>a</table>",
                "<table><tr><td>a</td></tr></table>",
            ),
            (
                "<a href=\"https://x.example/\">a<a>b",
                "<a href=\"https://x.example/\">a</a><a>b</a>",
            ),
        ] {
            assert_eq!(html(input), expected, "{input}");
        }
    }

    #[test]
    fn depth_is_bounded_and_text_kept() {
        let deep = format!("{}text{}", "<div>".repeat(5_000), "</div>".repeat(5_000));
        let out = html(&deep);
        assert_eq!(out.matches("<div>").count(), MAX_HTML_DEPTH);
        assert!(out.contains("text"));
        assert!(tidy(&"<b>".repeat(MAX_HTML_TAGS + 1), RemoteImages::Keep).is_none());
    }

    #[test]
    fn images_are_embedded_withheld_or_replaced_by_their_text() {
        assert_eq!(html("<img src=cid:a@b onerror=x>"), "<img src=\"cid:a@b\">");
        assert_eq!(
            html("<img src=' //x.example/a'>"),
            "<img data-remote-src=\"https://x.example/a\">"
        );
        assert_eq!(html("<img src='data:image/svg+xml;base64,AA' alt=logo>"), "logo");
        assert_eq!(html("<img src='file:///etc/passwd'>"), "");
        let kept = tidy("<img data-remote-src=\"https://x.example/a\">", RemoteImages::Keep).unwrap();
        assert_eq!(kept.html, "<img src=\"https://x.example/a\">");
    }
}
