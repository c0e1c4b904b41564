//! Lists: order, filter, pages, refusals.

use serde_json::json;

use super::world::{World, mail, support};

#[tokio::test]
async fn lists_are_newest_first_in_pages_of_ten() {
    let world = World::new();
    world.inject_many(12).await;
    let first = world
        .get(&support("messages?$select=subject&$count=true"))
        .await
        .expect(200);
    assert_eq!(first.each("subject")[..2], ["mail 11", "mail 10"]);
    assert_eq!(
        (first.list().len(), first.json["@odata.count"].as_u64()),
        (10, Some(12))
    );
    let link = first.text("@odata.nextLink");
    assert!(link.starts_with("https://graph.test:8443/v1.0/users/"), "{link}");
    let second = world.get(link).await.expect(200);
    assert_eq!(second.each("subject"), ["mail 1", "mail 0"]);
    assert!(second.json.get("@odata.nextLink").is_none());
    let skipped = world
        .get(&support(
            "mailFolders/inbox/messages?$top=2&$skip=11&$orderby=receivedDateTime asc",
        ))
        .await
        .expect(200);
    assert_eq!(skipped.each("subject"), ["mail 11"]);
}

#[tokio::test]
async fn the_page_size_is_bounded() {
    let world = World::new();
    world.inject_many(3).await;
    world.get(&support("messages?$top=0")).await.expect(400);
    world.get(&support("messages?$top=1001")).await.expect(400);
    world.get(&support("messages?$top=1000")).await.expect(200);
    let preferred = world
        .call(
            "GET",
            &support("messages"),
            &[("Prefer", "odata.maxpagesize=2")],
            bytes::Bytes::new(),
        )
        .await
        .expect(200);
    assert_eq!(preferred.list().len(), 2);
}

#[tokio::test]
async fn filters_select_and_sort() {
    let world = World::new();
    let mails = world.inject_many(4).await;
    world
        .patch(
            &support(&format!("messages/{}", mails[2].id)),
            json!({"isRead": true, "categories": ["Blue"]}),
        )
        .await
        .expect(200);
    let subjects = |query: &'static str| {
        let world = &world;
        async move {
            world
                .get(&support(&format!("messages?{query}")))
                .await
                .expect(200)
                .each("subject")
        }
    };
    assert_eq!(subjects("$filter=isRead eq true").await, ["mail 2"]);
    assert_eq!(
        subjects("%24filter=contains%28subject%2C+%27MAIL+3%27%29").await,
        ["mail 3"]
    );
    assert_eq!(subjects("$filter=categories/any(c:c eq 'blue')").await, ["mail 2"]);
    assert_eq!(
        subjects("$filter=internetMessageId eq '<1@fabrikam.example>'").await,
        ["mail 1"]
    );
    assert_eq!(
        subjects(
            "$filter=from/emailAddress/address eq 'ADA@fabrikam.example' and receivedDateTime lt 2026-03-01T10:01:30Z"
        )
        .await,
        ["mail 1", "mail 0"]
    );
    assert_eq!(subjects("$orderby=subject desc&$top=2").await, ["mail 3", "mail 2"]);
    assert_eq!(subjects("$filter=(isRead%20eq%20false%20AND%20parentFolderId%20eq%20%27inbox%27)&$orderby=receivedDateTime%20ASC&top=1000&$count=true").await, ["mail 0", "mail 1", "mail 3"]);
}

#[tokio::test]
async fn orders_that_do_not_fit_the_filter_are_refused() {
    let world = World::new();
    world.inject(mail("a", "1@x")).await;
    for (query, allowed) in [
        ("$orderby=sentDateTime desc&$filter=importance eq 'high'", false),
        (
            "$orderby=receivedDateTime desc&$filter=from/emailAddress/address eq 'a@x'",
            false,
        ),
        (
            "$orderby=receivedDateTime desc&$filter=receivedDateTime ge 1970-01-01T00:00:00Z and from/emailAddress/address eq 'a@x'",
            true,
        ),
        (
            "$orderby=subject,importance,receivedDateTime desc&$filter=Subject eq 'welcome' and importance eq 'normal'",
            true,
        ),
        (
            "$orderby=importance,subject&$filter=Subject eq 'welcome' and importance eq 'normal'",
            false,
        ),
        ("$orderby=receivedDateTime desc&$filter=isRead eq false", true),
    ] {
        let answer = world.get(&support(&format!("messages?{query}"))).await;
        if allowed {
            answer.expect(200);
        } else {
            assert_eq!(answer.expect(400).code(), "InefficientFilter", "{query}");
        }
    }
}

#[tokio::test]
async fn what_is_not_supported_says_so() {
    let world = World::new();
    world.inject(mail("a", "1@x")).await;
    world.get(&support("messages?$filter=nothing eq 'x'")).await.expect(400);
    world.get(&support("messages?$orderby=nothing")).await.expect(400);
    world.get(&support("messages?$expand=nothing")).await.expect(400);
    world
        .get(&support("messages?$filter=isof('microsoft.graph.eventMessage')"))
        .await
        .expect(400);
    world.get(&support("messages/delta")).await.expect(400);
}

#[tokio::test]
async fn a_wrong_filter_or_order_is_refused_even_in_an_empty_folder() {
    let world = World::new();
    for query in [
        "$filter=nothing eq 'x'",
        "$filter=importance eq 'urgent'",
        "$filter=isRead eq 'x'",
        "$filter=toRecipients/any(r:r/nothing eq 'x')",
        "$orderby=nothing",
        "$orderby=toRecipients",
        "$select=nothing",
        "$skip=-1",
        "$top=-1",
        "$top=x",
        "$count=maybe",
        "$nonsense=1",
        "nonsense=1",
    ] {
        world.get(&support(&format!("messages?{query}"))).await.expect(400);
    }
}

#[tokio::test]
async fn a_list_skipped_beyond_its_end_is_empty_and_ends() {
    let world = World::new();
    world.inject_many(2).await;
    let beyond = world.get(&support("messages?$skip=50&$count=true")).await.expect(200);
    assert!(beyond.list().is_empty() && beyond.json.get("@odata.nextLink").is_none());
    assert_eq!(beyond.json["@odata.count"], 2);
    let count = world
        .get(&support("messages/$count?$filter=subject eq 'mail 1'"))
        .await
        .expect(200);
    assert_eq!(count.bytes, "1");
}

#[tokio::test]
async fn a_next_link_keeps_every_option() {
    let world = World::new();
    world.inject_many(5).await;
    let first = world
        .get(&support(
            "messages?$top=2&$select=subject&$filter=isRead eq false&$orderby=receivedDateTime desc&$count=true",
        ))
        .await
        .expect(200);
    let second = world.get(first.text("@odata.nextLink")).await.expect(200);
    assert_eq!(second.each("subject"), ["mail 2", "mail 1"]);
    assert_eq!(second.json["@odata.count"], 5);
    assert!(second.list()[0].get("body").is_none());
}

#[tokio::test]
async fn tips_are_shown_where_they_are_switched_on_and_nothing_is_selected() {
    let world = World::new();
    let tips = "@microsoft.graph.tips";
    assert!(world.get(&support("messages")).await.json.get(tips).is_none());
    let mut behaviour = world.service.behaviour();
    behaviour.tips = true;
    world.service.set_behaviour(behaviour).unwrap();
    assert!(
        world
            .get(&support("messages"))
            .await
            .text(tips)
            .starts_with("Use $select")
    );
    assert!(
        world
            .get(&support("messages?$select=id"))
            .await
            .json
            .get(tips)
            .is_none()
    );
}
