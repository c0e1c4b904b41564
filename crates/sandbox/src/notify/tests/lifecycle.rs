//! Lifecycle notifications that come by themselves, and what survives a restart.

use serde_json::json;

use super::receiver::{Hook, Manners, each, ids, subscribe, tune, until, wish, with};
use crate::mail::tests::world::{World, mail};

async fn watched(world: &World) -> (Hook, Hook, String) {
    let hook = Hook::start(world, Manners::Echo).await;
    let lifecycle = Hook::start(world, Manners::Echo).await;
    let wish = with(wish(&hook.url), "lifecycleNotificationUrl", lifecycle.url.clone());
    let made = subscribe(world, wish).await.expect(201);
    (hook, lifecycle, format!("/subscriptions/{}", made.text("id")))
}

#[tokio::test]
async fn a_client_is_reminded_until_it_renews() {
    let world = World::new();
    tune(&world, |tuning| tuning.authorization_minutes = 0);
    let (_hook, mut lifecycle, path) = watched(&world).await;
    // The subscription lives for a day; notice begins an hour before its end.
    world.advance(23 * 3_600 + 60);
    let told = lifecycle.next().await;
    assert_eq!(each(&told, "lifecycleEvent"), ["reauthorizationRequired"]);
    assert!(told[0].get("resourceData").is_none() && told[0]["tenantId"].is_string());
    world.advance(15 * 60);
    assert_eq!(
        each(&lifecycle.next().await, "lifecycleEvent"),
        ["reauthorizationRequired"]
    );
    world
        .patch(&path, json!({"expirationDateTime": "2026-03-05T10:00:00Z"}))
        .await
        .expect(200);
    world.advance(16 * 60);
    world.advance(3_600);
    world
        .service
        .send_lifecycle(crate::notify::LifecycleEvent::Missed, None);
    assert_eq!(each(&lifecycle.next().await, "lifecycleEvent"), ["missed"]);
}

#[tokio::test]
async fn an_authorization_ends_before_the_subscription() {
    let world = World::new();
    let (_hook, mut lifecycle, path) = watched(&world).await;
    world.advance(46 * 60);
    assert_eq!(
        each(&lifecycle.next().await, "lifecycleEvent"),
        ["reauthorizationRequired"]
    );
    world
        .post(&format!("{path}/reauthorize"), serde_json::Value::Null)
        .await
        .expect(204);
    world.advance(30 * 60);
    world
        .service
        .send_lifecycle(crate::notify::LifecycleEvent::Missed, None);
    assert_eq!(each(&lifecycle.next().await, "lifecycleEvent"), ["missed"]);
}

#[tokio::test]
async fn an_expired_subscription_vanishes_without_a_word() {
    let world = World::new();
    let (mut hook, mut lifecycle, path) = watched(&world).await;
    world.advance(25 * 3_600);
    until("the subscription vanishes", || {
        world.service.notifier().subscriptions().is_empty()
    })
    .await;
    world.get(&path).await.expect(404);
    assert!(hook.is_silent() && lifecycle.is_silent());
}

#[tokio::test]
async fn what_was_saved_is_taken_up_again() {
    let world = World::new();
    let (mut hook, _lifecycle, path) = watched(&world).await;
    hook.answer(503);
    let waiting = world.inject(mail("waiting", "1@x")).await;
    hook.next().await;
    let saved = serde_json::to_string(&world.service.notifier().save()).unwrap();
    let after = World::new();
    hook.answer(202);
    // The mailbox of the new tenant is empty; only the notifications count here.
    let saved = serde_json::from_str(&saved).unwrap();
    after.service.notifier().restore(saved, &after.service).unwrap();
    assert_eq!(ids(&hook.next().await), [waiting.id]);
    after.get(&path).await.expect(200);
    let next = after.inject(mail("next", "2@x")).await;
    assert_eq!(ids(&hook.next().await), [next.id]);
    let again = with(wish(&hook.url), "changeType", "created,updated,deleted");
    subscribe(&after, again).await.expect(409);
}
