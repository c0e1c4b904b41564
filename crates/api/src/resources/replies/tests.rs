//! Tests of replies: idempotency, validation, what is stored.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::checked::{MAX_ATTACHED, MAX_ATTACHMENTS, MAX_TEXT};
use crate::testing::{Answer, Fixture, NOBODY};

async fn reply(fixture: &Fixture, conversation: &str, key: &str, body: &Value) -> Answer {
    let path = format!("/v1/conversations/{conversation}/replies");
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    fixture.send(Method::POST, &path, &headers, &body.to_string()).await
}

async fn outbound(fixture: &Fixture) -> i64 {
    fixture.state.store().totals().await.expect("totals").messages_outbound
}

fn file(name: &str, content_type: &str, bytes: &[u8]) -> Value {
    json!({"name": name, "content_type": content_type, "content_base64": STANDARD.encode(bytes)})
}

#[tokio::test]
async fn reply_is_stored_with_its_files_and_put_into_the_outbox() {
    let fixture = Fixture::new().await;
    let id = fixture.receive("Parcel").await.conversation.to_string();
    let body = json!({"text": "Tomorrow.", "attachments": [file("waybill.txt", "text/plain", b"number 1")]});
    let answer = reply(&fixture, &id, "k1", &body).await;
    assert_eq!(
        (answer.status, &answer.json()["state"]),
        (StatusCode::ACCEPTED, &json!("queued"))
    );
    let message = answer.json()["message_id"].as_str().expect("id").to_owned();
    let shown = fixture.get(&format!("/v1/messages/{message}")).await.json();
    assert_eq!(
        (&shown["direction"], &shown["state"]),
        (&json!("outbound"), &json!("queued"))
    );
    assert_eq!(
        (&shown["subject"], &shown["text"]),
        (&json!("Re: Parcel"), &json!("Tomorrow."))
    );
    assert_eq!(shown["to"][0]["address"], "customer@fabrikam.example");
    assert_eq!(shown["from"][0]["address"], "support@contoso.example");
    let attachment = shown["attachments"][0]["id"].as_str().expect("attachment");
    let bytes = fixture
        .get(&format!("/v1/messages/{message}/attachments/{attachment}"))
        .await;
    assert_eq!(bytes.body, b"number 1");
    assert_eq!(fixture.state.store().totals().await.expect("totals").outbox_pending, 1);
    assert_eq!(
        fixture.get(&format!("/v1/conversations/{id}")).await.json()["state"],
        "waiting"
    );
}

#[tokio::test]
async fn repeated_request_gets_the_same_answer_and_sends_nothing_twice() {
    let fixture = Fixture::new().await;
    let id = fixture.receive("Parcel").await.conversation.to_string();
    let first = reply(&fixture, &id, "k1", &json!({"text": "Tomorrow."})).await;
    let again = reply(&fixture, &id, "k1", &json!({"text": "Tomorrow."})).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        ("", "true")
    );
    assert_eq!(outbound(&fixture).await, 1);
    // Another key is another reply, even with the same words.
    assert_eq!(
        reply(&fixture, &id, "k2", &json!({"text": "Tomorrow."})).await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(outbound(&fixture).await, 2);
}

#[tokio::test]
async fn key_of_another_request_is_refused() {
    let fixture = Fixture::new().await;
    let one = fixture.receive("One").await.conversation.to_string();
    let two = fixture.receive("Two").await.conversation.to_string();
    assert_eq!(
        reply(&fixture, &one, "k1", &json!({"text": "Yes"})).await.status,
        StatusCode::ACCEPTED
    );
    for (conversation, body) in [
        (&one, json!({"text": "No"})),
        (&two, json!({"text": "Yes"})),
        (
            &one,
            json!({"text": "Yes", "attachments": [file("a", "text/plain", b"a")]}),
        ),
    ] {
        let answer = reply(&fixture, conversation, "k1", &body).await;
        answer.is_problem(StatusCode::CONFLICT, "idempotency-key-reused");
    }
    assert_eq!(outbound(&fixture).await, 1);
}

#[tokio::test]
async fn concurrent_requests_under_one_key_make_one_reply() {
    let fixture = Fixture::new().await;
    let id = fixture.receive("Parcel").await.conversation.to_string();
    let body = json!({"text": "Tomorrow.", "attachments": [file("a.bin", "a/b", &[7; 1000])]});
    let answers = futures::future::join_all((0..16).map(|_| reply(&fixture, &id, "k1", &body))).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (StatusCode::ACCEPTED, &answers[0].body));
    }
    assert_eq!(
        answers
            .iter()
            .filter(|answer| answer.header("idempotency-replayed").is_empty())
            .count(),
        1
    );
    assert_eq!(outbound(&fixture).await, 1);
}

#[tokio::test]
async fn keys_of_two_clients_do_not_meet() {
    let fixture = Fixture::new().await;
    let id = fixture.receive("Parcel").await.conversation.to_string();
    assert_eq!(
        reply(&fixture, &id, "k1", &json!({"text": "One"})).await.status,
        StatusCode::ACCEPTED
    );
    let other = fixture.other_client().await;
    assert_eq!(
        reply(&other, &id, "k1", &json!({"text": "Two"})).await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(outbound(&fixture).await, 2);
}

#[tokio::test]
async fn html_is_sanitised_before_it_is_stored() {
    let fixture = Fixture::new().await;
    let id = fixture.receive("Parcel").await.conversation.to_string();
    let html = "<p onclick=\"x()\">Tomorrow</p><script>x()</script>";
    let answer = reply(&fixture, &id, "k1", &json!({"html": html, "text": " "})).await;
    let message = answer.json()["message_id"].as_str().expect("id").to_owned();
    let shown = fixture.get(&format!("/v1/messages/{message}")).await.json();
    let stored = shown["html"].as_str().expect("html");
    assert!(
        stored.contains("Tomorrow") && !stored.contains("script") && !stored.contains("onclick"),
        "{stored}"
    );
    assert_eq!(shown["text"].as_str().map(str::trim), Some("Tomorrow"));
    let empty = reply(&fixture, &id, "k2", &json!({"html": "<script>x()</script>"})).await;
    empty.is_problem(StatusCode::UNPROCESSABLE_ENTITY, "reply-invalid");
}

#[tokio::test]
async fn reply_that_cannot_be_sent_is_refused_and_the_field_is_named() {
    let fixture = Fixture::new().await;
    let received = fixture.receive("Parcel").await;
    let id = received.conversation.to_string();
    let elsewhere = fixture.receive("Other").await.message.to_string();
    let with = |files: Vec<Value>| json!({"text": "x", "attachments": files});
    let many = vec![file("a", "a/b", b""); MAX_ATTACHMENTS + 1];
    let cases = [
        (json!({}), 422, "reply-invalid", "text"),
        (json!({"text": " \n"}), 422, "reply-invalid", "text"),
        (json!({"text": "x", "answers": NOBODY}), 422, "reply-invalid", "answers"),
        (
            json!({"text": "x", "answers": elsewhere}),
            422,
            "reply-invalid",
            "answers",
        ),
        (
            with(vec![file("../a", "a/b", b"")]),
            422,
            "reply-invalid",
            "attachments[0].name",
        ),
        (
            with(vec![file("a", "a/b", b""), file(" ", "a/b", b"")]),
            422,
            "reply-invalid",
            "attachments[1].name",
        ),
        (
            with(vec![file("a", "text", b"")]),
            422,
            "reply-invalid",
            "attachments[0].content_type",
        ),
        (
            with(vec![json!({"name": "a", "content_type": "a/b", "content_base64": "*"})]),
            422,
            "reply-invalid",
            "attachments[0].content_base64",
        ),
        (with(many), 422, "reply-invalid", "attachments"),
        (
            with(vec![file("a", "a/b", &vec![0; MAX_ATTACHED + 1])]),
            413,
            "attachment-too-large",
            "attachments[0]",
        ),
        (
            with(vec![file("a", "a/b", &vec![0; MAX_ATTACHED / 2 + 1]); 2]),
            413,
            "attachment-too-large",
            "together",
        ),
        (json!({"text": "x".repeat(MAX_TEXT + 1)}), 413, "body-too-large", "text"),
        (json!({"text": "x", "to": "y"}), 400, "invalid-body", "`to`"),
        (with(vec![json!({"name": "a"})]), 400, "invalid-body", "attachments[0]"),
    ];
    for (number, (body, status, code, named)) in cases.into_iter().enumerate() {
        let answer = reply(&fixture, &id, &format!("k{number}"), &body).await;
        answer.is_problem(StatusCode::from_u16(status).expect("status"), code);
        assert!(
            answer.detail().contains(named),
            "{named} is not in: {}",
            answer.detail()
        );
    }
    assert_eq!(outbound(&fixture).await, 0);
    // A refused request does not use its key up.
    let right = json!({"text": "x", "answers": received.message.to_string()});
    assert_eq!(reply(&fixture, &id, "k0", &right).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn body_beyond_the_limit_is_refused() {
    let fixture = Fixture::new().await;
    let id = fixture.receive("Parcel").await.conversation.to_string();
    let body = json!({"text": "x".repeat(super::MAX_BODY)});
    reply(&fixture, &id, "k1", &body)
        .await
        .is_problem(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large");
}

#[tokio::test]
async fn missing_key_conversation_and_mail_have_problems_of_their_own() {
    let fixture = Fixture::new().await;
    let id = fixture.receive("Parcel").await.conversation.to_string();
    let path = format!("/v1/conversations/{id}/replies");
    let headers = [("content-type", "application/json")];
    let no_key = fixture.send(Method::POST, &path, &headers, r#"{"text":"x"}"#).await;
    no_key.is_problem(StatusCode::BAD_REQUEST, "idempotency-key-missing");
    let bad_key = reply(&fixture, &id, "a b", &json!({"text": "x"})).await;
    bad_key.is_problem(StatusCode::BAD_REQUEST, "idempotency-key-invalid");
    let absent = reply(&fixture, NOBODY, "k1", &json!({"text": "x"})).await;
    absent.is_problem(StatusCode::NOT_FOUND, "not-found");
}
