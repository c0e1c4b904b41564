//! The people around the nodes: customers who write and answer, agents who reply.
//!
//! Owns the list of what was delivered and accepted, which is what the oracle compares the ledger with. An agent's
//! program does as the API demands: it repeats a request under the same key until it has an answer.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use guichet_domain::{ConversationId, ImmutableId, JobId, MailboxId, MessageId, ports::Clock};
use guichet_engine::EngineConfig;
use guichet_graph::GraphClient;
use guichet_store::{
    Store,
    records::{AcceptedReply, MessageContent, NewAttachment, NewReply},
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    dice::Dice,
    letters::{self, Place},
    node::Census,
    tenant::{Asked, Broken, Tenant},
    time::VirtualTime,
    trace::Trace,
};

/// Pause of an agent's program before it repeats a request, or looks again.
const AGAIN: Duration = Duration::from_secs(3);
/// Bytes of an attachment that needs an upload session.
const UPLOADED: usize = 3_300_000;
/// How often a customer looks for a reply before giving up to answer it.
const LOOKS: u32 = 40;

/// A mail that lies in an inbox.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub immutable_id: String,
    pub bytes: Bytes,
}

/// A reply that was accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub message: MessageId,
    pub customer: String,
    /// What the agent wrote.
    pub text: String,
}

/// An exchange of one customer with one mailbox.
#[derive(Debug)]
pub struct Thread {
    pub number: usize,
    pub customer: String,
    pub address: String,
    pub mailbox: MailboxId,
    /// In the order of their arrival.
    pub delivered: Mutex<Vec<Delivered>>,
    pub accepted: Mutex<Vec<Accepted>>,
    /// Mails that a person has moved away in the mailbox, at least for a while.
    pub moved: Mutex<BTreeSet<String>>,
}

impl Thread {
    /// A copy of what was moved so far.
    pub fn moved(&self) -> BTreeSet<String> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A copy of what was delivered so far.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A copy of what was accepted so far.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn arrived(&self, mail: Delivered) {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
    }
}

/// Everything that people need.
#[derive(Debug)]
pub struct World {
    pub seed: u64,
    pub time: Arc<VirtualTime>,
    pub trace: Arc<Trace>,
    pub tenant: Arc<Tenant>,
    /// The database, without interference.
    pub store: Store,
    pub census: Arc<Census>,
    pub threads: Vec<Arc<Thread>>,
    /// When people stop.
    pub until: Timestamp,
}

#[derive(Debug)]
struct Now(Timestamp);

impl Clock for Now {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// What the agent writes.
fn text_of(key: &str) -> String {
    format!("This is the answer: {key}.")
}

impl World {
    fn is_open(&self) -> bool {
        self.time.now() < self.until
    }

    /// A customer writes some mails, as time goes by.
    pub async fn customer(self: Arc<Self>, thread: Arc<Thread>) -> Asked<()> {
        let dice = Dice::new(self.seed, &format!("customer {}", thread.number));
        let mails = dice.between(1, 4);
        self.time.sleep(dice.pause(500, 90_000)).await;
        for number in 0..usize::try_from(mails).unwrap_or(1) {
            if !self.is_open() {
                break;
            }
            let place = Place {
                customer: &thread.customer,
                mailbox: &thread.address,
                thread: thread.number,
                number,
                at: self.time.now(),
            };
            let bytes = letters::compose(&dice, &place);
            self.deliver(&thread, bytes.clone()).await?;
            // Mail is doubled on its way now and then: the same Message-ID, and yet two mails. A first one names no
            // other, so its double would open a conversation of its own.
            if number > 0 && dice.chance(800) {
                self.time.sleep(dice.pause(0, 4_000)).await;
                self.deliver(&thread, bytes).await?;
            }
            self.time.sleep(dice.pause(50, 60_000)).await;
        }
        Ok(())
    }

    async fn deliver(&self, thread: &Thread, bytes: Bytes) -> Asked<()> {
        let immutable_id = self.tenant.deliver(&thread.address, bytes.clone()).await?;
        self.trace
            .note(format_args!("thread {}: {immutable_id} arrives", thread.number));
        thread.arrived(Delivered { immutable_id, bytes });
        Ok(())
    }

    /// Somebody works in the mailbox by hand: moves mails away, and some of them back.
    pub async fn meddler(self: Arc<Self>, thread: Arc<Thread>, observer: GraphClient, user: String) -> Asked<()> {
        let dice = Dice::new(self.seed, &format!("meddler {}", thread.number));
        if !dice.chance(2_000) {
            return Ok(());
        }
        while self.is_open() {
            self.time.sleep(dice.pause(500, 40_000)).await;
            let Some(mail) = dice.pick(&thread.delivered()).cloned() else {
                continue;
            };
            let id = mail.immutable_id;
            self.trace
                .note(format_args!("thread {}: {id} is moved away", thread.number));
            let moved = || thread.moved.lock().unwrap_or_else(PoisonError::into_inner);
            if !moved().insert(id.clone()) {
                continue;
            }
            observer.move_message(&user, &id, "archive").await?;
            if dice.chance(7_000) {
                self.time.sleep(dice.pause(0, 30_000)).await;
                self.trace
                    .note(format_args!("thread {}: {id} is moved back", thread.number));
                observer.move_message(&user, &id, "inbox").await?;
            }
        }
        Ok(())
    }

    /// An agent replies to a customer some times.
    pub async fn agent(self: Arc<Self>, thread: Arc<Thread>) -> Asked<()> {
        let dice = Dice::new(self.seed, &format!("agent {}", thread.number));
        let replies = dice.between(0, 3);
        for number in 0..replies {
            self.time.sleep(dice.pause(10_000, 90_000)).await;
            let Some(conversation) = self.conversation(&thread).await? else {
                return Ok(());
            };
            let message = self.reply(&thread, conversation, number, &dice).await?;
            if let Some(message) = message
                && dice.chance(3_000)
            {
                self.answer(&thread, message).await?;
            }
        }
        Ok(())
    }

    /// The conversation of a thread, as soon as it is in the ledger and while people work.
    async fn conversation(&self, thread: &Thread) -> Asked<Option<ConversationId>> {
        while self.is_open() {
            if let Some(first) = thread.delivered().first() {
                let id = ImmutableId::new(first.immutable_id.clone());
                if let Some(message) = self.store.message_by_immutable_id(thread.mailbox, &id).await? {
                    return Ok(Some(message.conversation));
                }
            }
            self.time.sleep(AGAIN).await;
        }
        Ok(None)
    }

    /// Asks until there is an answer, whichever node gives it.
    async fn reply(
        &self,
        thread: &Thread,
        conversation: ConversationId,
        number: u64,
        dice: &Dice,
    ) -> Asked<Option<MessageId>> {
        let idempotency_key = format!("thread {} reply {number}", thread.number);
        let attachments = self.attachments(dice).await?;
        loop {
            let Some(living) = self.census.any(dice) else {
                self.time.sleep(AGAIN).await;
                continue;
            };
            let clock = Now(self.time.now());
            let reply = NewReply {
                conversation,
                answers: None,
                message: MessageId::generate(&clock, dice),
                job: JobId::generate(&clock, dice),
                content: MessageContent {
                    text: text_of(&idempotency_key),
                    ..MessageContent::default()
                },
                attachments: attachments.clone(),
                client: "agents".to_owned(),
                idempotency_key: idempotency_key.clone(),
                request_digest: idempotency_key.clone(),
                now: clock.now(),
                deadline: clock.now() + EngineConfig::REPLY_DEADLINE,
            };
            // The node may die meanwhile: then there is no answer, and the program asks again.
            let asked = tokio::select! {
                biased;
                asked = living.store.accept_reply(reply) => asked.ok(),
                () = self.time.sleep(Duration::from_secs(30)) => None,
            };
            match asked {
                Some(AcceptedReply::Accepted { message } | AcceptedReply::Repeated { message }) => {
                    living.handle.outbox_changed();
                    self.trace
                        .note(format_args!("thread {}: reply {message} is accepted", thread.number));
                    let customer = thread.customer.clone();
                    let accepted = Accepted {
                        message,
                        customer,
                        text: text_of(&idempotency_key),
                    };
                    thread
                        .accepted
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(accepted);
                    return Ok(Some(message));
                }
                Some(other) => return Err(Broken(format!("a reply was not accepted: {other:?}"))),
                None => self.time.sleep(AGAIN).await,
            }
        }
    }

    async fn attachments(&self, dice: &Dice) -> Asked<Vec<NewAttachment>> {
        let mut attachments = Vec::new();
        for number in 0..dice.below(3) {
            let mut bytes = format!("attachment {number} {:x}", dice.word()).into_bytes();
            if dice.chance(150) {
                // More than one request takes: it goes up in slices.
                bytes.resize(UPLOADED, b'.');
            }
            let bytes = Bytes::from(bytes);
            attachments.push(NewAttachment {
                id: guichet_domain::AttachmentId::generate(&Now(self.time.now()), dice),
                name: format!("file{number}.txt"),
                content_type: "text/plain".to_owned(),
                content_id: None,
                inline: false,
                size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
                blob: self.store.put_blob(bytes).await?,
            });
        }
        Ok(attachments)
    }

    /// The customer answers a reply, once it is there.
    async fn answer(&self, thread: &Thread, message: MessageId) -> Asked<()> {
        for _ in 0..LOOKS {
            if !self.is_open() {
                return Ok(());
            }
            let sent = self.store.message(message).await?.and_then(|it| it.internet_message_id);
            if let Some(id) = sent {
                let outside = self.tenant.outside().await?;
                let found = outside.iter().find(|mail| mail.internet_message_id == id.bracketed());
                let Some(mail) = found else {
                    return Ok(());
                };
                let path = format!("/outside/{}/reply/{}", thread.customer, mail.seq);
                let answer = self.tenant.order("POST", &path, &json!({"text": "Thank you."})).await?;
                let immutable_id = answer["delivered"][0]["immutable_id"].as_str().unwrap_or_default();
                let bytes = self.tenant.mime(&thread.address, immutable_id).await?;
                self.trace
                    .note(format_args!("thread {}: answer {immutable_id} arrives", thread.number));
                thread.arrived(Delivered {
                    immutable_id: immutable_id.to_owned(),
                    bytes,
                });
                return Ok(());
            }
            self.time.sleep(AGAIN).await;
        }
        Ok(())
    }
}
