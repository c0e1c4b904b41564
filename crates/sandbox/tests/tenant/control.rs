//! The control interface.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Tenant, read};

#[tokio::test]
async fn state_shows_who_is_there() {
    let tenant = Tenant::start().await;
    assert_eq!(tenant.control(Method::GET, "/healthz", &Value::Null).await.status, 200);
    let state = tenant.control(Method::GET, "/state", &Value::Null).await.body;
    let users = state["users"].as_array().expect("users");
    let named = |name: &str| users.iter().find(|user| user["user_principal_name"] == name);
    assert!(named("support@contoso.example").is_some_and(|user| user["mail"] == "support@contoso.example"));
    assert!(named("unlicensed@contoso.example").is_some_and(|user| user["mail"].is_null()));
    assert_eq!(
        state["description"]["tenant_id"],
        tenant.description().tenant_id.to_string()
    );
}

#[tokio::test]
async fn a_new_mailbox_is_a_new_user() {
    let tenant = Tenant::start().await;
    let body = json!({"address": "orders@contoso.example", "display_name": "Orders"});
    let created = tenant.control(Method::POST, "/mailboxes", &body).await;
    assert_eq!(created.status, 201, "{:?}", created.body);
    assert_eq!(tenant.control(Method::POST, "/mailboxes", &body).await.status, 409);
    assert_eq!(
        tenant
            .control(Method::POST, "/mailboxes", &json!({"address": "nonsense"}))
            .await
            .status,
        400
    );
    let token = tenant.administrator_token().await;
    let user = tenant.get(&token, "/users/orders@contoso.example").await.body;
    assert_eq!(user["displayName"], "Orders");
    assert_eq!(user["id"], created.body["id"]);
}

#[tokio::test]
async fn the_clock_moves_when_told() {
    let tenant =
        Tenant::start_with(|config| config.frozen_at = Some("2026-03-01T00:00:00Z".parse().expect("a time"))).await;
    let moved = tenant
        .control(Method::POST, "/clock", &json!({"advance_seconds": 90}))
        .await
        .body;
    assert_eq!(moved, json!({"now": "2026-03-01T00:01:30Z", "offset_seconds": 90}));
    assert_eq!(tenant.control(Method::GET, "/clock", &Value::Null).await.body, moved);
    let refused = tenant
        .control(Method::POST, "/clock", &json!({"advance_seconds": -5}))
        .await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn the_ledger_counts_by_route_and_mailbox() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    tenant.control(Method::DELETE, "/requests", &Value::Null).await;
    for _ in 0..3 {
        tenant.get(&token, "/users/support@contoso.example").await;
    }
    tenant.get(&token, "/applications").await;
    let report = tenant.control(Method::GET, "/requests", &Value::Null).await.body;
    assert_eq!(report["total"]["requests"], 4);
    let routes = report["routes"].as_array().expect("routes");
    let user = routes
        .iter()
        .find(|route| route["route"] == "/users/{id}")
        .expect("the route");
    assert_eq!(user["requests"], 3);
    assert_eq!(user["mailbox"], "support@contoso.example");
    assert_eq!(user["statuses"], json!({"200": 3}));
    assert!(user["response_bytes"].as_u64().is_some_and(|bytes| bytes > 0));
}

#[tokio::test]
async fn what_does_not_exist_is_said_so() {
    let tenant = Tenant::start().await;
    assert_eq!(
        tenant
            .control(Method::GET, "/outside/99/mime", &Value::Null)
            .await
            .status,
        404
    );
    let path = "/mailboxes/nobody@contoso.example/messages";
    assert_eq!(tenant.control(Method::GET, path, &Value::Null).await.status, 404);
    let replay = json!({"mailbox": "nobody@contoso.example", "folder": "inbox"});
    assert_eq!(tenant.control(Method::POST, "/delta/replay", &replay).await.status, 404);
    assert_eq!(tenant.control(Method::POST, "/delta/expire", &replay).await.status, 404);
    let inbox = json!({"mailbox": "support@contoso.example", "folder": "inbox"});
    assert_eq!(tenant.control(Method::POST, "/delta/expire", &inbox).await.status, 200);
    let lifecycle = |event: &str| json!({"event": event});
    let path = "/notifications/lifecycle";
    assert_eq!(
        tenant.control(Method::POST, path, &lifecycle("missed")).await.body,
        json!({"told": 0})
    );
    assert_eq!(
        tenant.control(Method::POST, path, &lifecycle("nonsense")).await.status,
        400
    );
}

#[tokio::test]
async fn injected_bytes_stay_as_they_are() {
    let tenant = Tenant::start().await;
    let raw =
        b"From: a@outside.example\nTo: support@contoso.example\r\nSubject: caf\xe9\r\n\r\n\xff\x00 body\n".to_vec();
    let url = format!(
        "{}/mailboxes/support@contoso.example/messages",
        tenant.description().control_url
    );
    let sent = read(
        tenant
            .client
            .post(&url)
            .body(raw.clone())
            .send()
            .await
            .expect("an answer"),
    )
    .await;
    assert_eq!(sent.status, 201, "{:?}", sent.body);
    assert!(sent.body["immutable_id"].is_string());
    let id: String =
        url::form_urlencoded::byte_serialize(sent.body["id"].as_str().expect("an id").as_bytes()).collect();
    let path = format!("/mailboxes/support@contoso.example/messages/{id}/mime");
    assert_eq!(tenant.control(Method::GET, &path, &Value::Null).await.bytes, raw);
    let empty = read(tenant.client.post(&url).send().await.expect("an answer")).await;
    assert_eq!(empty.status, 400);
}

#[tokio::test]
async fn a_person_outside_answers_what_was_sent() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let message = json!({
        "message": {
            "subject": "Your order",
            "body": {"contentType": "text", "content": "It is on its way."},
            "toRecipients": [{"emailAddress": {"address": "customer@outside.example"}}],
        },
    });
    let sent = tenant
        .post(&token, "/users/support@contoso.example/sendMail", &message)
        .await;
    assert_eq!(sent.status, 202, "{:?}", sent.body);
    let outside = tenant
        .control(Method::GET, "/outside?address=customer@outside.example", &Value::Null)
        .await
        .body;
    let mail = &outside["mails"][0];
    assert_eq!(mail["subject"], "Your order");
    let seq = mail["seq"].as_u64().expect("a number");

    let path = format!("/outside/customer@outside.example/reply/{seq}");
    let reply = tenant
        .control(Method::POST, &path, &json!({"text": "Thank you."}))
        .await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    assert_eq!(reply.body["delivered"][0]["address"], "support@contoso.example");
    let inbox = tenant
        .get(&token, "/users/support@contoso.example/mailFolders/inbox/messages")
        .await
        .body;
    let answer = &inbox["value"][0];
    assert_eq!(answer["subject"], "Re: Your order");
    assert_eq!(answer["internetMessageId"], reply.body["internet_message_id"]);
    let sent = tenant
        .get(&token, "/users/support@contoso.example/mailFolders/sentitems/messages")
        .await
        .body;
    assert_eq!(answer["conversationId"], sent["value"][0]["conversationId"]);

    let path = format!("/outside/stranger@outside.example/reply/{seq}");
    assert_eq!(
        tenant.control(Method::POST, &path, &json!({"text": "x"})).await.status,
        400
    );
}
