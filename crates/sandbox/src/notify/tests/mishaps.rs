//! Lost, doubled, late and disordered notifications, as tests order them.

use serde_json::json;

use super::receiver::{Hook, Manners, ids, mishap, subscribe, tune, until_logged, wish};
use crate::mail::tests::world::{World, mail};

async fn watched() -> (World, Hook) {
    let world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, wish(&hook.url)).await.expect(201);
    (world, hook)
}

#[tokio::test]
async fn a_lost_notification_never_comes() {
    let (world, mut hook) = watched().await;
    mishap(&world, json!({"nth": 2, "action": {"kind": "lose"}}));
    let mut sent = Vec::new();
    for number in 0..3 {
        sent.push(world.inject(mail("a", &format!("{number}@x"))).await.id);
    }
    assert_eq!(ids(&hook.collect(2).await), [sent[0].clone(), sent[2].clone()]);
    until_logged(&world, "the loss stands in the journal", |one| {
        one["error"] == "lost by a rule"
    })
    .await;
}

#[tokio::test]
async fn a_doubled_notification_comes_again_before_the_next() {
    let (world, mut hook) = watched().await;
    mishap(&world, json!({"action": {"kind": "duplicate", "copies": 2}}));
    let first = world.inject(mail("a", "1@x")).await.id;
    let second = world.inject(mail("b", "2@x")).await.id;
    assert_eq!(
        ids(&hook.collect(4).await),
        [first.clone(), first.clone(), first, second]
    );
}

#[tokio::test]
async fn a_late_notification_comes_when_the_clock_says_so() {
    let (world, mut hook) = watched().await;
    mishap(&world, json!({"action": {"kind": "delay", "seconds": 3600}}));
    let late = world.inject(mail("late", "1@x")).await.id;
    let prompt = world.inject(mail("prompt", "2@x")).await.id;
    assert_eq!(ids(&hook.collect(1).await), [prompt]);
    assert!(hook.is_silent());
    world.advance(3_601);
    assert_eq!(ids(&hook.collect(1).await), [late]);
}

#[tokio::test]
async fn swapped_notifications_change_places() {
    let (world, mut hook) = watched().await;
    mishap(&world, json!({"action": {"kind": "swap"}}));
    let first = world.inject(mail("a", "1@x")).await.id;
    let second = world.inject(mail("b", "2@x")).await.id;
    assert_eq!(ids(&hook.collect(2).await), [second, first]);
}

#[tokio::test]
async fn latency_goes_by_the_clock_and_keeps_the_order() {
    let (world, mut hook) = watched().await;
    tune(&world, |tuning| tuning.latency_milliseconds = 30_000);
    let mut sent = Vec::new();
    for number in 0..20 {
        sent.push(world.inject(mail("a", &format!("{number}@x"))).await.id);
    }
    world.advance(60);
    assert_eq!(ids(&hook.collect(20).await), sent);
}
