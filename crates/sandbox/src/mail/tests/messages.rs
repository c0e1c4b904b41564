//! Single messages: bytes, properties, ids, changes, moves, deletion.

use bytes::Bytes;
use serde_json::json;

use super::world::{SUPPORT, World, mail, support};

#[tokio::test]
async fn the_mime_is_exactly_what_arrived() {
    let world = World::new();
    let bytes: Bytes = Bytes::from_static(b"From: a@x\nSubject: \xff\xfe\0\n\tfolded\nbroken line\n\nbody\0\r\r\n.\n");
    let id = world.inject(bytes.clone()).await.id;
    let value = world.get(&support(&format!("messages/{id}/$value"))).await.expect(200);
    assert_eq!(value.bytes, bytes);
    assert_eq!(value.headers["content-type"], "text/plain");
    world.get(&support(&format!("messages/{id}"))).await.expect(200);
}

#[tokio::test]
async fn a_message_has_all_documented_properties() {
    let world = World::new();
    let id = world.inject(mail("Hello", "1@x")).await.id;
    let message = world.get(&support(&format!("messages/{id}"))).await.expect(200);
    for name in [
        "@odata.context",
        "@odata.etag",
        "id",
        "createdDateTime",
        "lastModifiedDateTime",
        "changeKey",
        "categories",
        "receivedDateTime",
        "sentDateTime",
        "hasAttachments",
        "internetMessageId",
        "subject",
        "bodyPreview",
        "importance",
        "parentFolderId",
        "conversationId",
        "conversationIndex",
        "isDeliveryReceiptRequested",
        "isReadReceiptRequested",
        "isRead",
        "isDraft",
        "webLink",
        "inferenceClassification",
        "body",
        "sender",
        "from",
        "toRecipients",
        "ccRecipients",
        "bccRecipients",
        "replyTo",
        "flag",
    ] {
        assert!(message.json.get(name).is_some(), "{name}");
    }
    assert_eq!(message.text("internetMessageId"), "<1@x>");
    assert_eq!(message.text("receivedDateTime"), "2026-03-01T10:00:00Z");
    assert_eq!(message.text("sentDateTime"), "2026-03-01T09:59:00Z");
    assert_eq!(
        message.json["body"],
        json!({"contentType": "text", "content": "Body of Hello\r\n"})
    );
    assert_eq!(
        message.text("@odata.etag"),
        format!("W/\"{}\"", message.text("changeKey"))
    );
    assert!(message.json.get("uniqueBody").is_none() && message.json.get("internetMessageHeaders").is_none());
    assert_eq!(
        message.text("@odata.context"),
        "https://graph.test:8443/v1.0/$metadata#users('support%40contoso.example')/messages/$entity"
    );
}

#[tokio::test]
async fn selected_properties_come_alone_with_id_and_etag() {
    let world = World::new();
    let id = world.inject(mail("Hello", "1@x")).await.id;
    let path = support(&format!("messages/{id}/?$select=internetMessageHeaders,uniqueBody"));
    let message = world.get(&path).await.expect(200);
    let names: Vec<_> = message.json.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        names,
        [
            "@odata.context",
            "@odata.etag",
            "id",
            "internetMessageHeaders",
            "uniqueBody"
        ]
    );
    assert_eq!(
        message.json["internetMessageHeaders"][0],
        json!({"name": "From", "value": "Ada <ada@fabrikam.example>"})
    );
    world
        .get(&support(&format!("messages/{id}?$select=sbuject")))
        .await
        .expect(400);
    world.get(&support(&format!("messages/{id}?$foo=1"))).await.expect(400);
}

#[tokio::test]
async fn a_text_body_is_given_when_preferred_and_acknowledged() {
    let world = World::new();
    let html = "From: a@x\r\nSubject: s\r\nContent-Type: text/html\r\n\r\n<p>Hi<script>x()</script></p>";
    let id = world.inject(html).await.id;
    let path = support(&format!("messages/{id}?$select=body"));
    let safe = world.get(&path).await.expect(200);
    assert!(safe.json["body"]["content"].as_str().unwrap().contains("Hi") && !safe.json.to_string().contains("x()"));
    let text = world
        .call(
            "GET",
            &path,
            &[("prefer", "outlook.body-content-type=\"text\"")],
            Bytes::new(),
        )
        .await
        .expect(200);
    assert_eq!(text.json["body"], json!({"contentType": "text", "content": "Hi"}));
    assert_eq!(text.headers["preference-applied"], "outlook.body-content-type=\"text\"");
    let raw = world
        .call("GET", &path, &[("prefer", "outlook.allow-unsafe-html")], Bytes::new())
        .await
        .expect(200);
    assert!(raw.json.to_string().contains("x()"));
}

#[tokio::test]
async fn a_move_changes_the_default_id_and_not_the_immutable_one() {
    let world = World::new();
    let arrived = world.inject(mail("Hello", "1@x")).await;
    let before = support(&format!("messages/{}", arrived.id));
    let moved = world
        .post(&format!("{before}/move"), json!({"DestinationId": "archive"}))
        .await
        .expect(201);
    assert_ne!(moved.text("id"), arrived.id);
    assert_eq!(world.get(&before).await.expect(404).code(), "ErrorItemNotFound");
    let immutable = support(&format!("messages/{}", arrived.immutable_id));
    let found = world.get_immutable(&immutable).await.expect(200);
    assert_eq!(found.text("id"), arrived.immutable_id);
    assert_eq!(found.headers["preference-applied"], "IdType=\"ImmutableId\"");
    let back = world
        .post(&format!("{immutable}/move"), json!({"destinationId": "inbox"}))
        .await
        .expect(201);
    assert_ne!(back.text("id"), arrived.id);
    world.get(&before).await.expect(404);
    assert_eq!(
        world.get(&support("mailFolders/inbox/messages")).await.each("id"),
        [back.text("id")]
    );
}

#[tokio::test]
async fn a_copy_is_another_message() {
    let world = World::new();
    let arrived = world.inject(mail("Hello", "1@x")).await;
    let copy = world
        .post_immutable(
            &support(&format!("messages/{}/copy", arrived.id)),
            json!({"destinationId": "archive"}),
        )
        .await
        .expect(201);
    assert_ne!(copy.text("id"), arrived.immutable_id);
    assert_eq!(world.get(&support("messages/$count")).await.expect(200).bytes, "2");
}

#[tokio::test]
async fn a_delete_goes_to_deleted_items_and_then_away() {
    let world = World::new();
    let arrived = world.inject(mail("Hello", "1@x")).await;
    let path = support(&format!("messages/{}", arrived.immutable_id));
    world.delete(&path).await.expect(204);
    let bin = world.get(&support("mailFolders/deleteditems")).await;
    assert_eq!(
        world.get(&path).await.expect(200).json["parentFolderId"],
        bin.json["id"]
    );
    world.delete(&path).await.expect(204);
    world.get(&path).await.expect(404);
    world.delete(&path).await.expect(404);
}

#[tokio::test]
async fn reading_a_message_does_not_change_its_etag_and_other_changes_do() {
    let world = World::new();
    let id = world.inject(mail("Hello", "1@x")).await.id;
    let path = support(&format!("messages/{id}"));
    let before = world.get(&path).await;
    world.advance(60);
    let read = world
        .patch(
            &path,
            json!({"@odata.type": "#microsoft.graph.message", "isRead": true}),
        )
        .await
        .expect(200);
    assert_eq!(read.json["isRead"], true);
    assert_eq!(
        (read.text("changeKey"), read.text("lastModifiedDateTime")),
        (before.text("changeKey"), before.text("lastModifiedDateTime"))
    );
    let change = json!({"categories": ["Red"], "flag": {"flagStatus": "flagged"}, "importance": "high", "inferenceClassification": "other"});
    let changed = world.patch(&path, change).await.expect(200);
    assert_ne!(changed.text("changeKey"), before.text("changeKey"));
    assert_eq!(changed.text("lastModifiedDateTime"), "2026-03-01T10:01:00Z");
    assert_eq!(changed.json["flag"]["flagStatus"], "flagged");
    let refused = world.patch(&path, json!({"subject": "other"})).await.expect(400);
    assert_eq!(refused.code(), "ErrorInvalidOperation");
    let stale = [("If-Match", before.text("@odata.etag"))];
    world
        .call("PATCH", &path, &stale, Bytes::from_static(b"{\"isRead\":false}"))
        .await
        .expect(412);
}

#[tokio::test]
async fn wrong_ids_are_told_apart() {
    let world = World::new();
    let arrived = world.inject(mail("Hello", "1@x")).await;
    assert_eq!(
        world.get(&support("messages/AAMk")).await.expect(400).code(),
        "ErrorInvalidIdMalformed"
    );
    let foreign = format!("/users/sales@contoso.example/messages/{}", arrived.id);
    assert_eq!(world.get(&foreign).await.expect(404).code(), "ErrorItemNotFound");
    world
        .get(&support(&format!("messages/{}/nonsense", arrived.id)))
        .await
        .expect(400);
    world
        .post(&support(&format!("messages/{}/nonsense", arrived.id)), json!({}))
        .await
        .expect(400);
    world
        .delete(&support(&format!("messages/{}", arrived.immutable_id)))
        .await
        .expect(204);
    world
        .delete(&support(&format!("messages/{}", arrived.immutable_id)))
        .await
        .expect(204);
    assert_eq!(
        world
            .get(&support(&format!("messages/{}", arrived.immutable_id)))
            .await
            .expect(404)
            .code(),
        "ErrorItemNotFound"
    );
}

#[tokio::test]
async fn extended_properties_are_kept_found_and_expanded() {
    let world = World::new();
    let id = world.inject(mail("Hello", "1@x")).await.id;
    let path = support(&format!("messages/{id}"));
    let property = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Color";
    world
        .patch(
            &path,
            json!({"singleValueExtendedProperties": [{"id": property, "value": "Green"}]}),
        )
        .await
        .expect(200);
    let plain = world.get(&path).await.expect(200);
    assert!(plain.json.get("singleValueExtendedProperties").is_none());
    let expanded = format!("{path}?$expand=singleValueExtendedProperties($filter=id eq '{property}')");
    assert_eq!(
        world.get(&expanded).await.expect(200).json["singleValueExtendedProperties"],
        json!([{"id": property, "value": "Green"}])
    );
    let size =
        format!("{path}/?$expand=singleValueExtendedProperties($filter=Id%20eq%20%27LONG%200x0E08%27)&$select=subject");
    assert_eq!(
        world.get(&size).await.expect(200).json["singleValueExtendedProperties"][0]["id"],
        "Long 0xe08"
    );
    for (value, found) in [("green", 1), ("red", 0)] {
        let query = format!(
            "messages?$filter=singleValueExtendedProperties/any(ep:ep/id eq '{property}' and ep/value eq '{value}')"
        );
        assert_eq!(
            world.get(&support(&query)).await.expect(200).list().len(),
            found,
            "{value}"
        );
    }
    let other_case = property.replace("Color", "color");
    let query = format!(
        "messages?$filter=singleValueExtendedProperties/Any(ep: ep/id eq '{other_case}' and ep/value eq 'green')"
    );
    assert_eq!(world.get(&support(&query)).await.expect(200).list().len(), 0);
}

#[tokio::test]
async fn ids_are_translated_between_their_forms() {
    let world = World::new();
    let arrived = world.inject(mail("Hello", "1@x")).await;
    let body =
        json!({"inputIds": [arrived.id, "nonsense"], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"});
    let answer = world.post(&support("translateExchangeIds"), body).await.expect(200);
    assert_eq!(answer.list()[0]["targetId"], arrived.immutable_id.as_str());
    assert_eq!(answer.list()[1]["errorDetails"]["code"], "ErrorInvalidIdMalformed");
}

#[tokio::test]
async fn a_mail_without_message_id_gets_one_that_its_bytes_lack() {
    let world = World::new();
    let id = world.inject("From: a@x\r\nSubject: no id\r\n\r\nx").await.id;
    let message = world.get(&support(&format!("messages/{id}"))).await.expect(200);
    let host = crate::mail::transport::HOST;
    assert!(message.text("internetMessageId").ends_with(&format!("@{host}>")));
    let value = world.get(&support(&format!("messages/{id}/$value"))).await;
    assert_eq!(value.bytes, "From: a@x\r\nSubject: no id\r\n\r\nx");
}

#[tokio::test]
async fn a_caller_with_basic_permission_sees_no_content() {
    let mut world = World::new();
    let id = world.inject(mail("Hello", "1@x")).await.id;
    world.caller.roles = vec!["Mail.ReadBasic.All".to_owned()];
    let message = world.get(&support(&format!("messages/{id}"))).await.expect(200);
    assert!(message.json.get("body").is_none() && message.json.get("bodyPreview").is_none());
    assert_eq!(message.text("subject"), "Hello");
    world.get(&support(&format!("messages/{id}/$value"))).await.expect(403);
    world
        .get(&support(&format!("messages/{id}/attachments")))
        .await
        .expect(403);
}

#[tokio::test]
async fn too_large_a_request_is_refused() {
    let world = World::new();
    let body = Bytes::from(vec![b' '; 4 * 1024 * 1024 + 1]);
    let answer = world.call("POST", &support("sendMail"), &[], body).await.expect(413);
    assert_eq!(
        answer.json["error"]["message"],
        "The maximum request length supported is 4MB."
    );
    assert_eq!(SUPPORT, "support@contoso.example");
}

#[tokio::test]
async fn what_was_read_can_be_sent_back_with_a_change_beside_it() {
    let world = World::new();
    let arrived = world.inject(mail("Seen", "seen@fabrikam.example")).await;
    let path = support(&format!("messages/{}", arrived.id));
    let read = world.get(&path).await.expect(200);
    let back = json!({
        "subject": read.json["subject"],
        "replyTo": read.json["replyTo"],
        "internetMessageId": read.json["internetMessageId"],
        "isRead": true,
    });
    assert_eq!(world.patch(&path, back).await.expect(200).json["isRead"], true);
    let changed = json!({"subject": "Another", "isRead": true});
    assert_eq!(world.patch(&path, changed).await.code(), "ErrorInvalidOperation");
}
