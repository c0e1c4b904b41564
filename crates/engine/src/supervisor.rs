//! Starts the engine's tasks, restarts the ones that panic, and ends them all.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use guichet_domain::{EmailAddress, MailboxId};
use guichet_store::records::Mailbox;
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    Nodes,
    context::{Context, Parsing, Parts},
    deliver,
    gate::Gates,
    handle::{Handle, KnownFolder},
    janitor,
    status::FolderStatus,
    subscribe, sync,
};

/// Pause before a task that panicked is started again.
const RESTART_PAUSE: Duration = Duration::from_secs(5);
/// How long the tasks get to end by themselves on shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// Why the engine can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The ledger can't be read.
    #[error(transparent)]
    Store(#[from] guichet_store::Error),
    /// There is nothing to serve.
    #[error("no mailbox is connected: run `guichet connect apply` first")]
    NoMailbox,
}

/// The running engine.
#[derive(Debug)]
pub struct Engine {
    context: Arc<Context>,
    tasks: JoinSet<()>,
}

impl Engine {
    /// Starts a worker for each folder of each enabled mailbox, the keeper of the subscriptions and
    /// the delivery.
    ///
    /// # Errors
    /// [`StartError`] if the store fails or no mailbox is connected.
    pub async fn start(parts: Parts, handle: Handle) -> Result<Self, StartError> {
        Self::begin(parts, handle, Parsing::OnThreads).await
    }

    /// Like [`start`](Self::start), without a thread besides the runtime's: for simulations, whose every run
    /// must be the same.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    #[doc(hidden)]
    pub async fn start_in_place(parts: Parts, handle: Handle) -> Result<Self, StartError> {
        Self::begin(parts, handle, Parsing::InPlace).await
    }

    async fn begin(parts: Parts, handle: Handle, parsing: Parsing) -> Result<Self, StartError> {
        let mailboxes: HashMap<MailboxId, Mailbox> = parts
            .store
            .mailboxes()
            .await?
            .into_iter()
            .filter(|m| m.enabled)
            .map(|m| (m.id, m))
            .collect();
        if mailboxes.is_empty() {
            return Err(StartError::NoMailbox);
        }
        let folders: Vec<_> = parts
            .store
            .folders()
            .await?
            .into_iter()
            .filter(|f| mailboxes.contains_key(&f.mailbox))
            .collect();
        let own_addresses: Vec<EmailAddress> = mailboxes.values().map(|m| m.address.clone()).collect();
        let context = Arc::new(Context {
            store: parts.store,
            graph: parts.graph,
            time: parts.time,
            clock: parts.clock,
            entropy: parts.entropy,
            tokens: parts.tokens,
            config: parts.config,
            gates: Gates::default(),
            handle,
            own_addresses,
            mailboxes,
            stop: CancellationToken::new(),
            parsing,
        });
        let shared_work = context.config.nodes == Nodes::Many;
        context.handle.shared.shared_work.store(shared_work, Ordering::Relaxed);
        let mut tasks = JoinSet::new();
        for folder in folders {
            let dirty = Arc::new(Notify::new());
            register(&context, &folder, &dirty);
            let owned = context.clone();
            let id = folder.id;
            tasks.spawn(supervise(context.clone(), "folder", move || {
                sync::follow(owned.clone(), id, dirty.clone())
            }));
        }
        let owned = context.clone();
        tasks.spawn(supervise(context.clone(), "delivery", move || {
            deliver::run(owned.clone())
        }));
        let owned = context.clone();
        tasks.spawn(supervise(context.clone(), "janitor", move || {
            janitor::run(owned.clone())
        }));
        if context.config.notification_url.is_some() {
            let owned = context.clone();
            tasks.spawn(supervise(context.clone(), "subscriptions", move || {
                subscribe::keep(owned.clone())
            }));
        }
        Ok(Self { context, tasks })
    }

    /// The handle given to [`start`](Self::start).
    pub fn handle(&self) -> &Handle {
        &self.context.handle
    }

    /// Ends every task. What was under way is resumed on the next start.
    pub async fn shutdown(mut self) {
        self.context.stop.cancel();
        let ended = tokio::time::timeout(SHUTDOWN_GRACE, async {
            while self.tasks.join_next().await.is_some() {}
        });
        if ended.await.is_err() {
            tracing::warn!("tasks did not end in time; they are cut off and resumed on the next start");
            self.tasks.shutdown().await;
        }
        self.context.handle.forget();
        // What was under way is free for whoever goes on, at once and not when the leases end.
        let (store, owner) = (&self.context.store, &self.context.config.owner);
        if let Err(error) = store.release_owner(owner, self.context.now()).await {
            tracing::debug!(%error, "leases not released; they end by themselves");
        }
    }
}

fn register(context: &Context, folder: &guichet_store::records::Folder, dirty: &Arc<Notify>) {
    let shared = &context.handle.shared;
    let known = KnownFolder {
        mailbox: folder.mailbox,
        dirty: dirty.clone(),
    };
    shared
        .folders
        .write()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .insert(folder.id, known);
    let address = context
        .mailbox(folder.mailbox)
        .map(|m| m.address.to_string())
        .unwrap_or_default();
    shared.board.insert(
        folder.id,
        FolderStatus {
            mailbox: folder.mailbox,
            address,
            folder: folder.name.clone(),
            synced_at: folder.synced_at,
            failures: 0,
            last_error: String::new(),
            notified: false,
        },
    );
}

/// Runs a task and starts it again after a panic, which is counted and logged.
async fn supervise<F, T>(context: Arc<Context>, name: &'static str, start: F)
where
    F: Fn() -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    loop {
        let mut inner = JoinSet::new();
        inner.spawn(start());
        match inner.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                context.handle.shared.board.count_panic();
                tracing::error!(task = name, "task panicked; it is started again: {error}");
                if !context.sleep(RESTART_PAUSE).await {
                    return;
                }
            }
            _ => return,
        }
    }
}
