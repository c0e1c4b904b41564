//! At most four requests at a time for one mailbox, Exchange's documented concurrency for an
//! application and mailbox; one more answers 429 `ApplicationThrottled`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use guichet_domain::MailboxId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const CONCURRENCY: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct Gates {
    mailboxes: Mutex<HashMap<MailboxId, Arc<Semaphore>>>,
}

impl Gates {
    /// Waits for a free place at the mailbox. `None` never happens while the engine lives: the
    /// semaphores are not closed.
    pub async fn enter(&self, mailbox: MailboxId) -> Option<OwnedSemaphorePermit> {
        let semaphore = {
            let mut mailboxes = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
            mailboxes
                .entry(mailbox)
                .or_insert_with(|| Arc::new(Semaphore::new(CONCURRENCY)))
                .clone()
        };
        semaphore.acquire_owned().await.ok()
    }
}
