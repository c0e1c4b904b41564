//! Sending: drafts, sendMail in both forms, checks, delivery inside and outside.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::world::{SALES, SUPPORT, UNLICENSED, World, support, to};
use crate::mail::transport::{Arrival, DeliveryError};

#[tokio::test]
async fn a_sent_draft_moves_to_sent_items_under_the_same_immutable_id_and_only_once() {
    let world = World::new();
    let body = json!({"subject": "Once", "toRecipients": [to("a@fabrikam.example")], "ccRecipients": [to(SALES)], "bccRecipients": [to("secret@fabrikam.example")]});
    let draft = world.post_immutable(&support("messages"), body).await.expect(201);
    let path = support(&format!("messages/{}", draft.text("id")));
    let default_id = world.get(&path).await.text("id").to_owned();
    world.advance(5);
    let sent = world
        .call(
            "POST",
            &format!("{path}/send"),
            &[("Content-Length", "0")],
            Bytes::new(),
        )
        .await
        .expect(202);
    assert!(sent.bytes.is_empty());
    let kept = world.get(&path).await.expect(200);
    assert_eq!(
        (kept.json["isDraft"].as_bool(), kept.text("sentDateTime")),
        (Some(false), "2026-03-01T10:00:05Z")
    );
    assert_eq!(kept.text("internetMessageId"), draft.text("internetMessageId"));
    let sent_items = world.get(&support("mailFolders/sentitems")).await;
    assert_eq!(kept.json["parentFolderId"], sent_items.json["id"]);
    assert_eq!(
        kept.json["bccRecipients"][0]["emailAddress"]["address"],
        "secret@fabrikam.example"
    );
    world.post(&format!("{path}/send"), Value::Null).await.expect(400);
    world
        .post(&support(&format!("messages/{default_id}/send")), Value::Null)
        .await
        .expect(404);
    let outside = world.service.outside_mail(None);
    assert_eq!(outside.len(), 1);
    assert_eq!(outside[0].recipients, ["a@fabrikam.example", "secret@fabrikam.example"]);
    assert_eq!(outside[0].mail_from, SUPPORT);
    assert!(!String::from_utf8_lossy(&outside[0].raw.bytes()).contains("secret@"));
    assert!(outside[0].raw.bytes().starts_with(b"Received: from "));
    let inbox = world
        .get(&format!(
            "/users/{SALES}/mailFolders/inbox/messages?$select=subject,internetMessageId,isRead"
        ))
        .await
        .expect(200);
    assert_eq!(inbox.each("internetMessageId"), [draft.text("internetMessageId")]);
    assert_eq!(inbox.list()[0]["isRead"], false);
}

#[tokio::test]
async fn send_mail_as_json_is_kept_unless_refused() {
    let world = World::new();
    let message = json!({
        "subject": "Lunch?", "body": {"contentType": "Text", "content": "The new cafeteria is open."},
        "toRecipients": [to("fanny@fabrikam.example")],
        "internetMessageHeaders": [{"name": "x-custom", "value": "Nevada"}],
        "attachments": [{"@odata.type": "#microsoft.graph.fileAttachment", "name": "attachment.txt", "contentType": "text/plain", "contentBytes": "SGVsbG8gV29ybGQh"}],
    });
    world
        .post(
            &support("sendMail"),
            json!({"message": message, "saveToSentItems": "false"}),
        )
        .await
        .expect(202);
    assert_eq!(
        world.get(&support("mailFolders/sentitems/messages/$count")).await.bytes,
        "0"
    );
    world
        .post(
            &support("sendMail"),
            json!({"Message": message, "SaveToSentItems": true}),
        )
        .await
        .expect(202);
    let kept = world
        .get(&support(
            "mailFolders/sentitems/messages?$select=isDraft,isRead,hasAttachments,internetMessageHeaders",
        ))
        .await
        .expect(200);
    assert_eq!(kept.list()[0]["hasAttachments"], true);
    assert!(
        kept.list()[0]["internetMessageHeaders"]
            .as_array()
            .unwrap()
            .contains(&json!({"name": "x-custom", "value": "Nevada"}))
    );
    let raw = &world.service.outside_mail(None)[0].raw.bytes();
    assert!(String::from_utf8_lossy(raw).contains("SGVsbG8gV29ybGQh"));
}

#[tokio::test]
async fn send_mail_as_mime_keeps_the_message_id_and_strips_what_exchange_strips() {
    let world = World::new();
    let mime = format!(
        "Date: Tue, 14 Jan 2025 18:11:42 +0200\nTo: {SUPPORT}\nBcc: b@fabrikam.example\nMessage-ID: <own@client>\nSubject: self\nAuto-Submitted: auto-replied\n\nTest email \u{fc}"
    );
    let encoded = STANDARD.encode(mime);
    world
        .call(
            "POST",
            &support("sendMail"),
            &[("Content-Type", "text/plain")],
            encoded.into(),
        )
        .await
        .expect(202);
    let inbox = world
        .get(&support(
            "mailFolders/inbox/messages?$select=internetMessageId,subject,from,conversationId,internetMessageHeaders",
        ))
        .await
        .expect(200);
    assert_eq!(inbox.each("internetMessageId"), ["<own@client>"]);
    assert_eq!(inbox.list()[0]["from"]["emailAddress"]["address"], SUPPORT);
    let headers = inbox.list()[0]["internetMessageHeaders"].as_array().unwrap();
    let has = |name: &str| {
        headers
            .iter()
            .any(|header| header["name"].as_str().unwrap().eq_ignore_ascii_case(name))
    };
    assert!(has("Received") && has("Return-Path") && has("Thread-Index") && has("From"));
    assert!(!has("Auto-Submitted") && !has("Bcc"));
    let sent = world
        .get(&support(
            "mailFolders/sentitems/messages?$select=internetMessageId,conversationId,bccRecipients",
        ))
        .await
        .expect(200);
    assert_eq!(sent.list()[0]["conversationId"], inbox.list()[0]["conversationId"]);
    assert_eq!(
        sent.list()[0]["bccRecipients"][0]["emailAddress"]["address"],
        "b@fabrikam.example"
    );
    assert_eq!(world.service.outside_mail(Some("B@fabrikam.example")).len(), 1);
}

#[tokio::test]
async fn recipients_and_senders_are_checked_before_anything_leaves() {
    let world = World::new();
    let send = |message: Value| {
        let world = &world;
        async move { world.post(&support("sendMail"), json!({"message": message})).await }
    };
    let none = send(json!({"subject": "x"})).await.expect(400);
    assert_eq!(
        none.json["error"]["message"],
        "At least one recipient is not valid., A message can't be sent because it contains no recipients."
    );
    for bad in ["", "nobody", "a b@x.example", "@x.example"] {
        let answer = send(json!({"toRecipients": [to("good@x.example"), to(bad)]}))
            .await
            .expect(400);
        assert_eq!(answer.code(), "ErrorInvalidRecipients", "{bad}");
    }
    let other = send(json!({"toRecipients": [to("good@x.example")], "from": to(SALES)}))
        .await
        .expect(403);
    assert_eq!(other.code(), "ErrorSendAsDenied");
    send(json!({"toRecipients": [to("good@x.example")], "from": to(&SUPPORT.to_uppercase())}))
        .await
        .expect(202);
    world.post(&support("sendMail"), json!({})).await.expect(400);
    assert_eq!(world.service.outside_mail(None).len(), 1);
    assert_eq!(
        world.get(&support("mailFolders/sentitems/messages/$count")).await.bytes,
        "1"
    );
}

#[tokio::test]
async fn sending_needs_its_own_permission() {
    let mut world = World::new();
    let draft = world
        .post(&support("messages"), json!({"toRecipients": [to("a@x.example")]}))
        .await
        .expect(201);
    world.caller.roles = vec!["Mail.ReadWrite".to_owned()];
    let refused = world
        .post(
            &support("sendMail"),
            json!({"message": {"toRecipients": [to("a@x.example")]}}),
        )
        .await
        .expect(403);
    assert_eq!(
        refused.json["error"]["message"],
        "Access is denied. Check credentials and try again."
    );
    world
        .post(&support(&format!("messages/{}/send", draft.text("id"))), Value::Null)
        .await
        .expect(403);
    world.caller.roles = vec!["Mail.Send".to_owned()];
    world
        .post(&support(&format!("messages/{}/send", draft.text("id"))), Value::Null)
        .await
        .expect(202);
    world.get(&support("messages")).await.expect(403);
}

#[tokio::test]
async fn a_recipient_named_twice_gets_one_copy() {
    let world = World::new();
    let message = json!({"toRecipients": [to(SALES), to(&SALES.to_uppercase()), to("o@x.example"), to("O@x.example")]});
    world
        .post(&support("sendMail"), json!({"message": message}))
        .await
        .expect(202);
    assert_eq!(world.get(&format!("/users/{SALES}/messages/$count")).await.bytes, "1");
    assert_eq!(world.service.outside_mail(None)[0].recipients, ["o@x.example"]);
}

#[tokio::test]
async fn mail_for_unknown_addresses_is_refused_before_any_copy_is_made() {
    let world = World::new();
    let recipients = [SUPPORT.to_owned(), UNLICENSED.to_owned()];
    let refused = world
        .service
        .deliver_raw(&recipients, "a@x", Bytes::from_static(b"x"), Arrival::Smtp)
        .await;
    assert!(matches!(refused, Err(DeliveryError::UnknownRecipient(address)) if address == UNLICENSED));
    assert_eq!(world.get(&support("messages/$count")).await.bytes, "0");
    assert!(world.service.accepts(&SUPPORT.to_uppercase()) && !world.service.accepts("nobody@contoso.example"));
    let twice = [SUPPORT.to_owned(), SUPPORT.to_owned()];
    let delivered = world
        .service
        .deliver_raw(&twice, "a@x", Bytes::from_static(b"x"), Arrival::Smtp)
        .await
        .unwrap();
    assert_eq!(delivered.len(), 1);
}

#[tokio::test]
async fn subjects_and_names_cannot_forge_headers() {
    let world = World::new();
    let person = json!({"emailAddress": {"address": "a@x.example", "name": "A\r\nBcc: evil@x.example"}});
    let message = json!({"subject": "s\r\nBcc: evil@x.example\r\n\r\nbody", "toRecipients": [person], "internetMessageHeaders": [{"name": "x-a", "value": "1\r\nBcc: evil@x.example"}]});
    world
        .post(&support("sendMail"), json!({"message": message}))
        .await
        .expect(202);
    let raw = world.service.outside_mail(None).remove(0).raw.bytes();
    let (fields, _) = crate::mail::wire::split(&raw);
    assert!(fields.iter().all(|field| !field.name.eq_ignore_ascii_case(b"bcc")));
}
