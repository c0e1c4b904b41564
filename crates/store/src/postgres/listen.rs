//! What other nodes committed: one connection that listens.
//!
//! A hint only: while it is broken, or if a notification is lost, a look every few seconds finds the same.
//! Never acts on what it hears beyond passing it on.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Pool;
use futures::{StreamExt, stream};
use tokio::{
    sync::{Mutex, watch},
    task::JoinSet,
};
use tokio_postgres::AsyncMessage;

use super::{address::Address, driver::explain};
use crate::Result;

/// Channel on which a commit with events is told.
const EVENTS: &str = "guichet_event";
/// Pause between two looks without a notification, and before connecting again.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Tells of events once for each transaction that appends some.
pub(super) fn trigger() -> String {
    format!(
        "CREATE OR REPLACE FUNCTION {EVENTS}() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM pg_notify('{EVENTS}', ''); RETURN NULL; END $$; \
         DROP TRIGGER IF EXISTS {EVENTS} ON event; \
         CREATE TRIGGER {EVENTS} AFTER INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION {EVENTS}();"
    )
}

/// The task that listens.
#[derive(Debug)]
pub(super) struct Listener {
    task: Mutex<JoinSet<()>>,
}

impl Listener {
    /// Looks once, so that what this returns knows the last event; then listens until it is stopped.
    pub(super) async fn start(address: Address, pool: Pool, events: watch::Sender<i64>) -> Result<Self> {
        look(&pool, &events).await?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let address = Arc::new(address);
            loop {
                if let Err(error) = listen(&address, &pool, &events).await {
                    tracing::debug!(error = %explain(&address.name(), &error), "not listening to other nodes");
                }
                if pool.is_closed() {
                    return;
                }
                tokio::time::sleep(AGAIN_AFTER).await;
                // What was told meanwhile was told to nobody.
                let _ = look(&pool, &events).await;
            }
        });
        Ok(Self { task: Mutex::new(task) })
    }

    pub(super) async fn stop(&self) {
        self.task.lock().await.shutdown().await;
    }
}

/// Listens until the connection breaks.
async fn listen(address: &Address, pool: &Pool, events: &watch::Sender<i64>) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = address.connect().await?;
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context)).boxed();
    let ask = format!("LISTEN {EVENTS}");
    let asking = client.batch_execute(&ask);
    tokio::pin!(asking);
    let mut asked = false;
    loop {
        tokio::select! {
            answer = &mut asking, if !asked => {
                answer?;
                asked = true;
                let _ = look(pool, events).await;
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(_))) => {
                    let _ = look(pool, events).await;
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            () = tokio::time::sleep(LOOK_EVERY) => {
                let _ = look(pool, events).await;
            }
        }
    }
}

/// Reads the number of the last event and tells the watchers, if it is news.
async fn look(pool: &Pool, events: &watch::Sender<i64>) -> Result<()> {
    let connection = super::take(pool, "").await?;
    let statement = connection
        .prepare_cached("SELECT value FROM counter WHERE name = 'events'")
        .await;
    let read = async { connection.query_one(&statement?, &[]).await?.try_get::<_, i64>(0) };
    let last = read.await.map_err(|error| explain("", &error))?;
    events.send_if_modified(|known| {
        // Two looks may end in the other order.
        let newer = last > *known;
        if newer {
            *known = last;
        }
        newer
    });
    Ok(())
}
