//! When changes take effect.

use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::clock::SandboxClock;
use crate::entropy::Entropy;
use crate::exchange::rules::{AccessPolicy, AccessRight};

const APP: Uuid = Uuid::from_u128(1);

fn exchange(settings: ExchangeSettings) -> (Arc<SandboxClock>, Exchange) {
    let clock = Arc::new(SandboxClock::frozen_at(Timestamp::UNIX_EPOCH));
    let entropy = Arc::new(Entropy::seeded(1));
    let tenant = Tenant::new(Uuid::nil(), "contoso.example", Arc::clone(&clock), entropy);
    (clock, Exchange::new(Arc::new(tenant), settings))
}

fn restrict(exchange: &Exchange) {
    let policy = AccessPolicy {
        id: Uuid::nil(),
        app_id: APP,
        target: Uuid::from_u128(7),
        right: AccessRight::RestrictAccess,
        description: String::new(),
    };
    let added: Result<(), Failure> = exchange.change(|rules| {
        rules.policies.push(policy);
        Ok(())
    });
    added.expect("nothing refuses it");
}

fn blocked(exchange: &Exchange) -> bool {
    let mut caller = Caller::anonymous();
    caller.kind = CallerKind::App;
    caller.app_id = APP;
    exchange.exchange_rules(&caller, Uuid::from_u128(8)).blocked
}

fn pass(clock: &SandboxClock, minutes: u64) {
    clock.advance(Duration::from_secs(minutes * 60));
}

#[test]
fn changes_take_effect_at_once_by_default() {
    let (_, exchange) = exchange(ExchangeSettings::default());
    assert!(!blocked(&exchange));
    restrict(&exchange);
    assert!(blocked(&exchange));
}

#[test]
fn an_idle_application_sees_a_change_after_half_an_hour() {
    let (clock, exchange) = exchange(ExchangeSettings::documented());
    assert!(!blocked(&exchange));
    restrict(&exchange);
    assert!(!blocked(&exchange));
    pass(&clock, 30);
    assert!(blocked(&exchange));
}

#[test]
fn a_busy_application_sees_a_change_after_two_hours() {
    let (clock, exchange) = exchange(ExchangeSettings::documented());
    assert!(!blocked(&exchange));
    restrict(&exchange);
    for _ in 0..5 {
        pass(&clock, 20);
        assert!(!blocked(&exchange));
    }
    pass(&clock, 20);
    assert!(blocked(&exchange));
}

#[test]
fn an_application_that_never_called_has_nothing_cached() {
    let (_, exchange) = exchange(ExchangeSettings::documented());
    restrict(&exchange);
    assert!(blocked(&exchange));
}

#[test]
fn propagation_delays_every_change() {
    let settings = ExchangeSettings {
        propagation_seconds: 3_600,
        ..ExchangeSettings::default()
    };
    let (clock, exchange) = exchange(settings);
    restrict(&exchange);
    pass(&clock, 59);
    assert!(!blocked(&exchange));
    pass(&clock, 1);
    assert!(blocked(&exchange));
    assert_eq!(exchange.rules().policies.len(), 1);
}

#[test]
fn what_was_saved_is_in_force_when_restored() {
    let (_, first) = exchange(ExchangeSettings::default());
    restrict(&first);
    let text = serde_json::to_string(&first.saved()).expect("plain values");
    let (_, second) = exchange(ExchangeSettings::documented());
    assert!(!blocked(&second));
    second.restore(serde_json::from_str(&text).expect("what was written"));
    assert!(blocked(&second));
}
