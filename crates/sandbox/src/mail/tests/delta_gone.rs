//! Delta state that is lost: every face of the 410, and what a client can do with it.

use super::world::{SUPPORT, World, mail, support};

async fn token(world: &World, query: &str) -> String {
    let path = support(&format!("mailFolders/inbox/messages/delta{query}"));
    world.get(&path).await.expect(200).text("@odata.deltaLink").to_owned()
}

#[tokio::test]
async fn the_code_is_spelled_as_the_tenant_is_told_to() {
    let world = World::new();
    for code in [
        "SyncStateNotFound",
        "syncStateNotFound",
        "resyncRequired",
        "InvalidSyncStateData",
        "syncStateInvalid",
    ] {
        let link = token(&world, "").await;
        assert!(world.service.expire_delta_tokens(SUPPORT, Some("inbox")));
        let mut behaviour = world.service.behaviour();
        code.clone_into(&mut behaviour.gone_code);
        world.service.set_behaviour(behaviour).unwrap();
        let gone = world.get(&link).await.expect(410);
        assert_eq!(gone.code(), code);
        assert!(gone.headers.get("location").is_none());
    }
}

#[tokio::test]
async fn a_fresh_url_in_location_asks_for_the_same() {
    let world = World::new();
    world.inject(mail("a", "1@x")).await;
    let link = token(
        &world,
        "?$select=subject&$orderby=receivedDateTime desc&changeType=created",
    )
    .await;
    world.service.expire_delta_tokens(SUPPORT, None);
    let mut behaviour = world.service.behaviour();
    behaviour.gone_location = true;
    world.service.set_behaviour(behaviour).unwrap();
    let gone = world.get(&link).await.expect(410);
    let fresh = gone.headers["location"].to_str().unwrap().to_owned();
    let again = world.get(&fresh).await.expect(200);
    assert_eq!(again.each("subject"), ["a"]);
    assert!(again.list()[0].get("body").is_none());
}

#[tokio::test]
async fn tokens_live_as_long_as_the_tenant_is_told() {
    let world = World::new();
    let mut behaviour = world.service.behaviour();
    behaviour.delta_token_life = Some(600);
    world.service.set_behaviour(behaviour).unwrap();
    world.inject_many(3).await;
    let first = world
        .get(&support("mailFolders/inbox/messages/delta?$top=1"))
        .await
        .expect(200);
    let next = first.text("@odata.nextLink").to_owned();
    world.advance(599);
    world.get(&next).await.expect(200);
    world.advance(1);
    world.get(&next).await.expect(410);
    let folders = world.get(&support("mailFolders/delta")).await.expect(200);
    let folders = folders.text("@odata.deltaLink").to_owned();
    world.advance(600);
    world.get(&folders).await.expect(410);
}

#[tokio::test]
async fn the_delta_of_folders_expires_with_all_others_and_keeps_its_selection() {
    let world = World::new();
    let first = world
        .get(&support("mailFolders/delta?$select=displayName&$top=2"))
        .await
        .expect(200);
    assert!(first.list()[0].get("totalItemCount").is_none() && first.list()[0].get("id").is_some());
    let second = world.get(first.text("@odata.nextLink")).await.expect(200);
    assert_eq!(second.list().len(), 2);
    assert!(second.list()[0].get("totalItemCount").is_none());
    world.service.expire_delta_tokens(SUPPORT, None);
    world.get(first.text("@odata.nextLink")).await.expect(410);
    for query in [
        "$select=nothing",
        "$filter=id eq 'x'",
        "$expand=childFolders",
        "$skip=1",
    ] {
        world
            .get(&support(&format!("mailFolders/delta?{query}")))
            .await
            .expect(400);
    }
}

#[tokio::test]
async fn rounds_begin_with_an_empty_page_where_the_tenant_is_told_to() {
    let world = World::new();
    let mut behaviour = world.service.behaviour();
    behaviour.empty_delta_pages = true;
    world.service.set_behaviour(behaviour).unwrap();
    world.inject(mail("a", "1@x")).await;
    for expected in [1, 0] {
        let mut link = support("mailFolders/inbox/messages/delta");
        if expected == 0 {
            world.inject(mail("b", "2@x")).await;
        }
        let empty = world.get(&link).await.expect(200);
        assert!(empty.list().is_empty());
        link = empty.text("@odata.nextLink").to_owned();
        let page = world.get(&link).await.expect(200);
        assert_eq!(page.list().len(), 2 - expected);
        assert!(page.json.get("@odata.deltaLink").is_some());
    }
}

#[tokio::test]
async fn the_latest_token_is_not_invented() {
    let world = World::new();
    let path = support("mailFolders/inbox/messages/delta?$deltatoken=latest");
    world.get(&path).await.expect(400);
}

#[tokio::test]
async fn folders_that_are_gone_are_told_on_every_page_of_a_later_round() {
    let world = World::new();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let made = world
            .post(&support("mailFolders"), serde_json::json!({"displayName": name}))
            .await
            .expect(201);
        ids.push(made.text("id").to_owned());
    }
    let link = world
        .get(&support("mailFolders/delta?$top=1000"))
        .await
        .text("@odata.deltaLink")
        .to_owned();
    for id in &ids {
        for _ in 0..2 {
            world.delete(&support(&format!("mailFolders/{id}"))).await.expect(204);
        }
    }
    let mut removed = Vec::new();
    let mut page = world
        .call("GET", &link, &[("Prefer", "odata.maxpagesize=1")], bytes::Bytes::new())
        .await
        .expect(200);
    loop {
        for item in page.list().iter().filter(|item| item.get("@removed").is_some()) {
            removed.push(item["id"].as_str().unwrap().to_owned());
        }
        let Some(next) = page.json.get("@odata.nextLink") else {
            break;
        };
        let next = next.as_str().unwrap().to_owned();
        page = world
            .call("GET", &next, &[("Prefer", "odata.maxpagesize=1")], bytes::Bytes::new())
            .await
            .expect(200);
    }
    assert_eq!(removed, ids);
}
