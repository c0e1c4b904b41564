//! Keeps one live subscription for each followed folder, so that new mail wakes it at once.
//!
//! Polling goes on whatever happens here: a subscription that can't be had costs latency, never
//! mail. Never leaves two live subscriptions of ours for one folder.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError},
    time::Duration,
};

use guichet_domain::{SubscriptionId, round::backoff};
use guichet_graph::{Class, NewSubscription};
use guichet_store::records::{Folder, Mailbox, Subscription};
use jiff::SignedDuration;
use url::Url;

use crate::{Nodes, context::Context, handle::KnownSubscription};

/// Life asked for. Microsoft allows 10,080 minutes for messages; two days lose little when a
/// process disappears without a farewell.
const LIFE: SignedDuration = SignedDuration::from_hours(48);
/// Remaining life below which a subscription is renewed.
const RENEW_BELOW: SignedDuration = SignedDuration::from_hours(24);
/// Time between two looks of a node whose turn it was not.
const OTHERS_LOOK_EVERY: Duration = Duration::from_secs(60);
/// Longest time between two looks at the subscriptions.
const LOOK_EVERY: Duration = Duration::from_secs(15 * 60);

/// What one node at a time does for all: looking at the subscriptions.
const TURN: &str = "subscriptions";
/// How long a look may take before another node looks.
const TURN_LASTS: SignedDuration = SignedDuration::from_mins(2);
/// Pause before a node looks again that has not had its turn yet, or that is told of what it does not know.
const OTHERS_TURN: Duration = Duration::from_secs(1);

/// Keeps the subscriptions until the engine stops.
pub(crate) async fn keep(context: Arc<Context>) {
    let Some(url) = context.config.notification_url.clone() else {
        return;
    };
    let mut failures = 0u32;
    let mut swept = false;
    loop {
        let done = tokio::select! {
            biased;
            () = context.stop.cancelled() => return,
            done = take_turn(&context, &url, &mut swept) => done,
        };
        // A look that failed may have come to know nothing: what is strange still waits for the next.
        if done != Look::Failed {
            context.handle.judge_strangers();
        }
        failures = if done == Look::Failed {
            failures.saturating_add(1)
        } else {
            0
        };
        let pause = match done {
            Look::Done => LOOK_EVERY,
            Look::ByAnother => OTHERS_LOOK_EVERY,
            Look::Failed => backoff(failures).unsigned_abs(),
        };
        // A flood of notifications that nobody asked for must not become one of looks.
        if context.config.nodes == Nodes::Many && !context.sleep(OTHERS_TURN).await {
            return;
        }
        tokio::select! {
            biased;
            () = context.stop.cancelled() => return,
            () = context.handle.shared.keeper.notified() => {}
            () = context.time.sleep(pause) => {}
        }
    }
}

/// How a look ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Every folder has its subscription.
    Done,
    /// Another node is looking; what it has made so far is known here.
    ByAnother,
    /// Some folder has none.
    Failed,
}

async fn take_turn(context: &Context, url: &Url, swept: &mut bool) -> Look {
    let ended = |all| if all { Look::Done } else { Look::Failed };
    if context.config.nodes == Nodes::One {
        return ended(keep_all(context, url, swept).await);
    }
    let (store, owner, now) = (&context.store, &context.config.owner, context.now());
    match store.take_turn(TURN, owner, now, now + TURN_LASTS).await {
        Ok(true) => {}
        Ok(false) => return adopt(context, url).await,
        Err(error) => {
            tracing::warn!(%error, "whose turn it is can't be read");
            return Look::Failed;
        }
    }
    let all = keep_all(context, url, swept).await;
    if let Err(error) = store.end_turn(TURN, owner).await {
        tracing::debug!(%error, "the turn is not given back; it ends by itself");
    }
    ended(all)
}

/// Knows what other nodes have made, and forgets what they have removed.
async fn adopt(context: &Context, url: &Url) -> Look {
    let known = match context.store.subscriptions().await {
        Ok(known) => known,
        Err(error) => {
            tracing::warn!(%error, "subscriptions can't be read");
            return Look::Failed;
        }
    };
    let ours: Vec<&Subscription> = known.iter().filter(|s| s.notification_url == url.as_str()).collect();
    let map = &context.handle.shared.subscriptions;
    map.write()
        .unwrap_or_else(PoisonError::into_inner)
        .retain(|id, _| ours.iter().any(|s| s.id == *id));
    for subscription in ours {
        remember(context, subscription);
        let folder = subscription.folder;
        context
            .handle
            .shared
            .board
            .update(folder, |status| status.notified = true);
    }
    Look::ByAnother
}

/// One look at every folder; `false` if any of them has no live subscription afterwards.
async fn keep_all(context: &Context, url: &Url, swept: &mut bool) -> bool {
    // At each look: who was told that a subscription is gone may have died before it could act.
    match sweep(context, url).await {
        Ok(()) => *swept = true,
        Err(error) => {
            tracing::warn!(%error, "foreign and stale subscriptions could not be swept");
            if !*swept {
                return false;
            }
        }
    }
    let (folders, mut known) = match (context.store.folders().await, context.store.subscriptions().await) {
        (Ok(folders), Ok(known)) => (folders, known),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "subscriptions can't be read");
            return false;
        }
    };
    let mut all = true;
    for folder in folders {
        let Some(mailbox) = context.mailbox(folder.mailbox) else {
            continue;
        };
        let at = known
            .iter()
            .position(|s| s.folder == folder.id && s.notification_url == url.as_str());
        let existing = at.map(|at| known.swap_remove(at));
        let kept = keep_one(context, mailbox, &folder, url, existing).await;
        if let Err(error) = &kept {
            tracing::warn!(mailbox = %mailbox.address, %error, "no subscription; the folder is polled");
            // A creation whose answer was lost leaves a subscription that nobody knows and that stands
            // in the way of another one: it is swept before the next try.
            *swept &= !error.may_have_left_one();
        }
        all &= kept.is_ok();
        context
            .handle
            .shared
            .board
            .update(folder.id, |status| status.notified = kept.is_ok());
    }
    all
}

#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Graph(#[from] guichet_graph::Error),
    #[error(transparent)]
    Store(#[from] guichet_store::Error),
}

impl KeepError {
    fn may_have_left_one(&self) -> bool {
        match self {
            Self::Graph(error) => error.may_have_had_effect || error.is_conflict(),
            // Created, and then not recorded.
            Self::Store(_) => true,
        }
    }
}

/// Removes what an earlier life left behind: subscriptions of ours that Microsoft knows and we
/// don't (their client state is lost), and those that we know and Microsoft doesn't.
async fn sweep(context: &Context, url: &Url) -> Result<(), KeepError> {
    let remote = context.graph.list_subscriptions().await?;
    let known = context.store.subscriptions().await?;
    let ours: HashSet<&str> = known
        .iter()
        .filter(|s| s.notification_url == url.as_str())
        .map(|s| s.id.as_str())
        .collect();
    let mut alive = HashSet::new();
    for subscription in &remote {
        if ours.contains(subscription.id.as_str()) {
            alive.insert(subscription.id.clone());
        } else if known.iter().any(|s| s.id.as_str() == subscription.id)
            || subscription.notification_url.as_deref() == Some(url.as_str())
        {
            ignore_gone(context.graph.delete_subscription(&subscription.id).await)?;
        }
    }
    for subscription in &known {
        if !alive.contains(subscription.id.as_str()) {
            context.store.remove_subscription(&subscription.id).await?;
        }
    }
    Ok(())
}

fn ignore_gone(result: Result<(), guichet_graph::Error>) -> Result<(), guichet_graph::Error> {
    match result {
        Err(error) if error.class == Class::Gone => Ok(()),
        other => other,
    }
}

async fn keep_one(
    context: &Context,
    mailbox: &Mailbox,
    folder: &Folder,
    url: &Url,
    existing: Option<Subscription>,
) -> Result<(), KeepError> {
    let now = context.now();
    if let Some(mut subscription) = existing {
        let left = subscription.expires_at.duration_since(now);
        if left > RENEW_BELOW && !suspected(context, &subscription.id) {
            remember(context, &subscription);
            return Ok(());
        }
        match context
            .graph
            .renew_subscription(subscription.id.as_str(), now + LIFE)
            .await
        {
            Ok(renewed) => {
                subscription.expires_at = renewed.expires_at.unwrap_or(now + LIFE);
                context.store.save_subscription(&subscription).await?;
                remember(context, &subscription);
                return Ok(());
            }
            Err(error) if error.class == Class::Gone => {
                forget(context, &subscription.id);
                context.store.remove_subscription(&subscription.id).await?;
            }
            Err(error) => {
                suspect(context, subscription.id);
                return Err(error.into());
            }
        }
    }
    let mut secret = [0u8; 32];
    context.entropy.fill(&mut secret);
    let client_state: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let created = context
        .graph
        .create_subscription(&NewSubscription {
            resource: format!(
                "users/{}/mailFolders('{}')/messages",
                mailbox.graph_user_id, folder.graph_folder_id
            ),
            change_type: "created".to_owned(),
            notification_url: url.to_string(),
            lifecycle_notification_url: Some(format!("{url}/lifecycle")),
            client_state: client_state.clone(),
            expires_at: now + LIFE,
        })
        .await?;
    let subscription = Subscription {
        id: SubscriptionId::new(created.id),
        folder: folder.id,
        client_state,
        notification_url: url.to_string(),
        expires_at: created.expires_at.unwrap_or(now + LIFE),
        created_at: now,
    };
    context.store.save_subscription(&subscription).await?;
    remember(context, &subscription);
    tracing::info!(mailbox = %mailbox.address, subscription = %subscription.id, "subscribed to change notifications");
    Ok(())
}

/// Whether a lifecycle notification named the subscription since the last call.
fn suspected(context: &Context, id: &SubscriptionId) -> bool {
    context
        .handle
        .shared
        .suspects
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(id)
}

fn suspect(context: &Context, id: SubscriptionId) {
    context
        .handle
        .shared
        .suspects
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(id);
}

fn remember(context: &Context, subscription: &Subscription) {
    let known = KnownSubscription {
        folder: subscription.folder,
        client_state: subscription.client_state.clone(),
    };
    let mut map = context
        .handle
        .shared
        .subscriptions
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    let new = map.insert(subscription.id.clone(), known).is_none();
    drop(map);
    if new {
        // What arrived before the subscription was known here was not heard: look once.
        context.handle.mark_dirty(subscription.folder);
    }
}

fn forget(context: &Context, id: &SubscriptionId) {
    context
        .handle
        .shared
        .subscriptions
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(id);
}
