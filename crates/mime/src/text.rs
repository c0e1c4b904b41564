//! Plain text as HTML.
//!
//! Owns the escaping, paragraphs and links. Invariant: the output is a fixed point of
//! [`sanitise`](crate::sanitise) in all that matters: it holds nothing but paragraphs, line breaks
//! and links to http(s) and mailto addresses.

use url::Url;

use crate::markup::{push_attribute, push_text};

/// Turns text into HTML: blank lines part paragraphs, other line ends break lines.
pub fn text_to_html(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut open = false;
    for line in text.trim_matches('\n').split('\n') {
        if line.trim().is_empty() {
            if open {
                out.push_str("</p>\n");
                open = false;
            }
            continue;
        }
        out.push_str(if open { "<br>\n" } else { "<p>" });
        open = true;
        push_line(&mut out, line);
    }
    if open {
        out.push_str("</p>");
    }
    out
}

/// A line with its links; blanks that HTML would swallow are kept.
fn push_line(out: &mut String, line: &str) {
    let mut rest = line;
    let mut at_start = true;
    while let Some((before, link, after)) = next_link(rest) {
        push_blanks(out, before, at_start);
        out.push_str("<a");
        push_attribute(out, "href", link);
        out.push_str(" target=\"_blank\" rel=\"noopener noreferrer nofollow\">");
        push_text(out, link);
        out.push_str("</a>");
        rest = after;
        at_start = false;
    }
    push_blanks(out, rest, at_start);
}

fn push_blanks(out: &mut String, text: &str, at_start: bool) {
    let mut previous_blank = at_start;
    for c in text.chars() {
        match c {
            '\t' => out.push_str("&nbsp;&nbsp;&nbsp; "),
            ' ' if previous_blank => out.push_str("&nbsp;"),
            c if c.is_control() => {}
            c => push_text(out, c.encode_utf8(&mut [0; 4])),
        }
        previous_blank = c == ' ' || c == '\t';
    }
}

/// Splits a line before and after its first link.
fn next_link(line: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + line[from..].find(['h', 'H', 'm', 'M'])?;
        let rest = &line[start..];
        let scheme = ["http://", "https://", "mailto:"].into_iter().find(|scheme| {
            rest.get(..scheme.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
        });
        let after_letter = line[..start].chars().next_back().is_some_and(char::is_alphanumeric);
        if let Some(scheme) = scheme.filter(|_| !after_letter) {
            let end = link_end(rest);
            if end > scheme.len() && Url::parse(&rest[..end]).is_ok() {
                return Some((&line[..start], &rest[..end], &rest[end..]));
            }
        }
        from = start + 1;
    }
}

/// Where a link ends: at a blank or a bracket, without the punctuation of the sentence around it.
fn link_end(link: &str) -> usize {
    let stop = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^')
    };
    let mut end = link.find(stop).unwrap_or(link.len());
    loop {
        let trimmed = link[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', ']']);
        let closing = trimmed.ends_with(')') && trimmed.matches('(').count() < trimmed.matches(')').count();
        let next = if closing { trimmed.len() - 1 } else { trimmed.len() };
        if next == end {
            return end;
        }
        end = next;
    }
}

#[cfg(test)]
mod tests {
    use super::text_to_html;

    const LINK: &str = "target=\"_blank\" rel=\"noopener noreferrer nofollow\"";

    #[test]
    fn paragraphs_lines_and_blanks_are_kept() {
        assert_eq!(
            text_to_html("a\nb\r\n\r\n\n  c  d\n"),
            "<p>a<br>\nb</p>\n<p>&nbsp;&nbsp;c &nbsp;d</p>"
        );
        assert_eq!(text_to_html("\n\n"), "");
    }

    #[test]
    fn everything_is_escaped() {
        assert_eq!(
            text_to_html("<b onclick=\"x\">&amp;"),
            "<p>&lt;b onclick=\"x\"&gt;&amp;amp;</p>"
        );
    }

    #[test]
    fn only_web_and_mail_addresses_become_links() {
        for (text, link) in [
            (
                "see https://contoso.example/a?b=1&c=2.",
                "https://contoso.example/a?b=1&amp;c=2",
            ),
            ("(http://contoso.example/x_(y))", "http://contoso.example/x_(y)"),
            ("<mailto:support@contoso.example>", "mailto:support@contoso.example"),
        ] {
            let expected = format!("<a href=\"{link}\" {LINK}>{link}</a>");
            assert!(text_to_html(text).contains(&expected), "{text}: {}", text_to_html(text));
        }
        for text in [
            "javascript:alert(1)",
            "ftp://contoso.example",
            "xhttp://a",
            "http://",
            "data:text/html,x",
        ] {
            assert!(!text_to_html(text).contains("<a "), "{text}");
        }
    }
}
