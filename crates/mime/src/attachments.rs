//! The leaves that are not shown, as attachments.
//!
//! Owns their names, types and bytes. Never leaves one out: what cannot be decoded is attached as
//! it stands. Invariant: the order is that of the mail; `inline` means that the shown HTML uses it.

use std::collections::HashSet;

use bytes::Bytes;

use crate::{
    Attachment,
    body::{self, Body},
    deviations::Deviations,
    file_names,
    headers::{self, Level},
    references,
    structure::Part,
    words,
};

/// Builds the attachments of a mail.
pub(crate) fn read(parts: &[Part<'_>], body: &Body, deviations: &mut Deviations) -> Vec<Attachment> {
    let used = body.html.as_deref().map(content_ids_in).unwrap_or_default();
    let leaves = parts.iter().enumerate().filter(|(_, part)| part.is_leaf());
    let mut out = Vec::new();
    for (index, part) in leaves {
        if body.shown.contains(&index) && !body.cut.contains(&index) {
            continue;
        }
        let bytes = body::decoded(part, deviations);
        // A mail without any text is not a mail with an empty attachment.
        if index == 0 && bytes.is_empty() && parts.len() == 1 {
            continue;
        }
        let content_type = media_type(part);
        let content_id = part.fields.first("content-id").and_then(references::id);
        let number = out.len() + 1;
        out.push(Attachment {
            name: name(part, &content_type, &bytes, number),
            inline: content_id.as_ref().is_some_and(|id| used.contains(id)),
            content_id,
            content_type,
            bytes: Bytes::from(bytes.into_owned()),
        });
    }
    out
}

fn media_type(part: &Part<'_>) -> String {
    let value = &part.content_type.value;
    let mut sides = value.split('/');
    let token = |side: Option<&str>| {
        side.is_some_and(|side| {
            !side.is_empty()
                && side
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
        })
    };
    if token(sides.next()) && token(sides.next()) && sides.next().is_none() && value.len() <= 127 {
        value.clone()
    } else {
        "application/octet-stream".to_owned()
    }
}

fn name(part: &Part<'_>, content_type: &str, bytes: &[u8], number: usize) -> String {
    let disposition = body::disposition(part);
    let given = disposition
        .get("filename")
        .or_else(|| disposition.get("name"))
        .or_else(|| part.content_type.get("name"))
        .or_else(|| part.content_type.get("filename"))
        .and_then(file_names::safe);
    let message = matches!(content_type, "message/rfc822" | "message/global");
    match given {
        Some(name) if message && !name.to_ascii_lowercase().ends_with(".eml") => format!("{name}.eml"),
        Some(name) => name,
        None if message => nested_subject(bytes).unwrap_or_else(|| file_names::made(number, content_type)),
        None => described(part).unwrap_or_else(|| file_names::made(number, content_type)),
    }
}

/// A nested message is best known by its subject.
fn nested_subject(bytes: &[u8]) -> Option<String> {
    let (fields, _) = headers::read(bytes, 0, Level::Mail, |_| false, &mut Deviations::default());
    let subject = words::decode(fields.first("subject")?);
    let subject = subject.replace(['/', '\\'], "_");
    file_names::safe(&format!("{subject}.eml"))
        .filter(|name| name.to_ascii_lowercase().ends_with(".eml") && name.len() > 4)
}

/// Some programs put the file name into the description.
fn described(part: &Part<'_>) -> Option<String> {
    let description = words::decode(part.fields.first("content-description")?);
    let extension = description.rsplit_once('.')?.1;
    let looks_like_a_file = (1..=5).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    looks_like_a_file.then(|| file_names::safe(&description)).flatten()
}

/// The content ids that HTML refers to.
pub(crate) fn content_ids_in(html: &str) -> HashSet<String> {
    let mut out = HashSet::new();
    for (at, _) in html.match_indices(':') {
        let scheme = at.checked_sub(3).and_then(|start| html.get(start..at));
        if !scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("cid")) {
            continue;
        }
        let rest = &html[at + 1..];
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | ')' | '&'))
            .unwrap_or(rest.len());
        out.insert(rest[..end].to_owned());
        out.insert(percent_decoded(&rest[..end]));
    }
    out
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, crate::transfer::hex_pair(after)) {
            (b'%', Some(value)) => {
                out.push(value);
                rest = &after[2..];
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::content_ids_in;

    #[test]
    fn content_ids_are_found_in_any_quoting() {
        let ids = content_ids_in("<img src=\"cid:a@b\"><img src=CID:c%40d ><td style='background:url(cid:e)'>x:y");
        for id in ["a@b", "c@d", "e"] {
            assert!(ids.contains(id), "{id}");
        }
        assert!(!ids.contains("y"));
    }
}
