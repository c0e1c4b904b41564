//! How much is done at a time: requests for one mailbox, rounds and mails in memory over all.
//!
//! Exchange's documented concurrency for an application and mailbox is four requests; one more
//! answers 429 `ApplicationThrottled`. The other bounds are ours: memory must not grow with the
//! number of folders.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use guichet_domain::MailboxId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

const CONCURRENCY: u32 = 4;
/// Rounds at a time. A round waits for its mailbox most of the time, and keeps at most a page of
/// prepared mails meanwhile.
const ROUNDS: usize = 64;
/// Mails whose bytes are in memory at a time; one has up to 150 MB.
const MAILS: usize = 12;

#[derive(Debug)]
pub(crate) struct Gates {
    mailboxes: Mutex<HashMap<MailboxId, Arc<Semaphore>>>,
    rounds: Semaphore,
    mails: Semaphore,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            mailboxes: Mutex::default(),
            rounds: Semaphore::new(ROUNDS),
            mails: Semaphore::new(MAILS),
        }
    }
}

impl Gates {
    /// Waits for a free place at the mailbox. `None` never happens while the engine lives: the
    /// semaphores are not closed.
    pub async fn enter(&self, mailbox: MailboxId) -> Option<OwnedSemaphorePermit> {
        self.places(mailbox).acquire_owned().await.ok()
    }

    /// Waits until nobody else is at the mailbox, and keeps it so: Outlook carries out four calls of a batch at
    /// a time, which is all that the application may have. Who comes next waits for one batch at most.
    pub async fn enter_alone(&self, mailbox: MailboxId) -> Option<OwnedSemaphorePermit> {
        self.places(mailbox).acquire_many_owned(CONCURRENCY).await.ok()
    }

    fn places(&self, mailbox: MailboxId) -> Arc<Semaphore> {
        let mut mailboxes = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(CONCURRENCY as usize));
        mailboxes.entry(mailbox).or_insert_with(new).clone()
    }

    /// Waits for its turn to make a round; folders come in the order in which they asked.
    pub async fn round(&self) -> Option<SemaphorePermit<'_>> {
        self.rounds.acquire().await.ok()
    }

    /// Waits until a mail may be taken into memory. Taken before the place at the mailbox, whose
    /// holders never wait for this.
    pub async fn mail(&self) -> Option<SemaphorePermit<'_>> {
        self.mails.acquire().await.ok()
    }
}
