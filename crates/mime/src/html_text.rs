//! HTML as plain text: for mails without a text part, for search and for quoting.
//!
//! Owns how structure becomes lines. Works on the flat stream of tags, so depth and disorder cost
//! nothing. Invariant: every visible text is in the output, in order, and the output is at most a
//! small multiple of the input.

use crate::markup::{self, Piece};

/// Deepest quoting that is marked.
const MAX_QUOTE: usize = 10;
/// Longer addresses are tracking links, which help nobody in text.
const MAX_LINK: usize = 300;

/// Derives text from HTML: paragraphs, lists, quotes and links become lines, marks and addresses.
pub fn html_to_text(html: &str) -> String {
    let mut writer = Writer::default();
    markup::read(html, |piece| writer.piece(&piece));
    writer.finish()
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Line ends to write before the next text.
    breaks: usize,
    /// A blank to write before the next text.
    blank: bool,
    /// Text stands on the current line.
    in_line: bool,
    /// A mark (list bullet) to write before the next text.
    mark: Option<String>,
    quotes: usize,
    /// The quoting of the line before, which the empty lines between share at most.
    quotes_before: usize,
    pre: usize,
    /// Open lists: the next number, or none for bullets.
    lists: Vec<Option<usize>>,
    /// The open link: its address and where its text begins.
    link: Option<(String, usize)>,
}

impl Writer {
    fn piece(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Text(text) if self.pre > 0 => self.preformatted(text),
            Piece::Text(text) => self.flowing(text),
            Piece::Open { name, attributes } => self.open(name, attributes),
            Piece::Close { name } => self.close(name),
        }
    }

    fn open(&mut self, name: &str, attributes: &[(String, String)]) {
        let get = |wanted: &str| {
            attributes
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        match name {
            "br" => self.line_end(),
            "hr" => {
                self.part(2);
                self.word("----");
                self.part(2);
            }
            "img" => {
                let alt = get("alt").unwrap_or_default().trim();
                if !alt.is_empty() {
                    self.flowing(&format!("[{alt}]"));
                }
            }
            "a" => {
                self.end_link();
                let address = get("href").unwrap_or_default().trim();
                let lower = address.get(..8).unwrap_or(address).to_ascii_lowercase();
                let shown = ["http://", "https://", "mailto:"]
                    .iter()
                    .any(|scheme| lower.starts_with(scheme));
                if shown && address.len() <= MAX_LINK {
                    self.link = Some((address.to_owned(), self.out.len()));
                }
            }
            "blockquote" => {
                self.part(2);
                self.quotes = (self.quotes + 1).min(MAX_QUOTE);
            }
            "ul" => self.open_list(None),
            "ol" => self.open_list(Some(
                get("start").and_then(|start| start.trim().parse().ok()).unwrap_or(1),
            )),
            "li" => self.item(),
            "pre" => {
                self.part(2);
                self.pre += 1;
            }
            "td" | "th" => {
                if self.in_line && self.breaks == 0 {
                    self.blank = true;
                }
            }
            _ => self.part(breaks_around(name)),
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "a" => self.end_link(),
            "blockquote" => {
                self.part(2);
                self.quotes = self.quotes.saturating_sub(1);
            }
            "ul" | "ol" => {
                self.lists.pop();
                self.part(if self.lists.is_empty() { 2 } else { 1 });
            }
            "li" => self.part(1),
            "pre" => {
                self.pre = self.pre.saturating_sub(1);
                self.part(2);
            }
            "td" | "th" => {
                if self.in_line && self.breaks == 0 {
                    self.blank = true;
                }
            }
            _ => self.part(breaks_around(name)),
        }
    }

    fn open_list(&mut self, number: Option<usize>) {
        /// Deeper lists are not indented further.
        const MAX_LISTS: usize = 10;
        self.part(if self.lists.is_empty() { 2 } else { 1 });
        if self.lists.len() < MAX_LISTS {
            self.lists.push(number);
        }
    }

    fn item(&mut self) {
        self.part(1);
        let indent = "  ".repeat(self.lists.len().saturating_sub(1));
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{indent}{number}. ");
                *number = number.saturating_add(1);
                mark
            }
            _ => format!("{indent}- "),
        };
        self.mark = Some(mark);
    }

    /// Asks for at least this many line ends before the next text.
    fn part(&mut self, breaks: usize) {
        if breaks > 0 {
            self.blank = false;
            self.breaks = self.breaks.max(breaks);
        }
    }

    fn line_end(&mut self) {
        self.blank = false;
        // Two breaks in a row are an empty line, more are one as well.
        self.breaks = (self.breaks + 1).min(2);
    }

    fn flowing(&mut self, text: &str) {
        for piece in text.split_inclusive(|c: char| c.is_whitespace()) {
            let word = piece.trim_end_matches(|c: char| c.is_whitespace());
            if !word.is_empty() {
                self.word(word);
            }
            if word.len() < piece.len() && self.in_line && self.breaks == 0 {
                self.blank = true;
            }
        }
    }

    fn preformatted(&mut self, text: &str) {
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.line_end();
            }
            if !line.is_empty() {
                self.word(line);
            }
        }
    }

    fn word(&mut self, word: &str) {
        self.begin();
        self.out.extend(word.chars().filter(|c| *c != '\0'));
        self.in_line = true;
    }

    /// Writes what was asked for before the next text.
    fn begin(&mut self) {
        if !self.out.is_empty() && self.breaks > 0 {
            for index in 0..self.breaks {
                self.out.push('\n');
                if index + 1 < self.breaks {
                    self.out.push_str(&">".repeat(self.quotes.min(self.quotes_before)));
                }
            }
            self.in_line = false;
        }
        self.breaks = 0;
        self.quotes_before = self.quotes;
        if !self.in_line && self.quotes > 0 {
            self.out.push_str(&">".repeat(self.quotes));
            self.out.push(' ');
        }
        if let Some(mark) = self.mark.take() {
            self.out.push_str(&mark);
        } else if self.blank && self.in_line {
            self.out.push(' ');
        }
        self.blank = false;
    }

    /// Writes the link's address unless its text already says it.
    fn end_link(&mut self) {
        let Some((address, start)) = self.link.take() else {
            return;
        };
        let text = self.out.get(start..).unwrap_or_default().trim();
        let plain = |s: &str| {
            let s = s
                .trim_start_matches("mailto:")
                .trim_start_matches("https://")
                .trim_start_matches("http://");
            s.trim_start_matches("www.").trim_end_matches('/').to_lowercase()
        };
        if !text.is_empty() && plain(text) != plain(&address) {
            self.blank = true;
            self.word(&format!("<{address}>"));
        }
    }

    fn finish(mut self) -> String {
        self.end_link();
        let mut out = String::with_capacity(self.out.len());
        for line in self.out.lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out.truncate(out.trim_end().len());
        out
    }
}

/// Line ends before and after an element.
fn breaks_around(name: &str) -> usize {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl" | "table" | "figure" => 2,
        "address" | "article" | "aside" | "body" | "caption" | "center" | "dd" | "details" | "div" | "dt"
        | "fieldset" | "figcaption" | "footer" | "form" | "header" | "legend" | "main" | "nav" | "option"
        | "section" | "summary" | "tbody" | "tfoot" | "thead" | "tr" => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::html_to_text;

    #[test]
    fn structure_becomes_lines() {
        for (html, expected) in [
            ("<p>One  two</p><p>three<br>four</p>", "One two\n\nthree\nfour"),
            ("<div>a</div><div>b</div>", "a\nb"),
            ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
            ("<ol start=3><li>a</li><li>b<ul><li>c</ul></ol>", "3. a\n4. b\n  - c"),
            ("x<blockquote>q<p>r</blockquote>y", "x\n\n> q\n>\n> r\n\ny"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>", "a b\nc"),
            ("<pre>a\n  b</pre>", "a\n  b"),
            ("a&nbsp;&lt;b&gt; <img alt='logo' src=x>", "a <b> [logo]"),
            ("<title>t</title><style>s</style><script>'</div>'</script>a", "a"),
        ] {
            assert_eq!(html_to_text(html), expected, "{html}");
        }
    }

    #[test]
    fn addresses_of_links_are_kept_unless_the_text_is_the_address() {
        assert_eq!(
            html_to_text("<a href='https://contoso.example/x'>here</a>."),
            "here <https://contoso.example/x>."
        );
        assert_eq!(
            html_to_text("<a href='https://contoso.example/'>contoso.example</a>"),
            "contoso.example"
        );
        assert_eq!(
            html_to_text("<a href='mailto:a@b.example'>a@b.example</a>"),
            "a@b.example"
        );
        assert_eq!(html_to_text("<a href='javascript:x'>here</a>"), "here");
    }

    #[test]
    fn deep_and_broken_html_keeps_its_text() {
        let deep = format!("{}end", "<blockquote><ul><li>".repeat(20_000));
        assert!(html_to_text(&deep).ends_with("end"));
        assert_eq!(html_to_text("a</b></i>b<"), "ab<");
    }
}
