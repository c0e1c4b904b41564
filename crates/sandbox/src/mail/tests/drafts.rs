//! Drafts: creation from JSON and MIME, changes, refusals.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::world::{World, support, to};

#[tokio::test]
async fn a_draft_is_created_changed_and_shown_as_mime() {
    let world = World::new();
    let body = json!({
        "subject": "Offer", "importance": "Low", "body": {"contentType": "HTML", "content": "They were <b>awesome</b>!"},
        "toRecipients": [to("adele@fabrikam.example"), to("sales@contoso.example")],
    });
    let draft = world.post(&support("messages"), body).await.expect(201);
    assert_eq!(
        (draft.json["isDraft"].as_bool(), draft.json["isRead"].as_bool()),
        (Some(true), Some(true))
    );
    assert_eq!(draft.text("importance"), "low");
    assert_eq!(draft.text("bodyPreview"), "They were awesome!");
    assert_eq!(draft.json["toRecipients"][1]["emailAddress"]["name"], "Team 2");
    assert!(draft.json.get("from").is_none());
    let drafts = world.get(&support("mailFolders/drafts")).await;
    assert_eq!(draft.json["parentFolderId"], drafts.json["id"]);
    let path = support(&format!("messages/{}", draft.text("id")));
    let headers = world
        .get(&format!("{path}?$select=internetMessageHeaders"))
        .await
        .expect(200);
    assert!(headers.json.get("internetMessageHeaders").is_none());
    let change = json!({
        "subject": "Better offer", "ccRecipients": [to("c@fabrikam.example")], "replyTo": [to("desk@contoso.example")],
        "body": {"contentType": "text", "content": "plain"}, "internetMessageId": "<own@contoso.example>",
    });
    let changed = world.patch(&path, change).await.expect(200);
    assert_eq!(changed.text("bodyPreview"), "plain");
    assert_ne!(changed.text("changeKey"), draft.text("changeKey"));
    let mime = String::from_utf8(world.get(&format!("{path}/$value")).await.expect(200).bytes.to_vec()).unwrap();
    for line in [
        "Subject: Better offer",
        "Thread-Topic: Better offer",
        "Message-ID: <own@contoso.example>",
        "Reply-To: <desk@contoso.example>",
        "X-Priority: 5",
    ] {
        assert!(mime.contains(line), "{line} in {mime}");
    }
}

#[tokio::test]
async fn a_draft_in_a_folder_says_so() {
    let world = World::new();
    let body = json!({"subject": "S", "body": {"content": "Test email"}, "from": to("from@example.com"), "toRecipients": [to("test@example.com")], "isRead": false});
    let draft = world
        .post(&support("mailFolders/archive/messages"), body)
        .await
        .expect(201);
    assert!(draft.text("@odata.context").contains("/mailFolders('AAMk"));
    assert_eq!(draft.json["isRead"], false);
    assert_eq!(
        draft.json["body"],
        json!({"contentType": "text", "content": "Test email"})
    );
    assert_eq!(draft.json["sender"]["emailAddress"]["name"], "from@example.com");
    let archive = world.get(&support("mailFolders/archive")).await;
    assert_eq!(archive.json["unreadItemCount"], 1);
}

#[tokio::test]
async fn a_draft_from_mime_keeps_its_bytes_until_it_is_changed() {
    let world = World::new();
    let mime =
        "From: Support <support@contoso.example>\r\nTo: a@fabrikam.example\r\nSubject: as mime\r\nX-Own: 1\r\n\r\nbody";
    let encoded = STANDARD.encode(mime);
    let lines = format!("{}\r\n{}", &encoded[..40], &encoded[40..]);
    let draft = world
        .call(
            "POST",
            &support("messages"),
            &[("Content-Type", "text/plain")],
            lines.into(),
        )
        .await
        .expect(201);
    assert_eq!(
        (draft.text("subject"), draft.json["isDraft"].as_bool()),
        ("as mime", Some(true))
    );
    let path = support(&format!("messages/{}", draft.text("id")));
    assert_eq!(world.get(&format!("{path}/$value")).await.bytes, mime);
    world.patch(&path, json!({"isRead": false})).await.expect(200);
    assert_eq!(world.get(&format!("{path}/$value")).await.bytes, mime);
    world.patch(&path, json!({"subject": "changed"})).await.expect(200);
    let changed = String::from_utf8(world.get(&format!("{path}/$value")).await.bytes.to_vec()).unwrap();
    assert!(
        changed.contains("Subject: changed") && changed.contains("X-Own: 1") && changed.contains("body"),
        "{changed}"
    );
    for bad in ["%%%", "", "  "] {
        let answer = world
            .call(
                "POST",
                &support("messages"),
                &[("Content-Type", "text/plain")],
                bad.into(),
            )
            .await
            .expect(400);
        assert_eq!(answer.code(), "ErrorMimeContentInvalidBase64String");
    }
}

#[tokio::test]
async fn what_a_draft_cannot_be_is_refused() {
    let world = World::new();
    for body in [
        json!({"sbuject": "x"}),
        json!({"toRecipients": "a@x"}),
        json!({"toRecipients": [{"address": "a@x"}]}),
        json!({"body": {"contentType": "rtf", "content": ""}}),
        json!({"importance": "urgent"}),
        json!({"internetMessageHeaders": [{"name": "In-Reply-To", "value": "<a@x>"}]}),
        json!({"singleValueExtendedProperties": [{"id": "nonsense", "value": "x"}]}),
        json!([]),
    ] {
        world.post(&support("messages"), body.clone()).await.expect(400);
    }
    world
        .call(
            "POST",
            &support("messages"),
            &[("Content-Type", "application/json")],
            "{".into(),
        )
        .await
        .expect(400);
    assert_eq!(world.get(&support("messages/$count")).await.bytes, "0");
}
