//! What a machine's mail reports: a failed delivery, a complaint, an automatic answer.
//!
//! Owns the reading of delivery status notifications (RFC 3464), of the free forms that mail servers
//! use in their place, of abuse reports (RFC 5965) and of automatic replies (RFC 3834). Never fails,
//! and knows no sending program by name: it reads fields where there are fields, and else the
//! sentences that say who was not reached and why. Invariant: a mail is a delivery report only if
//! something beyond its wording says that a mail system wrote it.

mod auto_reply;
mod complaint;
mod evidence;
mod fields;
mod notification;
mod original;
mod phase;
mod prose;
mod reason;
mod reply;
mod status;
mod text;

pub use complaint::Complaint;
pub use original::Original;
pub use reason::Reason;
pub use status::EnhancedStatus;

use crate::ParsedMail;

/// What kind of mail it is, as far as reports go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nature {
    /// None of the others.
    Ordinary,
    /// An automatic answer: a vacation notice or an acknowledgement.
    AutoReply {
        /// What tells so, in words.
        why: String,
    },
    /// A mail system says what became of a mail.
    DeliveryReport(DeliveryReport),
    /// Somebody complained about a mail.
    Complaint(Complaint),
}

/// What became of one mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReport {
    /// One entry for each recipient that the report speaks of, in its order.
    pub recipients: Vec<RecipientReport>,
    /// The mail that is reported on.
    pub original: Original,
}

/// What became of a mail for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientReport {
    /// The address; empty if the report does not say.
    pub address: String,
    /// What happened.
    pub action: Action,
    /// The enhanced status code (RFC 3463), if the report has one.
    pub status: Option<EnhancedStatus>,
    /// The SMTP reply code, if the report has one.
    pub reply: Option<u16>,
    /// Why.
    pub reason: Reason,
    /// The words of the server that said so, in one line; at most [`MAX_DIAGNOSTIC`] characters.
    pub diagnostic: String,
}

/// Characters of a diagnostic that are kept: several lines of a talkative server.
pub const MAX_DIAGNOSTIC: usize = 1_000;

/// Recipients of one report that are kept; Exchange Online sends to at most 1,000.
pub const MAX_RECIPIENTS: usize = 1_000;

/// Bytes of a wrapped report that are read.
const MAX_WRAPPED: usize = 4 * 1024 * 1024;

/// What happened to a mail (RFC 3464 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It could not be delivered, and nobody tries again.
    Failed,
    /// It is still being tried.
    Delayed,
    /// It was delivered, relayed or expanded.
    Delivered,
}

/// Whether another try to the same address can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permanence {
    /// The address or its domain is not there: do not write to it again.
    Hard,
    /// The address may be good: full, filtered, blocked, refused for what was sent, or in trouble.
    Soft,
}

impl RecipientReport {
    /// Hard where the address itself is at fault, whatever the code says: some servers answer 450
    /// for an unknown user, and most refuse content with 550.
    #[must_use]
    pub fn permanence(&self) -> Permanence {
        match self.action {
            Action::Delivered => Permanence::Soft,
            Action::Failed | Action::Delayed => self.reason.permanence(),
        }
    }
}

/// Says what a mail reports.
#[must_use]
pub fn read(mail: &ParsedMail) -> Nature {
    if let Some(complaint) = complaint::read(mail) {
        return Nature::Complaint(complaint);
    }
    if let Some(report) = notification::read(mail).or_else(|| delivery_report(mail)) {
        return Nature::DeliveryReport(report);
    }
    match auto_reply::why(mail) {
        Some(why) => Nature::AutoReply { why },
        None => Nature::Ordinary,
    }
}

fn delivery_report(mail: &ParsedMail) -> Option<DeliveryReport> {
    let text = text::Split::of(mail);
    let mut entries = fields::read(mail, text.report);
    let has_fields = !entries.is_empty();
    if !has_fields && !evidence::is_delivery_report(mail, text.report) {
        return None;
    }
    if !has_fields && let Some(inner) = wrapped(mail) {
        return Some(inner);
    }
    let original = Original::find(mail, text.original);
    let told = prose::read(mail, text.report, &original);
    if has_fields {
        prose::complete(&mut entries, &told);
    } else {
        entries = told;
    }
    // What is said of nobody in particular is said of the only recipient.
    let common = if entries.len() == 1 { text.report } else { "" };
    let mut recipients: Vec<RecipientReport> = entries
        .into_iter()
        .map(|entry| entry.judge(text.report, common))
        .take(MAX_RECIPIENTS)
        .collect();
    dedupe(&mut recipients);
    Some(DeliveryReport { recipients, original })
}

/// A gateway may wrap the report that it got into one of its own, which says less.
fn wrapped(mail: &ParsedMail) -> Option<DeliveryReport> {
    let attached = mail
        .attachments
        .iter()
        .find(|attachment| attachment.content_type == "message/rfc822" && attachment.bytes.len() <= MAX_WRAPPED)?;
    let inner = crate::parse(&attached.bytes);
    // Fields alone count: the returned mail may itself speak of mail that was not delivered.
    if fields::read(&inner, "").is_empty() {
        return None;
    }
    delivery_report(&inner)
}

/// A report that names a recipient in a table and again in a sentence means the same one.
fn dedupe(recipients: &mut Vec<RecipientReport>) {
    let mut seen = std::collections::HashSet::new();
    recipients.retain(|recipient| recipient.address.is_empty() || seen.insert(recipient.address.to_lowercase()));
}
