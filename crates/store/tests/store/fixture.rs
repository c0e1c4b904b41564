//! One mailbox with one folder, and mails to put into it.

use guichet_domain::{
    AttachmentId, BlobId, ConversationId, EmailAddress, FolderId, GraphFolderId, ImmutableId, IntegrationId,
    InternetMessageId, JobId, MailboxId, MessageId,
    loop_guard::{Author, Verdict},
    round::Cursor,
    routing::RouteDecision,
    threading::Evidence,
    trace::Step,
};
use guichet_store::{
    AcceptedReply, CommittedPage, Conversation, ConversationFilter, FolderLease, IngestItem, Integration, Item,
    Mailbox, Message, MessageContent, NewAttachment, NewReply, Page, Party, Store, TraceStep,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::backend;

pub const DAY: i64 = 24 * 60 * 60;

/// A fixed day, plus seconds.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + seconds).expect("time")
}

pub fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub fn message_id(n: u128) -> MessageId {
    MessageId::from_uuid(uuid(0x1000_0000 + n))
}

pub fn conversation_id(n: u128) -> ConversationId {
    ConversationId::from_uuid(uuid(0x2000_0000 + n))
}

pub fn job_id(n: u128) -> JobId {
    JobId::from_uuid(uuid(0x3000_0000 + n))
}

pub fn immutable(n: u128) -> ImmutableId {
    ImmutableId::new(format!("immutable-{n}"))
}

pub fn internet(text: &str) -> InternetMessageId {
    InternetMessageId::parse(text).expect("message id")
}

pub fn blob_id(n: u128) -> BlobId {
    BlobId::new(format!("{n:064x}"))
}

/// A store with one mailbox and one folder that is leased.
#[derive(Debug)]
pub struct World {
    pub store: Store,
    pub mailbox: MailboxId,
    pub lease: FolderLease,
}

impl World {
    /// The mailbox that every world begins with.
    pub fn first_mailbox() -> MailboxId {
        MailboxId::from_uuid(uuid(101))
    }

    pub async fn fresh() -> Self {
        Self::over(backend::fresh().await).await
    }

    pub async fn over(store: Store) -> Self {
        store.upsert_integration(&integration()).await.expect("integration");
        let mailbox = add_mailbox(&store, 1, "support@contoso.example").await;
        let lease = add_folder(&store, mailbox, 1).await;
        Self { store, mailbox, lease }
    }

    pub fn page(&self, items: Vec<Item>) -> Page {
        Page {
            folder: self.lease.folder.id,
            mailbox: self.mailbox,
            epoch: self.lease.epoch,
            items,
            steps: Vec::new(),
            cursor: Cursor::Delta("https://graph.example/delta".to_owned()),
            now: at(0),
        }
    }

    pub async fn commit(&self, mails: Vec<IngestItem>) -> CommittedPage {
        let items = mails.into_iter().map(|m| Item::Ingest(Box::new(m))).collect();
        self.store.commit_page(self.page(items)).await.expect("commit")
    }

    pub async fn conversations(&self) -> Vec<Conversation> {
        let filter = ConversationFilter {
            limit: 200,
            ..ConversationFilter::default()
        };
        self.store.conversations(&filter).await.expect("list")
    }

    pub async fn message(&self, n: u128) -> Message {
        let found = self.store.message(message_id(n)).await.expect("read");
        found.expect("message exists")
    }

    /// Where mail `n` is.
    pub async fn place(&self, n: u128) -> ConversationId {
        self.message(n).await.conversation
    }

    pub async fn accept(&self, reply: NewReply) -> AcceptedReply {
        self.store.accept_reply(reply).await.expect("accept")
    }

    /// Every number that a write could change.
    pub async fn picture(&self) -> String {
        let s = &self.store;
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            s.totals().await.expect("totals"),
            s.folders().await.expect("folders"),
            s.receipts(None, None, 1000).await.expect("receipts"),
            self.conversations().await,
            s.events_after(0, 1000).await.expect("events"),
            s.trace("immutable-1").await.expect("trace"),
            s.trace("immutable-9").await.expect("trace"),
            s.dead_jobs(1000).await.expect("dead"),
        )
    }
}

pub fn integration() -> Integration {
    Integration {
        id: IntegrationId::from_uuid(uuid(1)),
        tenant_id: "7d9c0f52-0000-4000-8000-000000000001".to_owned(),
        application_name: "Guichet".to_owned(),
        app_id: None,
        application_object_id: None,
        application_created: false,
        service_principal_id: None,
        authority: "https://login.example".to_owned(),
        graph_url: "https://graph.example".to_owned(),
        token_endpoint: None,
        intended_state: "active".to_owned(),
        reported_state: "active".to_owned(),
        reported_code: String::new(),
        reported_text: String::new(),
        reported_fix: String::new(),
        reported_since: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub async fn add_mailbox(store: &Store, n: u128, address: &str) -> MailboxId {
    let mailbox = Mailbox {
        id: MailboxId::from_uuid(uuid(100 + n)),
        integration: integration().id,
        address: EmailAddress::parse(address).expect("address"),
        graph_user_id: format!("user-{n}"),
        display_name: "Support".to_owned(),
        enabled: true,
        created_at: at(0),
    };
    store.upsert_mailbox(&mailbox).await.expect("mailbox").id
}

pub async fn add_folder(store: &Store, mailbox: MailboxId, n: u128) -> FolderLease {
    let id = FolderId::from_uuid(uuid(200 + n));
    store
        .ensure_folder(id, mailbox, &GraphFolderId::new(format!("folder-{n}")), "inbox")
        .await
        .expect("folder");
    let lease = store
        .acquire_folder(id, at(0), at(60), "node-a")
        .await
        .expect("acquire");
    lease.expect("the folder is free")
}

/// A mail from a customer; `<n@fabrikam.example>` is its Message-ID.
/// A mail that was set aside with its bytes.
pub fn set_aside(n: u128) -> Item {
    Item::Quarantine {
        immutable_id: immutable(n),
        internet_message_id: None,
        mime: Some(blob_id(n)),
        size: 12,
        reason: "the header never ends".to_owned(),
        steps: Vec::new(),
    }
}

/// A mail that is ready for the ledger.
pub fn ingest(n: u128) -> Item {
    Item::Ingest(Box::new(mail(n)))
}

pub fn mail(n: u128) -> IngestItem {
    IngestItem {
        message: message_id(n),
        new_conversation: conversation_id(n),
        immutable_id: immutable(n),
        internet_message_id: Some(internet(&format!("<{n}@fabrikam.example>"))),
        graph_conversation_id: None,
        received_at: at(i64::try_from(n).expect("small")),
        sent_at: None,
        content: content(&format!("mail {n}")),
        threading: Evidence::default(),
        verdict: Verdict {
            author: Author::Person,
            may_auto_answer: true,
            reasons: Vec::new(),
        },
        route: RouteDecision {
            route: Some("all".to_owned()),
            queue: "first-line".to_owned(),
            priority: 5,
            threading_window_days: 30,
            reason: "everything".to_owned(),
        },
        mime: blob_id(n),
        size: 100,
        attachments: Vec::new(),
        mark_read: false,
        mark_read_job: job_id(0x1000 + n),
        steps: vec![TraceStep {
            mailbox: World::first_mailbox(),
            immutable_id: immutable(n),
            at: at(0),
            step: Step::Seen,
            detail: "listed by a delta page".to_owned(),
        }],
    }
}

/// A mail that answers mail `parent` by In-Reply-To.
pub fn answer(n: u128, parent: u128) -> IngestItem {
    let mut item = mail(n);
    item.threading.in_reply_to = vec![internet(&format!("<{parent}@fabrikam.example>"))];
    item
}

pub fn content(subject: &str) -> MessageContent {
    MessageContent {
        from: vec![Party {
            name: "Customer".to_owned(),
            address: "customer@fabrikam.example".to_owned(),
        }],
        subject: subject.to_owned(),
        text: "It does not print.".to_owned(),
        ..MessageContent::default()
    }
}

pub fn attachment(n: u128, name: &str) -> NewAttachment {
    NewAttachment {
        id: AttachmentId::from_uuid(uuid(0x5000_0000 + n)),
        name: name.to_owned(),
        content_type: "application/pdf".to_owned(),
        content_id: None,
        inline: false,
        size: 7,
        blob: blob_id(0xa000 + n),
    }
}

/// A reply to conversation `n`, which is accepted at second 1000 and has an hour.
pub fn reply(n: u128, conversation: ConversationId, key: &str) -> NewReply {
    NewReply {
        conversation,
        answers: None,
        message: message_id(0x9000 + n),
        job: job_id(0x9000 + n),
        content: content("Re: mail"),
        attachments: vec![attachment(n, "manual.pdf")],
        client: "key-1".to_owned(),
        idempotency_key: key.to_owned(),
        request_digest: format!("digest of {key}"),
        now: at(1000),
        deadline: at(1000) + SignedDuration::from_hours(1),
    }
}
