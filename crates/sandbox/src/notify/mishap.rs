//! Mishaps of notifications that tests order: lost, doubled, late, out of order.
//!
//! Owns the rules and which of them is due. At most [`MAX_RULES`] stand at once. Rules are tried in order of creation
//! and all that are due apply together; chance is drawn from the tenant's entropy, so that a seeded tenant repeats
//! itself.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::entropy::Entropy;

/// Rules at once: a test that needs more has lost sight of them.
const MAX_RULES: usize = 256;
/// Copies of one notification at most.
const MAX_COPIES: u32 = 100;
/// The longest delay, in seconds: a week, the longest life of a subscription.
const MAX_SECONDS: u64 = 7 * 24 * 3_600;

/// When a mishap happens and what it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Only notifications of this subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<Uuid>,
    /// Only notifications about this mailbox: its user's object id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Uuid>,
    /// Only notifications whose URL contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_contains: Option<String>,
    /// Only this `changeType` or `lifecycleEvent`, without case; absent means every change and no lifecycle event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The first match that counts, from 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many matches from there; absent means one, 0 means all.
    #[serde(default = "one")]
    pub times: u64,
    /// How likely each of them is hit.
    #[serde(default = "always")]
    pub probability: f64,
    /// What happens.
    pub action: Action,
}

fn one() -> u64 {
    1
}

fn always() -> f64 {
    1.0
}

/// What a rule does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Nothing is sent, and nobody is told.
    Lose,
    /// Sent more than once.
    Duplicate {
        /// How many more.
        #[serde(default = "one_copy")]
        copies: u32,
    },
    /// Sent later by the tenant's clock; others overtake it.
    Delay {
        /// How much later.
        seconds: u64,
    },
    /// Sent behind the next notification for the same URL, or after so many seconds when none comes.
    Swap {
        /// How long it waits for the next.
        #[serde(default = "a_minute")]
        seconds: u64,
    },
}

fn one_copy() -> u32 {
    1
}

fn a_minute() -> u64 {
    60
}

/// What a notification is, as far as rules look.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    pub subscription: Uuid,
    pub mailbox: Uuid,
    pub url: &'a str,
    /// `changeType` or `lifecycleEvent`.
    pub event: &'a str,
    pub is_lifecycle: bool,
}

/// What happens to one notification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verdict {
    pub lost: bool,
    pub copies: u32,
    pub delay: SignedDuration,
    /// Held behind the next, at most for so long.
    pub held: Option<SignedDuration>,
}

/// The rules that stand.
#[derive(Debug)]
pub struct Mishaps {
    entropy: Arc<Entropy>,
    rules: Mutex<Rules>,
}

#[derive(Debug, Default)]
struct Rules {
    next_id: u64,
    standing: Vec<Standing>,
}

#[derive(Debug)]
struct Standing {
    id: u64,
    rule: Rule,
    matches: u64,
    hits: u64,
}

impl Mishaps {
    /// No rules.
    #[must_use]
    pub fn new(entropy: Arc<Entropy>) -> Self {
        Self {
            entropy,
            rules: Mutex::default(),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Rules) -> T) -> T {
        work(&mut self.rules.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a rule and gives its id; the error is for the control interface.
    pub fn add(&self, rule: Rule) -> Result<u64, String> {
        rule.check()?;
        self.with(|rules| {
            if rules.standing.len() >= MAX_RULES {
                return Err(format!("at most {MAX_RULES} rules: delete some first"));
            }
            rules.next_id += 1;
            let id = rules.next_id;
            rules.standing.push(Standing {
                id,
                rule,
                matches: 0,
                hits: 0,
            });
            Ok(id)
        })
    }

    /// All rules with how often each has matched and happened.
    #[must_use]
    pub fn list(&self) -> Vec<Value> {
        self.with(|rules| {
            let shown = rules.standing.iter().map(|standing| {
                json!({
                    "id": standing.id,
                    "rule": standing.rule,
                    "matches": standing.matches,
                    "hits": standing.hits,
                })
            });
            shown.collect()
        })
    }

    /// Removes one rule, or all; gives how many went.
    pub fn remove(&self, id: Option<u64>) -> usize {
        self.with(|rules| {
            let before = rules.standing.len();
            rules.standing.retain(|standing| id.is_some_and(|id| standing.id != id));
            before - rules.standing.len()
        })
    }

    /// What happens to this notification; counts it.
    #[must_use]
    pub fn judge(&self, sight: &Sight<'_>) -> Verdict {
        self.with(|rules| {
            let mut verdict = Verdict::default();
            for standing in &mut rules.standing {
                if !standing.rule.matches(sight) {
                    continue;
                }
                standing.matches += 1;
                let due = standing.matches >= standing.rule.nth
                    && (standing.rule.times == 0 || standing.matches - standing.rule.nth < standing.rule.times);
                if !due || !self.hits(standing.rule.probability) {
                    continue;
                }
                standing.hits += 1;
                standing.rule.action.apply(&mut verdict);
            }
            verdict
        })
    }

    fn hits(&self, probability: f64) -> bool {
        if probability >= 1.0 {
            return true;
        }
        let mut bytes = [0_u8; 4];
        self.entropy.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) < probability * (f64::from(u32::MAX) + 1.0)
    }
}

impl Rule {
    fn check(&self) -> Result<(), String> {
        if self.nth == 0 {
            return Err("nth counts from 1".to_owned());
        }
        if !(0.0..=1.0).contains(&self.probability) {
            return Err(format!("probability is {}: give 0 to 1", self.probability));
        }
        match self.action {
            Action::Duplicate { copies } if copies == 0 || copies > MAX_COPIES => {
                Err(format!("copies is {copies}: give 1 to {MAX_COPIES}"))
            }
            Action::Delay { seconds } | Action::Swap { seconds } if seconds > MAX_SECONDS => {
                Err(format!("seconds is {seconds}: give at most {MAX_SECONDS}"))
            }
            _ => Ok(()),
        }
    }

    fn matches(&self, sight: &Sight<'_>) -> bool {
        let event_fits = match &self.event {
            Some(event) => event.eq_ignore_ascii_case(sight.event),
            None => !sight.is_lifecycle,
        };
        event_fits
            && self.subscription.is_none_or(|id| id == sight.subscription)
            && self.mailbox.is_none_or(|id| id == sight.mailbox)
            && self
                .url_contains
                .as_ref()
                .is_none_or(|part| sight.url.contains(part.as_str()))
    }
}

impl Action {
    fn apply(&self, verdict: &mut Verdict) {
        let span = |seconds: u64| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        match *self {
            Self::Lose => verdict.lost = true,
            Self::Duplicate { copies } => verdict.copies = verdict.copies.saturating_add(copies).min(MAX_COPIES),
            Self::Delay { seconds } => verdict.delay = verdict.delay.saturating_add(span(seconds)),
            Self::Swap { seconds } => verdict.held = Some(span(seconds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(value: Value) -> Rule {
        serde_json::from_value(value).unwrap()
    }

    fn sight(event: &'static str) -> Sight<'static> {
        Sight {
            subscription: Uuid::from_u128(1),
            mailbox: Uuid::from_u128(2),
            url: "https://hook.example/n",
            event,
            is_lifecycle: event == "missed",
        }
    }

    fn mishaps(rules: &[Value]) -> Mishaps {
        let mishaps = Mishaps::new(Arc::new(Entropy::seeded(3)));
        for value in rules {
            mishaps.add(rule(value.clone())).unwrap();
        }
        mishaps
    }

    #[test]
    fn a_rule_happens_from_the_nth_match_and_so_often() {
        let mishaps = mishaps(&[json!({"nth": 2, "times": 2, "action": {"kind": "lose"}})]);
        let lost: Vec<bool> = (0..5).map(|_| mishaps.judge(&sight("created")).lost).collect();
        assert_eq!(lost, [false, true, true, false, false]);
    }

    #[test]
    fn lifecycle_events_are_hit_only_by_name() {
        let mishaps = mishaps(&[
            json!({"times": 0, "action": {"kind": "lose"}}),
            json!({"times": 0, "event": "Missed", "action": {"kind": "duplicate", "copies": 2}}),
        ]);
        assert!(mishaps.judge(&sight("updated")).lost);
        let missed = mishaps.judge(&sight("missed"));
        assert_eq!((missed.lost, missed.copies), (false, 2));
    }

    #[test]
    fn a_rule_looks_at_subscription_mailbox_and_url() {
        for (name, other) in [
            ("subscription", json!(Uuid::from_u128(9))),
            ("mailbox", json!(Uuid::from_u128(9))),
            ("url_contains", json!("elsewhere")),
        ] {
            let mishaps = mishaps(&[json!({name: other, "action": {"kind": "lose"}})]);
            assert!(!mishaps.judge(&sight("created")).lost, "{name}");
        }
    }

    #[test]
    fn chance_repeats_itself_under_a_seed_and_hits_some() {
        let draw = || {
            let mishaps = mishaps(&[json!({"times": 0, "probability": 0.5, "action": {"kind": "lose"}})]);
            (0..64)
                .map(|_| mishaps.judge(&sight("created")).lost)
                .collect::<Vec<_>>()
        };
        let first = draw();
        assert_eq!(first, draw());
        let hits = first.iter().filter(|lost| **lost).count();
        assert!(hits > 10 && hits < 54, "{hits}");
    }

    #[test]
    fn impossible_rules_are_refused() {
        let none = mishaps(&[]);
        for bad in [
            json!({"nth": 0, "action": {"kind": "lose"}}),
            json!({"probability": 1.5, "action": {"kind": "lose"}}),
            json!({"action": {"kind": "duplicate", "copies": 0}}),
            json!({"action": {"kind": "delay", "seconds": 10_000_000}}),
        ] {
            assert!(none.add(rule(bad.clone())).is_err(), "{bad}");
        }
        assert!(serde_json::from_value::<Rule>(json!({"action": {"kind": "explode"}})).is_err());
    }
}
