//! Delivery reports as Exchange Online writes them (RFC 3464): non-delivery, delay, and receipts.
//!
//! Owns the structure: a human part in text and HTML, `message/delivery-status`, and the original. A report has a null
//! return path and answers the original by `In-Reply-To`; it is never made for a mail without a sender.

use jiff::{SignedDuration, Timestamp};
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};
use uuid::Uuid;

use crate::mail::transport::HOST;
use crate::mail::transport::envelope::Envelope;
use crate::mail::transport::report_text::{self, Kind, Outcome};
use crate::mail::{compose, mime, wire};

/// Originals above this come back without their body.
const MAX_RETURNED: usize = 10 * 1024 * 1024;
/// Header bytes shown to people.
const MAX_SHOWN_HEADERS: usize = 64 * 1024;
/// Recipients named in one report; a mail has at most a thousand.
pub const MAX_OUTCOMES: usize = 1_000;

/// Who the report goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A mailbox of the tenant.
    Inside,
    Outside,
}

/// Everything a report is made of.
#[derive(Debug)]
pub struct Report<'a> {
    pub kind: Kind,
    pub original: &'a Envelope,
    pub outcomes: &'a [Outcome<'a>],
    pub audience: Audience,
    /// The tenant's domain.
    pub domain: &'a str,
    pub at: Timestamp,
    /// When the original was accepted.
    pub arrived: Timestamp,
    /// How long delivery is still tried, for a delay.
    pub retry_until: Option<Timestamp>,
    pub id: Uuid,
}

impl Report<'_> {
    /// The report's bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let parsed = mime::parse(&self.original.bytes);
        let subject = parsed.as_ref().and_then(|mail| mail.subject()).unwrap_or_default();
        let subject: String = subject.chars().filter(|letter| !letter.is_control()).collect();
        let (fields, _) = wire::split(&self.original.bytes);
        let headers: Vec<u8> = fields.iter().flat_map(|field| field.bytes.iter().copied()).collect();
        let shown = String::from_utf8_lossy(&headers[..headers.len().min(MAX_SHOWN_HEADERS)]).into_owned();
        let mut mail = MessageBuilder::new()
            .header("From", raw(self.author()))
            .header("To", raw(format!("<{}>", self.original.mail_from)))
            .header("Date", raw(wire::rfc2822(self.at)))
            .header("Message-ID", raw(format!("<{}@{HOST}>", self.id)));
        if self.kind == Kind::Failed {
            mail = mail.header("X-MS-Exchange-Message-Is-Ndr", raw(String::new()));
        }
        if let Some(id) = parsed.as_ref().and_then(|mail| mail.message_id()) {
            let id: String = id.chars().filter(|letter| !letter.is_control()).collect();
            mail = mail
                .header("In-Reply-To", raw(format!("<{id}>")))
                .header("References", raw(format!("<{id}>")));
        }
        let topic = compose::topic(&subject).to_owned();
        let full_subject = format!("{}{subject}", self.kind.subject_prefix());
        mail = mail
            .header("Thread-Topic", HeaderType::Text(Text::new(topic)))
            .header("Subject", HeaderType::Text(Text::new(full_subject)))
            .header("Content-Language", raw("en-US".to_owned()))
            .header("Auto-Submitted", raw("auto-replied".to_owned()))
            .header("MIME-Version", raw("1.0".to_owned()))
            .body(self.body(&shown, &subject, &headers));
        mail.write_to_vec().expect("writing to memory does not fail")
    }

    fn author(&self) -> String {
        match self.audience {
            Audience::Inside => {
                format!(
                    "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{}>",
                    self.domain
                )
            }
            Audience::Outside => format!("<postmaster@{}>", self.domain),
        }
    }

    fn body(&self, shown: &str, subject: &str, headers: &[u8]) -> MimePart<'static> {
        let text = report_text::plain(self.kind, self.outcomes, HOST, shown, subject);
        let html = report_text::html(self.kind, self.outcomes, HOST, shown, subject);
        let human = MimePart {
            headers: vec![(
                "Content-Type".into(),
                raw("multipart/alternative; differences=Content-Type".to_owned()),
            )],
            contents: BodyPart::Multipart(vec![
                MimePart::new("text/plain", text),
                MimePart::new("text/html", html),
            ]),
        };
        let status = verbatim("message/delivery-status", "7bit", self.status().into_bytes());
        let mut parts = vec![human, status];
        if self.kind != Kind::Delivered && self.kind != Kind::Relayed {
            let returned = if self.original.bytes.len() > MAX_RETURNED {
                [headers, b"\r\n"].concat()
            } else {
                self.original.bytes.to_vec()
            };
            let encoding = if returned.is_ascii() { "7bit" } else { "8bit" };
            parts.push(verbatim("message/rfc822", encoding, returned));
        }
        MimePart {
            headers: vec![(
                "Content-Type".into(),
                raw("multipart/report; report-type=delivery-status".to_owned()),
            )],
            contents: BodyPart::Multipart(parts),
        }
    }

    /// The machine-readable part.
    fn status(&self) -> String {
        let mut status = format!(
            "Reporting-MTA: dns;{HOST}\r\nArrival-Date: {}\r\n",
            wire::rfc2822(self.arrived)
        );
        for outcome in self.outcomes.iter().take(MAX_OUTCOMES) {
            let address = recipient(outcome.address);
            status.push_str(&format!(
                "\r\nFinal-Recipient: {address}\r\nAction: {}\r\n",
                self.kind.action()
            ));
            match outcome.failure {
                None => status.push_str("Status: 2.0.0\r\n"),
                Some(failure) => {
                    status.push_str(&format!(
                        "Status: {}\r\nDiagnostic-Code: smtp;{}\r\n",
                        seven_bit(&failure.status),
                        seven_bit(&failure.reply())
                    ));
                    if let Some(remote) = &failure.remote {
                        status.push_str(&format!("Remote-MTA: dns;{}\r\n", seven_bit(remote)));
                    }
                }
            }
            if let Some(until) = self.retry_until {
                status.push_str(&format!("Will-Retry-Until: {}\r\n", wire::rfc2822(until)));
            }
            status.push_str(&format!("X-Display-Name: {}\r\n", seven_bit(outcome.address)));
        }
        status
    }
}

/// When a mail that came at `arrived` is given up.
#[must_use]
pub fn expiry(arrived: Timestamp, seconds: u32) -> Timestamp {
    arrived
        .checked_add(SignedDuration::from_secs(i64::from(seconds)))
        .unwrap_or(Timestamp::MAX)
}

fn raw(value: String) -> HeaderType<'static> {
    HeaderType::Raw(Raw::new(value))
}

fn verbatim(kind: &'static str, encoding: &'static str, bytes: Vec<u8>) -> MimePart<'static> {
    MimePart {
        headers: vec![
            ("Content-Type".into(), raw(kind.to_owned())),
            ("Content-Transfer-Encoding".into(), raw(encoding.to_owned())),
        ],
        contents: BodyPart::Binary(bytes.into()),
    }
}

/// An address of the report, by RFC 6533 where it is not ASCII.
fn recipient(address: &str) -> String {
    if address.is_ascii() {
        return format!("rfc822;{address}");
    }
    let encoded: String = address
        .chars()
        .map(|letter| match letter {
            letter if letter.is_ascii() => letter.to_string(),
            letter => format!("\\x{{{:X}}}", u32::from(letter)),
        })
        .collect();
    format!("utf-8;{encoded}")
}

fn seven_bit(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            letter if letter.is_control() => ' ',
            letter if letter.is_ascii() => letter,
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mail::transport::envelope::{Arrival, Failure};

    fn envelope(mail: &str) -> Envelope {
        Envelope {
            mail_from: "support@contoso.example".to_owned(),
            recipients: vec!["nobody@contoso.example".to_owned()],
            bytes: Bytes::copy_from_slice(mail.as_bytes()),
            arrival: Arrival::Sent,
            generation: 0,
            delivery_receipt: false,
            forwarded: false,
        }
    }

    fn written(original: &Envelope, failure: &Failure, address: &str) -> String {
        let outcomes = [Outcome {
            address,
            failure: Some(failure),
        }];
        let report = Report {
            kind: Kind::Failed,
            original,
            outcomes: &outcomes,
            audience: Audience::Inside,
            domain: "contoso.example",
            at: Timestamp::UNIX_EPOCH,
            arrived: Timestamp::UNIX_EPOCH,
            retry_until: None,
            id: Uuid::from_u128(1),
        };
        String::from_utf8_lossy(&report.write()).into_owned()
    }

    #[test]
    fn a_report_has_the_parts_of_rfc_3464_and_exchanges_headers() {
        let original = envelope("Message-ID: <m@x>\r\nSubject: Re: Gr\u{fc}\u{df}e\r\n\r\nbody\u{e9}\r\n");
        let text = written(
            &original,
            &Failure::unknown_recipient("nobody@contoso.example"),
            "nobody@contoso.example",
        );
        for needed in [
            "From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.example>\r\n",
            "X-MS-Exchange-Message-Is-Ndr: \r\n",
            "In-Reply-To: <m@x>\r\n",
            "References: <m@x>\r\n",
            "Auto-Submitted: auto-replied\r\n",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=\"",
            "Content-Type: multipart/alternative; differences=Content-Type; boundary=\"",
            "Content-Type: message/delivery-status\r\n",
            "Final-Recipient: rfc822;nobody@contoso.example\r\nAction: failed\r\nStatus: 5.1.10\r\n",
            "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; ",
            "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nMessage-ID: <m@x>\r\n",
        ] {
            assert!(text.contains(needed), "{needed}\n{text}");
        }
        let parsed = mime::parse(text.as_bytes()).unwrap();
        assert_eq!(parsed.subject(), Some("Undeliverable: Re: Gr\u{fc}\u{df}e"));
        let human = parsed.body_text(0).unwrap();
        assert!(
            human.starts_with("Delivery has failed to these recipients or groups:"),
            "{human}"
        );
        assert!(human.contains("Generating server: ") && human.contains("Original message headers:"));
        assert!(parsed.body_html(0).unwrap().contains("mailto:nobody@contoso.example"));
    }

    #[test]
    fn what_a_server_said_cannot_forge_fields() {
        let failure = Failure {
            remote: Some("mx\r\nX: y".to_owned()),
            ..Failure::own(550, "5.7.1", "no\r\nAction: delivered \u{e9}")
        };
        let text = written(
            &envelope("Subject: s\r\n X-Fold: t\r\n\r\n"),
            &failure,
            "\u{e9}@x.example",
        );
        assert!(
            text.contains("Diagnostic-Code: smtp;550 5.7.1 no  Action: delivered ?\r\nRemote-MTA: dns;mx  X: y\r\n"),
            "{text}"
        );
        assert!(text.contains("Final-Recipient: utf-8;\\x{E9}@x.example\r\n"));
    }

    #[test]
    fn large_originals_come_back_without_their_body() {
        let large = format!("Subject: large\r\n\r\n{}", "x".repeat(MAX_RETURNED));
        let text = written(&envelope(&large), &Failure::mailbox_full(), "a@x.example");
        assert!(text.len() < 20_000 && text.contains("Subject: large"));
    }
}
