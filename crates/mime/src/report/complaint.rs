//! Complaints: abuse reports (RFC 5965) and their older forms.
//!
//! Owns their recognition and what they say.

use crate::{
    ParsedMail,
    report::{Original, notification, text},
};

/// Somebody pressed the button that says spam.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    /// The feedback type, such as `abuse`, `fraud`, `auth-failure`, `not-spam`.
    pub kind: String,
    /// Recipients of the mail that is complained about, as far as they were not removed.
    pub recipients: Vec<String>,
    /// The mail that is complained about.
    pub original: Original,
}

/// Recipients of one complaint that are kept.
const MAX_RECIPIENTS: usize = 1_000;

pub(super) fn read(mail: &ParsedMail) -> Option<Complaint> {
    if let Some(complaint) = notification::complaint(mail) {
        return Some(complaint);
    }
    let part = mail
        .attachments
        .iter()
        .find(|attachment| attachment.content_type == "message/feedback-report");
    let declared = mail.content_type == "multipart/report" && mail.report_type == "feedback-report";
    if part.is_none() && !declared && !is_plain_complaint(mail) {
        return None;
    }
    let fields = part
        .map(|part| String::from_utf8_lossy(&part.bytes).into_owned())
        .unwrap_or_default();
    let all = |wanted: &str| -> Vec<String> {
        fields
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim().trim_matches(['<', '>']).to_owned())
            .take(MAX_RECIPIENTS)
            .collect()
    };
    let original = Original::find(mail, text::Split::of(mail).original);
    let mut recipients = all("Original-Rcpt-To");
    if recipients.is_empty() {
        recipients.clone_from(&original.recipients);
    }
    Some(Complaint {
        kind: all("Feedback-Type")
            .into_iter()
            .next()
            .unwrap_or_else(|| "abuse".to_owned()),
        recipients,
        original,
    })
}

/// A provider that wraps the mail it was told about, without fields: the subject says what it is,
/// and the wrapped mail is there.
fn is_plain_complaint(mail: &ParsedMail) -> bool {
    let subject = mail.subject.to_lowercase();
    let wraps = mail
        .attachments
        .iter()
        .any(|attachment| attachment.content_type == "message/rfc822");
    wraps && subject.starts_with("complaint about message from")
}
