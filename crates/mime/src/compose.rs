//! The body of an answer: what the agent wrote, then the quoted mail.
//!
//! Owns the layout. Never sends, never sets headers. Invariant: whatever goes out was sanitised
//! here, the quoted mail once more as well; its remote images are its author's own and come back.

use jiff::Timestamp;

use crate::{markup::push_text, sanitise::clean, text::text_to_html, tidy::RemoteImages};

/// What an agent wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyBody {
    /// Plain text.
    Text(String),
    /// HTML, not yet sanitised.
    Html(String),
}

/// The mail that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotedOriginal<'a> {
    /// Its author, for reading.
    pub from: &'a str,
    /// When it was sent.
    pub sent: Option<Timestamp>,
    /// Its subject.
    pub subject: &'a str,
    /// Its HTML, sanitised.
    pub html: Option<&'a str>,
    /// Its text, used where there is no HTML.
    pub text: &'a str,
}

/// A whole HTML body with the answer and, below it, the quoted mail.
pub fn compose_reply_html(answer: &ReplyBody, original: Option<&QuotedOriginal<'_>>) -> String {
    let mut out = String::from(
        "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>\n",
    );
    match answer {
        ReplyBody::Text(text) => out.push_str(&text_to_html(text)),
        ReplyBody::Html(html) => out.push_str(&clean(html, RemoteImages::Keep).html),
    }
    if let Some(original) = original {
        push_quote(&mut out, original);
    }
    out.push_str("\n</body></html>");
    out
}

fn push_quote(out: &mut String, original: &QuotedOriginal<'_>) {
    out.push_str("\n<p>");
    if let Some(sent) = original.sent {
        push_text(out, &sent.strftime("On %-d %B %Y, %H:%M UTC, ").to_string());
    }
    let from = original.from.trim();
    push_text(out, if from.is_empty() { "the sender" } else { from });
    out.push_str(" wrote:");
    if !original.subject.trim().is_empty() {
        out.push_str("<br>\n<b>");
        push_text(out, original.subject.trim());
        out.push_str("</b>");
    }
    out.push_str("</p>\n<blockquote type=\"cite\" style=\"margin:0 0 0 0.8ex;border-left:1px solid #cccccc;padding-left:1ex\">\n");
    match original.html {
        Some(html) => out.push_str(&clean(html, RemoteImages::Keep).html),
        None => out.push_str(&text_to_html(original.text)),
    }
    out.push_str("\n</blockquote>");
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGINAL: QuotedOriginal<'_> = QuotedOriginal {
        from: "Support <s@contoso.example>",
        sent: Some(Timestamp::UNIX_EPOCH),
        subject: "a < b",
        html: Some("<p>hello <img data-remote-src=\"https://contoso.example/a.png\"></p><script>x</script>"),
        text: "hello",
    };

    #[test]
    fn answer_stands_before_the_quoted_mail() {
        let html = compose_reply_html(&ReplyBody::Text("first & foremost".into()), Some(&ORIGINAL));
        let answer = html.find("first &amp; foremost").unwrap();
        let line = html
            .find("On 1 January 1970, 00:00 UTC, Support &lt;s@contoso.example&gt; wrote:")
            .unwrap();
        let quote = html
            .find("<p>hello <img src=\"https://contoso.example/a.png\"></p>")
            .unwrap();
        assert!(answer < line && line < quote);
        assert!(html.contains("a &lt; b") && !html.contains("script>"));
    }

    #[test]
    fn html_answer_is_sanitised_and_keeps_its_pictures() {
        let answer =
            ReplyBody::Html("<b onclick=x>hi</b><img src=https://contoso.example/logo.png><script>1</script>".into());
        let html = compose_reply_html(&answer, None);
        assert!(html.contains("<b>hi</b><img src=\"https://contoso.example/logo.png\">"));
        assert!(!html.contains("onclick") && !html.contains("script>") && !html.contains("blockquote"));
    }

    #[test]
    fn plain_mail_is_quoted_as_text() {
        let original = QuotedOriginal {
            html: None,
            sent: None,
            from: "",
            text: "a\n<b>",
            ..ORIGINAL
        };
        let html = compose_reply_html(&ReplyBody::Text(String::new()), Some(&original));
        assert!(html.contains("the sender wrote:") && html.contains("<p>a<br>\n&lt;b&gt;</p>"));
    }
}
