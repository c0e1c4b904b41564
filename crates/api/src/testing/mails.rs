//! Mail in the ledger, committed as the engine does it.

use bytes::Bytes;
use guichet_domain::{
    AttachmentId, ConversationId, EmailAddress, FolderId, GraphFolderId, ImmutableId, IntegrationId, InternetMessageId,
    JobId, MailboxId, MessageId,
    loop_guard::{Author, Verdict},
    ports::{Clock, Entropy},
    round::Cursor,
    routing::{DEFAULT_QUEUE, RouteDecision},
    threading::Evidence,
    trace::Step,
};
use guichet_store::{
    ContentPart, IngestItem, Integration, Item, Mailbox, Meeting, MeetingTime, MessageContent, NewAttachment, Page,
    PartKind, Party, Protection, Scheme, Store, TraceStep,
};
use jiff::Timestamp;

use super::Fixture;

/// MIME of every received mail; not UTF-8, and with a bare line feed.
pub(crate) const RAW: &[u8] = b"Subject: x\r\n\r\n\xff\x00\n";
/// Bytes of its attachment.
pub(crate) const ATTACHED: &[u8] = b"<script>alert(1)</script>";

/// A mail in the ledger.
pub(crate) struct Received {
    pub message: MessageId,
    pub conversation: ConversationId,
    pub attachment: AttachmentId,
    pub immutable_id: String,
    pub internet_message_id: String,
}

impl Fixture {
    fn id<T>(&self, generate: fn(&dyn Clock, &dyn Entropy) -> T) -> T {
        generate(self.state.parts.clock.as_ref(), self.state.parts.entropy.as_ref())
    }

    /// A customer's mail is committed to the ledger.
    pub async fn receive(&self, subject: &str) -> Received {
        self.ingest(subject, Evidence::default()).await
    }

    /// A mail that answers `other` is committed to the ledger.
    pub async fn receive_answer(&self, other: &Received) -> Received {
        let id = InternetMessageId::parse(&other.internet_message_id).expect("id");
        self.ingest(
            "Re",
            Evidence {
                in_reply_to: vec![id],
                ..Evidence::default()
            },
        )
        .await
    }

    async fn ingest(&self, subject: &str, threading: Evidence) -> Received {
        let store = self.state.store();
        let now = self.state.parts.clock.now();
        let message = self.id(MessageId::generate);
        let attachment = self.id(AttachmentId::generate);
        let immutable_id = format!("immutable-{message}");
        let internet_message_id = format!("{message}/part@fabrikam.example");
        let mime = store.put_blob(Bytes::from_static(RAW)).await.expect("blob");
        let blob = store.put_blob(Bytes::from_static(ATTACHED)).await.expect("blob");
        let item = IngestItem {
            message,
            new_conversation: self.id(ConversationId::generate),
            immutable_id: ImmutableId::new(&immutable_id),
            internet_message_id: InternetMessageId::parse(&internet_message_id),
            graph_conversation_id: None,
            received_at: now,
            sent_at: Some(now),
            content: MessageContent {
                from: vec![Party {
                    name: "Customer".to_owned(),
                    address: "customer@fabrikam.example".to_owned(),
                }],
                to: vec![Party {
                    name: String::new(),
                    address: "support@contoso.example".to_owned(),
                }],
                subject: subject.to_owned(),
                text: "Good morning\n\nAda wrote:\n> Good evening\n".to_owned(),
                text_parts: [(PartKind::New, 14), (PartKind::Quoted, 26)]
                    .map(|(kind, length)| ContentPart { kind, length })
                    .to_vec(),
                protection: Protection {
                    signed: Some(Scheme::Smime),
                    encrypted: None,
                },
                meeting: Some(Meeting {
                    method: "request".to_owned(),
                    uid: "1".to_owned(),
                    summary: "Visit".to_owned(),
                    location: String::new(),
                    organiser: None,
                    attendees: Vec::new(),
                    start: Some(MeetingTime {
                        local: jiff::civil::date(2025, 7, 10).at(14, 0, 0, 0),
                        whole_day: false,
                        time_zone: Some("Europe/Berlin".to_owned()),
                        instant: Some(now),
                    }),
                    end: None,
                    recurs: false,
                }),
                ..MessageContent::default()
            },
            threading,
            verdict: Verdict {
                author: Author::Person,
                may_auto_answer: true,
                reasons: Vec::new(),
            },
            route: RouteDecision {
                route: None,
                queue: DEFAULT_QUEUE.to_owned(),
                priority: 5,
                threading_window_days: 30,
                reason: "test".to_owned(),
            },
            mime,
            size: i64::try_from(RAW.len()).expect("small"),
            attachments: vec![NewAttachment {
                id: attachment,
                name: "parcel \"photo\".html".to_owned(),
                content_type: "text/html".to_owned(),
                content_id: None,
                inline: false,
                size: i64::try_from(ATTACHED.len()).expect("small"),
                blob,
            }],
            mark_read: false,
            mark_read_job: self.id(JobId::generate),
            steps: vec![self.seen(&immutable_id, now)],
        };
        let committed = self.commit(Item::Ingest(Box::new(item)), now).await;
        let [(stored, conversation)] = committed[..] else {
            panic!("{} mails committed", committed.len())
        };
        assert_eq!(stored, message);
        Received {
            message,
            conversation,
            attachment,
            immutable_id,
            internet_message_id,
        }
    }

    /// A mail that can't be read is set aside.
    pub async fn set_aside(&self, reason: &str) {
        let now = self.state.parts.clock.now();
        let immutable_id = format!("immutable-{}", self.id(MessageId::generate));
        let item = Item::Quarantine {
            steps: vec![self.seen(&immutable_id, now)],
            immutable_id: ImmutableId::new(immutable_id),
            internet_message_id: None,
            mime: None,
            size: 0,
            reason: reason.to_owned(),
        };
        self.commit(item, now).await;
    }

    fn seen(&self, immutable_id: &str, at: Timestamp) -> TraceStep {
        let immutable_id = ImmutableId::new(immutable_id);
        TraceStep {
            mailbox: self.mailbox,
            immutable_id,
            at,
            step: Step::Seen,
            detail: String::new(),
        }
    }

    async fn commit(&self, item: Item, now: Timestamp) -> Vec<(MessageId, ConversationId)> {
        let page = Page {
            folder: self.folder,
            mailbox: self.mailbox,
            epoch: self.epoch,
            items: vec![item],
            steps: Vec::new(),
            cursor: Cursor::Start,
            now,
        };
        self.state.store().commit_page(page).await.expect("committed").ingested
    }
}

pub(super) async fn mailbox_in(store: &Store, clock: &dyn Clock, entropy: &dyn Entropy) -> (MailboxId, FolderId) {
    let now = clock.now();
    let integration = Integration {
        id: IntegrationId::generate(clock, entropy),
        tenant_id: "5f2c6f6e-0000-4000-8000-000000000001".to_owned(),
        application_name: "Guichet".to_owned(),
        app_id: None,
        application_object_id: None,
        application_created: false,
        service_principal_id: None,
        authority: "https://login.contoso.example".to_owned(),
        graph_url: "https://graph.contoso.example".to_owned(),
        token_endpoint: None,
        intended_state: "active".to_owned(),
        reported_state: "active".to_owned(),
        reported_code: String::new(),
        reported_text: String::new(),
        reported_fix: String::new(),
        reported_since: None,
        created_at: now,
        updated_at: now,
    };
    store.upsert_integration(&integration).await.expect("integration");
    let mailbox = Mailbox {
        id: MailboxId::generate(clock, entropy),
        integration: integration.id,
        address: EmailAddress::parse("support@contoso.example").expect("address"),
        graph_user_id: "user".to_owned(),
        display_name: "Support".to_owned(),
        enabled: true,
        created_at: now,
    };
    let mailbox = store.upsert_mailbox(&mailbox).await.expect("mailbox").id;
    let id = FolderId::generate(clock, entropy);
    let folder = store
        .ensure_folder(id, mailbox, &GraphFolderId::new("inbox"), "inbox")
        .await
        .expect("folder");
    (mailbox, folder.id)
}
