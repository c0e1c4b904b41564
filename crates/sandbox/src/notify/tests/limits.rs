//! How many, by whom, and what may be changed.

use serde_json::{Value, json};
use uuid::Uuid;

use super::receiver::{Hook, Manners, subscribe, tune, wish, with};
use crate::mail::tests::world::{SALES, SUPPORT, World};

#[tokio::test]
async fn a_full_mailbox_takes_no_further_subscription_of_any_application() {
    let mut world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    tune(&world, |tuning| tuning.mailbox_limit = 2);
    subscribe(&world, wish(&hook.url)).await.expect(201);
    world.caller.app_id = Uuid::from_u128(0xb);
    subscribe(&world, wish(&hook.url)).await.expect(201);
    world.caller.app_id = Uuid::from_u128(0xc);
    let refused = subscribe(&world, wish(&hook.url)).await.expect(403);
    assert_eq!(refused.code(), "ExtensionError");
    let elsewhere = format!("users/{SALES}/messages");
    subscribe(&world, with(wish(&hook.url), "resource", elsewhere))
        .await
        .expect(201);
    // What is expired does not count.
    world.advance(86_401);
    let later = with(wish(&hook.url), "expirationDateTime", "2026-03-04T10:00:00Z");
    subscribe(&world, later).await.expect(201);
}

#[tokio::test]
async fn the_default_is_a_thousand_for_a_mailbox_and_a_week() {
    let tuning = World::new().service.notifier().tuning();
    assert_eq!(
        (tuning.mailbox_limit, tuning.life_minutes, tuning.rich_life_minutes),
        (1_000, 10_080, 1_440)
    );
}

#[tokio::test]
async fn of_two_equal_wishes_at_once_one_is_a_conflict() {
    let world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    let (one, other) = tokio::join!(subscribe(&world, wish(&hook.url)), subscribe(&world, wish(&hook.url)));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

#[tokio::test]
async fn a_short_life_is_raised_and_a_long_one_refused() {
    let world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    let short = with(wish(&hook.url), "expirationDateTime", "2026-03-01T12:05:00+02:00");
    let made = subscribe(&world, short).await.expect(201);
    assert_eq!(made.text("expirationDateTime"), "2026-03-01T10:45:00Z");
    let path = format!("/subscriptions/{}", made.text("id"));
    let refused = world
        .patch(&path, json!({"expirationDateTime": "2026-03-08T10:02:00Z"}))
        .await
        .expect(400);
    assert_eq!(
        refused.json["error"]["message"],
        "Subscription expiration can only be 10080 minutes in the future."
    );
    world
        .patch(&path, json!({"expirationDateTime": "2026-03-08T10:00:00Z"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn an_update_changes_only_what_may_change() {
    let world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    let made = subscribe(&world, wish(&hook.url)).await.expect(201);
    let path = format!("/subscriptions/{}", made.text("id"));
    let expires = "2026-03-03T10:00:00Z";
    for (name, value) in [
        ("lifecycleNotificationUrl", json!(hook.url)),
        ("resource", json!("users/x/messages")),
        ("changeType", json!("created")),
        ("clientState", json!("other")),
        ("includeResourceData", json!(true)),
        ("encryptionCertificate", json!("AAAA")),
        ("latestSupportedTlsVersion", json!("v1_3")),
        ("applicationId", json!("x")),
        ("nonsense", json!(1)),
        ("notificationUrl", json!("http://127.0.0.1:1/closed")),
        ("expirationDateTime", json!(5)),
    ] {
        let change = with(json!({"expirationDateTime": expires}), name, value);
        world.patch(&path, change).await.expect(400);
    }
    world.patch(&path, json!({})).await.expect(400);
    let shown = world.get(&path).await.expect(200);
    assert_eq!(shown.json["expirationDateTime"], made.json["expirationDateTime"]);
    // Repeating what is there, as clients do that send the whole object back, changes nothing.
    let mut whole = shown.json;
    whole["expirationDateTime"] = json!(expires);
    assert_eq!(
        world.patch(&path, whole).await.expect(200).text("expirationDateTime"),
        expires
    );
}

#[tokio::test]
async fn a_list_comes_in_pages() {
    let world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    let kinds = ["created", "updated", "deleted", "created,updated", "updated,deleted"];
    let mut made = Vec::new();
    for kind in kinds {
        made.push(
            subscribe(&world, with(wish(&hook.url), "changeType", kind))
                .await
                .expect(201)
                .text("id")
                .to_owned(),
        );
    }
    let (mut seen, mut next) = (Vec::new(), Some("/subscriptions?$top=2".to_owned()));
    while let Some(path) = next {
        let page = world.get(&path).await.expect(200);
        assert!(page.list().len() <= 2);
        seen.extend(page.each("id"));
        next = page.json["@odata.nextLink"].as_str().map(str::to_owned);
    }
    made.sort_unstable();
    assert_eq!(seen, made);
    for bad in [
        "$top=0",
        "$top=1000",
        "$filter=id eq 'x'",
        "$skiptoken=nonsense",
        "$select=id",
        "other=1",
    ] {
        world.get(&format!("/subscriptions?{bad}")).await.expect(400);
    }
}

#[tokio::test]
async fn a_user_sees_their_own_subscriptions_only() {
    let mut world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    world.sign_in(SUPPORT, &["Mail.Read"]);
    let mine = with(wish(&hook.url), "resource", "me/messages");
    let made = subscribe(&world, mine).await.expect(201);
    let path = format!("/subscriptions/{}", made.text("id"));
    world.get(&path).await.expect(200);
    world.sign_in(SALES, &["Mail.Read"]);
    world.get(&path).await.expect(404);
    assert!(world.get("/subscriptions").await.expect(200).list().is_empty());
}

#[tokio::test]
async fn whoever_lost_the_permission_cannot_renew() {
    let mut world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    let made = subscribe(&world, wish(&hook.url)).await.expect(201);
    let path = format!("/subscriptions/{}", made.text("id"));
    world.caller.roles = vec!["Mail.Send".to_owned()];
    world
        .patch(&path, json!({"expirationDateTime": "2026-03-03T10:00:00Z"}))
        .await
        .expect(403);
    world
        .post(&format!("{path}/reauthorize"), Value::Null)
        .await
        .expect(403);
    world.get(&path).await.expect(200);
    world.delete(&path).await.expect(204);
}
