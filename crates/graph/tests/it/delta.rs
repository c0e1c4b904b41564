//! Delta pages.

use guichet_graph::{Class, DeltaFrom, DeltaItem, DeltaNext};
use serde_json::json;

use crate::scripted::{Outcome, Script, client, graph_error, json};

const LINK: &str = "https://graph.microsoft.com/v1.0/users/u/mailFolders('f')/messages/delta?$deltatoken=abc";

fn link(link: &str) -> DeltaFrom<'_> {
    DeltaFrom::Link { link, page_size: 50 }
}

fn last(values: &serde_json::Value) -> Outcome {
    json(200, &json!({ "value": values, "@odata.deltaLink": LINK }))
}

#[tokio::test]
async fn first_page_asks_for_properties_size_and_immutable_ids() {
    let script = Script::new([last(&json!([]))]);
    let (graph, _time) = client(&script);
    let from = DeltaFrom::Start {
        select: &["id", "isRead"],
        page_size: 50,
    };
    graph.delta("u", "inbox", from).await.unwrap();
    assert_eq!(
        script.lines(),
        ["GET /v1.0/users/u/mailFolders/inbox/messages/delta?$select=id,isRead\
            &$expand=singleValueExtendedProperties($filter%3Did%20eq%20%27Long%200xe08%27)"]
    );
    assert_eq!(
        script.asked()[0].headers["prefer"],
        r#"IdType="ImmutableId", odata.maxpagesize=50"#
    );
}

#[tokio::test]
async fn links_are_followed_as_they_are_and_the_size_is_repeated() {
    let script = Script::new([last(&json!([]))]);
    let (graph, _time) = client(&script);
    let page = graph.delta("u", "f", link(LINK)).await.unwrap();
    assert_eq!(script.asked()[0].url.query(), Some("$deltatoken=abc"));
    assert!(
        script.asked()[0].headers["prefer"]
            .to_str()
            .unwrap()
            .contains("maxpagesize=50")
    );
    assert_eq!(page.next, DeltaNext::Done(LINK.to_owned()));
}

#[tokio::test]
async fn removed_and_changed_items_are_told_apart() {
    let values = json!([
        { "@odata.type": "#microsoft.graph.message", "id": "gone", "@removed": { "reason": "deleted" } },
        { "@odata.type": "#microsoft.graph.eventMessageRequest", "id": "new", "isRead": "true", "newField": 1,
          "singleValueExtendedProperties": [{ "id": "Long 0xe08", "value": "4711" }] },
    ]);
    let script = Script::new([last(&values)]);
    let (graph, _time) = client(&script);
    let page = graph.delta("u", "f", link(LINK)).await.unwrap();
    assert_eq!(page.items[0], DeltaItem::Removed { id: "gone".into() });
    let DeltaItem::Upsert(message) = &page.items[1] else {
        panic!("not an upsert")
    };
    assert_eq!((message.id.as_str(), message.is_read), ("new", Some(true)));
    assert_eq!(message.size(), Some(4711));
}

#[tokio::test]
async fn empty_page_with_a_next_link_is_not_the_end() {
    let script = Script::new([json(200, &json!({ "value": [], "@odata.nextLink": LINK }))]);
    let (graph, _time) = client(&script);
    let page = graph.delta("u", "f", link(LINK)).await.unwrap();
    assert!(page.items.is_empty());
    assert_eq!(page.next, DeltaNext::More(LINK.to_owned()));
}

#[tokio::test]
async fn item_without_id_spoils_no_other() {
    let script = Script::new([last(&json!([{ "subject": "x" }, { "id": "a" }, 5, { "@removed": {} }]))]);
    let (graph, _time) = client(&script);
    let page = graph.delta("u", "f", link(LINK)).await.unwrap();
    assert_eq!((page.items.len(), page.unreadable), (1, 3));
}

#[tokio::test]
async fn foreign_link_in_an_answer_is_refused() {
    let foreign = "https://graph.microsoft.com.attacker.example/v1.0/x";
    let script = Script::new([json(200, &json!({ "value": [], "@odata.nextLink": foreign }))]);
    let (graph, _time) = client(&script);
    let error = graph.delta("u", "f", link(LINK)).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Bug, "foreign_link"));
}

#[tokio::test]
async fn stored_link_of_another_origin_asks_for_a_resync_and_sends_no_token() {
    let script = Script::new([]);
    let (graph, _time) = client(&script);
    let error = graph
        .delta("u", "f", link("https://elsewhere.example/v1.0/x"))
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Resync);
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn lost_cursor_asks_for_a_resync_in_every_spelling() {
    for (status, code) in [
        (410, "SyncStateNotFound"),
        (410, "resyncRequired"),
        (400, "InvalidSyncStateData"),
        (410, ""),
    ] {
        let script = Script::new([graph_error(status, code)]);
        let (graph, _time) = client(&script);
        let error = graph.delta("u", "f", link(LINK)).await.unwrap_err();
        assert_eq!(error.class, Class::Resync, "{status} {code}");
    }
}

#[tokio::test]
async fn page_without_any_link_is_an_error_and_not_an_end() {
    let script = Script::new([json(200, &json!({ "value": [] }))]);
    let (graph, _time) = client(&script);
    assert_eq!(
        graph.delta("u", "f", link(LINK)).await.unwrap_err().code,
        "missing_link"
    );
}
