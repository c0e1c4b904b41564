//! Writing MIME: a draft as it goes over the wire.
//!
//! Owns the headers Exchange writes (threading, `Thread-Topic`, `Thread-Index`, `X-MS-Has-Attach`) and the structure
//! of bodies: HTML goes out with a text alternative, inline parts beside the HTML. `Bcc` is never written.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};

use crate::mail::attachment::{AttachmentKind, DraftAttachment, Placement};
use crate::mail::body;
use crate::mail::message::{BodyKind, Content, DraftContent, Importance, Message, Person};
use crate::mail::message_input::one_line;

/// The MIME of a message: its bytes, or a draft composed.
#[must_use]
pub fn message(message: &Message) -> Bytes {
    match &message.content {
        Content::Mime(raw) => raw.bytes(),
        Content::Draft(draft) => compose(message, draft),
    }
}

fn compose(message: &Message, draft: &DraftContent) -> Bytes {
    let people = &message.people;
    let mut mail = MessageBuilder::new();
    if let Some(from) = &people.from {
        mail = mail.from(address(from));
    }
    if let Some(sender) = &people.sender {
        mail = mail.sender(address(sender));
    }
    for (name, list) in [("To", &people.to), ("Cc", &people.cc), ("Reply-To", &people.reply_to)] {
        if !list.is_empty() {
            mail = mail.header(name, Address::new_list(list.iter().map(address).collect()));
        }
    }
    mail = mail
        .header("Subject", text(&message.subject))
        .header("Thread-Topic", text(topic(&message.subject)))
        .header("Date", Date::new(message.sent))
        .header("Message-ID", raw(one_line(&message.internet_message_id)));
    if !message.conversation_index.is_empty() {
        mail = mail.header("Thread-Index", raw(STANDARD.encode(&message.conversation_index)));
    }
    if let Some(parent) = &draft.in_reply_to {
        mail = mail.header("In-Reply-To", raw(one_line(parent)));
    }
    if !draft.references.is_empty() {
        mail = mail.header("References", raw(one_line(&draft.references.join(" "))));
    }
    mail = match message.importance {
        Importance::Normal => mail,
        Importance::High => mail
            .header("Importance", raw("high".to_owned()))
            .header("X-Priority", raw("1".to_owned())),
        Importance::Low => mail
            .header("Importance", raw("low".to_owned()))
            .header("X-Priority", raw("5".to_owned())),
    };
    if message.read_receipt
        && let Some(from) = &people.from
    {
        mail = mail.header("Disposition-Notification-To", address(from));
    }
    if message.delivery_receipt
        && let Some(from) = &people.from
    {
        mail = mail.header("Return-Receipt-To", address(from));
    }
    let attached = if message.has_attachments { "yes" } else { "" };
    mail = mail
        .header("Content-Language", raw("en-US".to_owned()))
        .header("X-MS-Has-Attach", raw(attached.to_owned()));
    for (name, value) in &draft.headers {
        mail = mail.header(name.clone(), text(value));
    }
    mail = mail
        .header("MIME-Version", raw("1.0".to_owned()))
        .body(body_part(draft));
    let mut bytes = mail.write_to_vec().expect("writing to memory does not fail");
    bytes.shrink_to_fit();
    bytes.into()
}

fn text(value: &str) -> HeaderType<'_> {
    HeaderType::Text(Text::new(value))
}

fn raw(value: String) -> HeaderType<'static> {
    HeaderType::Raw(Raw::new(value))
}

fn address(person: &Person) -> Address<'_> {
    let name = (!person.name.is_empty() && person.name != person.address).then_some(&*person.name);
    Address::new_address(name, &*person.address)
}

/// A subject without its reply and forward prefixes.
#[must_use]
pub fn topic(subject: &str) -> &str {
    let mut topic = subject.trim();
    while let Some((prefix, rest)) = topic.split_once(':') {
        if !["re", "fw", "fwd", "aw", "wg", "tr", "sv"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(prefix.trim()))
        {
            break;
        }
        topic = rest.trim_start();
    }
    topic
}

fn body_part(draft: &DraftContent) -> MimePart<'_> {
    let (inline, attached): (Vec<_>, Vec<_>) = draft
        .attachments
        .iter()
        .partition(|attachment| attachment.placement == Placement::Inline && attachment.content_id.is_some());
    let body = match draft.body.kind {
        BodyKind::Text => MimePart::new("text/plain", draft.body.content.as_str()),
        BodyKind::Html => {
            let html = MimePart::new("text/html", draft.body.content.as_str());
            let text = MimePart::new("text/plain", body::to_text(&draft.body.content));
            MimePart::new("multipart/alternative", vec![text, html])
        }
    };
    let body = wrap("multipart/related", body, &inline);
    wrap("multipart/mixed", body, &attached)
}

fn wrap<'a>(kind: &'static str, body: MimePart<'a>, attachments: &[&'a Arc<DraftAttachment>]) -> MimePart<'a> {
    if attachments.is_empty() {
        return body;
    }
    let mut parts = vec![body];
    parts.extend(attachments.iter().map(|attachment| part(attachment)));
    MimePart::new(kind, parts)
}

fn part(attachment: &DraftAttachment) -> MimePart<'_> {
    let disposition = match attachment.placement {
        Placement::Attached => "attachment",
        Placement::Inline => "inline",
    };
    let disposition = ContentType::new(disposition).attribute("filename", attachment.name.as_str());
    let contents = match attachment.kind {
        // A message cannot be transfer-encoded (RFC 2046 §5.2.1): it goes in as it is.
        AttachmentKind::Item => {
            return MimePart {
                headers: vec![
                    ("Content-Type".into(), ContentType::new("message/rfc822").into()),
                    ("Content-Disposition".into(), disposition.into()),
                    ("Content-Transfer-Encoding".into(), HeaderType::Raw(Raw::new("8bit"))),
                ],
                contents: BodyPart::Binary(attachment.bytes.as_ref().into()),
            };
        }
        AttachmentKind::File | AttachmentKind::OtherItem(_) => BodyPart::Binary(attachment.bytes.as_ref().into()),
    };
    let content_type = match attachment.kind {
        AttachmentKind::OtherItem(_) => "application/json",
        AttachmentKind::File | AttachmentKind::Item => attachment.content_type.as_str(),
    };
    // Attachments are bytes: base64 keeps line ends of text files as they are.
    let encoded = MimePart {
        headers: vec![
            (
                "Content-Type".into(),
                ContentType::new(content_type)
                    .attribute("name", attachment.name.as_str())
                    .into(),
            ),
            ("Content-Disposition".into(), disposition.into()),
            ("Content-Transfer-Encoding".into(), HeaderType::Raw(Raw::new("base64"))),
        ],
        contents: BodyPart::Text(base64_lines(&contents).into()),
    };
    let encoded = match &attachment.content_id {
        Some(id) => encoded.header("Content-ID", raw(format!("<{id}>"))),
        None => encoded,
    };
    match &attachment.content_location {
        Some(location) => encoded.header("Content-Location", raw(location.clone())),
        None => encoded,
    }
}

fn base64_lines(contents: &BodyPart<'_>) -> String {
    let BodyPart::Binary(bytes) = contents else {
        return String::new();
    };
    let encoded = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 38 + 2);
    for start in (0..encoded.len()).step_by(76) {
        lines.push_str(&encoded[start..encoded.len().min(start + 76)]);
        lines.push_str("\r\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::draft::{self, Making};
    use crate::mail::fields::Fields;
    use crate::mail::message_input::MessageInput;
    use crate::mail::mime;
    use serde_json::json;

    fn composed(value: &serde_json::Value) -> (Message, Bytes) {
        let input = MessageInput::read(Fields::of(value).unwrap(), 0).unwrap();
        let making = Making {
            at: 1_736_871_099,
            message_id: "<new@contoso.example>".to_owned(),
            conversation: [7; 16],
        };
        let draft = draft::from_input(input, making).unwrap();
        let bytes = message(&draft);
        (draft, bytes)
    }

    #[test]
    fn a_draft_survives_the_wire() {
        let (_, bytes) = composed(&json!({
            "subject": "Gr\u{fc}\u{df}e \u{1f600}", "body": {"contentType": "html", "content": "<p>Hi <img src=\"cid:pic\"></p>"},
            "from": {"emailAddress": {"name": "Support, Team", "address": "support@contoso.example"}},
            "toRecipients": [{"emailAddress": {"name": "Zo\u{eb}", "address": "zoe@fabrikam.example"}}],
            "bccRecipients": [{"emailAddress": {"address": "secret@fabrikam.example"}}],
            "internetMessageHeaders": [{"name": "X-Ticket", "value": "42"}],
            "attachments": [
                {"name": "r\u{e9}sum\u{e9}.txt", "contentBytes": "YQpiDQo="},
                {"name": "pic.png", "contentBytes": "iVBORw==", "isInline": true, "contentId": "pic"},
                {"@odata.type": "#microsoft.graph.itemAttachment", "name": "inner", "item": {"subject": "inner"}},
            ],
        }));
        assert!(!String::from_utf8_lossy(&bytes).contains("secret@"));
        let (read, _) = mime::record(
            bytes.clone(),
            mime::Reception {
                at: 0,
                message_id_if_none: "",
            },
        );
        assert_eq!(&*read.subject, "Gr\u{fc}\u{df}e \u{1f600}");
        assert_eq!(&*read.internet_message_id, "<new@contoso.example>");
        assert_eq!(&*read.people.from.unwrap().name, "Support, Team");
        assert_eq!(&*read.people.to[0].name, "Zo\u{eb}");
        assert!(mime::header_lines(&bytes).contains(&("X-Ticket".to_owned(), "42".to_owned())));
        let attachments = crate::mail::attachment::from_mime(&bytes, 0);
        let file = attachments.iter().find(|found| found.name.ends_with(".txt")).unwrap();
        assert_eq!(
            (&file.bytes[..], file.name.as_str()),
            (&b"a\nb\r\n"[..], "r\u{e9}sum\u{e9}.txt")
        );
        let picture = attachments.iter().find(|found| found.name == "pic.png").unwrap();
        assert_eq!(
            (picture.placement, picture.content_id.as_deref()),
            (Placement::Inline, Some("pic"))
        );
        assert!(
            attachments
                .iter()
                .any(|found| matches!(found.kind, AttachmentKind::Item) && found.bytes.starts_with(b"Subject: inner"))
        );
        assert_eq!(body::native_of(&mime::parse(&bytes).unwrap()).kind, BodyKind::Html);
    }

    #[test]
    fn topics_lose_their_prefixes() {
        assert_eq!(topic("RE: Fwd: AW: hello: world"), "hello: world");
        assert_eq!(topic("Note: x"), "Note: x");
    }
}
