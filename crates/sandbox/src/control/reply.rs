//! How an ordinary mail program answers a mail.
//!
//! Owns the composition of the answer of an outside person: `Re:` subject, `In-Reply-To`, `References`, quoted text.
//! It reads the original from its bytes only, as any receiver would.

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::date::Date;
use mail_parser::{HeaderValue, MessageParser};
use uuid::Uuid;

use crate::mail::OutsideMail;

/// A composed answer.
#[derive(Debug)]
pub struct Reply {
    /// Who gets it.
    pub recipients: Vec<String>,
    /// Its Message-ID with angle brackets.
    pub internet_message_id: String,
    /// Its bytes.
    pub mime: Vec<u8>,
}

/// References kept in a reply: mail programs shorten longer chains, keeping the first and the last ones.
const MAX_REFERENCES: usize = 20;

/// Answers `mail` in the name of `address`; `None` when nobody can be answered.
#[must_use]
pub fn compose(mail: &OutsideMail, address: &str, text: &str, now: Timestamp, id: Uuid) -> Option<Reply> {
    let raw = mail.raw.bytes();
    let original = MessageParser::default().parse(&raw)?;
    let to = original.reply_to().or_else(|| original.from());
    let mut recipients: Vec<String> = to
        .into_iter()
        .flat_map(mail_parser::Address::iter)
        .filter_map(|to| to.address().map(str::to_owned))
        .collect();
    if recipients.is_empty() && !mail.mail_from.is_empty() {
        recipients.push(mail.mail_from.clone());
    }
    if recipients.is_empty() {
        return None;
    }
    let subject = original.subject().unwrap_or_default();
    let is_reply = subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:"));
    let subject = if is_reply {
        subject.to_owned()
    } else {
        format!("Re: {subject}")
    };
    let message_id = original.message_id().map(str::to_owned);
    let references = references(original.references(), message_id.as_deref());
    let quoted = original.body_text(0).unwrap_or_default();
    let quoted: String = quoted.lines().map(|line| format!("> {line}\r\n")).collect();
    let sender = original
        .from()
        .and_then(|from| from.first())
        .and_then(|from| from.address())
        .unwrap_or_default();
    let date = original
        .date()
        .map(mail_parser::DateTime::to_rfc822)
        .unwrap_or_default();
    let body = format!("{text}\r\n\r\nOn {date}, {sender} wrote:\r\n{quoted}");
    let domain = address.split('@').nth(1).unwrap_or("outside.example");
    let own_id = format!("{}@{domain}", id.simple());
    let mut builder = MessageBuilder::new()
        .from(address)
        .to(recipients.clone())
        .subject(subject)
        .date(Date::new(now.as_second()))
        .message_id(own_id.clone())
        .text_body(body);
    if let Some(message_id) = message_id {
        builder = builder.in_reply_to(message_id);
    }
    if !references.is_empty() {
        builder = builder.references(references);
    }
    let mime = builder.write_to_vec().ok()?;
    Some(Reply {
        recipients,
        internet_message_id: format!("<{own_id}>"),
        mime,
    })
}

fn references(earlier: &HeaderValue<'_>, message_id: Option<&str>) -> Vec<String> {
    let mut ids: Vec<String> = match earlier {
        HeaderValue::Text(id) => vec![id.to_string()],
        HeaderValue::TextList(ids) => ids.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    ids.extend(message_id.map(str::to_owned));
    if ids.len() > MAX_REFERENCES {
        ids.drain(1..=ids.len() - MAX_REFERENCES);
    }
    ids
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn sent(raw: &'static str) -> OutsideMail {
        OutsideMail {
            seq: 1,
            mail_from: "support@contoso.example".to_owned(),
            recipients: vec!["customer@outside.example".to_owned()],
            internet_message_id: None,
            subject: None,
            sent_at: Timestamp::UNIX_EPOCH,
            raw: Bytes::from_static(raw.as_bytes()).into(),
        }
    }

    #[test]
    fn a_reply_names_what_it_answers() {
        let mail = sent(
            "From: Support <support@contoso.example>\r\nReply-To: help@contoso.example\r\nSubject: Your order\r\nMessage-ID: <b@contoso.example>\r\nReferences: <a@outside.example>\r\nDate: Mon, 1 Jun 2026 10:00:00 +0000\r\n\r\nIt is on its way.\r\n",
        );
        let reply = compose(
            &mail,
            "customer@outside.example",
            "Thank you.",
            Timestamp::UNIX_EPOCH,
            Uuid::nil(),
        )
        .expect("there is a sender");
        assert_eq!(reply.recipients, ["help@contoso.example"]);
        let parsed = MessageParser::default().parse(&reply.mime).expect("own mail parses");
        assert_eq!(parsed.subject(), Some("Re: Your order"));
        assert_eq!(parsed.in_reply_to().as_text(), Some("b@contoso.example"));
        assert_eq!(
            parsed
                .references()
                .as_text_list()
                .map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>()),
            Some(vec!["a@outside.example".to_owned(), "b@contoso.example".to_owned()])
        );
        let text = parsed.body_text(0).expect("a text");
        assert!(text.starts_with("Thank you."));
        assert!(text.contains("> It is on its way."));
    }

    #[test]
    fn a_mail_without_sender_cannot_be_answered() {
        let mut mail = sent("Subject: x\r\n\r\ny\r\n");
        mail.mail_from = String::new();
        assert!(
            compose(
                &mail,
                "customer@outside.example",
                "",
                Timestamp::UNIX_EPOCH,
                Uuid::nil()
            )
            .is_none()
        );
    }
}
