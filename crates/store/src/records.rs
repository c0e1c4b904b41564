//! The rows of the store as the rest of the program sees them.

use guichet_domain::{
    ApiKeyId, AttachmentId, BlobId, ConversationId, CredentialId, EmailAddress, FolderId, GraphFolderId, ImmutableId,
    IntegrationId, InternetMessageId, JobId, MailboxId, MessageId, SubscriptionId,
    conversation::{ConversationState, Direction},
    event::EventKind,
    loop_guard::Verdict,
    reply::Progress,
    round::Cursor,
    routing::RouteDecision,
    threading::{Evidence, Reason},
    trace::Step,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::content::{Attendee, ContentPart, Meeting, MeetingTime, PartKind, Protection, Scheme};
use std::fmt;

// ---- accounts -------------------------------------------------------------------------------

/// One connection to a tenant. There is at most one per (tenant, application name).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    pub id: IntegrationId,
    /// Directory (tenant) id, a GUID in text.
    pub tenant_id: String,
    /// Display name of the application registration.
    pub application_name: String,
    /// Application (client) id.
    pub app_id: Option<String>,
    /// Object id of the application registration.
    pub application_object_id: Option<String>,
    /// Whether Guichet made the registration; one that it found is not its own to delete.
    pub application_created: bool,
    /// Object id of the service principal (enterprise application).
    pub service_principal_id: Option<String>,
    /// Base URL of the sign-in service, for example `https://login.microsoftonline.com`.
    pub authority: String,
    /// Base URL of Graph, for example `https://graph.microsoft.com`.
    pub graph_url: String,
    /// OAuth 2.0 token endpoint (v2) that discovery gave.
    pub token_endpoint: Option<String>,
    /// `inactive` or `active`: what the operator wants.
    pub intended_state: String,
    /// `inactive`, `activating`, `active`, `deactivating` or `error`: what is.
    pub reported_state: String,
    /// Code of the finding that explains `error`; empty otherwise.
    pub reported_code: String,
    /// Why it is in `error`; empty otherwise.
    pub reported_text: String,
    /// What to do about it, a JSON object of texts by language code; empty unless in `error`.
    pub reported_fix: String,
    /// Since when state and code are so; `None` where nothing was reported yet.
    pub reported_since: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What the service reports of an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `inactive`, `activating`, `active`, `deactivating` or `error`.
    pub state: &'static str,
    /// Code of the finding that explains `error`; empty otherwise.
    pub code: String,
    /// What was seen; empty unless the state is `error`.
    pub text: String,
    /// What to do about it, a JSON object of texts by language code; empty unless in `error`.
    pub fix: String,
}

impl Report {
    /// A state that needs no explanation.
    pub fn plain(state: &'static str) -> Self {
        Self {
            state,
            code: String::new(),
            text: String::new(),
            fix: String::new(),
        }
    }
}

/// A finding as one look saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFinding {
    pub code: String,
    /// What it is about; empty if it is the whole integration.
    pub subject: String,
    /// `info`, `warning` or `error`.
    pub severity: String,
    /// What was observed.
    pub evidence: String,
}

/// A finding with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRow {
    pub code: String,
    pub subject: String,
    pub severity: String,
    /// What was observed last.
    pub evidence: String,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// When a complete look no longer saw it; `None` while it is open.
    pub resolved_at: Option<Timestamp>,
}

/// A client credential; its secret is sealed by `setup` before it comes here.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    pub id: CredentialId,
    pub integration: IntegrationId,
    /// Today always `secret`.
    pub kind: String,
    /// Microsoft's id of the credential (the portal's *secret id*).
    pub key_id: String,
    pub description: String,
    /// The sealed secret value: opaque bytes.
    pub sealed: Vec<u8>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("id", &self.id)
            .field("key_id", &self.key_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A mailbox that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    pub id: MailboxId,
    pub integration: IntegrationId,
    pub address: EmailAddress,
    /// Object id of the mailbox's user; Graph is addressed by it (an UPN can be stale).
    pub graph_user_id: String,
    pub display_name: String,
    pub enabled: bool,
    pub created_at: Timestamp,
}

/// A followed folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub id: FolderId,
    pub mailbox: MailboxId,
    pub graph_folder_id: GraphFolderId,
    /// Name under which it was configured, for example `inbox`.
    pub name: String,
    pub cursor: Cursor,
    pub epoch: i64,
    /// Time of the last commit that reached the end of a walk.
    pub synced_at: Option<Timestamp>,
}

/// Ownership of a folder for a while. Every write of the round carries `epoch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderLease {
    pub folder: Folder,
    pub epoch: i64,
    pub until: Timestamp,
}

/// A subscription for change notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub folder: FolderId,
    /// The secret that each notification must repeat.
    pub client_state: String,
    pub notification_url: String,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

// ---- ingest ---------------------------------------------------------------------------------

/// One page of a round, ready to be committed.
#[derive(Clone, Debug)]
pub struct Page {
    pub folder: FolderId,
    pub mailbox: MailboxId,
    pub epoch: i64,
    /// New items; those whose receipt exists already are skipped by the store.
    pub items: Vec<Item>,
    /// Trace steps of items that are not ingested (seen again, gone): at most one page's worth.
    pub steps: Vec<TraceStep>,
    /// The cursor after this page.
    pub cursor: Cursor,
    pub now: Timestamp,
}

/// An item of a page.
#[derive(Clone, Debug)]
pub enum Item {
    /// A mail to put into a conversation.
    Ingest(Box<IngestItem>),
    /// A mail that can't be processed; its receipt is written, its bytes are kept if there are any.
    Quarantine {
        immutable_id: ImmutableId,
        internet_message_id: Option<InternetMessageId>,
        mime: Option<BlobId>,
        size: i64,
        reason: String,
        steps: Vec<TraceStep>,
    },
}

/// A fetched, parsed, classified and routed mail. Threading is decided by the store with
/// [`guichet_domain::threading::decide`], inside the transaction.
#[derive(Clone, Debug)]
pub struct IngestItem {
    pub message: MessageId,
    /// The id a new conversation gets, if the mail opens one.
    pub new_conversation: ConversationId,
    pub immutable_id: ImmutableId,
    pub internet_message_id: Option<InternetMessageId>,
    /// Microsoft's conversationId: a hint, never a key.
    pub graph_conversation_id: Option<String>,
    pub received_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub content: MessageContent,
    pub threading: Evidence,
    pub verdict: Verdict,
    pub route: RouteDecision,
    /// SHA-256 address of the MIME as received.
    pub mime: BlobId,
    /// Its size in bytes.
    pub size: i64,
    pub attachments: Vec<NewAttachment>,
    /// Whether the outbox shall mark the mail read after the commit.
    pub mark_read: bool,
    /// Id for the mark-read job.
    pub mark_read_job: JobId,
    /// Steps up to here (seen, fetched, parsed, classified, routed). The store adds threaded and committed.
    pub steps: Vec<TraceStep>,
}

/// What is shown of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageContent {
    /// Author, as `Name <address>` parts.
    pub from: Vec<Party>,
    pub to: Vec<Party>,
    pub cc: Vec<Party>,
    pub reply_to: Vec<Party>,
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// Sanitised HTML, if the mail has HTML.
    pub html: Option<String>,
    /// Ways in which the mail deviates from the standards.
    pub deviations: Vec<String>,
    /// How `text` divides, in order and without gaps. Empty where nobody divided it: replies of ours, and
    /// mail taken in by earlier versions. It is new as a whole then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub text_parts: Vec<ContentPart>,
    /// How `html` divides, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub html_parts: Vec<ContentPart>,
    /// Language of its new text, as a code of ISO 639-1; none if it is not clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether it is signed or encrypted.
    #[serde(default)]
    pub protection: Protection,
    /// The meeting that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meeting: Option<Meeting>,
}

/// A name and an address as they stood in the mail. The address may be malformed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub name: String,
    pub address: String,
}

/// An attachment whose bytes are in the blobs already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAttachment {
    pub id: AttachmentId,
    pub name: String,
    pub content_type: String,
    pub content_id: Option<String>,
    pub inline: bool,
    pub size: i64,
    pub blob: BlobId,
}

/// What a commit did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommittedPage {
    /// Messages that are new in the ledger: message and its conversation.
    pub ingested: Vec<(MessageId, ConversationId)>,
    /// Items whose receipt existed already.
    pub known: usize,
    pub quarantined: usize,
}

// ---- reading --------------------------------------------------------------------------------

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    pub id: ConversationId,
    pub mailbox: MailboxId,
    pub subject: String,
    pub state: ConversationState,
    pub queue: String,
    pub route: Option<String>,
    pub priority: u8,
    /// Days after close within which a reply reopens it.
    pub threading_window_days: u16,
    /// The customer: author of the first inbound message (Reply-To before From).
    pub contact: Party,
    /// The conversation that this one continues after its window had passed.
    pub continues: Option<ConversationId>,
    pub message_count: i64,
    pub opened_at: Timestamp,
    pub last_activity_at: Timestamp,
    pub closed_at: Option<Timestamp>,
}

/// Which conversations to list, newest activity first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    pub state: Option<ConversationState>,
    pub queue: Option<String>,
    pub mailbox: Option<MailboxId>,
    /// Continue after this one: (last_activity_at, id) of the last row seen.
    pub after: Option<(Timestamp, ConversationId)>,
    /// 1 to 200.
    pub limit: u32,
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: MessageId,
    pub conversation: ConversationId,
    pub mailbox: MailboxId,
    pub direction: Direction,
    /// `received` for inbound; `queued`, `sent` or `failed` for outbound.
    pub state: String,
    /// Why it failed; empty otherwise.
    pub state_reason: String,
    pub immutable_id: Option<ImmutableId>,
    pub internet_message_id: Option<InternetMessageId>,
    pub content: MessageContent,
    pub mime: Option<BlobId>,
    pub size: i64,
    pub received_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    /// Why it is in its conversation; `None` for outbound.
    pub threading: Option<Reason>,
    /// The loop guard's verdict; `None` for outbound.
    pub verdict: Option<Verdict>,
    pub attachments: Vec<NewAttachment>,
}

/// A receipt: proof that a mail was dealt with once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub mailbox: MailboxId,
    pub immutable_id: ImmutableId,
    pub internet_message_id: Option<InternetMessageId>,
    /// `None` when quarantined.
    pub message: Option<MessageId>,
    /// Reason of the quarantine, if it is in it.
    pub quarantined: Option<String>,
    pub mime: Option<BlobId>,
    pub size: i64,
    pub first_seen_at: Timestamp,
}

/// An event with its place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Strictly increasing in commit order.
    pub seq: i64,
    pub at: Timestamp,
    pub kind: EventKind,
    pub mailbox: MailboxId,
    pub conversation: Option<ConversationId>,
    pub message: Option<MessageId>,
}

/// A step of a mail's way, keyed by (mailbox, immutable id).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    pub mailbox: MailboxId,
    pub immutable_id: ImmutableId,
    pub at: Timestamp,
    pub step: Step,
    /// Why or with what result, in words. No mail content.
    pub detail: String,
}

/// One mail with all its steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    pub receipt: Receipt,
    pub mailbox_address: EmailAddress,
    pub conversation: Option<ConversationId>,
    /// In the order in which they happened.
    pub steps: Vec<TraceStep>,
}

// ---- outbox ---------------------------------------------------------------------------------

/// What a job does. Stored as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobKind {
    /// Mark a mail read in its mailbox.
    MarkRead { immutable_id: ImmutableId },
    /// Try a mail again that is in quarantine.
    Replay { immutable_id: ImmutableId },
    /// Send the reply that is stored as this outbound message.
    SendReply {
        message: MessageId,
        in_reply_to: ImmutableId,
    },
}

impl JobKind {
    /// The text under which the kind is stored and shown.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MarkRead { .. } => "mark_read",
            Self::Replay { .. } => "replay",
            Self::SendReply { .. } => "send_reply",
        }
    }

    /// The mail that the job is about.
    pub const fn mail(&self) -> &ImmutableId {
        match self {
            Self::MarkRead { immutable_id } | Self::Replay { immutable_id } => immutable_id,
            Self::SendReply { in_reply_to, .. } => in_reply_to,
        }
    }
}

/// A job that this process owns until `lease_until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeasedJob {
    pub id: JobId,
    pub mailbox: MailboxId,
    pub kind: JobKind,
    /// 1 on the first attempt.
    pub attempts: u32,
    pub created_at: Timestamp,
    /// After this time a failure is final.
    pub deadline: Timestamp,
    /// Only meaningful for [`JobKind::SendReply`].
    pub progress: Progress,
    pub epoch: i64,
    pub lease_until: Timestamp,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// Finished; the job is removed.
    Done,
    /// Try again at this time, for this reason.
    Retry { at: Timestamp, reason: String },
    /// Given up, for this reason; an operator may look.
    Dead { reason: String },
}

/// A reply that a client asks for.
#[derive(Clone, Debug)]
pub struct NewReply {
    pub conversation: ConversationId,
    /// The message that is answered; `None` for the newest inbound one.
    pub answers: Option<MessageId>,
    pub message: MessageId,
    pub job: JobId,
    pub content: MessageContent,
    pub attachments: Vec<NewAttachment>,
    /// Who asked: the API key's id, in text.
    pub client: String,
    /// The client's Idempotency-Key.
    pub idempotency_key: String,
    /// Digest of the request, to tell a repeated request from a different one under the same key.
    pub request_digest: String,
    pub now: Timestamp,
    pub deadline: Timestamp,
}

/// The answer to [`NewReply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptedReply {
    /// Stored now.
    Accepted { message: MessageId },
    /// The same request was accepted before: this is its message.
    Repeated { message: MessageId },
    /// The key was used before for another request.
    KeyReused,
    /// There is no such conversation, or it has no inbound message to answer.
    NothingToAnswer,
}

/// What was found about a reply that is out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentReply {
    pub immutable_id: ImmutableId,
    pub internet_message_id: Option<InternetMessageId>,
    pub sent_at: Timestamp,
    pub mime: Option<BlobId>,
    pub size: i64,
}

/// A job that was given up, for an operator to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadJob {
    pub id: JobId,
    pub mailbox: MailboxId,
    pub kind: JobKind,
    /// How often it was tried.
    pub attempts: u32,
    pub created_at: Timestamp,
    pub died_at: Timestamp,
    pub reason: String,
}

/// A key of the HTTP API. The key itself is never stored, only its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub name: String,
    pub created_at: Timestamp,
    /// Revoked keys are kept for the record; they must be refused.
    pub revoked_at: Option<Timestamp>,
}

/// Counts for `/metrics`, `doctor` and `readyz`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub receipts: i64,
    pub messages_inbound: i64,
    pub messages_outbound: i64,
    pub conversations: i64,
    pub quarantined: i64,
    pub outbox_pending: i64,
    pub outbox_dead: i64,
    pub events: i64,
}

/// Requests to Microsoft of one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The user in the address, id or principal name; empty for requests of the application as a whole.
    pub graph_user: String,
    /// How many were sent.
    pub requests: i64,
    /// How many of them were answered 429.
    pub throttled: i64,
}
