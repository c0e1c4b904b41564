//! Attachments of drafts and of received mails.

use serde_json::json;

use super::world::{World, mail, support};

const WITH_FILES: &str = "From: a@x\r\nSubject: files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:pic\">\r\n\
    --r\r\nContent-Type: image/png\r\nContent-ID: <pic>\r\nContent-Disposition: inline; filename=p.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n--r--\r\n\
    --b\r\nContent-Type: text/plain; name=note.txt\r\nContent-Disposition: attachment; filename=note.txt\r\n\r\nnote\r\n\
    --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: inner@x\r\nSubject: inner mail\r\n\r\ninner body\r\n--b--\r\n";

#[tokio::test]
async fn attachments_of_a_received_mail_are_read_from_its_mime() {
    let world = World::new();
    let id = world.inject(WITH_FILES).await.id;
    let path = support(&format!("messages/{id}"));
    assert_eq!(world.get(&path).await.json["hasAttachments"], true);
    let list = world.get(&format!("{path}/attachments")).await.expect(200);
    assert_eq!(list.each("name"), ["p.png", "note.txt", "inner mail"]);
    let kinds = list.each("@odata.type");
    assert_eq!(kinds[2], "#microsoft.graph.itemAttachment");
    assert_eq!(list.list()[0]["isInline"], true);
    assert_eq!(
        (
            list.list()[0]["contentId"].as_str(),
            list.list()[0]["contentBytes"].as_str()
        ),
        (Some("pic"), Some("iVBORw=="))
    );
    let item = list.list()[2]["id"].as_str().unwrap();
    let expanded = world
        .get(&format!(
            "{path}/attachments/{item}/?$expand=microsoft.graph.itemattachment/item"
        ))
        .await
        .expect(200);
    assert_eq!(expanded.json["item"]["subject"], "inner mail");
    let raw = world
        .get(&format!("{path}/attachments/{item}/$value"))
        .await
        .expect(200);
    assert!(
        raw.bytes.starts_with(b"From: inner@x\r\nSubject: inner mail"),
        "{raw:?}"
    );
    let note = list.list()[1]["id"].as_str().unwrap();
    assert_eq!(
        world
            .get(&format!("{path}/attachments/{note}/$value"))
            .await
            .expect(200)
            .bytes
            .trim_ascii(),
        b"note"
    );
    let whole = world
        .get(&format!(
            "{path}?$expand=attachments($select=name,size)&$select=subject"
        ))
        .await
        .expect(200);
    assert_eq!(whole.json["attachments"].as_array().unwrap().len(), 3);
    assert!(whole.json["attachments"][0].get("contentBytes").is_none());
    world.delete(&format!("{path}/attachments/{note}")).await.expect(400);
    world
        .post(
            &format!("{path}/attachments"),
            json!({"name": "x", "contentBytes": "QQ=="}),
        )
        .await
        .expect(400);
}

#[tokio::test]
async fn only_inline_parts_are_no_attachments() {
    let world = World::new();
    let mime = "From: a@x\r\nSubject: s\r\nContent-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:pic\">\r\n\
        --r\r\nContent-Type: image/png\r\nContent-ID: <pic>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n--r--\r\n";
    let id = world.inject(mime).await.id;
    let message = world.get(&support(&format!("messages/{id}"))).await.expect(200);
    assert_eq!(message.json["hasAttachments"], false);
    assert_eq!(
        world
            .get(&support(&format!("messages/{id}/attachments")))
            .await
            .list()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_draft_takes_and_loses_attachments() {
    let world = World::new();
    let draft = world
        .post(&support("messages"), json!({"subject": "s"}))
        .await
        .expect(201);
    let path = support(&format!("messages/{}/attachments", draft.text("id")));
    let file =
        json!({"@odata.type": "#microsoft.graph.fileAttachment", "name": "smile", "contentBytes": "R0lGODdhEAYEAA7"});
    let added = world.post(&path, file).await.expect(201);
    assert_eq!(
        (added.text("name"), added.json["isInline"].as_bool()),
        ("smile", Some(false))
    );
    let event = json!({"@odata.type": "#microsoft.graph.itemAttachment", "name": "Holiday", "item": {"@odata.type": "microsoft.graph.event", "subject": "Gifts"}});
    let event = world.post(&path, event).await.expect(201);
    assert_eq!(event.json["contentType"], json!(null));
    assert_eq!(
        world
            .get(&support(&format!("messages/{}", draft.text("id"))))
            .await
            .json["hasAttachments"],
        true
    );
    world.delete(&format!("{path}/{}", added.text("id"))).await.expect(204);
    world.get(&format!("{path}/{}", added.text("id"))).await.expect(404);
    assert_eq!(world.get(&path).await.each("name"), ["Holiday"]);
    world.post(&path, json!({"name": "no bytes"})).await.expect(400);
    world
        .post(
            &path,
            json!({"@odata.type": "#microsoft.graph.referenceAttachment", "name": "x"}),
        )
        .await
        .expect(501);
}

#[tokio::test]
async fn an_attachment_is_found_by_both_forms_of_id() {
    let world = World::new();
    let arrived = world.inject(WITH_FILES).await;
    let immutable = world
        .get_immutable(&support(&format!("messages/{}/attachments", arrived.id)))
        .await
        .expect(200);
    let id = immutable.list()[1]["id"].as_str().unwrap();
    world
        .get(&support(&format!("messages/{}/attachments/{id}", arrived.id)))
        .await
        .expect(200);
    world
        .get(&support(&format!("messages/{}/attachments/{}", arrived.id, arrived.id)))
        .await
        .expect(400);
    let other = world.inject(mail("other", "o@x")).await;
    world
        .get(&support(&format!("messages/{}/attachments/{id}", other.id)))
        .await
        .expect(404);
}
