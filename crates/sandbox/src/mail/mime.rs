//! Reading MIME: the record of a mail that arrived, its threading headers and its header lines.
//!
//! Owns leniency: every sequence of bytes becomes a message, however malformed; what cannot be read is absent, never
//! an error. It never changes the bytes. NUL characters are dropped from properties, which Exchange cannot hold.

use std::sync::LazyLock;

use bytes::Bytes;
use mail_parser::{Address, HeaderName, HeaderValue, MessageParser};

use crate::mail::attachment::{Placement, placement};
use crate::mail::body;
use crate::mail::conversation::{Ancestry, decode_thread_index};
use crate::mail::ids::{FolderKey, ItemKey};
use crate::mail::meeting::{self, ItemKind};
use crate::mail::message::{Content, Importance, Inference, Message, Origin, People, Person, Seconds};

/// Addresses kept of one header; a mail with more is deliverable, the rest shows in its MIME only.
const MAX_ADDRESSES: usize = 5_000;
/// Graph's `bodyPreview`.
pub const PREVIEW_CHARACTERS: usize = 255;

static PARSER: LazyLock<MessageParser> = LazyLock::new(MessageParser::default);

/// Parses a mail; `None` when not even a header line is found.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<mail_parser::Message<'_>> {
    PARSER.parse(bytes)
}

/// What arrives with a mail but is not part of it.
#[derive(Debug, Clone, Copy)]
pub struct Reception<'a> {
    pub at: Seconds,
    /// The Message-ID that the property shows when the mail has none; the bytes stay without.
    pub message_id_if_none: &'a str,
}

/// The record of a mail as it arrived, and its threading headers.
#[must_use]
pub fn record(bytes: Bytes, reception: Reception<'_>) -> (Message, Ancestry) {
    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut message = Message {
        key: ItemKey(0),
        folder: FolderKey(0),
        moves: 0,
        change: 0,
        log_seq: 0,
        entered: 0,
        created: reception.at,
        modified: reception.at,
        received: reception.at,
        sent: reception.at,
        size,
        is_read: false,
        is_draft: false,
        has_attachments: false,
        read_receipt: false,
        delivery_receipt: false,
        importance: Importance::Normal,
        inference: Inference::Focused,
        origin: Origin::Transported,
        kind: ItemKind::Message,
        subject: "".into(),
        preview: "".into(),
        internet_message_id: reception.message_id_if_none.into(),
        people: People::default(),
        conversation: [0; 16],
        conversation_index: Box::default(),
        categories: Box::default(),
        flag: None,
        extended: Vec::new(),
        content: Content::Mime(Bytes::new().into()),
    };
    let ancestry = fill(&mut message, &bytes, reception.at);
    message.content = Content::Mime(bytes.into());
    (message, ancestry)
}

/// Fills in what can be read.
fn fill(message: &mut Message, bytes: &[u8], received: Seconds) -> Ancestry {
    let Some(parsed) = parse(bytes) else {
        message.preview = preview(&String::from_utf8_lossy(bytes));
        return Ancestry::default();
    };
    message.subject = clean(parsed.subject().unwrap_or_default());
    message.preview = preview(&body::plain_glimpse(&parsed));
    if let Some(id) = own_message_id(&parsed) {
        message.internet_message_id = id.into();
    }
    message.people = people(&parsed);
    message.sent = parsed
        .date()
        .filter(|date| date.is_valid())
        .map(mail_parser::DateTime::to_timestamp)
        .filter(|seconds| jiff::Timestamp::from_second(*seconds).is_ok())
        .unwrap_or(received);
    message.importance = importance(&parsed);
    message.read_receipt = parsed.header(HeaderName::DispositionNotificationTo).is_some();
    message.kind = meeting::classify(&parsed);
    message.delivery_receipt = parsed.header("Return-Receipt-To").is_some();
    message.has_attachments = parsed.attachments().any(|part| placement(part) == Placement::Attached);
    ancestry_of(&parsed)
}

/// The first characters of a text, line ends as Exchange writes them.
#[must_use]
pub fn preview(text: &str) -> Box<str> {
    let mut preview = String::with_capacity(PREVIEW_CHARACTERS + 16);
    let mut left = PREVIEW_CHARACTERS;
    let mut characters = text
        .trim_start()
        .chars()
        .filter(|character| !matches!(character, '\0' | '\r'));
    while left > 0 {
        match characters.next() {
            None => break,
            Some('\n') if left >= 2 => {
                preview.push_str("\r\n");
                left -= 2;
            }
            Some('\n') => break,
            Some(character) => {
                preview.push(character);
                left -= 1;
            }
        }
    }
    preview.truncate(preview.trim_end().len());
    preview.into()
}

fn clean(text: &str) -> Box<str> {
    if text.contains('\0') {
        text.replace('\0', "").into()
    } else {
        text.into()
    }
}

fn own_message_id(parsed: &mail_parser::Message<'_>) -> Option<String> {
    let id = parsed.message_id()?.trim();
    (!id.is_empty()).then(|| format!("<{}>", clean(id)))
}

fn people(parsed: &mail_parser::Message<'_>) -> People {
    let from = first(parsed.from());
    let sender =
        first(parsed.sender()).filter(|sender| from.as_ref().is_none_or(|from| from.address != sender.address));
    People {
        from,
        sender,
        to: persons(parsed.to()),
        cc: persons(parsed.cc()),
        bcc: persons(parsed.bcc()),
        reply_to: persons(parsed.reply_to()),
    }
}

fn first(address: Option<&Address<'_>>) -> Option<Box<Person>> {
    persons(address).into_iter().next().map(Box::new)
}

fn persons(address: Option<&Address<'_>>) -> Box<[Person]> {
    let Some(address) = address else { return Box::default() };
    address
        .iter()
        .filter_map(|entry| {
            let address = entry.address.as_deref().unwrap_or_default().trim();
            let name = entry.name.as_deref().unwrap_or_default().trim();
            let shown = if name.is_empty() { address } else { name };
            (!shown.is_empty()).then(|| Person {
                name: clean(shown),
                address: clean(address),
            })
        })
        .take(MAX_ADDRESSES)
        .collect()
}

fn importance(parsed: &mail_parser::Message<'_>) -> Importance {
    let text = |name: &'static str| {
        parsed
            .header(name)
            .and_then(HeaderValue::as_text)
            .map(|value| value.trim().to_ascii_lowercase())
    };
    match text("Importance").as_deref() {
        Some("high") => return Importance::High,
        Some("low") => return Importance::Low,
        _ => {}
    }
    match text("X-Priority").as_deref().and_then(|value| value.chars().next()) {
        Some('1' | '2') => Importance::High,
        Some('4' | '5') => Importance::Low,
        _ => Importance::Normal,
    }
}

/// The threading headers of a parsed mail.
#[must_use]
pub fn ancestry_of(parsed: &mail_parser::Message<'_>) -> Ancestry {
    let ids = |value: &HeaderValue<'_>| -> Vec<String> {
        let list = match value {
            HeaderValue::TextList(list) => list.iter().map(ToString::to_string).collect(),
            HeaderValue::Text(id) => vec![id.to_string()],
            _ => Vec::new(),
        };
        list.into_iter()
            .filter(|id: &String| !id.trim().is_empty())
            .map(|id| format!("<{}>", id.trim()))
            .collect()
    };
    Ancestry {
        own: own_message_id(parsed),
        in_reply_to: ids(parsed.in_reply_to()),
        references: ids(parsed.references()),
        thread_index: parsed
            .header("Thread-Index")
            .and_then(HeaderValue::as_text)
            .and_then(decode_thread_index),
    }
}

/// The threading headers of a stored message.
#[must_use]
pub fn ancestry(message: &Message) -> Ancestry {
    match &message.content {
        Content::Mime(raw) => parse(&raw.bytes())
            .map(|parsed| ancestry_of(&parsed))
            .unwrap_or_default(),
        Content::Draft(draft) => Ancestry {
            own: Some(message.internet_message_id.to_string()),
            in_reply_to: draft.in_reply_to.iter().cloned().collect(),
            references: draft.references.clone(),
            thread_index: Some(message.conversation_index.to_vec()),
        },
    }
}

/// The header block of a mail that went through transport.
#[must_use]
pub fn transport_headers(message: &Message) -> Option<String> {
    let Content::Mime(raw) = &message.content else {
        return None;
    };
    if message.origin == Origin::Created {
        return None;
    }
    let bytes = raw.bytes();
    let end = parse(&bytes)?.root_part().offset_body;
    let block = bytes.get(..usize::try_from(end).ok()?)?;
    Some(String::from_utf8_lossy(block).replace('\0', ""))
}

/// The header lines of a mail, unfolded, in order.
#[must_use]
pub fn header_lines(bytes: &[u8]) -> Vec<(String, String)> {
    let Some(parsed) = parse(bytes) else { return Vec::new() };
    parsed
        .headers()
        .iter()
        .map(|header| {
            let name = bytes
                .get(index(header.offset_field)..index(header.offset_start))
                .map(|name| {
                    String::from_utf8_lossy(name)
                        .trim_end()
                        .trim_end_matches(':')
                        .trim_end()
                        .to_owned()
                })
                .unwrap_or_else(|| header.name().to_owned());
            let value = bytes
                .get(index(header.offset_start)..index(header.offset_end))
                .unwrap_or_default();
            (name, unfold(&String::from_utf8_lossy(value)))
        })
        .collect()
}

fn index(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn unfold(value: &str) -> String {
    value
        .chars()
        .filter(|character| !matches!(character, '\r' | '\n' | '\0'))
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &'static [u8]) -> (Message, Ancestry) {
        record(
            Bytes::from_static(bytes),
            Reception {
                at: 1_700_000_000,
                message_id_if_none: "<made@sandbox>",
            },
        )
    }

    #[test]
    fn a_plain_mail_is_read() {
        let (message, ancestry) = read(
            b"From: Ada <ada@fabrikam.example>\r\nTo: support@contoso.example, Bo <bo@x.example>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
              Date: Tue, 14 Jan 2025 18:11:42 +0200\r\nMessage-ID: <1@fabrikam.example>\r\nReferences: <a@x> <b@x>\r\nX-Priority: 1 (Highest)\r\n\r\nHello\r\nthere\r\n",
        );
        assert_eq!(&*message.subject, "Gr\u{fc}\u{df}e");
        assert_eq!(&*message.preview, "Hello\r\nthere");
        assert_eq!(&*message.internet_message_id, "<1@fabrikam.example>");
        assert_eq!(message.sent, 1_736_871_102);
        assert_eq!(message.people.to.len(), 2);
        assert_eq!(&*message.people.to[0].name, "support@contoso.example");
        assert_eq!(message.importance, Importance::High);
        assert_eq!(ancestry.references, ["<a@x>", "<b@x>"]);
    }

    #[test]
    fn any_bytes_become_a_message() {
        for bytes in [
            &b""[..],
            b"\0\0\0",
            b"no header at all",
            b"Subject: a\0b\r\nDate: nonsense\r\n\r\n\xff\xfe",
            b"\r\n\r\n",
            b":\r\n",
        ] {
            let (message, _) = record(
                Bytes::from_static(bytes),
                Reception {
                    at: 5,
                    message_id_if_none: "<made@sandbox>",
                },
            );
            assert_eq!(&*message.internet_message_id, "<made@sandbox>");
            assert_eq!(message.sent, 5);
            assert!(!message.subject.contains('\0') && !message.preview.contains('\0'));
        }
    }

    #[test]
    fn header_lines_keep_order_names_and_unfolded_values() {
        let lines = header_lines(b"Received: from a\r\n\tby b\r\nX-One: 1\r\nreceived: c\r\nSubject: x\r\n\r\nbody");
        assert_eq!(lines[0], ("Received".to_owned(), "from a\tby b".to_owned()));
        assert_eq!(lines[1].0, "X-One");
        assert_eq!(lines[2].0, "received");
    }

    #[test]
    fn previews_end_at_255_characters() {
        assert_eq!(preview(&"\u{e9}".repeat(400)).chars().count(), PREVIEW_CHARACTERS);
        assert_eq!(&*preview("\n\n a\nb\n\n"), "a\r\nb");
    }
}
