//! Replies and forwards: addressees, ancestry, quoting.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::world::{World, support, to};

const ORIGINAL: &str = "From: Ada <ada@fabrikam.example>\r\nTo: support@contoso.example, Bo <bo@x.example>\r\nCc: cc@x.example, ADA@fabrikam.example\r\n\
    Subject: Printer\r\nMessage-ID: <second@fabrikam.example>\r\nIn-Reply-To: <first@fabrikam.example>\r\nReferences: <zero@x> <first@fabrikam.example>\r\n\r\nIt burns & <smokes>.\r\n";

fn addresses(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|person| person["emailAddress"]["address"].as_str().unwrap())
        .collect()
}

async fn sent_mime(world: &World) -> String {
    let mails = world.service.outside_mail(None);
    String::from_utf8(mails.last().expect("a mail left").raw.bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_reply_goes_to_the_sender_and_names_its_ancestors_when_sent() {
    let world = World::new();
    let id = world.inject(ORIGINAL).await.id;
    let draft = world
        .post_immutable(
            &support(&format!("messages/{id}/createReply")),
            json!({"comment": "We come."}),
        )
        .await
        .expect(201);
    assert_eq!(addresses(&draft.json["toRecipients"]), ["ada@fabrikam.example"]);
    assert_eq!(draft.text("subject"), "RE: Printer");
    let body = draft.json["body"]["content"].as_str().unwrap();
    assert!(
        body.find("We come.").unwrap() < body.find("It burns &amp; &lt;smokes&gt;.").unwrap(),
        "{body}"
    );
    let original = world.get(&support(&format!("messages/{id}"))).await;
    assert_eq!(draft.json["conversationId"], original.json["conversationId"]);
    world
        .post(&support(&format!("messages/{}/send", draft.text("id"))), Value::Null)
        .await
        .expect(202);
    let mime = sent_mime(&world).await.replace("\r\n\t", " ");
    assert!(
        mime.contains("\r\nIn-Reply-To: <second@fabrikam.example>\r\n"),
        "{mime}"
    );
    assert!(
        mime.contains("\r\nReferences: <zero@x> <first@fabrikam.example> <second@fabrikam.example>\r\n"),
        "{mime}"
    );
    assert!(
        mime.contains("\r\nFrom: \"Team 1\" <support@contoso.example>\r\n"),
        "{mime}"
    );
}

#[tokio::test]
async fn reply_to_wins_over_from() {
    let world = World::new();
    let id = world
        .inject(ORIGINAL.replace("Subject:", "Reply-To: desk@fabrikam.example\r\nSubject:"))
        .await
        .id;
    let draft = world
        .post(&support(&format!("messages/{id}/createReply")), json!({}))
        .await
        .expect(201);
    assert_eq!(addresses(&draft.json["toRecipients"]), ["desk@fabrikam.example"]);
}

#[tokio::test]
async fn a_reply_to_all_leaves_out_the_mailbox_itself_and_doubles() {
    let world = World::new();
    let id = world.inject(ORIGINAL).await.id;
    let draft = world
        .post(&support(&format!("messages/{id}/createReplyAll")), json!({}))
        .await
        .expect(201);
    assert_eq!(
        addresses(&draft.json["toRecipients"]),
        ["ada@fabrikam.example", "bo@x.example"]
    );
    assert_eq!(addresses(&draft.json["ccRecipients"]), ["cc@x.example"]);
}

#[tokio::test]
async fn the_message_parameter_overrides_and_adds() {
    let world = World::new();
    let id = world.inject(ORIGINAL).await.id;
    let property = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Ticket";
    let body = json!({"Message": {
        "subject": "Own", "body": {"contentType": "html", "content": "<body><i>hi</i></body>"}, "toRecipients": [to("x@y.example")],
        "internetMessageHeaders": [{"name": "x-ticket", "value": "7"}],
        "singleValueExtendedProperties": [{"id": property, "value": "7"}],
    }});
    let draft = world
        .post_immutable(&support(&format!("messages/{id}/createReply")), body)
        .await
        .expect(201);
    assert_eq!(
        (draft.text("subject"), addresses(&draft.json["toRecipients"])),
        ("Own", vec!["x@y.example"])
    );
    assert!(draft.json["body"]["content"].as_str().unwrap().contains("<i>hi</i>"));
    let path = support(&format!("messages/{}", draft.text("id")));
    world.post(&format!("{path}/send"), Value::Null).await.expect(202);
    assert!(sent_mime(&world).await.contains("\r\nx-ticket: 7\r\n"));
    let found = world
        .get(&format!(
            "{path}?$expand=singleValueExtendedProperties($filter=id eq '{property}')"
        ))
        .await
        .expect(200);
    assert_eq!(found.json["singleValueExtendedProperties"][0]["value"], "7");
}

#[tokio::test]
async fn a_comment_and_a_body_together_are_refused() {
    let world = World::new();
    let id = world.inject(ORIGINAL).await.id;
    let both = json!({"comment": "a", "message": {"body": {"contentType": "text", "content": "b"}}});
    for action in [
        "createReply",
        "createReplyAll",
        "createForward",
        "reply",
        "replyAll",
        "forward",
    ] {
        world
            .post(&support(&format!("messages/{id}/{action}")), both.clone())
            .await
            .expect(400);
    }
    let twice = json!({"toRecipients": [to("a@x.example")], "message": {"toRecipients": [to("a@x.example")]}});
    world
        .post(&support(&format!("messages/{id}/createForward")), twice)
        .await
        .expect(400);
    assert!(world.service.outside_mail(None).is_empty());
}

#[tokio::test]
async fn a_forward_takes_the_attachments_and_names_no_parent() {
    let world = World::new();
    let mime = "From: a@x\r\nSubject: files\r\nMessage-ID: <f@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nsee\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--b--\r\n";
    let id = world.inject(mime).await.id;
    let draft = world
        .post(
            &support(&format!("messages/{id}/createForward")),
            json!({"comment": "look", "toRecipients": [to("z@fabrikam.example")]}),
        )
        .await
        .expect(201);
    assert_eq!(
        (draft.text("subject"), draft.json["hasAttachments"].as_bool()),
        ("FW: files", Some(true))
    );
    let reply = world
        .post(&support(&format!("messages/{id}/createReply")), json!({}))
        .await
        .expect(201);
    assert_eq!(reply.json["hasAttachments"], false);
    world
        .post(
            &support(&format!("messages/{id}/forward")),
            json!({"toRecipients": [to("z@fabrikam.example")]}),
        )
        .await
        .expect(202);
    let mime = sent_mime(&world).await;
    assert!(
        mime.contains("a.pdf") && mime.contains("QUJD") && !mime.contains("In-Reply-To"),
        "{mime}"
    );
    world
        .post(
            &support(&format!("messages/{id}/forward")),
            json!({"comment": "to nobody"}),
        )
        .await
        .expect(400);
}

#[tokio::test]
async fn direct_replies_are_sent_and_kept() {
    let world = World::new();
    let id = world.inject(ORIGINAL).await.id;
    world
        .post(&support(&format!("messages/{id}/reply")), json!({"comment": "hi"}))
        .await
        .expect(202);
    world
        .post(&support(&format!("messages/{id}/replyAll")), json!({"comment": "all"}))
        .await
        .expect(202);
    assert_eq!(world.service.outside_mail(Some("ada@fabrikam.example")).len(), 2);
    assert_eq!(world.service.outside_mail(Some("bo@x.example")).len(), 1);
    assert_eq!(
        world.get(&support("mailFolders/sentitems/messages/$count")).await.bytes,
        "2"
    );
    assert_eq!(
        world.get(&support("mailFolders/drafts/messages/$count")).await.bytes,
        "0"
    );
}

#[tokio::test]
async fn a_reply_as_mime_gets_addressees_and_ancestors_it_lacks() {
    let world = World::new();
    let id = world.inject(ORIGINAL).await.id;
    let encoded = STANDARD.encode("Subject: Re: mine\r\n\r\nown words");
    let path = support(&format!("messages/{id}/createReply"));
    let draft = world
        .call("POST", &path, &[("Content-Type", "text/plain")], encoded.clone().into())
        .await
        .expect(201);
    assert_eq!(draft.text("subject"), "Re: mine");
    assert_eq!(addresses(&draft.json["toRecipients"]), ["ada@fabrikam.example"]);
    let path = support(&format!("messages/{id}/reply"));
    world
        .call("POST", &path, &[("Content-Type", "text/plain")], encoded.into())
        .await
        .expect(202);
    let mime = sent_mime(&world).await.replace("\r\n\t", " ");
    assert!(
        mime.contains("In-Reply-To: <second@fabrikam.example>") && mime.contains("own words"),
        "{mime}"
    );
    let bad = world
        .call("POST", &path, &[("Content-Type", "text/plain")], "***".into())
        .await
        .expect(400);
    assert_eq!(bad.code(), "ErrorMimeContentInvalidBase64String");
}

#[tokio::test]
async fn answers_from_outside_join_the_conversation() {
    let world = World::new();
    let id = world.inject(ORIGINAL).await.id;
    world
        .post(&support(&format!("messages/{id}/reply")), json!({"comment": "hi"}))
        .await
        .expect(202);
    let sent = world.service.outside_mail(None).remove(0).internet_message_id.unwrap();
    let answer = world
        .inject(format!(
            "From: ada@fabrikam.example\r\nSubject: totally different\r\nReferences: {sent}\r\n\r\nthanks"
        ))
        .await
        .id;
    let conversation = |id: String| {
        let world = &world;
        async move {
            world
                .get(&support(&format!("messages/{id}")))
                .await
                .expect(200)
                .text("conversationId")
                .to_owned()
        }
    };
    let first = conversation(id).await;
    assert_eq!(conversation(answer).await, first);
    let stranger = world
        .inject("From: ada@fabrikam.example\r\nSubject: RE: Printer\r\n\r\nnew")
        .await
        .id;
    assert_ne!(conversation(stranger).await, first);
}
