//! When and after how long a failed call is repeated.
//!
//! Owns the policy and the reading of `Retry-After`. Invariants: a wait is never shorter than our
//! own exponential floor, whatever the server advises; a call that adds something is repeated only
//! after a failure that provably had no effect; no call sleeps longer than the caller's patience,
//! it hands the advice to the caller instead.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::Timestamp;

use crate::class::Class;
use crate::error::Error;

/// Longest advice that is believed; a larger one is a mistake and would park work for good.
const MAX_ADVICE: Duration = Duration::from_secs(24 * 60 * 60);

/// Share of our own wait that jitter may add, so that callers refused together do not return
/// together.
const JITTER_SHARE: f64 = 0.25;

/// How often and how patiently a call is repeated by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included. At least one is made.
    pub max_attempts: u32,
    /// Wait before the second attempt; it doubles with each further one.
    pub floor: Duration,
    /// Bound on our own doubling. Advice of the server may exceed it.
    pub cap: Duration,
    /// Longest single wait inside a call. Where a longer one is needed the call fails with
    /// [`Class::Retry`] and the wait in it.
    pub patience: Duration,
}

impl Default for RetryPolicy {
    /// Four attempts, waits from half a second to 20 s, patience of 30 s.
    fn default() -> Self {
        Self {
            max_attempts: 4,
            floor: Duration::from_millis(500),
            cap: Duration::from_secs(20),
            patience: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// A policy that never repeats by itself.
    pub fn never() -> Self {
        Self {
            max_attempts: 1,
            ..Self::default()
        }
    }

    /// Our own wait after the `failed`-th failed attempt (from 1).
    fn own_wait(&self, failed: u32) -> Duration {
        let doublings = failed.saturating_sub(1).min(31);
        self.floor.saturating_mul(1 << doublings).min(self.cap)
    }

    fn wait(&self, failed: u32, advised: Duration, jitter: f64) -> Duration {
        let own = self.own_wait(failed);
        advised.max(own) + own.mul_f64(JITTER_SHARE * jitter.clamp(0.0, 1.0))
    }
}

/// What repeating a call would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The call only reads.
    Reads,
    /// The call writes, and doing it twice leaves the same state as doing it once.
    Idempotent,
    /// Every execution adds something: a draft, a mail, an attachment, a secret.
    Once,
}

impl Effect {
    pub(crate) fn writes(self) -> bool {
        self != Self::Reads
    }
}

/// The attempts of one call.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    policy: &'a RetryPolicy,
    effect: Effect,
    failed: u32,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(policy: &'a RetryPolicy, effect: Effect) -> Self {
        Self {
            policy,
            effect,
            failed: 0,
        }
    }

    /// How long to wait before the next attempt, or the error when there shall be none.
    pub(crate) fn after(&mut self, error: Error, jitter: f64) -> Result<Duration, Error> {
        self.failed += 1;
        let Class::Retry { after: advised } = error.class else {
            return Err(error);
        };
        let wait = self.policy.wait(self.failed, advised, jitter);
        let repeatable = self.effect != Effect::Once || !error.may_have_had_effect;
        if self.failed < self.policy.max_attempts && repeatable && wait <= self.policy.patience {
            tracing::debug!(
                operation = error.operation, code = %error.code, status = error.status,
                attempt = self.failed, wait_ms = wait.as_millis(), "call failed and is repeated"
            );
            return Ok(wait);
        }
        Err(error.with_class(Class::Retry { after: wait }))
    }
}

/// The `Retry-After` of an answer: seconds, whole or decimal, or an HTTP date (RFC 9110 §10.2.3),
/// which needs `now`.
pub(crate) fn retry_after(headers: &HeaderMap, now: Option<Timestamp>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        let seconds: f64 = text.parse().ok()?;
        return Some(
            Duration::try_from_secs_f64(seconds)
                .unwrap_or(MAX_ADVICE)
                .min(MAX_ADVICE),
        );
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    // A date in the past means now.
    Some(
        Duration::try_from(at.duration_since(now?))
            .unwrap_or(Duration::ZERO)
            .min(MAX_ADVICE),
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const NOW: &str = "2026-03-01T12:00:00Z";

    fn advice(text: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
        retry_after(&headers, Some(NOW.parse().unwrap()))
    }

    fn policy() -> RetryPolicy {
        RetryPolicy {
            max_attempts: 10,
            floor: Duration::from_secs(1),
            cap: Duration::from_secs(8),
            patience: Duration::from_secs(60),
        }
    }

    fn refusal(after: Duration) -> Error {
        Error::new(Class::Retry { after }, "test", "TooManyRequests", "")
    }

    #[test]
    fn advice_is_read_as_seconds_decimals_or_date() {
        assert_eq!(advice("10"), Some(Duration::from_secs(10)));
        assert_eq!(advice("2.128"), Some(Duration::from_millis(2128)));
        assert_eq!(advice("Sun, 01 Mar 2026 12:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(advice("Sun, 01 Mar 2026 11:00:00 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_no_advice_and_huge_advice_is_bounded() {
        assert_eq!(advice("soon"), None);
        assert_eq!(advice("-5"), None);
        assert_eq!(advice("1e300"), Some(MAX_ADVICE));
        assert_eq!(advice("99999999999999999999999"), Some(MAX_ADVICE));
    }

    #[test]
    fn waits_double_up_to_the_cap_even_if_the_server_advises_less() {
        let policy = policy();
        let mut attempts = Attempts::new(&policy, Effect::Reads);
        let waits: Vec<u64> = (0..5)
            .map(|_| attempts.after(refusal(Duration::ZERO), 0.0).unwrap().as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 8]);
    }

    #[test]
    fn advice_above_the_floor_is_honoured_beyond_the_cap() {
        let policy = policy();
        let mut attempts = Attempts::new(&policy, Effect::Reads);
        assert_eq!(
            attempts.after(refusal(Duration::from_secs(30)), 0.0).unwrap(),
            Duration::from_secs(30)
        );
    }

    #[test]
    fn advice_beyond_the_patience_is_handed_to_the_caller() {
        let policy = policy();
        let mut attempts = Attempts::new(&policy, Effect::Reads);
        let error = attempts.after(refusal(Duration::from_secs(300)), 0.0).unwrap_err();
        assert_eq!(
            error.class,
            Class::Retry {
                after: Duration::from_secs(300)
            }
        );
    }

    #[test]
    fn jitter_only_adds() {
        let policy = policy();
        let wait = Attempts::new(&policy, Effect::Reads)
            .after(refusal(Duration::ZERO), 1.0)
            .unwrap();
        assert_eq!(wait, Duration::from_millis(1250));
    }

    #[test]
    fn once_is_repeated_only_when_nothing_can_have_happened() {
        let policy = policy();
        let mut attempts = Attempts::new(&policy, Effect::Once);
        assert!(attempts.after(refusal(Duration::ZERO), 0.0).is_ok());
        assert!(attempts.after(refusal(Duration::ZERO).with_effect(), 0.0).is_err());
        let mut attempts = Attempts::new(&policy, Effect::Idempotent);
        assert!(attempts.after(refusal(Duration::ZERO).with_effect(), 0.0).is_ok());
    }

    #[test]
    fn denials_are_not_repeated() {
        let policy = policy();
        let denied = Error::new(Class::Denied, "test", "ErrorAccessDenied", "");
        assert!(Attempts::new(&policy, Effect::Reads).after(denied, 0.0).is_err());
    }
}
