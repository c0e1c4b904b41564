//! Bodies: what a mail says, as HTML or text, safe to show by default.
//!
//! Owns conversion between the two and the sanitising of HTML (scripts, forms, event handlers and foreign schemes go;
//! `outlook.allow-unsafe-html` keeps them). It never touches the stored bytes.

use std::borrow::Cow;
use std::sync::LazyLock;

use mail_parser::PartType;
use mail_parser::decoders::html::html_to_text;

use crate::mail::message::{Body, BodyKind, Content, Message};
use crate::mail::mime;

/// Whether HTML is shown as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HtmlSafety {
    #[default]
    Sanitised,
    AsWritten,
}

/// As much of an HTML body as is read for a preview: style sheets of usual programs are shorter.
const GLIMPSE_BYTES: usize = 64 * 1024;
/// Longer HTML is turned into text by the plain converter, which needs no tree.
const LAYOUT_BYTES: usize = 1024 * 1024;
/// Lines of converted text are not wrapped below this width.
const TEXT_WIDTH: usize = 998;

static SANITISER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut builder = ammonia::Builder::default();
    builder
        .add_clean_content_tags(["title"])
        .add_tags(["font", "section", "article", "main", "address"])
        .add_generic_attributes([
            "style", "class", "dir", "align", "valign", "bgcolor", "width", "height", "id", "color", "face", "size",
        ])
        .add_tag_attributes("table", ["border", "cellpadding", "cellspacing"])
        .add_tag_attributes("a", ["name", "target"])
        .add_url_schemes(["cid", "data"])
        .link_rel(None);
    builder
});

/// The body as the mail has it: HTML where there is any, else text.
#[must_use]
pub fn native(message: &Message) -> Body {
    match &message.content {
        Content::Draft(draft) => draft.body.clone(),
        Content::Mime(raw) => {
            let bytes = raw.bytes();
            match mime::parse(&bytes) {
                Some(parsed) => native_of(&parsed),
                None => Body {
                    kind: BodyKind::Text,
                    content: String::from_utf8_lossy(&bytes).replace('\0', ""),
                },
            }
        }
    }
}

/// The body of a parsed mail.
#[must_use]
pub fn native_of(parsed: &mail_parser::Message<'_>) -> Body {
    let html: Vec<&mail_parser::MessagePart<'_>> = parsed.html_bodies().collect();
    if html.iter().any(|part| matches!(part.body, PartType::Html(_))) {
        let content = html
            .iter()
            .filter_map(|part| match &part.body {
                PartType::Html(html) => Some(Cow::Borrowed(html.as_ref())),
                PartType::Text(text) => Some(Cow::Owned(escape(text))),
                _ => None,
            })
            .collect::<Vec<_>>()
            .join("\r\n");
        return Body {
            kind: BodyKind::Html,
            content: content.replace('\0', ""),
        };
    }
    let content = parsed
        .text_bodies()
        .filter_map(|part| match &part.body {
            PartType::Text(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect::<Vec<_>>()
        .join("\r\n");
    Body {
        kind: BodyKind::Text,
        content: content.replace('\0', ""),
    }
}

/// Enough plain text for a preview, without building a tree.
#[must_use]
pub fn plain_glimpse(parsed: &mail_parser::Message<'_>) -> String {
    let part = parsed.text_bodies().next().or_else(|| parsed.html_bodies().next());
    match part.map(|part| &part.body) {
        Some(PartType::Text(text)) => head(text).to_owned(),
        Some(PartType::Html(html)) => html_to_text(head(html)),
        _ => String::new(),
    }
}

/// Enough plain text of a body for a preview.
#[must_use]
pub fn glimpse(body: &Body) -> String {
    match body.kind {
        BodyKind::Text => head(&body.content).to_owned(),
        BodyKind::Html => html_to_text(head(&body.content)),
    }
}

fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(GLIMPSE_BYTES)]
}

/// The body as Graph shows it.
#[must_use]
pub fn shown(body: Body, wanted: Option<BodyKind>, safety: HtmlSafety) -> Body {
    match (body.kind, wanted.unwrap_or(body.kind)) {
        (BodyKind::Text, BodyKind::Text) => body,
        (BodyKind::Html, BodyKind::Text) => Body {
            kind: BodyKind::Text,
            content: to_text(&body.content),
        },
        (BodyKind::Text, BodyKind::Html) => {
            let content = document(&format!("<div class=\"PlainText\">{}</div>", escape(&body.content)));
            Body {
                kind: BodyKind::Html,
                content,
            }
        }
        (BodyKind::Html, BodyKind::Html) => {
            let content = match safety {
                HtmlSafety::AsWritten => body.content,
                HtmlSafety::Sanitised => document(SANITISER.clean(&body.content).to_string().trim()),
            };
            Body {
                kind: BodyKind::Html,
                content,
            }
        }
    }
}

/// The text of an HTML body.
#[must_use]
pub fn to_text(html: &str) -> String {
    let laid_out = (html.len() <= LAYOUT_BYTES)
        .then(|| {
            html2text::config::plain_no_decorate()
                .raw_mode(true)
                .no_table_borders()
                .no_link_wrapping()
                .allow_width_overflow()
                .string_from_read(html.as_bytes(), TEXT_WIDTH)
                .ok()
        })
        .flatten();
    let text = laid_out.unwrap_or_else(|| html_to_text(html));
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\r\n").trim_end().to_owned()
}

/// Text as an HTML fragment.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\r' => {}
            '\n' => html.push_str("<br>\r\n"),
            other => html.push(other),
        }
    }
    html
}

/// An HTML document around a fragment, as Exchange writes it.
#[must_use]
pub fn document(fragment: &str) -> String {
    format!(
        "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>\r\n{fragment}\r\n</body></html>\r\n"
    )
}

/// The inside of an HTML document's body, for quoting.
#[must_use]
pub fn fragment(html: &str) -> &str {
    let lower = html.to_ascii_lowercase();
    let start = lower
        .find("<body")
        .and_then(|at| lower[at..].find('>').map(|end| at + end + 1))
        .unwrap_or(0);
    let end = lower.rfind("</body").filter(|end| *end >= start).unwrap_or(html.len());
    &html[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(content: &str) -> Body {
        Body {
            kind: BodyKind::Html,
            content: content.to_owned(),
        }
    }

    #[test]
    fn scripts_and_handlers_are_removed_unless_asked_for() {
        let mail =
            "<body><script>alert(1)</script><p onclick=\"x()\" style=\"color:red\">Hi <img src=\"cid:a@b\"></p></body>";
        let safe = shown(html(mail), None, HtmlSafety::Sanitised).content;
        assert!(!safe.contains("script") && !safe.contains("onclick"), "{safe}");
        assert!(safe.contains("cid:a@b") && safe.contains("color:red"), "{safe}");
        assert_eq!(shown(html(mail), None, HtmlSafety::AsWritten).content, mail);
    }

    #[test]
    fn html_and_text_convert_into_each_other() {
        let text = shown(
            html("<p>One</p><div>Two &amp; three</div>"),
            Some(BodyKind::Text),
            HtmlSafety::Sanitised,
        );
        assert!(
            text.content.contains("One") && text.content.contains("Two & three"),
            "{}",
            text.content
        );
        let body = Body {
            kind: BodyKind::Text,
            content: "a < b\r\nc".to_owned(),
        };
        let page = shown(body, Some(BodyKind::Html), HtmlSafety::Sanitised).content;
        assert!(page.contains("a &lt; b<br>\r\nc"), "{page}");
    }

    #[test]
    fn the_inside_of_a_document_is_found() {
        assert_eq!(fragment("<html><BODY class=x>in</BODY></html>"), "in");
        assert_eq!(fragment("bare"), "bare");
    }
}
