//! Which parts are the shown text and HTML, and their decoding.
//!
//! Owns the choice among alternatives and the joining of several text parts. Never touches
//! attachments. Invariant: a part is in a view at most once; text ends its lines with `\n` and
//! holds no U+0000; both views keep within their bounds, and a part that does not is reported so
//! that it is attached as well.

use std::collections::BTreeSet;

use crate::{
    bounds::{MAX_HTML, MAX_TEXT},
    charset::{self, Fit},
    deviations::{Deviation, Deviations, label},
    flowed, html_text,
    params::Parameterised,
    structure::Part,
    text,
    transfer::Encoding,
};

/// What is shown of a mail.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) text: String,
    pub(crate) text_from_html: bool,
    pub(crate) html: Option<String>,
    /// The parts that are shown.
    pub(crate) shown: BTreeSet<usize>,
    /// Shown parts that did not fit and have to be attached in full.
    pub(crate) cut: BTreeSet<usize>,
}

/// The parts a container or leaf contributes to each view.
#[derive(Default)]
struct Views {
    text: Vec<usize>,
    html: Vec<usize>,
    has_html: bool,
}

/// Chooses and decodes what is shown.
pub(crate) fn read(parts: &[Part<'_>], deviations: &mut Deviations) -> Body {
    let mut body = Body::default();
    if parts.is_empty() {
        return body;
    }
    let views = views(parts, 0, 0, true);
    body.shown.extend(&views.text);
    for &index in &views.text {
        body.text_from_html |= is_html(&parts[index]);
        let text = if is_html(&parts[index]) {
            html_text::html_to_text(&decode_text(&parts[index], deviations))
        } else {
            plain_text(&parts[index], deviations)
        };
        append(
            &mut body.text,
            text.trim_end_matches('\n'),
            "\n\n",
            MAX_TEXT,
            index,
            &mut body.cut,
        );
    }
    if !body.text.is_empty() {
        body.text.push('\n');
    }
    if views.has_html {
        body.shown.extend(&views.html);
        let mut html = String::new();
        for &index in &views.html {
            let piece = if is_html(&parts[index]) {
                decode_text(&parts[index], deviations)
            } else {
                text::text_to_html(&plain_text(&parts[index], deviations))
            };
            append(&mut html, &piece, "\n", MAX_HTML, index, &mut body.cut);
        }
        body.html = Some(html);
    }
    if !body.cut.is_empty() {
        deviations.note(Deviation::TextTooLong);
    }
    body
}

/// Which leaves under `index` are shown. `position` is its place among its siblings; `shown` is
/// false below a part that is an attachment as a whole. Depth is bounded by the walk.
fn views(parts: &[Part<'_>], index: usize, position: usize, shown: bool) -> Views {
    let part = &parts[index];
    if part.is_leaf() {
        let mut views = Views::default();
        if shown && is_shown(part, index, position) {
            views.text.push(index);
            views.html.push(index);
            views.has_html = is_html(part);
        }
        return views;
    }
    let related = part.content_type.value == "multipart/related";
    let children: Vec<Views> = part
        .children
        .iter()
        .enumerate()
        .map(|(position, &child)| views_of_child(parts, child, position, shown && (!related || position == 0)))
        .collect();
    if part.content_type.value == "multipart/alternative" {
        alternative(children)
    } else {
        children.into_iter().fold(Views::default(), |mut all, child| {
            all.text.extend(child.text);
            all.html.extend(child.html);
            all.has_html |= child.has_html;
            all
        })
    }
}

fn views_of_child(parts: &[Part<'_>], child: usize, position: usize, shown: bool) -> Views {
    views(parts, child, position, shown)
}

/// Text from the alternatives without HTML, HTML from those with it; each stands in for the other.
fn alternative(children: Vec<Views>) -> Views {
    let (rich, plain): (Vec<Views>, Vec<Views>) = children.into_iter().partition(|child| child.has_html);
    let has_html = !rich.is_empty();
    let texts = |views: &[Views]| views.iter().flat_map(|v| v.text.iter().copied()).collect::<Vec<_>>();
    let htmls = |views: &[Views]| views.iter().flat_map(|v| v.html.iter().copied()).collect::<Vec<_>>();
    let plain_text = texts(&plain);
    Views {
        text: if plain_text.is_empty() {
            texts(&rich)
        } else {
            plain_text
        },
        html: if has_html { htmls(&rich) } else { htmls(&plain) },
        has_html,
    }
}

fn is_shown(part: &Part<'_>, index: usize, position: usize) -> bool {
    let disposition = disposition(part);
    let kind = part.content_type.value.as_str();
    // A multipart without parts is what its author meant as text; a mail of one part of unknown
    // text is shown rather than hidden in an attachment.
    let text = kind == "text/plain"
        || kind == "text/html"
        || kind.starts_with("multipart/")
        || (index == 0 && kind.starts_with("text/") && !matches!(kind, "text/calendar" | "text/vcard" | "text/csv"));
    let named = disposition.get("filename").is_some() || part.content_type.get("name").is_some();
    text && disposition.value != "attachment" && (position == 0 || !named)
}

fn is_html(part: &Part<'_>) -> bool {
    part.content_type.value == "text/html"
}

/// The part's `Content-Disposition`.
pub(crate) fn disposition(part: &Part<'_>) -> Parameterised {
    Parameterised::parse(part.fields.first("content-disposition").unwrap_or_default())
}

/// The part's bytes with the transfer encoding undone.
pub(crate) fn decoded<'a>(part: &Part<'a>, deviations: &mut Deviations) -> std::borrow::Cow<'a, [u8]> {
    let name = String::from_utf8_lossy(part.fields.first("content-transfer-encoding").unwrap_or_default());
    let encoding = Encoding::parse(&name);
    if encoding == Encoding::Unknown {
        deviations.note(Deviation::UnknownTransferEncoding { label: label(&name) });
    }
    let (bytes, clean) = encoding.decode(part.body);
    if !clean {
        deviations.note(Deviation::InvalidTransferEncoding {
            label: label(&name.to_ascii_lowercase()),
        });
    }
    bytes
}

/// The part's text as it is declared, with line ends as `\n`.
pub(crate) fn decode_text(part: &Part<'_>, deviations: &mut Deviations) -> String {
    let bytes = decoded(part, deviations);
    let given = part.content_type.get("charset").map(str::to_owned);
    let charset = given.or_else(|| is_html(part).then(|| meta_charset(&bytes)).flatten());
    let (text, fit) = charset::decode(&bytes, charset.as_deref());
    let label = label(charset.as_deref().unwrap_or_default());
    match fit {
        Fit::Clean => {}
        Fit::Unknown => deviations.note(Deviation::UnknownCharset { label }),
        Fit::Malformed => deviations.note(Deviation::InvalidCharset { label }),
    }
    unix_lines(&text)
}

fn plain_text(part: &Part<'_>, deviations: &mut Deviations) -> String {
    let text = decode_text(part, deviations);
    let is = |name: &str, value: &str| {
        part.content_type
            .get(name)
            .is_some_and(|v| v.eq_ignore_ascii_case(value))
    };
    if is("format", "flowed") {
        flowed::unflow(&text, is("delsp", "yes"))
    } else {
        text
    }
}

/// The charset that HTML names for itself, where the header names none.
fn meta_charset(html: &[u8]) -> Option<String> {
    /// Browsers look this far as well.
    const LOOK: usize = 1024;
    let head = String::from_utf8_lossy(&html[..html.len().min(LOOK)]).to_ascii_lowercase();
    let meta = &head[head.find("<meta")?..];
    let value = meta[meta.find("charset")? + "charset".len()..]
        .trim_start()
        .strip_prefix('=')?;
    let value = value.trim_start().trim_start_matches(['"', '\'']);
    let end = value
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)))
        .unwrap_or(value.len());
    // A page that can be read this far is not in UTF-16, whatever it says.
    (end > 0 && !value.starts_with("utf-16")).then(|| value[..end].to_owned())
}

/// Line ends as `\n`, zero characters left out.
fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "")
}

fn append(out: &mut String, piece: &str, between: &str, bound: usize, index: usize, cut: &mut BTreeSet<usize>) {
    if piece.trim().is_empty() {
        return;
    }
    if !out.is_empty() {
        out.push_str(between);
    }
    let room = bound.saturating_sub(out.len());
    if piece.len() > room {
        cut.insert(index);
    }
    out.push_str(&piece[..piece.floor_char_boundary(room.min(piece.len()))]);
}
