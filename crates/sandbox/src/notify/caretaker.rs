//! What happens to subscriptions by themselves: they end, lose their grounds, or need attention.
//!
//! Owns one task that looks at the tenant's clock and directory while there are subscriptions. An expired subscription
//! vanishes without a word. One whose application is disabled or gone, or has lost its consent, is removed and the
//! client told so. One that is about to end, or whose authorization is, gets `reauthorizationRequired`, again and again
//! until the client acts. Whoever lost notifications is told `missed` (contract §3).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::notify::LifecycleEvent;
use crate::notify::deliver::Dispatcher;
use crate::notify::lane::later;
use crate::notify::pending::Pending;
use crate::notify::subscription::{Authority, Subscription};
use crate::notify::tuning::Tuning;

/// Between two looks while there are few subscriptions.
const GLANCE: Duration = Duration::from_millis(50);
/// Between two looks while there are many.
const SLOW_GLANCE: Duration = Duration::from_secs(1);
/// From here on there are many.
const MANY: usize = 1_000;
/// A subscription is told `missed` at most so often.
const MISSED_SPACING: SignedDuration = SignedDuration::from_secs(60);

/// Whose notifications were lost.
#[derive(Debug, Default)]
pub struct Missed {
    /// To be told.
    due: BTreeSet<Uuid>,
    /// Told, and the telling not yet delivered.
    under_way: HashSet<Uuid>,
    told_at: HashMap<Uuid, Timestamp>,
}

impl Missed {
    /// Remembers a lost notification. A lost `missed` may be told anew, by the next loss.
    pub fn was_lost(&mut self, pending: &Pending) {
        match pending.lifecycle {
            None => {
                self.due.insert(pending.subscription);
            }
            Some(LifecycleEvent::Missed) => self.was_told(pending.subscription),
            Some(_) => {}
        }
    }

    /// The client knows.
    pub fn was_told(&mut self, subscription: Uuid) {
        self.under_way.remove(&subscription);
    }

    /// Whom to tell now.
    fn take(&mut self, now: Timestamp) -> Vec<Uuid> {
        let ready = |id: &Uuid| {
            let rested = self
                .told_at
                .get(id)
                .is_none_or(|at| now.duration_since(*at) >= MISSED_SPACING);
            rested && !self.under_way.contains(id)
        };
        let ready: Vec<Uuid> = self.due.iter().copied().filter(|id| ready(id)).collect();
        for id in &ready {
            self.due.remove(id);
            self.under_way.insert(*id);
            self.told_at.insert(*id, now);
        }
        ready
    }

    fn forget(&mut self, subscription: Uuid) {
        self.due.remove(&subscription);
        self.under_way.remove(&subscription);
        self.told_at.remove(&subscription);
    }

    fn keep(&mut self, known: &dyn Fn(Uuid) -> bool) {
        self.due.retain(|id| known(*id));
        self.under_way.retain(|id| known(*id));
        self.told_at.retain(|id, _| known(*id));
    }
}

/// Whether the client is to be told to reauthorize now.
fn needs_attention(subscription: &Subscription, now: Timestamp, tuning: &Tuning) -> bool {
    let minutes = |minutes: u64| SignedDuration::from_mins(i64::try_from(minutes).unwrap_or(i64::MAX / 60));
    let begin = subscription.authorized;
    let lease = (tuning.authorization_minutes > 0).then(|| later(begin, minutes(tuning.authorization_minutes)));
    [Some(subscription.expires), lease].into_iter().flatten().any(|end| {
        let notice = (end.duration_since(begin) / 4).min(minutes(tuning.notice_minutes));
        let due = end.checked_sub(notice).unwrap_or(end);
        now >= due
            && subscription
                .challenged
                .is_none_or(|at| at < due || now.duration_since(at) >= minutes(tuning.remind_minutes))
    })
}

impl Dispatcher {
    /// Sees to it that the task runs; to be called inside the runtime whenever a subscription was made.
    pub fn care(self: &Arc<Self>) {
        if self.settings.stop.is_cancelled()
            || tokio::runtime::Handle::try_current().is_err()
            || self.is_cared_for.swap(true, Ordering::SeqCst)
        {
            return;
        }
        let (dispatcher, stop) = (self.clone(), self.settings.stop.clone());
        self.settings.tasks.spawn(async move {
            let rounds = async {
                loop {
                    let many = dispatcher.subscriptions().all().nth(MANY).is_some();
                    let pause = if many { SLOW_GLANCE } else { GLANCE };
                    dispatcher.clock.pause(pause).await;
                    if dispatcher.is_idle_after_round() {
                        return;
                    }
                }
            };
            stop.run_until_cancelled(rounds).await;
        });
    }

    /// One look; whether the task is over because there is nothing left to look after.
    fn is_idle_after_round(self: &Arc<Self>) -> bool {
        self.look_after();
        if !self.subscriptions().is_empty() {
            return false;
        }
        self.is_cared_for.store(false, Ordering::SeqCst);
        // A subscription may have come between the two lines above; whoever made it may have seen the task running.
        self.subscriptions().is_empty() || self.is_cared_for.swap(true, Ordering::SeqCst)
    }

    fn look_after(self: &Arc<Self>) {
        let (now, tuning) = (self.clock.now(), self.tuning());
        if self.subscriptions().has_expired(now) {
            self.book.write().unwrap_or_else(PoisonError::into_inner).prune(now);
        }
        self.remove_groundless();
        self.tell_missed(now);
        let due: Vec<Uuid> = self
            .subscriptions()
            .all()
            .map(|listener| &listener.subscription)
            .filter(|subscription| subscription.lifecycle_url.is_some() && needs_attention(subscription, now, &tuning))
            .map(|subscription| subscription.id)
            .collect();
        for id in due {
            let told = self
                .book
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .update(id, |subscription| subscription.challenged = Some(now));
            if let Some(Ok(listener)) = told {
                self.tell(&listener.subscription, LifecycleEvent::ReauthorizationRequired);
            }
        }
    }

    /// Removes the subscriptions of applications that are disabled, gone, or without consent.
    fn remove_groundless(self: &Arc<Self>) {
        let mut judged: Vec<(Uuid, Authority, bool)> = Vec::new();
        let mut groundless = Vec::new();
        for listener in self.subscriptions().all() {
            let (app, authority) = (listener.subscription.identity.app, &listener.subscription.authority);
            let known = judged
                .iter()
                .find(|(other, same, _)| *other == app && same == authority)
                .map(|(_, _, stands)| *stands);
            let stands = known.unwrap_or_else(|| {
                let stands = self.directory.still_allows(app, authority.user, &authority.permissions);
                judged.push((app, authority.clone(), stands));
                stands
            });
            if !stands {
                groundless.push(listener.subscription.id);
            }
        }
        for id in groundless {
            self.end(id);
        }
    }

    /// Removes a subscription and tells its client; whether the client had a URL for that.
    pub fn end(self: &Arc<Self>, id: Uuid) -> bool {
        let gone = self.book.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).forget(id);
        gone.is_some_and(|listener| self.tell(&listener.subscription, LifecycleEvent::SubscriptionRemoved))
    }

    fn tell_missed(self: &Arc<Self>, now: Timestamp) {
        let ready = {
            let book = self.subscriptions();
            let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
            missed.keep(&|id| {
                book.get(id)
                    .is_some_and(|listener| listener.subscription.lifecycle_url.is_some())
            });
            missed.take(now)
        };
        for id in ready {
            let listener = self.subscriptions().get(id).cloned();
            if let Some(listener) = listener {
                self.tell(&listener.subscription, LifecycleEvent::Missed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::subscription::{ChangeTypes, Identity};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn subscription(expires: i64, challenged: Option<i64>) -> Subscription {
        Subscription {
            id: Uuid::nil(),
            identity: Identity {
                app: Uuid::nil(),
                user: Uuid::nil(),
                folder: None,
                types: ChangeTypes::default(),
                query: String::new(),
            },
            authority: Authority {
                user: None,
                permissions: Vec::new(),
                basic: false,
            },
            resource: String::new(),
            change_type: String::new(),
            creator: String::new(),
            notification_url: String::new(),
            lifecycle_url: None,
            client_state: None,
            expires: at(expires),
            immutable: false,
            tls_version: String::new(),
            content_type: None,
            url_app_id: None,
            include_resource_data: None,
            data: None,
            authorized: at(0),
            challenged: challenged.map(at),
        }
    }

    #[test]
    fn notice_comes_before_the_end_and_is_repeated_every_quarter_of_an_hour() {
        let tuning = Tuning {
            authorization_minutes: 0,
            ..Tuning::default()
        };
        assert!(!needs_attention(&subscription(10_080, None), at(10_019), &tuning));
        assert!(needs_attention(&subscription(10_080, None), at(10_020), &tuning));
        assert!(!needs_attention(
            &subscription(10_080, Some(10_020)),
            at(10_034),
            &tuning
        ));
        assert!(needs_attention(
            &subscription(10_080, Some(10_020)),
            at(10_035),
            &tuning
        ));
    }

    #[test]
    fn a_short_life_gets_a_quarter_of_it_as_notice() {
        let tuning = Tuning::default();
        assert!(!needs_attention(&subscription(44, None), at(32), &tuning));
        assert!(needs_attention(&subscription(44, None), at(33), &tuning));
    }

    #[test]
    fn an_authorization_that_is_about_to_end_counts_too() {
        let tuning = Tuning::default();
        assert!(!needs_attention(&subscription(10_080, None), at(44), &tuning));
        assert!(needs_attention(&subscription(10_080, None), at(45), &tuning));
    }

    #[test]
    fn missed_is_told_once_until_it_is_delivered_and_not_too_often() {
        let (mut missed, id) = (Missed::default(), Uuid::from_u128(1));
        let lost = Pending {
            url: String::new(),
            subscription: id,
            mailbox: Uuid::nil(),
            lifecycle: None,
            audience: None,
            body: serde_json::Value::Null,
        };
        missed.was_lost(&lost);
        missed.was_lost(&lost);
        assert_eq!(missed.take(at(0)), [id]);
        assert!(missed.take(at(10)).is_empty());
        missed.was_lost(&lost);
        assert!(missed.take(at(10)).is_empty());
        missed.was_told(id);
        assert_eq!(missed.take(at(10)), [id]);
        missed.was_told(id);
        missed.was_lost(&lost);
        assert!(missed.take(at(10)).is_empty());
        assert_eq!(missed.take(at(11)), [id]);
    }
}
