//! HTML of strangers made safe to show.
//!
//! Owns the policy given to ammonia. Invariants: the output holds no script, form, frame, event
//! handler, style sheet or address that a browser loads by itself, except from the mail itself;
//! cleaning the output again changes nothing.

use std::{borrow::Cow, collections::HashSet, sync::LazyLock};

use ammonia::{Builder, UrlRelative};

use crate::{
    bounds::{MAX_CLEANING_PASSES, MAX_HTML},
    history_marks, html_text, markup,
    tidy::{self, REMOTE_SOURCE, RemoteImages},
    vocabulary::{ATTRIBUTES, TAGS},
    web_addresses::{Source, link, source},
};

/// HTML that is safe to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sanitised {
    /// The HTML, a fragment without `html` and `body`. Images from elsewhere have their address in
    /// `data-remote-src`; images of the mail keep their `cid:` address. What mail programs mark as
    /// quoted or as a signature has `data-part`.
    pub html: String,
    /// How many images are withheld.
    pub remote_images: usize,
}

/// Makes HTML safe to show. HTML beyond the bounds is shown as text.
pub fn sanitise(html: &str) -> Sanitised {
    clean(html, RemoteImages::Withhold)
}

/// Cleans until nothing changes any more: parsing what was written may read it differently, and
/// only what stays the same is what was checked.
pub(crate) fn clean(html: &str, remote: RemoteImages) -> Sanitised {
    let mut current = Cow::Borrowed(&html[..html.floor_char_boundary(MAX_HTML)]);
    for _ in 0..MAX_CLEANING_PASSES {
        let Some(next) = pass(&current, remote) else { break };
        if next.html == *current {
            return next;
        }
        current = Cow::Owned(next.html);
    }
    // A single element, so that even the longest text stays within the bound of tags.
    let mut text = String::from("<pre style=\"white-space:pre-wrap\">");
    markup::push_text(&mut text, &html_text::html_to_text(&current));
    text.push_str("</pre>");
    pass(&text, remote).unwrap_or_default()
}

fn pass(html: &str, remote: RemoteImages) -> Option<Sanitised> {
    let tidied = tidy::tidy(html, remote)?;
    Some(Sanitised {
        html: CLEANER.clean(&tidied.html).to_string(),
        remote_images: tidied.remote_images,
    })
}

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(TAGS))
        .generic_attributes(HashSet::from(ATTRIBUTES))
        .add_generic_attributes([history_marks::ATTRIBUTE])
        .add_tag_attributes("a", ["href"])
        .add_tag_attributes("img", ["src", REMOTE_SOURCE])
        .clean_content_tags(HashSet::from(["script", "style"]))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid", "data"]))
        .url_relative(UrlRelative::Deny)
        .strip_comments(true)
        .set_tag_attribute_value("a", "target", "_blank")
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(|tag, attribute, value| {
            let allowed = match (tag, attribute) {
                ("a", "href") => link(value).is_some(),
                ("img", "src") => source(value).is_some(),
                ("img", REMOTE_SOURCE) => matches!(source(value), Some(Source::Remote(_))),
                (_, history_marks::ATTRIBUTE) => history_marks::is_known(value),
                _ => true,
            };
            allowed.then_some(Cow::Borrowed(value))
        });
    builder
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_content_is_removed_and_text_kept() {
        let hostile = "<body onload=x><script>alert(1)</script><style>@import 'x'</style><form action=x><input value=v>\
            <iframe src=x>in</iframe><object data=x>fallback</object><p onclick=\"x\" style=\"background:url(x);color:red\">text\
            <svg><script>1</script></svg><a href=\"javascript:x\">link</a>";
        let clean = sanitise(hostile).html;
        assert_eq!(
            clean,
            "fallback<p style=\"color:red\">text\
            <a target=\"_blank\" rel=\"noopener noreferrer nofollow\">link</a></p>"
        );
    }

    #[test]
    fn links_open_apart_and_reveal_nothing() {
        assert_eq!(
            sanitise("<a href='https://x.example/?a=1&amp;b=2' target=_top>x</a>").html,
            "<a href=\"https://x.example/?a=1&amp;b=2\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a>"
        );
    }

    #[test]
    fn remote_images_are_withheld_and_counted_and_cid_images_stay() {
        let clean = sanitise(
            "<img src=https://x.example/a.png width=1 srcset='b 2x'><img src='cid:logo@x'><td background=http://x.example>",
        );
        assert_eq!(clean.remote_images, 1);
        assert_eq!(
            clean.html,
            "<img data-remote-src=\"https://x.example/a.png\" width=\"1\"><img src=\"cid:logo@x\">"
        );
        assert_eq!(sanitise(&clean.html), clean);
    }

    #[test]
    fn html_beyond_the_bounds_is_shown_as_text() {
        let html = format!("{}end", "<i>x</i>".repeat(150_000));
        let clean = sanitise(&html).html;
        assert!(clean.contains("xend") && !clean.contains("<i>"));
        assert_eq!(sanitise(&clean).html, clean);
    }

    #[test]
    fn hostile_nesting_is_cheap() {
        for html in [
            "<div>".repeat(60_000),
            "<font color=1><p>".repeat(40_000),
            "<table><font><b>".repeat(30_000),
            format!("<p>{}{}", "<b>".repeat(90), "<div>x</div>".repeat(20_000)),
            format!("<table>{}{}", "<font size=1>".repeat(90), "x<tr></tr>".repeat(20_000)),
            "<a><table><td>".repeat(20_000),
        ] {
            let clean = sanitise(&html);
            assert!(clean.html.len() < 40 * html.len());
            assert_eq!(sanitise(&clean.html).html, clean.html);
        }
    }
}
