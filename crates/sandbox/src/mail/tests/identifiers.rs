//! Ids: what survives a move, what is refused and how, translation between formats.

use serde_json::{Value, json};

use super::world::{SALES, World, mail, support};

#[tokio::test]
async fn ids_that_name_nothing_here_are_told_apart() {
    let world = World::new();
    let own = world.inject(mail("a", "1@x")).await;
    let foreign = world.service.deliver_into(SALES, None, mail("b", "2@x")).await.unwrap();
    let inbox = world.get(&support("mailFolders/inbox")).await.text("id").to_owned();
    let get = |id: String| {
        let (world, path) = (&world, support(&format!("messages/{id}")));
        async move { world.get(&path).await }
    };
    for id in [foreign.id, foreign.immutable_id] {
        assert_eq!(get(id).await.expect(404).code(), "ErrorItemNotFound");
    }
    for id in [
        inbox,
        own.id[..own.id.len() - 4].to_owned(),
        own.id.replace('=', ""),
        "x".to_owned(),
    ] {
        assert_eq!(
            get(id.clone()).await.expect(400).code(),
            "ErrorInvalidIdMalformed",
            "{id}"
        );
    }
    let encoded = own.id.replace('=', "%3D").replace('_', "%5F");
    get(encoded).await.expect(200);
    world
        .get(&support(&format!("mailFolders/{}", own.id)))
        .await
        .expect(400);
}

#[tokio::test]
async fn a_slash_in_an_id_is_the_end_of_its_segment_even_encoded() {
    let world = World::new();
    let answer = world.get(&support("messages/AAMk%2Fzz")).await.expect(400);
    assert_eq!(answer.code(), "RequestBroker--ParseUri");
    assert_eq!(
        answer.json["error"]["message"],
        "Resource not found for the segment 'zz'."
    );
}

#[tokio::test]
async fn every_format_is_translated_into_every_other_and_back() {
    let world = World::new();
    let delivered = world.inject(mail("a", "1@x")).await;
    let formats = ["restId", "restImmutableEntryId", "ewsId", "entryId", "immutableEntryId"];
    let translate = |from: &'static str, to: &'static str, id: String| {
        let body = json!({"inputIds": [id], "sourceIdType": from, "targetIdType": to});
        let world = &world;
        async move {
            let answer = world.post(&support("translateExchangeIds"), body).await.expect(200);
            answer.json["value"][0]["targetId"].as_str().map(str::to_owned)
        }
    };
    for via in formats {
        let there = translate("restId", via, delivered.id.clone()).await.unwrap();
        for to in formats {
            let back = translate(via, to, there.clone()).await.unwrap();
            let straight = translate("restId", to, delivered.id.clone()).await.unwrap();
            assert_eq!(back, straight, "{via} to {to}");
        }
    }
    assert!(
        translate("restImmutableEntryId", "restId", delivered.id.clone())
            .await
            .is_none()
    );
}

#[tokio::test]
async fn translation_is_bounded_and_answers_each_id_by_itself() {
    let world = World::new();
    let own = world.inject(mail("a", "1@x")).await;
    let post = |body: Value| {
        let world = &world;
        async move { world.post(&support("translateExchangeIds"), body).await }
    };
    let mixed =
        json!({"InputIds": [own.id, "rubbish"], "SourceIdType": "RestId", "targetIdType": "restImmutableEntryId"});
    let answer = post(mixed).await.expect(200);
    assert_eq!(answer.list()[0]["targetId"], own.immutable_id);
    assert_eq!(answer.list()[1]["errorDetails"]["code"], "ErrorInvalidIdMalformed");
    for bad in [
        json!({"inputIds": vec!["x"; 1_001], "sourceIdType": "restId", "targetIdType": "ewsId"}),
        json!({"inputIds": ["x"], "sourceIdType": "restId", "targetIdType": "papyrus"}),
        json!({"inputIds": ["x"], "targetIdType": "ewsId"}),
        json!({"sourceIdType": "restId", "targetIdType": "ewsId"}),
        json!({"inputIds": [5], "sourceIdType": "restId", "targetIdType": "ewsId"}),
    ] {
        post(bad).await.expect(400);
    }
}
