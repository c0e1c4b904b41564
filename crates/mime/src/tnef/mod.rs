//! `winmail.dat` taken apart: what Outlook and Exchange send in TNEF (MS-OXTNEF) to programs that cannot read it.
//!
//! Owns what becomes of a part in TNEF: its attachments stand in its place, and its body is shown where
//! the mail has no other. Never descends into messages inside. Invariant: nothing is lost; the part
//! itself stays attached where it is damaged, cut or holds more than mail.

mod properties;
mod rtf;
mod rtf_compression;
mod stream;

use std::collections::HashSet;

use bytes::Bytes;

use crate::{
    Attachment, Deviation,
    bounds::{MAX_HTML, MAX_PARTS, MAX_TEXT},
    deviations::Deviations,
    file_names, html_text, references,
};
use stream::{Contained, Message};

/// A body from TNEF.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) html: Option<String>,
    pub(crate) text_from_html: bool,
}

/// Puts what is in TNEF in the place of it. Returns a body to show, if one is found; `wanted` tells
/// whether it will be.
pub(crate) fn unpack(
    attachments: Vec<Attachment>,
    wanted: bool,
    used_ids: impl Fn(&str) -> HashSet<String>,
    deviations: &mut Deviations,
) -> (Vec<Attachment>, Option<Shown>) {
    let (mut out, mut shown) = (Vec::with_capacity(attachments.len()), None);
    for attachment in attachments {
        if !is_tnef(&attachment) {
            out.push(attachment);
            continue;
        }
        let message = stream::read(&attachment.bytes);
        let mut whole = message.sound && message.is_mail() && !message.is_empty();
        if !message.sound {
            deviations.note(Deviation::InvalidTnef);
        }
        if wanted && shown.is_none() {
            let (body, fits) = body(&message);
            whole &= fits;
            shown = body;
        }
        let ids = shown
            .as_ref()
            .and_then(|shown| shown.html.as_deref())
            .map(&used_ids)
            .unwrap_or_default();
        for contained in message.attachments {
            if out.len() >= MAX_PARTS {
                deviations.note(Deviation::TooManyParts);
                whole = false;
                break;
            }
            out.extend(attached(contained, out.len() + 1, &ids, &attachment.bytes));
        }
        if !whole {
            out.push(attachment);
        }
    }
    (out, shown)
}

/// By its bytes, since many programs declare it as anything; by its declaration, so that damage is noticed.
fn is_tnef(attachment: &Attachment) -> bool {
    let declared = matches!(
        attachment.content_type.as_str(),
        "application/ms-tnef" | "application/vnd.ms-tnef"
    );
    declared || (stream::is_signed(&attachment.bytes) && attachment.name.to_ascii_lowercase().ends_with(".dat"))
}

fn attached(contained: Contained<'_>, number: usize, ids: &HashSet<String>, whole: &Bytes) -> Option<Attachment> {
    let bytes = whole.slice_ref(contained.data?);
    let given = contained.name.as_deref().and_then(file_names::safe);
    let declared = contained.content_type.filter(|declared| {
        let mut sides = declared.split('/');
        let token = |side: Option<&str>| {
            side.is_some_and(|side| {
                !side.is_empty() && side.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.+_".contains(&b))
            })
        };
        declared.len() <= 127 && token(sides.next()) && token(sides.next()) && sides.next().is_none()
    });
    let content_type = if contained.is_message {
        "application/ms-tnef".to_owned()
    } else {
        declared
            .map(|declared| declared.to_lowercase())
            .or_else(|| given.as_deref().and_then(file_names::media_type).map(str::to_owned))
            .unwrap_or_else(|| "application/octet-stream".to_owned())
    };
    let content_id = contained.content_id.and_then(|id| references::id(id.as_bytes()));
    Some(Attachment {
        name: match given {
            Some(name) if contained.is_message => format!("{name}.dat"),
            Some(name) => name,
            None => file_names::made(number, &content_type),
        },
        inline: content_id.as_ref().is_some_and(|id| ids.contains(id)),
        content_id,
        content_type,
        bytes,
    })
}

/// The body to show, and whether it is whole.
fn body(message: &Message<'_>) -> (Option<Shown>, bool) {
    let mut html = message.html.clone();
    let mut text = message.text.clone().unwrap_or_default();
    let (mut fits, mut text_from_html) = (true, false);
    if html.is_none()
        && let Some(compressed) = message.rtf
    {
        let (rtf, whole) = rtf_compression::decompress(compressed);
        fits &= whole;
        match rtf::read(&rtf) {
            rtf::Content::Html(read) => html = Some(read),
            rtf::Content::Text(read) if text.trim().is_empty() => text = read,
            rtf::Content::Text(_) => {}
        }
    }
    let mut html = html.filter(|html| !html.trim().is_empty());
    if let Some(html) = &mut html {
        fits &= html.len() <= MAX_HTML;
        html.truncate(html.floor_char_boundary(MAX_HTML));
        if text.trim().is_empty() {
            text = html_text::html_to_text(html);
            text_from_html = true;
        }
    }
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "");
    text.truncate(text.trim_end().len());
    fits &= text.len() <= MAX_TEXT;
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    if !text.is_empty() {
        text.push('\n');
    }
    let found = !text.is_empty() || html.is_some();
    (
        found.then_some(Shown {
            text,
            html,
            text_from_html,
        }),
        fits,
    )
}
