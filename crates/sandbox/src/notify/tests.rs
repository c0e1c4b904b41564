//! Subscriptions against a small receiver.

mod filters;
mod lifecycle;
mod limits;
mod mishaps;
mod receiver;
mod rich;
mod troubles;

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use crate::auth::CallerKind;
use crate::mail::tests::world::{SUPPORT, World, mail, support};
use crate::notify::LifecycleEvent;
use receiver::{Hook, Manners, subscribe, tune, wish, with};

#[tokio::test]
async fn a_subscription_is_made_shown_renewed_and_deleted() {
    let world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    let made = subscribe(&world, wish(&hook.url)).await.expect(201);
    for name in [
        "id",
        "resource",
        "applicationId",
        "changeType",
        "clientState",
        "notificationUrl",
        "expirationDateTime",
        "creatorId",
    ] {
        assert!(made.json.get(name).is_some(), "{name}");
    }
    let path = format!("/subscriptions/{}", made.text("id"));
    assert_eq!(
        world.get("/subscriptions").await.expect(200).each("id"),
        [made.text("id")]
    );
    let renewed = world
        .patch(&path, json!({"expirationDateTime": "2026-03-03T10:00:00Z"}))
        .await
        .expect(200);
    assert_eq!(renewed.text("expirationDateTime"), "2026-03-03T10:00:00Z");
    world
        .post(&format!("{path}/reauthorize"), Value::Null)
        .await
        .expect(204);
    world.delete(&path).await.expect(204);
    world.get(&path).await.expect(404);
}

#[tokio::test]
async fn another_application_sees_nothing() {
    let mut world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    let made = subscribe(&world, wish(&hook.url)).await.expect(201);
    world.caller.app_id = uuid::Uuid::from_u128(0xb);
    assert!(world.get("/subscriptions").await.expect(200).list().is_empty());
    world
        .delete(&format!("/subscriptions/{}", made.text("id")))
        .await
        .expect(404);
    subscribe(&world, wish(&hook.url)).await.expect(201);
}

#[tokio::test]
async fn an_endpoint_that_does_not_echo_the_decoded_token_is_refused() {
    let world = World::new();
    tune(&world, |tuning| tuning.handshake_timeout_milliseconds = 200);
    for manners in [
        Manners::Html,
        Manners::Undecoded,
        Manners::WithNewline,
        Manners::Empty,
        Manners::Refuse,
        Manners::Redirect,
        Manners::Hang,
        Manners::Endless,
    ] {
        let hook = Hook::start(&world, manners).await;
        let refused = subscribe(&world, wish(&hook.url)).await.expect(400);
        assert_eq!(refused.code(), "InvalidRequest", "{manners:?}");
        let seen = world.service.notifier().handshakes().pop().unwrap();
        assert!(seen["problem"].is_string(), "{manners:?}");
    }
    tune(&world, |tuning| tuning.handshake_timeout_milliseconds = 10_000);
    let echo = Hook::start(&world, Manners::EchoWithCharset).await;
    let refuse = Hook::start(&world, Manners::Refuse).await;
    let both = with(wish(&echo.url), "lifecycleNotificationUrl", refuse.url.clone());
    let refused = subscribe(&world, both).await.expect(400);
    assert_eq!(
        refused.json["error"]["message"],
        "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request."
    );
    subscribe(
        &world,
        with(wish(&echo.url), "notificationUrl", "http://127.0.0.1:1/closed"),
    )
    .await
    .expect(400);
    assert!(world.get("/subscriptions").await.list().is_empty());
}

#[tokio::test]
async fn wishes_outside_the_limits_are_refused() {
    let mut world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    for (status, name, value) in [
        (400, "changeType", json!("moved")),
        (501, "resource", json!("users/x/events")),
        (404, "resource", json!("users/nobody@contoso.example/messages")),
        (404, "resource", json!("users/unlicensed@contoso.example/messages")),
        (400, "resource", json!("me/messages")),
        (
            400,
            "resource",
            json!("users/support@contoso.example/mailFolders('AAMk')/messages"),
        ),
        (400, "notificationUrl", json!("ftp://x.example")),
        (400, "expirationDateTime", json!("2027-01-01T00:00:00Z")),
        (400, "expirationDateTime", json!("2026-02-01T00:00:00Z")),
        (400, "clientState", json!("x".repeat(129))),
    ] {
        subscribe(&world, with(wish(&hook.url), name, value.clone()))
            .await
            .expect(status);
    }
    world.caller.roles = vec!["Mail.Send".to_owned()];
    subscribe(&world, wish(&hook.url)).await.expect(403);
    world.sign_in(SUPPORT, &["Mail.Read"]);
    assert_eq!(world.caller.kind, CallerKind::Delegated);
    subscribe(
        &world,
        with(wish(&hook.url), "resource", "me/mailFolders('Inbox')/messages"),
    )
    .await
    .expect(201);
    subscribe(
        &world,
        with(wish(&hook.url), "resource", "users/sales@contoso.example/messages"),
    )
    .await
    .expect(403);
}

#[tokio::test]
async fn the_same_wish_twice_is_a_conflict() {
    let world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, wish(&hook.url)).await.expect(201);
    let inbox = world.get(&support("mailFolders/inbox")).await.text("id").to_owned();
    let spelled = format!("/users/{SUPPORT}/mailFolders/{inbox}/messages");
    subscribe(&world, with(wish(&hook.url), "resource", spelled))
        .await
        .expect(409);
    subscribe(&world, with(wish(&hook.url), "changeType", "created"))
        .await
        .expect(201);
    world.advance(2 * 86_400);
    subscribe(
        &world,
        with(wish(&hook.url), "expirationDateTime", "2026-03-04T10:00:00Z"),
    )
    .await
    .expect(201);
}

#[tokio::test]
async fn changes_are_told_in_order_with_the_form_of_id_chosen_at_creation() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let made = world
        .post_immutable("/subscriptions", wish(&hook.url))
        .await
        .expect(201);
    let arrived = world.inject(mail("a", "1@x")).await;
    let path = support(&format!("messages/{}", arrived.immutable_id));
    world.patch(&path, json!({"isRead": true})).await.expect(200);
    world.delete(&path).await.expect(204);
    let told = hook.collect(3).await;
    assert_eq!(
        told.iter()
            .map(|one| one["changeType"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["created", "updated", "deleted"]
    );
    let first = &told[0];
    assert_eq!(first["resourceData"]["id"], arrived.immutable_id.as_str());
    assert_eq!(
        (first["clientState"].as_str(), first["subscriptionId"].as_str()),
        (Some("secret"), Some(made.text("id")))
    );
    assert_eq!(first["resourceData"]["@odata.type"], "#Microsoft.Graph.Message");
    assert!(first["resource"].as_str().unwrap().ends_with(&arrived.immutable_id));
    assert!(
        first["resourceData"]["@odata.etag"]
            .as_str()
            .unwrap()
            .starts_with("W/\"")
    );
    assert!(first["tenantId"].is_string() && first["subscriptionExpirationDateTime"].is_string());
}

#[tokio::test]
async fn only_the_watched_folder_and_kinds_are_told() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, with(wish(&hook.url), "changeType", "created"))
        .await
        .expect(201);
    world
        .service
        .deliver_into(SUPPORT, Some("archive"), mail("elsewhere", "1@x"))
        .await
        .unwrap();
    let arrived = world.inject(mail("here", "2@x")).await;
    world
        .patch(&support(&format!("messages/{}", arrived.id)), json!({"isRead": true}))
        .await
        .expect(200);
    let second = world.inject(mail("again", "3@x")).await;
    let told = hook.collect(2).await;
    assert_eq!(told[0]["resourceData"]["id"], arrived.id.as_str());
    assert_eq!(told[1]["resourceData"]["id"], second.id.as_str());
}

#[tokio::test]
async fn an_expired_subscription_is_silent() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, wish(&hook.url)).await.expect(201);
    world.advance(2 * 86_400);
    world.inject(mail("late", "1@x")).await;
    subscribe(
        &world,
        with(wish(&hook.url), "expirationDateTime", "2026-03-04T10:00:00Z"),
    )
    .await
    .expect(201);
    let heard = world.inject(mail("heard", "2@x")).await;
    assert_eq!(hook.next().await[0]["resourceData"]["id"], heard.id.as_str());
}

#[tokio::test]
async fn a_refused_delivery_is_repeated_until_it_is_taken() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, wish(&hook.url)).await.expect(201);
    hook.status.store(503, Ordering::SeqCst);
    world.inject(mail("a", "1@x")).await;
    let first = hook.next().await;
    world.advance(5);
    assert_eq!(hook.next().await, first);
    hook.status.store(200, Ordering::SeqCst);
    world.advance(60);
    assert_eq!(hook.next().await, first);
    let next = world.inject(mail("b", "2@x")).await;
    assert_eq!(hook.next().await[0]["resourceData"]["id"], next.id.as_str());
    let log = world.service.notification_log();
    let statuses: Vec<u64> = log.iter().filter_map(|attempt| attempt["status"].as_u64()).collect();
    assert_eq!(statuses[..3], [503, 503, 200]);
}

#[tokio::test]
async fn a_delivery_is_given_up_after_four_hours() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, wish(&hook.url)).await.expect(201);
    hook.status.store(500, Ordering::SeqCst);
    world.inject(mail("lost", "1@x")).await;
    hook.next().await;
    world.advance(4 * 3_600 + 1);
    hook.next().await;
    hook.status.store(200, Ordering::SeqCst);
    let next = world.inject(mail("b", "2@x")).await;
    assert_eq!(hook.next().await[0]["resourceData"]["id"], next.id.as_str());
    let given_up = world
        .service
        .notification_log()
        .iter()
        .any(|attempt| attempt["error"] == "given up");
    assert!(given_up);
}

#[tokio::test]
async fn a_receiver_that_restarts_is_found_again() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, wish(&hook.url)).await.expect(201);
    world.inject(mail("before", "1@x")).await;
    hook.next().await;
    hook.stop.cancel();
    let listener = loop {
        match tokio::net::TcpListener::bind(hook.address).await {
            Ok(listener) => break listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let after = world.inject(mail("after", "2@x")).await;
    hook.serve(&world, listener, Manners::Echo);
    assert_eq!(hook.next().await[0]["resourceData"]["id"], after.id.as_str());
}

#[tokio::test]
async fn notifications_can_be_doubled() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, wish(&hook.url)).await.expect(201);
    world.inject(mail("a", "1@x")).await;
    let first = hook.next().await;
    while world.service.notification_log().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.service.duplicate_notifications(5), 1);
    assert_eq!(hook.next().await, first);
}

#[tokio::test]
async fn lifecycle_events_go_to_their_own_url() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let mut lifecycle = Hook::start(&world, Manners::Echo).await;
    let made = subscribe(
        &world,
        with(wish(&hook.url), "lifecycleNotificationUrl", lifecycle.url.clone()),
    )
    .await
    .expect(201);
    assert_eq!(world.service.send_lifecycle(LifecycleEvent::Missed, None), 1);
    let missed = lifecycle.next().await;
    assert_eq!(
        (missed[0]["lifecycleEvent"].as_str(), missed[0]["clientState"].as_str()),
        (Some("missed"), Some("secret"))
    );
    world.service.send_lifecycle(
        LifecycleEvent::SubscriptionRemoved,
        Some(made.text("id").parse().unwrap()),
    );
    assert_eq!(lifecycle.next().await[0]["lifecycleEvent"], "subscriptionRemoved");
    world
        .get(&format!("/subscriptions/{}", made.text("id")))
        .await
        .expect(404);
    assert!(hook.arrived.try_recv().is_err());
}

#[tokio::test]
async fn many_changes_share_a_delivery() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, wish(&hook.url)).await.expect(201);
    hook.status.store(500, Ordering::SeqCst);
    world.inject(mail("first", "f@x")).await;
    hook.next().await;
    let mails = world.inject_many(150).await;
    hook.status.store(200, Ordering::SeqCst);
    world.advance(600);
    let mut ids: Vec<String> = Vec::new();
    let mut largest = 0;
    while ids.len() < mails.len() {
        let batch = hook.next().await;
        largest = largest.max(batch.len());
        for one in &batch {
            let id = one["resourceData"]["id"].as_str().unwrap();
            // What was refused before comes again.
            if mails.iter().any(|mail| mail.id == id) && !ids.iter().any(|known| known == id) {
                ids.push(id.to_owned());
            }
        }
    }
    assert!(largest > 1);
    assert_eq!(ids, mails.iter().map(|mail| mail.id.clone()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cancelled_tenant_ends_its_tasks() {
    let world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, wish(&hook.url)).await.expect(201);
    hook.stop.cancel();
    world.stop.cancel();
    world.tasks.close();
    tokio::time::timeout(Duration::from_secs(30), world.tasks.wait())
        .await
        .expect("a task outlives the tenant");
}
