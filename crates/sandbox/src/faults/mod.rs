//! Faults that tests order: answers, cuts, delays, spoiled bodies, revoked tokens.
//!
//! Owns the rules and which of them is due. At most [`MAX_RULES`] rules stand at once. Rules are tried in order of
//! creation; delays add up, and of the other actions the first that is due happens. What looks random is drawn from
//! the rule's own seed, so that the same order of requests meets the same faults again.

mod action;
mod answer;
mod rule;
mod spoil;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

pub use action::{Action, ConnectionFault, Revocation, SmtpPhase, StatusFault};
pub use rule::{Asked, Rule};
pub use spoil::{Spoiled, Spoiling};

use crate::entropy::split_mix;
use action::Place;

/// Rules at once: a test that needs more has lost sight of them.
const MAX_RULES: usize = 256;

/// What happens to one request.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Wait first.
    pub latency: Option<Duration>,
    /// Then this.
    pub effect: Option<Effect>,
}

/// The part of a verdict that changes the answer.
#[derive(Debug, Clone)]
pub enum Effect {
    /// See [`Action::Status`].
    Status(StatusFault),
    /// See [`Action::CutBefore`].
    CutBefore,
    /// See [`Action::CutAfter`].
    CutAfter,
    /// See [`Action::RevokeTokens`] and [`Action::ClaimsChallenge`].
    Revoke(Revocation),
    /// The service answers and its answer is spoiled on the way.
    Spoil(Spoiling),
}

/// The rules that stand.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Rules>);

#[derive(Debug, Default)]
struct Rules {
    next_id: u64,
    rules: Vec<Standing>,
}

#[derive(Debug)]
struct Standing {
    id: u64,
    rule: Rule,
    matches: u64,
    hits: u64,
    random: u64,
}

impl Standing {
    /// Counts a match and says whether the rule is due.
    fn due(&mut self) -> bool {
        self.matches += 1;
        let rule = &self.rule;
        let in_turn = self.matches >= rule.nth && (self.matches - rule.nth).is_multiple_of(rule.every);
        let left = rule.times == 0 || self.hits < rule.times;
        // The draw comes last: only requests that could be hit move the sequence.
        in_turn && left && rule.probability.is_none_or(|chance| self.draw() < chance)
    }

    /// At least 0 and less than 1.
    fn draw(&mut self) -> f64 {
        (split_mix(&mut self.random) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn wait(&mut self, milliseconds: u64, jitter: u64) -> Duration {
        let extra = match jitter {
            0 => 0,
            jitter => split_mix(&mut self.random) % jitter.saturating_add(1).max(1),
        };
        Duration::from_millis(milliseconds.saturating_add(extra))
    }
}

impl Faults {
    fn with<T>(&self, work: impl FnOnce(&mut Rules) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a rule and gives its id.
    ///
    /// # Errors
    /// Text for the control interface when the rule cannot be carried out.
    pub fn add(&self, rule: Rule) -> Result<u64, String> {
        rule.check()?;
        self.with(|rules| {
            if rules.rules.len() >= MAX_RULES {
                return Err(format!("at most {MAX_RULES} rules: delete some first"));
            }
            rules.next_id += 1;
            let id = rules.next_id;
            rules.rules.push(Standing {
                id,
                random: rule.seed.unwrap_or(id),
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
            let shown = rules.rules.iter().map(|standing| {
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
            let before = rules.rules.len();
            rules.rules.retain(|standing| id.is_some_and(|id| standing.id != id));
            before - rules.rules.len()
        })
    }

    /// What happens to this request; counts it. `in_batch` requests have no connection of their own, so that rules
    /// about connections and bytes pass them by, uncounted.
    #[must_use]
    pub fn judge(&self, asked: &Asked<'_>, in_batch: bool) -> Verdict {
        self.with(|rules| {
            let mut verdict = Verdict::default();
            if rules.rules.is_empty() {
                return verdict;
            }
            let words = asked.words();
            for standing in &mut rules.rules {
                let place = standing.rule.action.place();
                let applies = place == Place::Request || (place == Place::Bytes && !in_batch);
                if !applies || !standing.rule.matches(asked, &words) || !standing.due() {
                    continue;
                }
                let effect = match &standing.rule.action {
                    Action::Latency {
                        milliseconds,
                        jitter_milliseconds,
                    } => {
                        let (least, jitter) = (*milliseconds, *jitter_milliseconds);
                        let wait = standing.wait(least, jitter);
                        verdict.latency = Some(verdict.latency.unwrap_or_default().saturating_add(wait));
                        standing.hits += 1;
                        continue;
                    }
                    other => other.effect(),
                };
                if verdict.effect.is_none() {
                    standing.hits += 1;
                    verdict.effect = effect;
                }
            }
            verdict
        })
    }

    /// What happens to a new connection; only one of TLS can fail in its handshake.
    #[must_use]
    pub fn connection(&self, tls: bool) -> Option<ConnectionFault> {
        self.with(|rules| {
            for standing in &mut rules.rules {
                let fault = standing.rule.action.connection();
                let possible = fault.is_some_and(|fault| tls || fault != ConnectionFault::Tls);
                if possible && standing.due() {
                    standing.hits += 1;
                    return fault;
                }
            }
            None
        })
    }

    /// What is said instead of the service's own reply in an SMTP session, if anything. `argument` is what follows the
    /// command.
    #[must_use]
    pub fn smtp(&self, phase: SmtpPhase, argument: &str) -> Option<String> {
        self.with(|rules| {
            for standing in &mut rules.rules {
                if standing.rule.matches_smtp(phase, argument) && standing.due() {
                    standing.hits += 1;
                    return standing.rule.action.reply();
                }
            }
            None
        })
    }
}

#[cfg(test)]
mod tests;
