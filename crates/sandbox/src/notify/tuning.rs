//! The numbers that notifications go by, which a test may change while the tenant runs.
//!
//! Owns the defaults, each from contract §3, and their checks. Editions of Microsoft's page contradict each other on
//! time-outs and shares, hence all of them can be set. Durations are by the tenant's clock, except those that judge
//! how long an endpoint took to answer.

use serde::{Deserialize, Serialize};

/// The numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tuning {
    /// Mean time between a change and its notification; drawn evenly between zero and twice this.
    pub latency_milliseconds: u64,
    /// How long an endpoint may take to echo a validation token, in real time.
    pub handshake_timeout_milliseconds: u64,
    /// How long an endpoint may take to answer a delivery, in real time.
    pub delivery_timeout_milliseconds: u64,
    /// A reply that took at least this long, in real time, counts as slow; so does none in time.
    pub slow_after_milliseconds: u64,
    /// Replies are judged over this window.
    pub window_seconds: u64,
    /// Fewer replies in the window are not judged.
    pub least_replies: u64,
    /// An endpoint with a larger share of slow replies is slow.
    pub slow_share: f64,
    /// New notifications of a slow endpoint wait this long.
    pub slow_delay_seconds: u64,
    /// New notifications of an endpoint with a larger share of slow replies are dropped.
    pub drop_share: f64,
    /// For so long.
    pub drop_seconds: u64,
    /// The first pause between two attempts; each further one is twice as long.
    pub first_pause_seconds: u64,
    /// The longest pause.
    pub longest_pause_seconds: u64,
    /// How long a notification is tried.
    pub give_up_seconds: u64,
    /// Notifications in one request.
    pub batch: u64,
    /// How long a subscription counts as authorized before the client is told to reauthorize; 0 lets only the end of
    /// the subscription count.
    pub authorization_minutes: u64,
    /// The notice before that end, at most; never more than a quarter of the whole.
    pub notice_minutes: u64,
    /// How often the client is reminded.
    pub remind_minutes: u64,
    /// Active subscriptions per mailbox over all applications.
    pub mailbox_limit: u64,
    /// The longest life of a subscription.
    pub life_minutes: u64,
    /// The longest life of a subscription with resource data.
    pub rich_life_minutes: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            latency_milliseconds: 0,
            handshake_timeout_milliseconds: 10_000,
            delivery_timeout_milliseconds: 10_000,
            slow_after_milliseconds: 10_000,
            window_seconds: 600,
            least_replies: 100,
            slow_share: 0.10,
            slow_delay_seconds: 10,
            drop_share: 0.15,
            drop_seconds: 600,
            first_pause_seconds: 1,
            longest_pause_seconds: 600,
            give_up_seconds: 4 * 3_600,
            batch: 100,
            authorization_minutes: 60,
            notice_minutes: 60,
            remind_minutes: 15,
            mailbox_limit: 1_000,
            life_minutes: 10_080,
            rich_life_minutes: 1_440,
        }
    }
}

/// The largest number of milliseconds, seconds or minutes that is accepted: ten years of seconds.
const MAX_NUMBER: u64 = 10 * 366 * 24 * 3_600;
/// The largest batch.
const MAX_BATCH: u64 = 1_000;

impl Tuning {
    /// Refuses what cannot be carried out; the text is for the control interface.
    pub fn check(&self) -> Result<(), String> {
        let numbers = [
            ("latency_milliseconds", self.latency_milliseconds),
            ("handshake_timeout_milliseconds", self.handshake_timeout_milliseconds),
            ("delivery_timeout_milliseconds", self.delivery_timeout_milliseconds),
            ("slow_after_milliseconds", self.slow_after_milliseconds),
            ("window_seconds", self.window_seconds),
            ("slow_delay_seconds", self.slow_delay_seconds),
            ("drop_seconds", self.drop_seconds),
            ("first_pause_seconds", self.first_pause_seconds),
            ("longest_pause_seconds", self.longest_pause_seconds),
            ("give_up_seconds", self.give_up_seconds),
            ("authorization_minutes", self.authorization_minutes),
            ("notice_minutes", self.notice_minutes),
            ("remind_minutes", self.remind_minutes),
            ("life_minutes", self.life_minutes),
            ("rich_life_minutes", self.rich_life_minutes),
        ];
        if let Some((name, value)) = numbers.iter().find(|(_, value)| *value > MAX_NUMBER) {
            return Err(format!("{name} is {value}: give at most {MAX_NUMBER}"));
        }
        for (name, share) in [("slow_share", self.slow_share), ("drop_share", self.drop_share)] {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("{name} is {share}: give a share between 0 and 1"));
            }
        }
        for (name, value) in [
            ("handshake_timeout_milliseconds", self.handshake_timeout_milliseconds),
            ("delivery_timeout_milliseconds", self.delivery_timeout_milliseconds),
            ("first_pause_seconds", self.first_pause_seconds),
            ("least_replies", self.least_replies),
            ("remind_minutes", self.remind_minutes),
        ] {
            if value == 0 {
                return Err(format!("{name} must not be 0"));
            }
        }
        if self.batch == 0 || self.batch > MAX_BATCH {
            return Err(format!("batch is {}: give 1 to {MAX_BATCH}", self.batch));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_usable_and_nonsense_is_refused() {
        assert_eq!(Tuning::default().check(), Ok(()));
        for bad in [
            serde_json::json!({"slow_share": 1.5}),
            serde_json::json!({"drop_share": -0.1}),
            serde_json::json!({"batch": 0}),
            serde_json::json!({"batch": 100_000}),
            serde_json::json!({"first_pause_seconds": 0}),
            serde_json::json!({"window_seconds": u64::MAX}),
        ] {
            let tuning: Tuning = serde_json::from_value(bad.clone()).unwrap();
            assert!(tuning.check().is_err(), "{bad}");
        }
        assert!(serde_json::from_value::<Tuning>(serde_json::json!({"latency": 1})).is_err());
    }
}
