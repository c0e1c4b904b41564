//! Automatic replies of people who are away.
//!
//! Owns to whom one is sent: once for each sender in an absence, never to machines, lists, reports or oneself, and
//! never to a null return path (RFC 3834). A reply has a null return path itself, so that two absent people do not
//! write to each other for ever.

use std::sync::RwLock;

use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::MimePart;

use crate::directory::UserRef;
use crate::mail::MailService;
use crate::mail::body;
use crate::mail::mailbox::Mailbox;
use crate::mail::mailbox_settings::{AutomaticReplies, ExternalAudience};
use crate::mail::mime;
use crate::mail::rules::facts::suppresses;
use crate::mail::transport::deliver::Arrived;
use crate::mail::transport::delivery_state::Answered;
use crate::mail::transport::envelope::Envelope;
use crate::mail::{compose, wire};

/// Senders remembered in one absence; beyond, nobody new is answered.
const MAX_ANSWERED: usize = 20_000;
/// Ancestors a reply names.
const MAX_REFERENCES: usize = 50;

impl MailService {
    /// The reply of an absent owner to a mail that has just arrived.
    pub(super) fn automatic_reply(
        &self,
        user: &UserRef,
        mailbox: &RwLock<Mailbox>,
        envelope: &Envelope,
        arrived: &Arrived,
    ) -> Option<Envelope> {
        let now = self.clock.now();
        let replies = self.read(mailbox, |mailbox| {
            let replies = &mailbox.settings.automatic_replies;
            replies.active_at(now).then(|| replies.clone())
        })?;
        let sender = envelope.mail_from.trim();
        if sender.is_empty() || !is_personal(&envelope.bytes, sender) {
            return None;
        }
        let is_own = self.recipient(sender).is_some_and(|(sender, _)| sender.id == user.id);
        if is_own {
            return None;
        }
        let is_inside = sender
            .rsplit_once('@')
            .is_some_and(|(_, domain)| self.directory.accepts_domain(domain))
            || self.recipient(sender).is_some();
        let text = match (is_inside, replies.external_audience) {
            (true, _) => &replies.internal_message,
            (false, ExternalAudience::All) => &replies.external_message,
            // The sandbox keeps no contacts, so nobody outside is one.
            (false, ExternalAudience::ContactsOnly | ExternalAudience::None) => return None,
        };
        if body::to_text(text).trim().is_empty() {
            return None;
        }
        let is_new = self.write(mailbox, |mailbox| {
            first_answer(&mut mailbox.delivery.answered, &period(&replies), sender)
        });
        if !is_new {
            return None;
        }
        let bytes = self.written(user, sender, text, arrived);
        Some(envelope.derived(String::new(), vec![sender.to_owned()], bytes.into()))
    }

    fn written(&self, user: &UserRef, sender: &str, text: &str, arrived: &Arrived) -> Vec<u8> {
        let own = user.mail.as_deref().unwrap_or(&user.user_principal_name);
        let original = &arrived.message;
        let mut references = arrived.ancestry.references.clone();
        if references.is_empty() {
            references.clone_from(&arrived.ancestry.in_reply_to);
        }
        references.retain(|id| **id != *original.internet_message_id);
        if references.len() >= MAX_REFERENCES {
            references.drain(1..=references.len() - MAX_REFERENCES + 1);
        }
        references.push(original.internet_message_id.to_string());
        let one_line = |text: &str| -> String { text.chars().filter(|letter| !letter.is_control()).collect() };
        let html = match text.contains('<') {
            true => text.to_owned(),
            false => body::document(&body::escape(text)),
        };
        let raw = |value: String| HeaderType::Raw(Raw::new(value));
        let mail = MessageBuilder::new()
            .header("From", Address::new_address(Some(user.display_name.as_str()), own))
            .header("To", raw(format!("<{}>", one_line(sender))))
            .header(
                "Subject",
                HeaderType::Text(Text::new(format!("Automatic reply: {}", original.subject))),
            )
            .header(
                "Thread-Topic",
                HeaderType::Text(Text::new(compose::topic(&original.subject).to_owned())),
            )
            .header("Date", raw(wire::rfc2822(self.clock.now())))
            .header("Message-ID", raw(self.fresh_message_id()))
            .header("In-Reply-To", raw(one_line(&original.internet_message_id)))
            .header("References", raw(one_line(&references.join(" "))))
            .header("Content-Language", raw("en-US".to_owned()))
            .header("X-Auto-Response-Suppress", raw("All".to_owned()))
            .header("Auto-Submitted", raw("auto-generated".to_owned()))
            .header(
                "X-MS-Exchange-Generated-Message-Source",
                raw("Mailbox Rules Agent".to_owned()),
            )
            .header(
                "X-MS-Exchange-Parent-Message-Id",
                raw(one_line(&original.internet_message_id)),
            )
            .header("MIME-Version", raw("1.0".to_owned()))
            .body(MimePart::new(
                "multipart/alternative",
                vec![
                    MimePart::new("text/plain", body::to_text(&html)),
                    MimePart::new("text/html", html),
                ],
            ));
        mail.write_to_vec().expect("writing to memory does not fail")
    }
}

/// The settings in short: who changes them begins a new absence.
fn period(replies: &AutomaticReplies) -> String {
    format!("{} {} {}", replies.status.as_str(), replies.start, replies.end)
}

/// Notes a sender; whether this is the first mail of the absence.
fn first_answer(answered: &mut Answered, period: &str, sender: &str) -> bool {
    if answered.period != period {
        *answered = Answered {
            period: period.to_owned(),
            ..Answered::default()
        };
    }
    answered.senders.len() < MAX_ANSWERED && answered.senders.insert(sender.to_lowercase())
}

/// Whether a person wrote it, and wants to know.
fn is_personal(mail: &[u8], sender: &str) -> bool {
    let local = sender
        .rsplit_once('@')
        .map_or(sender, |(local, _)| local)
        .to_lowercase();
    let is_machine = [
        "postmaster",
        "mailer-daemon",
        "listserv",
        "majordomo",
        "noreply",
        "no-reply",
    ]
    .iter()
    .any(|name| local == *name)
        || local.starts_with("owner-")
        || local.ends_with("-request")
        || local.starts_with("microsoftexchange");
    let Some(parsed) = mime::parse(mail) else { return false };
    if is_machine || suppresses(&parsed, &["OOF", "AutoReply", "All"]) {
        return false;
    }
    let lines = mime::header_lines(mail);
    let value = |name: &str| {
        lines
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_ascii_lowercase())
    };
    let is_automatic = value("Auto-Submitted").is_some_and(|value| !value.is_empty() && !value.starts_with("no"));
    let is_bulk = value("Precedence").is_some_and(|value| ["bulk", "list", "junk"].contains(&value.as_str()));
    let is_list = ["List-Id", "List-Unsubscribe", "List-Post", "List-Help"]
        .iter()
        .any(|name| value(name).is_some());
    let is_report = value("Content-Type").is_some_and(|value| value.starts_with("multipart/report"));
    !is_automatic && !is_bulk && !is_list && !is_report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_lists_and_reports_are_not_answered() {
        let mail = |header: &str| format!("From: a@x.example\r\n{header}\r\n\r\nbody\r\n");
        let personal = |header: &str| is_personal(mail(header).as_bytes(), "a@x.example");
        assert!(
            personal("Subject: hello")
                && personal("Auto-Submitted: no")
                && personal("X-Auto-Response-Suppress: RN, NRN")
        );
        for header in [
            "Auto-Submitted: auto-generated",
            "Auto-Submitted: auto-replied; x=y",
            "Precedence: Bulk",
            "precedence: list",
            "List-Id: <l.x.example>",
            "List-Unsubscribe: <mailto:u@x.example>",
            "X-Auto-Response-Suppress: DR, OOF, AutoReply",
            "X-Auto-Response-Suppress: All",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        ] {
            assert!(!personal(header), "{header}");
        }
        for sender in ["MAILER-DAEMON@x.example", "owner-l@x.example", "l-request@x.example"] {
            assert!(!is_personal(mail("Subject: s").as_bytes(), sender), "{sender}");
        }
    }

    #[test]
    fn a_sender_is_answered_once_in_an_absence() {
        let mut answered = Answered::default();
        assert!(first_answer(&mut answered, "a", "A@x"));
        assert!(!first_answer(&mut answered, "a", "a@x"));
        assert!(first_answer(&mut answered, "a", "b@x"));
        assert!(first_answer(&mut answered, "b", "a@x"));
    }
}
