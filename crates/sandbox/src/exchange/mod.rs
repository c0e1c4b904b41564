//! Exchange Online's administration: who may use which mailbox, told by cmdlets and through Graph.
//!
//! Owns the rules, their versions and the delay until they take effect. It never holds mail. An application whose
//! permissions are cached keeps the rules it was first judged by until the cache expires; administrators and the
//! `Test-` cmdlets always see the newest. Lock order: the locks in here are the innermost; nothing is locked while one is held.

pub mod admin;
pub mod cmdlets;
pub mod connection_filter;
pub mod decision;
pub mod failure;
pub mod graph_groups;
pub mod graph_roles;
pub mod parameters;
pub mod recipient;
pub mod restriction;
pub mod roles;
pub mod rules;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::auth::{Caller, CallerKind};
use crate::directory::mailbox_profile::{MailboxCondition, MailboxKind};
use crate::directory::tenant::Tenant;
use crate::directory::{ExchangeRules, SendRight};
use crate::exchange::connection_filter::ConnectionFilter;
use crate::exchange::failure::Failure;
use crate::exchange::rules::Rules;
use crate::persist::Section;

/// Versions of the rules kept while changes propagate; more changes than this within one delay take effect early.
const MAX_VERSIONS: usize = 512;
/// Applications whose permissions are cached at once; Exchange allows 10,000 of them in a tenant.
const MAX_CACHED_APPS: usize = 10_000;

/// How fast changes take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExchangeSettings {
    /// How long after its last call an application's cached permissions are dropped (documented: 1,800). With both
    /// times at zero nothing is cached.
    pub cache_idle_seconds: u64,
    /// How long cached permissions live at most (documented: 7,200).
    pub cache_longest_seconds: u64,
    /// How long every change takes to arrive, cached or not (reported: up to 3,600 for access policies).
    pub propagation_seconds: u64,
    /// Whether a grant of RBAC for Applications suffices to subscribe; what Microsoft does is unconfirmed.
    pub subscriptions_by_rbac: bool,
}

impl Default for ExchangeSettings {
    fn default() -> Self {
        Self {
            cache_idle_seconds: 0,
            cache_longest_seconds: 0,
            propagation_seconds: 0,
            subscriptions_by_rbac: true,
        }
    }
}

impl ExchangeSettings {
    /// What Microsoft documents: 30 minutes for an idle application, 2 hours for a busy one.
    #[must_use]
    pub fn documented() -> Self {
        Self {
            cache_idle_seconds: 1_800,
            cache_longest_seconds: 7_200,
            ..Self::default()
        }
    }
}

/// What is kept between starts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Saved {
    /// The newest rules.
    pub rules: Rules,
    /// The connection filter policy.
    pub connection_filter: ConnectionFilter,
    /// Whether an alias may stand in `From`.
    #[serde(default)]
    pub send_from_alias: bool,
}

#[derive(Debug)]
struct State {
    /// Oldest first; never empty.
    versions: VecDeque<(Timestamp, Arc<Rules>)>,
    connection_filter: ConnectionFilter,
    send_from_alias: bool,
    settings: ExchangeSettings,
    /// Grows with every change of what is saved.
    revision: u64,
}

#[derive(Debug)]
struct Cached {
    rules: Arc<Rules>,
    taken: Timestamp,
    used: Timestamp,
}

/// Exchange Online's own state.
#[derive(Debug)]
pub struct Exchange {
    /// The directory.
    pub tenant: Arc<Tenant>,
    state: RwLock<State>,
    cached: Mutex<HashMap<Uuid, Cached>>,
}

impl Exchange {
    /// An organisation without any rules.
    #[must_use]
    pub fn new(tenant: Arc<Tenant>, settings: ExchangeSettings) -> Self {
        let state = State {
            versions: VecDeque::from([(Timestamp::MIN, Arc::default())]),
            connection_filter: ConnectionFilter::default(),
            send_from_alias: false,
            settings,
            revision: 0,
        };
        Self {
            tenant,
            state: RwLock::new(state),
            cached: Mutex::default(),
        }
    }

    /// The newest rules.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state
            .versions
            .back()
            .map(|(_, rules)| Arc::clone(rules))
            .unwrap_or_default()
    }

    /// Changes the rules, or nothing when the change fails.
    ///
    /// # Errors
    /// Those of the change.
    pub fn change<T, E>(&self, change: impl FnOnce(&mut Rules) -> Result<T, E>) -> Result<T, E> {
        let now = self.tenant.clock.now();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut rules = match state.versions.back() {
            Some((_, rules)) => Rules::clone(rules),
            None => Rules::default(),
        };
        let result = change(&mut rules)?;
        state.revision += 1;
        let delay = seconds(state.settings.propagation_seconds);
        state.versions.push_back((now, Arc::new(rules)));
        // The oldest version that is still needed is the newest one in force.
        while state.versions.len() > MAX_VERSIONS
            || state.versions.get(1).is_some_and(|(at, _)| is_over(*at, delay, now))
        {
            state.versions.pop_front();
        }
        Ok(result)
    }

    /// The rules an application is judged by.
    fn in_force(&self, app_id: Uuid) -> Arc<Rules> {
        let (published, settings) = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            let settings = state.settings;
            let published = if settings.propagation_seconds == 0 {
                state.versions.back()
            } else {
                let (now, delay) = (self.tenant.clock.now(), seconds(settings.propagation_seconds));
                let mut arrived = state.versions.iter().rev().filter(|(at, _)| is_over(*at, delay, now));
                arrived.next().or_else(|| state.versions.front())
            };
            (
                published.map(|(_, rules)| Arc::clone(rules)).unwrap_or_default(),
                settings,
            )
        };
        if settings.cache_longest_seconds == 0 {
            return published;
        }
        let now = self.tenant.clock.now();
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = cached.get_mut(&app_id) {
            let idle = is_over(entry.used, seconds(settings.cache_idle_seconds), now);
            if !idle && !is_over(entry.taken, seconds(settings.cache_longest_seconds), now) {
                entry.used = now;
                return Arc::clone(&entry.rules);
            }
        }
        if cached.len() >= MAX_CACHED_APPS {
            cached.clear();
        }
        let entry = Cached {
            rules: Arc::clone(&published),
            taken: now,
            used: now,
        };
        cached.insert(app_id, entry);
        published
    }

    /// How fast changes take effect.
    #[must_use]
    pub fn settings(&self) -> ExchangeSettings {
        self.state.read().unwrap_or_else(PoisonError::into_inner).settings
    }

    /// Sets how fast changes take effect, and forgets what is cached.
    pub fn configure(&self, settings: ExchangeSettings) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).settings = settings;
        self.cached.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The connection filter policy.
    #[must_use]
    pub fn connection_filter(&self) -> ConnectionFilter {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.connection_filter.clone()
    }

    /// Changes the connection filter policy, or nothing when the change fails.
    ///
    /// # Errors
    /// Those of the change.
    pub fn change_connection_filter(
        &self,
        change: impl FnOnce(&ConnectionFilter) -> Result<ConnectionFilter, Failure>,
    ) -> Result<(), Failure> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.connection_filter = change(&state.connection_filter)?;
        state.revision += 1;
        Ok(())
    }

    /// Lets an alias stand in `From`, or not.
    pub fn set_sends_from_alias(&self, enabled: bool) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.send_from_alias = enabled;
        state.revision += 1;
    }

    /// Removes what belonged to service principals that Entra no longer has.
    pub fn forget_deleted_principals(&self) {
        let rules = self.rules();
        let gone: Vec<Uuid> = {
            let objects = self.tenant.read();
            let known = rules.principals.iter().map(|principal| principal.object_id);
            let held = rules.assignments.iter().map(|assignment| assignment.principal);
            known
                .chain(held)
                .filter(|id| objects.service_principal(*id).is_none())
                .collect()
        };
        if gone.is_empty() {
            return;
        }
        let forget = |rules: &mut Rules| {
            rules
                .principals
                .retain(|principal| !gone.contains(&principal.object_id));
            rules
                .assignments
                .retain(|assignment| !gone.contains(&assignment.principal));
            Ok::<(), std::convert::Infallible>(())
        };
        match self.change(forget) {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// What to keep between starts.
    #[must_use]
    pub fn saved(&self) -> Saved {
        let rules = Rules::clone(&self.rules());
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        Saved {
            rules,
            connection_filter: state.connection_filter.clone(),
            send_from_alias: state.send_from_alias,
        }
    }

    /// Goes back to what was kept; it is in force at once.
    pub fn restore(&self, saved: Saved) {
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.versions = VecDeque::from([(Timestamp::MIN, Arc::new(saved.rules))]);
            state.revision += 1;
            state.connection_filter = saved.connection_filter;
            state.send_from_alias = saved.send_from_alias;
        }
        self.cached.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Section for Exchange {
    fn name(&self) -> &'static str {
        "exchange"
    }

    fn save(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.saved())
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        self.restore(serde_json::from_str(saved)?);
        Ok(())
    }

    fn revision(&self) -> Option<u64> {
        Some(self.state.read().unwrap_or_else(PoisonError::into_inner).revision)
    }
}

fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::try_from(Duration::from_secs(seconds)).unwrap_or(SignedDuration::MAX)
}

fn is_over(since: Timestamp, life: SignedDuration, now: Timestamp) -> bool {
    since.checked_add(life).is_ok_and(|end| end <= now)
}

/// What the mail half asks, through the directory.
impl Exchange {
    /// What the rules in force say of an application and a mailbox.
    #[must_use]
    pub fn exchange_rules(&self, caller: &Caller, mailbox: Uuid) -> ExchangeRules {
        if caller.kind != CallerKind::App {
            return ExchangeRules::default();
        }
        let rules = self.in_force(caller.app_id);
        decision::decide(
            &self.tenant,
            &rules,
            caller.app_id,
            caller.service_principal_id,
            mailbox,
        )
    }

    /// Whether a grant of Exchange suffices for a subscription.
    #[must_use]
    pub fn subscriptions_by_exchange_grant(&self) -> bool {
        self.settings().subscriptions_by_rbac
    }

    /// Whether a person may open another's mailbox.
    #[must_use]
    pub fn may_open(&self, person: Uuid, mailbox: Uuid) -> bool {
        let rules = self.rules();
        let objects = self.tenant.read();
        let trustees = objects
            .user_by_id(mailbox)
            .map(|user| user.mailbox.full_access.as_slice());
        trustees.is_some_and(|trustees| holds(&rules, trustees, person))
    }

    /// Whether and how a mailbox's owner may send in another's name.
    #[must_use]
    pub fn send_right(&self, sender: Uuid, mailbox: Uuid) -> Option<SendRight> {
        let rules = self.rules();
        let objects = self.tenant.read();
        let profile = &objects.user_by_id(mailbox)?.mailbox;
        if holds(&rules, &profile.send_as, sender) {
            Some(SendRight::As)
        } else if holds(&rules, &profile.send_on_behalf, sender) {
            Some(SendRight::OnBehalf)
        } else {
            None
        }
    }

    /// The addresses of a group's direct members; none when no group has the address.
    #[must_use]
    pub fn group_members(&self, address: &str) -> Option<Vec<String>> {
        let rules = self.rules();
        let group = rules.groups.iter().find(|group| {
            let own = group.address.as_deref();
            own.is_some_and(|own| own.eq_ignore_ascii_case(address))
        })?;
        let objects = self.tenant.read();
        let of = |member: &Uuid| match objects.user_by_id(*member) {
            Some(user) => user.mail.clone(),
            None => rules.group(*member).and_then(|group| group.address.clone()),
        };
        Some(group.members.iter().filter_map(of).collect())
    }

    /// Where mail for a mailbox goes on to, and whether the mailbox keeps a copy.
    #[must_use]
    pub fn forwarding(&self, mailbox: Uuid) -> Option<(String, bool)> {
        let rules = self.rules();
        let objects = self.tenant.read();
        let forwarding = &objects.user_by_id(mailbox)?.mailbox.forwarding;
        let recipient = forwarding.recipient.and_then(|id| match objects.user_by_id(id) {
            Some(user) => user.mail.clone(),
            None => rules.group(id).and_then(|group| group.address.clone()),
        });
        let target = recipient.or_else(|| forwarding.address.clone())?;
        Some((target, forwarding.keep_copy))
    }

    /// Whether an alias may stand in `From`.
    #[must_use]
    pub fn sends_from_alias(&self) -> bool {
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .send_from_alias
    }

    /// Kind and condition of a mailbox.
    #[must_use]
    pub fn mailbox_standing(&self, mailbox: Uuid) -> (MailboxKind, MailboxCondition) {
        let objects = self.tenant.read();
        let Some(user) = objects.user_by_id(mailbox) else {
            return (MailboxKind::User, MailboxCondition::SoftDeleted);
        };
        let profile = &user.mailbox;
        let condition = match profile.is_reachable() {
            true => profile.condition,
            false if profile.condition == MailboxCondition::OnPremises => MailboxCondition::OnPremises,
            false => MailboxCondition::SoftDeleted,
        };
        (profile.kind, condition)
    }
}

/// Whether a person is among trustees, by themselves or as a direct member of a group.
fn holds(rules: &Rules, trustees: &[Uuid], person: Uuid) -> bool {
    trustees.iter().any(|trustee| {
        *trustee == person
            || rules
                .group(*trustee)
                .is_some_and(|group| group.members.contains(&person))
    })
}

#[cfg(test)]
mod tests;
