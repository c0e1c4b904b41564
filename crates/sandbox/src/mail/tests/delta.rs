//! Delta query: first rounds, changes, moves, deletes, tokens.

use bytes::Bytes;
use serde_json::{Value, json};

use super::world::{Reply, SUPPORT, World, mail, support};

const INBOX: &str = "mailFolders/inbox/messages/delta";

/// Follows next links; the items of all pages and the delta link.
async fn round(world: &World, start: &str, prefer: &str) -> (Vec<Value>, String) {
    let mut items = Vec::new();
    let mut url = start.to_owned();
    for _ in 0..100 {
        let page = world
            .call("GET", &url, &[("Prefer", prefer)], Bytes::new())
            .await
            .expect(200);
        items.extend(page.list().clone());
        if let Some(link) = page.json.get("@odata.deltaLink") {
            return (items, link.as_str().unwrap().to_owned());
        }
        url = page.text("@odata.nextLink").to_owned();
    }
    panic!("the round does not end");
}

fn subjects(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(|item| item["subject"].as_str()).collect()
}

#[tokio::test]
async fn a_first_round_lists_everything_once_in_pages() {
    let world = World::new();
    world.inject_many(5).await;
    let first = world
        .call(
            "GET",
            &support(&format!("{INBOX}()?$select=subject")),
            &[("Prefer", "odata.maxpagesize=2")],
            Bytes::new(),
        )
        .await
        .expect(200);
    assert_eq!(first.list().len(), 2);
    assert!(first.text("@odata.nextLink").contains("$skiptoken="));
    assert!(
        first.headers["preference-applied"]
            .to_str()
            .unwrap()
            .contains("odata.track-changes")
    );
    let item = first.list()[0].as_object().unwrap();
    assert_eq!(
        item.keys().collect::<Vec<_>>(),
        ["@odata.etag", "@odata.type", "id", "subject"]
    );
    let (items, link) = round(
        &world,
        &support(&format!("{INBOX}?$select=subject")),
        "odata.maxpagesize=2",
    )
    .await;
    assert_eq!(subjects(&items), ["mail 0", "mail 1", "mail 2", "mail 3", "mail 4"]);
    let (again, _) = round(&world, &link, "").await;
    assert!(again.is_empty());
}

#[tokio::test]
async fn later_rounds_tell_what_came_changed_moved_and_went() {
    let world = World::new();
    let mails = world.inject_many(4).await;
    let (_, link) = round(&world, &support(INBOX), "odata.maxpagesize=50").await;
    world.inject(mail("new", "n@x")).await;
    world
        .patch(&support(&format!("messages/{}", mails[0].id)), json!({"isRead": true}))
        .await
        .expect(200);
    world
        .post(
            &support(&format!("messages/{}/move", mails[1].id)),
            json!({"destinationId": "archive"}),
        )
        .await
        .expect(201);
    world
        .delete(&support(&format!("messages/{}", mails[2].id)))
        .await
        .expect(204);
    let (items, link) = round(&world, &link, "odata.maxpagesize=1").await;
    assert_eq!(subjects(&items), ["new", "mail 0"]);
    let removed: Vec<&Value> = items.iter().filter(|item| item.get("@removed").is_some()).collect();
    assert_eq!(
        removed[0],
        &json!({"@odata.type": "#microsoft.graph.message", "id": mails[1].id, "@removed": {"reason": "deleted"}})
    );
    assert_eq!(removed[1]["id"], mails[2].id.as_str());
    assert!(round(&world, &link, "").await.0.is_empty());
}

#[tokio::test]
async fn removals_carry_the_form_of_id_that_is_asked_for() {
    let world = World::new();
    let arrived = world.inject(mail("a", "1@x")).await;
    let (items, link) = round(&world, &support(INBOX), "IdType=\"ImmutableId\"").await;
    assert_eq!(items[0]["id"], arrived.immutable_id.as_str());
    world
        .delete(&support(&format!("messages/{}", arrived.id)))
        .await
        .expect(204);
    let (items, _) = round(&world, &link, "IdType=\"ImmutableId\"").await;
    assert_eq!(items[0]["id"], arrived.immutable_id.as_str());
    let (items, _) = round(&world, &link, "").await;
    assert_eq!(items[0]["id"], arrived.id.as_str());
}

#[tokio::test]
async fn a_message_that_came_and_went_between_rounds_is_not_mentioned() {
    let world = World::new();
    let (_, link) = round(&world, &support(INBOX), "").await;
    let arrived = world.inject(mail("a", "1@x")).await;
    world
        .delete(&support(&format!("messages/{}", arrived.id)))
        .await
        .expect(204);
    assert!(round(&world, &link, "").await.0.is_empty());
}

#[tokio::test]
async fn a_message_shown_on_an_early_page_and_deleted_during_the_walk_is_removed() {
    let world = World::new();
    let mails = world.inject_many(3).await;
    let first = world
        .call(
            "GET",
            &support(INBOX),
            &[("Prefer", "odata.maxpagesize=1")],
            Bytes::new(),
        )
        .await
        .expect(200);
    assert_eq!(first.list()[0]["id"], mails[0].id.as_str());
    world
        .delete(&support(&format!("messages/{}", mails[0].id)))
        .await
        .expect(204);
    world
        .delete(&support(&format!("messages/{}", mails[2].id)))
        .await
        .expect(204);
    let (rest, _) = round(&world, first.text("@odata.nextLink"), "odata.maxpagesize=1").await;
    assert_eq!(subjects(&rest), ["mail 1"]);
    // A removal of a message that was never shown does no harm; the one that was shown must be there.
    assert!(
        rest.iter()
            .any(|item| item.get("@removed").is_some() && item["id"] == mails[0].id.as_str())
    );
}

#[tokio::test]
async fn a_message_moved_out_and_back_is_told_twice() {
    let world = World::new();
    let arrived = world.inject(mail("a", "1@x")).await;
    let (_, link) = round(&world, &support(INBOX), "").await;
    let path = support(&format!("messages/{}/move", arrived.immutable_id));
    world.post(&path, json!({"destinationId": "archive"})).await.expect(201);
    world.post(&path, json!({"destinationId": "inbox"})).await.expect(201);
    let (items, _) = round(&world, &link, "").await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["id"], arrived.id.as_str());
    assert_eq!(subjects(&items), ["a"]);
}

#[tokio::test]
async fn change_types_filters_and_order_are_baked_into_tokens() {
    let world = World::new();
    let mails = world.inject_many(4).await;
    let (created, link) = round(
        &world,
        &support(&format!("{INBOX}?changeType=created&$select=subject")),
        "",
    )
    .await;
    assert_eq!(created.len(), 4);
    world
        .patch(&support(&format!("messages/{}", mails[0].id)), json!({"isRead": true}))
        .await
        .expect(200);
    world.inject(mail("new", "n@x")).await;
    let (items, _) = round(&world, &link, "").await;
    assert_eq!(subjects(&items), ["new"]);
    let (recent, _) = round(
        &world,
        &support(&format!(
            "{INBOX}?$filter=receivedDateTime ge 2026-03-01T10:02:00Z&$top=1"
        )),
        "",
    )
    .await;
    assert_eq!(subjects(&recent), ["mail 2", "mail 3", "new"]);
    let (ordered, link) = round(
        &world,
        &support(&format!("{INBOX}?$orderby=receivedDateTime desc")),
        "odata.maxpagesize=2",
    )
    .await;
    assert_eq!(subjects(&ordered), ["new", "mail 3", "mail 2", "mail 1", "mail 0"]);
    assert!(round(&world, &link, "").await.0.is_empty());
    for bad in [
        "$filter=subject eq 'a'",
        "$orderby=subject",
        "changeType=moved",
        "$search=\"a\"",
        "$skip=3",
    ] {
        world.get(&support(&format!("{INBOX}?{bad}"))).await.expect(400);
    }
}

#[tokio::test]
async fn a_walk_ordered_by_time_misses_nothing_that_changes_meanwhile() {
    let world = World::new();
    let mails = world.inject_many(4).await;
    let start = support(&format!("{INBOX}?$orderby=receivedDateTime desc"));
    let first = world
        .call("GET", &start, &[("Prefer", "odata.maxpagesize=2")], Bytes::new())
        .await
        .expect(200);
    world.inject(mail("late", "l@x")).await;
    world
        .delete(&support(&format!("messages/{}", mails[3].id)))
        .await
        .expect(204);
    world
        .delete(&support(&format!("messages/{}", mails[0].id)))
        .await
        .expect(204);
    let (rest, link) = round(&world, first.text("@odata.nextLink"), "odata.maxpagesize=2").await;
    assert_eq!(subjects(&rest), ["mail 1"]);
    let (next, _) = round(&world, &link, "").await;
    assert_eq!(subjects(&next), ["late"]);
    assert_eq!(next.iter().filter(|item| item.get("@removed").is_some()).count(), 2);
}

#[tokio::test]
async fn unknown_expired_and_foreign_tokens_are_gone() {
    let world = World::new();
    world.inject(mail("a", "1@x")).await;
    let gone = |reply: Reply| {
        let reply = reply.expect(410);
        assert_eq!(reply.code(), "SyncStateNotFound");
        assert!(
            reply.json["error"]["message"]
                .as_str()
                .unwrap()
                .starts_with("The sync state generation is not found; generation=")
        );
    };
    let (_, link) = round(&world, &support(INBOX), "").await;
    gone(world.get(&support(&format!("{INBOX}?$deltatoken=nonsense"))).await);
    let token = link.split("$deltatoken=").nth(1).unwrap();
    gone(
        world
            .get(&format!("/users/sales@contoso.example/{INBOX}?$deltatoken={token}"))
            .await,
    );
    let other = world.get(&support("mailFolders/archive")).await.text("id").to_owned();
    gone(
        world
            .get(&support(&format!(
                "mailFolders/{other}/messages/delta?$deltatoken={token}"
            )))
            .await,
    );
    world.get(&link).await.expect(200);
    assert!(world.service.expire_delta_tokens(SUPPORT, Some("inbox")));
    gone(world.get(&link).await);
    let (items, link) = round(&world, &support(INBOX), "").await;
    assert_eq!(items.len(), 1);
    world.get(&link).await.expect(200);
}

#[tokio::test]
async fn a_replay_repeats_items_once_and_loses_no_removal() {
    let world = World::new();
    let mails = world.inject_many(3).await;
    let (_, link) = round(&world, &support(INBOX), "").await;
    world
        .delete(&support(&format!("messages/{}", mails[0].id)))
        .await
        .expect(204);
    assert!(world.service.replay_delta(SUPPORT, "inbox"));
    let (items, link) = round(&world, &link, "odata.maxpagesize=1").await;
    assert_eq!(subjects(&items), ["mail 1", "mail 2"]);
    assert_eq!(items.iter().filter(|item| item.get("@removed").is_some()).count(), 1);
    assert!(round(&world, &link, "").await.0.is_empty());
    assert!(!world.service.replay_delta(SUPPORT, "nonsense"));
}

#[tokio::test]
async fn a_changed_message_is_listed_again_at_the_end_of_the_walk() {
    let world = World::new();
    let mails = world.inject_many(3).await;
    let first = world
        .call(
            "GET",
            &support(INBOX),
            &[("Prefer", "odata.maxpagesize=1")],
            Bytes::new(),
        )
        .await
        .expect(200);
    world
        .patch(&support(&format!("messages/{}", mails[0].id)), json!({"isRead": true}))
        .await
        .expect(200);
    let (rest, _) = round(&world, first.text("@odata.nextLink"), "odata.maxpagesize=1").await;
    assert_eq!(subjects(&rest), ["mail 1", "mail 2", "mail 0"]);
}
