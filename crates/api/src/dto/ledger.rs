//! Receipts, traces, totals and findings.

use guichet_domain::finding;
use guichet_store as store;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Proof that a mail was dealt with once. Its key is mailbox and immutable id.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipt {
    pub mailbox_id: Uuid,
    /// Graph's immutable id.
    pub immutable_id: String,
    /// Message-ID without angle brackets: many mails have none, some share one.
    pub internet_message_id: Option<String>,
    /// Its message; null if it was set aside.
    pub message_id: Option<Uuid>,
    /// Why it was set aside; null otherwise.
    pub quarantined: Option<String>,
    /// SHA-256 of the MIME as received, in hexadecimal digits.
    pub mime_sha256: Option<String>,
    /// Bytes of the MIME.
    pub size: i64,
    #[schema(value_type = String, format = DateTime)]
    pub first_seen_at: Timestamp,
}

impl From<&store::Receipt> for Receipt {
    fn from(row: &store::Receipt) -> Self {
        Self {
            mailbox_id: row.mailbox.as_uuid(),
            immutable_id: row.immutable_id.to_string(),
            internet_message_id: row.internet_message_id.as_ref().map(ToString::to_string),
            message_id: row.message.map(|id| id.as_uuid()),
            quarantined: row.quarantined.clone(),
            mime_sha256: row.mime.as_ref().map(ToString::to_string),
            size: row.size,
            first_seen_at: row.first_seen_at,
        }
    }
}

/// A job of the outbox that was given up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetter {
    pub id: Uuid,
    pub mailbox_id: Uuid,
    /// `mark_read`, `replay` or `send_reply`.
    pub kind: &'static str,
    /// Immutable id of the mail that it is about.
    pub immutable_id: String,
    /// The message that was not sent; null for other jobs.
    pub message_id: Option<Uuid>,
    /// How often it was tried.
    pub attempts: u32,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub died_at: Timestamp,
    /// Why the last attempt failed.
    pub reason: String,
}

impl From<&store::records::DeadJob> for DeadLetter {
    fn from(row: &store::records::DeadJob) -> Self {
        let message = match &row.kind {
            store::JobKind::SendReply { message, .. } => Some(message.as_uuid()),
            store::JobKind::MarkRead { .. } | store::JobKind::Replay { .. } => None,
        };
        Self {
            id: row.id.as_uuid(),
            mailbox_id: row.mailbox.as_uuid(),
            kind: row.kind.name(),
            immutable_id: row.kind.mail().to_string(),
            message_id: message,
            attempts: row.attempts,
            created_at: row.created_at,
            died_at: row.died_at,
            reason: row.reason.clone(),
        }
    }
}

/// What was decided about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decided {
    pub id: String,
}

impl Decided {
    pub(crate) fn of(id: &impl ToString) -> Self {
        Self { id: id.to_string() }
    }
}

/// The way of one mail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Trace {
    pub receipt: Receipt,
    pub mailbox_address: String,
    pub conversation_id: Option<Uuid>,
    /// In the order in which they happened.
    pub steps: Vec<TraceStep>,
}

/// A step of a mail's way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TraceStep {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// For example `seen`, `threaded` or `reply_sent`.
    pub step: &'static str,
    /// Why, or with what result.
    pub detail: String,
}

impl From<&store::Trace> for Trace {
    fn from(row: &store::Trace) -> Self {
        let steps = row.steps.iter();
        Self {
            receipt: (&row.receipt).into(),
            mailbox_address: row.mailbox_address.to_string(),
            conversation_id: row.conversation.map(|id| id.as_uuid()),
            steps: steps
                .map(|step| TraceStep {
                    at: step.at,
                    step: step.step.as_str(),
                    detail: step.detail.clone(),
                })
                .collect(),
        }
    }
}

/// Counts over the whole ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Totals {
    pub receipts: i64,
    pub messages_inbound: i64,
    pub messages_outbound: i64,
    pub conversations: i64,
    /// Mails set aside.
    pub quarantined: i64,
    /// Jobs waiting or under way.
    pub outbox_pending: i64,
    /// Jobs given up.
    pub outbox_dead: i64,
    pub events: i64,
}

impl From<store::Totals> for Totals {
    fn from(row: store::Totals) -> Self {
        Self {
            receipts: row.receipts,
            messages_inbound: row.messages_inbound,
            messages_outbound: row.messages_outbound,
            conversations: row.conversations,
            quarantined: row.quarantined,
            outbox_pending: row.outbox_pending,
            outbox_dead: row.outbox_dead,
            events: row.events,
        }
    }
}

/// The result of one check of the set-up, in words for an administrator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// Stable code, for example `credential-secret-wrong`.
    pub code: String,
    /// `ok`, `info`, `warning` or `error`.
    #[schema(value_type = String, example = "warning")]
    pub severity: finding::Severity,
    /// What it is about; empty if it is the whole integration.
    pub subject: String,
    pub title: String,
    /// What was observed.
    pub evidence: String,
    /// What to do; empty when nothing is to be done.
    pub fix: String,
    /// Where it is explained: a path below `docs/`.
    pub docs: String,
    /// Since when it is seen; null for a passed check.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_seen: Option<Timestamp>,
}

impl From<finding::Finding> for Finding {
    fn from(found: finding::Finding) -> Self {
        Self {
            code: found.code,
            severity: found.severity,
            subject: found.subject,
            title: found.title,
            evidence: found.evidence,
            fix: found.fix,
            docs: found.docs,
            first_seen: found.first_seen,
        }
    }
}

/// A finding of the past 90 days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PastFinding {
    pub code: String,
    /// What it is about; empty if it is the whole integration.
    pub subject: String,
    /// `info`, `warning` or `error`.
    pub severity: String,
    /// What was observed last.
    pub evidence: String,
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
    /// When a complete check no longer saw it; null while it is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
}

impl From<store::FindingRow> for PastFinding {
    fn from(row: store::FindingRow) -> Self {
        Self {
            code: row.code,
            subject: row.subject,
            severity: row.severity,
            evidence: row.evidence,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
            resolved_at: row.resolved_at,
        }
    }
}
