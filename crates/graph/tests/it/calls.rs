//! What the mail and subscription calls ask for, and what they make of the answers.

use guichet_graph::{
    AttachmentKind, Audience, Class, DraftPatch, ListQuery, NewAttachment, NewMessage, NewSubscription, Recipient,
    ReplyDraft, SentCopy,
};
use serde_json::json;

use crate::scripted::{Outcome, Script, client, empty, graph_error, json};

#[tokio::test]
async fn every_mail_call_asks_for_immutable_ids() {
    let message = || json(200, &json!({ "id": "m" }));
    let list = || json(200, &json!({ "value": [] }));
    let script = Script::new([
        message(),
        list(),
        list(),
        message(),
        message(),
        message(),
        list(),
        message(),
        message(),
        message(),
        list(),
        empty(202),
        empty(204),
    ]);
    let (graph, _time) = client(&script);
    graph.folder("u", "inbox").await.unwrap();
    graph.list_folders("u").await.unwrap();
    graph.list_messages("u", "inbox", ListQuery::default()).await.unwrap();
    graph.message_mime("u", "m").await.unwrap();
    graph.message("u", "m", &[]).await.unwrap();
    graph.mark_read("u", "m").await.unwrap();
    graph
        .find_by_extended_property("u", None, "String {g} Name X", "1")
        .await
        .unwrap();
    graph.move_message("u", "m", "archive").await.unwrap();
    graph.create_reply("u", "m", &ReplyDraft::default()).await.unwrap();
    graph.update_draft("u", "m", &DraftPatch::default()).await.unwrap();
    graph.list_attachments("u", "m").await.unwrap();
    graph.send_draft("u", "m").await.unwrap();
    graph.delete_message("u", "m").await.unwrap();
    assert_eq!(script.remaining(), 0);
    for request in script.asked() {
        assert_eq!(request.headers["prefer"], r#"IdType="ImmutableId""#, "{}", request.url);
        assert_eq!(request.headers["authorization"], "Bearer secret-token");
        assert_eq!(
            request.headers["client-request-id"],
            "00000000-0000-4000-8000-000000000000"
        );
    }
}

#[tokio::test]
async fn mime_comes_back_byte_for_byte() {
    let raw: &[u8] = b"Subject: \xff\xfe\x80\r\n\r\n\x00\x01 caf\xe9\r\n";
    let script = Script::new([Outcome::Answer(200, Vec::new(), bytes::Bytes::from_static(raw))]);
    let (graph, _time) = client(&script);
    assert_eq!(graph.message_mime("u", "m").await.unwrap(), raw);
    assert_eq!(script.lines(), ["GET /v1.0/users/u/messages/m/$value"]);
}

#[tokio::test]
async fn unreachable_mailbox_is_denied_and_missing_message_is_gone() {
    let script = Script::new([
        graph_error(404, "MailboxNotEnabledForRESTAPI"),
        graph_error(404, "ErrorItemNotFound"),
    ]);
    let (graph, _time) = client(&script);
    assert_eq!(graph.message_mime("u", "m").await.unwrap_err().class, Class::Denied);
    assert_eq!(graph.message_mime("u", "m").await.unwrap_err().class, Class::Gone);
}

#[tokio::test]
async fn reply_and_reply_to_all_are_different_actions() {
    let script = Script::new([json(201, &json!({ "id": "d" })), json(200, &json!({ "id": "d" }))]);
    let (graph, _time) = client(&script);
    let mut draft = ReplyDraft {
        html: "<p>hello</p>".into(),
        extra_cc: vec![Recipient::named("Support", "support@contoso.example")],
        extended_properties: vec![("String {g} Name X".into(), "42".into())],
        headers: vec![("x-guichet".into(), "42".into())],
        ..ReplyDraft::default()
    };
    graph.create_reply("u", "m", &draft).await.unwrap();
    draft.audience = Audience::Everyone;
    graph.create_reply("u", "m", &draft).await.unwrap();
    let expected = [
        "POST /v1.0/users/u/messages/m/createReply",
        "POST /v1.0/users/u/messages/m/createReplyAll",
    ];
    assert_eq!(script.lines(), expected);
    assert_eq!(
        script.body(0),
        json!({ "message": {
            "body": { "contentType": "html", "content": "<p>hello</p>" },
            "ccRecipients": [{ "emailAddress": { "name": "Support", "address": "support@contoso.example" } }],
            "internetMessageHeaders": [{ "name": "x-guichet", "value": "42" }],
            "singleValueExtendedProperties": [{ "id": "String {g} Name X", "value": "42" }],
        }})
    );
}

#[tokio::test]
async fn search_by_property_quotes_what_it_is_given() {
    let found = json!({ "value": [{ "id": "m", "isDraft": true,
        "singleValueExtendedProperties": [{ "id": "String {g} Name X", "value": "it's" }] }] });
    let script = Script::new([json(200, &found)]);
    let (graph, _time) = client(&script);
    let found = graph
        .find_by_extended_property("u", Some("drafts"), "String {g} Name X", "it's")
        .await
        .unwrap();
    assert_eq!(found[0].extended_property("string {G} name x"), Some("it's"));
    let url = &script.asked()[0].url;
    assert_eq!(url.path(), "/v1.0/users/u/mailFolders/drafts/messages");
    let filter = url
        .query_pairs()
        .find(|(name, _)| name == "$filter")
        .unwrap()
        .1
        .into_owned();
    assert_eq!(
        filter,
        "singleValueExtendedProperties/any(ep:ep/id eq 'String {g} Name X' and ep/value eq 'it''s')"
    );
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let next = "https://graph.microsoft.com/v1.0/subscriptions?$skiptoken=2";
    let script = Script::new([
        json(200, &json!({ "value": [{ "id": "a" }], "@odata.nextLink": next })),
        json(200, &json!({ "value": [{ "id": "b" }] })),
    ]);
    let (graph, _time) = client(&script);
    let ids: Vec<String> = graph
        .list_subscriptions()
        .await
        .unwrap()
        .into_iter()
        .map(|s| s.id)
        .collect();
    assert_eq!(ids, ["a", "b"]);
}

#[tokio::test]
async fn foreign_next_link_of_a_list_gets_no_token() {
    let script = Script::new([json(
        200,
        &json!({ "value": [], "@odata.nextLink": "https://other.example/x" }),
    )]);
    let (graph, _time) = client(&script);
    assert_eq!(graph.list_subscriptions().await.unwrap_err().code, "foreign_link");
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn endless_list_is_an_error() {
    let next = "https://graph.microsoft.com/v1.0/subscriptions?$skiptoken=2";
    let page = || json(200, &json!({ "value": [], "@odata.nextLink": next }));
    let script = Script::new((0..300).map(|_| page()));
    let (graph, _time) = client(&script);
    assert_eq!(graph.list_subscriptions().await.unwrap_err().code, "endless_list");
}

#[tokio::test]
async fn message_pages_are_handed_out_one_by_one() {
    let next = "https://graph.microsoft.com/v1.0/users/u/messages?$skip=2";
    let script = Script::new([
        json(200, &json!({ "value": [{ "id": "a" }], "@odata.nextLink": next })),
        json(200, &json!({ "value": [{ "id": "b" }] })),
    ]);
    let (graph, _time) = client(&script);
    let query = ListQuery {
        select: &["id"],
        filter: Some("receivedDateTime ge 2026-01-01T00:00:00Z"),
        order_by: Some("receivedDateTime"),
        page_size: 5,
    };
    let first = graph.list_messages("u", "inbox", query).await.unwrap();
    let second = graph.list_messages_next(&first.next.unwrap()).await.unwrap();
    assert_eq!(
        (first.items[0].id.as_str(), second.items[0].id.as_str(), second.next),
        ("a", "b", None)
    );
    assert_eq!(
        script.lines()[0],
        "GET /v1.0/users/u/mailFolders/inbox/messages?$select=id&$filter=receivedDateTime%20ge%202026-01-01T00:00:00Z\
         &$orderby=receivedDateTime&$top=5"
    );
}

#[tokio::test]
async fn small_attachment_goes_in_one_request() {
    let answer = json!({ "@odata.type": "#microsoft.graph.fileAttachment", "id": "a", "name": "note.txt",
        "contentType": "text/plain", "size": 120, "isInline": false, "contentId": null });
    let script = Script::new([json(201, &answer)]);
    let (graph, _time) = client(&script);
    let file = NewAttachment {
        name: "note.txt".into(),
        content_type: "text/plain".into(),
        content_id: None,
        is_inline: false,
        content: bytes::Bytes::from_static(b"\x00\xff"),
    };
    let added = graph.add_attachment("u", "m", &file).await.unwrap();
    assert_eq!(
        (added.id.as_str(), added.kind, added.size),
        ("a", AttachmentKind::File, Some(120))
    );
    assert_eq!(
        script.body(0),
        json!({ "@odata.type": "#microsoft.graph.fileAttachment", "name": "note.txt", "contentType": "text/plain",
            "isInline": false, "contentBytes": "AP8=" })
    );
}

#[tokio::test]
async fn mail_without_draft_says_whether_a_copy_is_kept() {
    let script = Script::new([empty(202)]);
    let (graph, _time) = client(&script);
    let mail = NewMessage {
        subject: "s".into(),
        text: "t".into(),
        to: vec![Recipient::address("a@contoso.example")],
        ..NewMessage::default()
    };
    graph.send_mail("u", &mail, SentCopy::Discard).await.unwrap();
    assert_eq!(script.lines(), ["POST /v1.0/users/u/sendMail"]);
    assert_eq!(
        script.body(0),
        json!({ "saveToSentItems": false, "message": { "subject": "s",
            "body": { "contentType": "text", "content": "t" },
            "toRecipients": [{ "emailAddress": { "address": "a@contoso.example" } }] } })
    );
}

#[tokio::test]
async fn deleting_what_is_gone_is_success() {
    let gone = || graph_error(404, "ErrorItemNotFound");
    let script = Script::new([gone(), gone(), graph_error(403, "ErrorAccessDenied")]);
    let (graph, _time) = client(&script);
    graph.delete_message("u", "m").await.unwrap();
    graph.delete_subscription("s").await.unwrap();
    assert_eq!(graph.delete_message("u", "m").await.unwrap_err().class, Class::Denied);
}

#[tokio::test]
async fn subscription_is_asked_for_with_its_secret_and_renewed_without() {
    let answer = json!({ "id": "s", "resource": "users/u/messages", "expirationDateTime": "2026-03-03T12:00:00.5Z",
        "notificationUrl": "https://guichet.example/n", "clientState": "hidden" });
    let script = Script::new([json(201, &answer), json(200, &answer)]);
    let (graph, _time) = client(&script);
    let wanted = NewSubscription {
        resource: "users/u/messages".into(),
        change_type: "created".into(),
        notification_url: "https://guichet.example/n".into(),
        lifecycle_notification_url: Some("https://guichet.example/n/lifecycle".into()),
        client_state: "hidden".into(),
        expires_at: "2026-03-03T12:00:00Z".parse().unwrap(),
    };
    let created = graph.create_subscription(&wanted).await.unwrap();
    graph.renew_subscription("s", wanted.expires_at).await.unwrap();
    assert_eq!(
        script.body(0),
        json!({ "resource": "users/u/messages", "changeType": "created", "clientState": "hidden",
            "notificationUrl": "https://guichet.example/n", "expirationDateTime": "2026-03-03T12:00:00Z",
            "lifecycleNotificationUrl": "https://guichet.example/n/lifecycle" })
    );
    assert_eq!(script.asked()[0].headers["prefer"], r#"IdType="ImmutableId""#);
    assert_eq!(script.lines()[1], "PATCH /v1.0/subscriptions/s");
    assert_eq!(script.body(1), json!({ "expirationDateTime": "2026-03-03T12:00:00Z" }));
    assert!(!format!("{wanted:?} {created:?}").contains("hidden"));
}
