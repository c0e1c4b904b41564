//! Delivery notifications as JSON in a text, as cloud senders post them to a topic.
//!
//! Owns the few members that say who was not reached. The JSON may be folded by the mail it came in,
//! so it is read by its members and not as a document.

use crate::{
    ParsedMail,
    report::{Action, Complaint, DeliveryReport, Original, RecipientReport, fields::Entry, status::EnhancedStatus},
};

/// Members read from one text: those of a thousand recipients.
const MAX_MEMBERS: usize = 8_000;

/// What such a text tells.
enum Told {
    Report(DeliveryReport),
    Complaint(Complaint),
}

pub(super) fn read(mail: &ParsedMail) -> Option<DeliveryReport> {
    match told(mail)? {
        Told::Report(report) => Some(report),
        Told::Complaint(_) => None,
    }
}

pub(super) fn complaint(mail: &ParsedMail) -> Option<Complaint> {
    match told(mail)? {
        Told::Complaint(complaint) => Some(complaint),
        Told::Report(_) => None,
    }
}

fn told(mail: &ParsedMail) -> Option<Told> {
    let text = mail.text.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    let members = members(text);
    let first = |wanted: &str| {
        members
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.as_str())
    };
    let kind = first("notificationType")
        .or_else(|| first("eventType"))?
        .to_ascii_lowercase();
    let original = Original {
        message_id: None,
        recipients: Vec::new(),
        subject: first("subject").unwrap_or_default().to_owned(),
    };
    match kind.as_str() {
        "complaint" => Some(Told::Complaint(Complaint {
            kind: first("complaintFeedbackType").unwrap_or("abuse").to_owned(),
            recipients: addresses(&members),
            original,
        })),
        "bounce" => Some(Told::Report(DeliveryReport {
            recipients: bounced(&members),
            original,
        })),
        "delivery" => {
            let recipients = addresses(&members).into_iter().map(|address| {
                let said = first("smtpResponse").unwrap_or_default();
                Entry {
                    address,
                    action: Some(Action::Delivered),
                    diagnostic: said.to_owned(),
                    ..Entry::default()
                }
                .judge("", "")
            });
            Some(Told::Report(DeliveryReport {
                recipients: recipients.collect(),
                original,
            }))
        }
        _ => None,
    }
}

/// Each `emailAddress` begins an entry, and the members up to the next one belong to it.
fn bounced(members: &[(&str, String)]) -> Vec<RecipientReport> {
    let mut entries: Vec<Entry> = Vec::new();
    for (name, value) in members {
        match *name {
            "emailAddress" => entries.push(Entry {
                address: value.clone(),
                action: Some(Action::Failed),
                ..Entry::default()
            }),
            "status" => {
                if let Some(entry) = entries.last_mut() {
                    entry.status = EnhancedStatus::first_in(value);
                }
            }
            "diagnosticCode" => {
                if let Some(entry) = entries.last_mut() {
                    entry.diagnostic = value.trim_start_matches("smtp;").trim().to_owned();
                }
            }
            _ => {}
        }
    }
    entries.into_iter().map(|entry| entry.judge("", "")).collect()
}

fn addresses(members: &[(&str, String)]) -> Vec<String> {
    let named: Vec<String> = members
        .iter()
        .filter(|(name, _)| *name == "emailAddress")
        .map(|(_, value)| value.clone())
        .collect();
    if !named.is_empty() {
        return named;
    }
    members
        .iter()
        .find(|(name, value)| *name == "recipients" && value.contains('@'))
        .map(|(_, value)| vec![value.clone()])
        .unwrap_or_default()
}

/// Every `"name":"value"`, and `"name":["value"` for lists; escapes are undone for quotes only.
fn members(text: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\":") {
        let name_start = rest[..at].rfind('"').map_or(0, |quote| quote + 1);
        let name = &rest[name_start..at];
        rest = &rest[at + 2..];
        let value = rest.trim_start().trim_start_matches('[');
        if let Some(inner) = value.strip_prefix('"')
            && found.len() < MAX_MEMBERS
        {
            let mut value = String::new();
            let mut escaped = false;
            for character in inner.chars() {
                match character {
                    '\\' if !escaped => escaped = true,
                    '"' if !escaped => break,
                    '\n' => {}
                    _ => {
                        value.push(character);
                        escaped = false;
                    }
                }
            }
            found.push((name, value));
        }
    }
    found
}
