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
    assert_eq!(moved["now"], "2026-03-01T00:01:30Z");
    assert_eq!(moved["offset_seconds"], 90);
    assert_eq!(moved["frozen"], true);
    assert_eq!(tenant.control(Method::GET, "/clock", &Value::Null).await.body, moved);
    let refused = tenant
        .control(Method::POST, "/clock", &json!({"advance_seconds": -5}))
        .await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn the_clock_can_be_set_stopped_and_let_go() {
    let tenant = Tenant::start().await;
    let change = async |change: Value| tenant.control(Method::POST, "/clock", &change).await;
    let set = change(json!({"frozen": true, "set": "2030-01-01T00:00:00Z"}))
        .await
        .body;
    assert_eq!(set["now"], "2030-01-01T00:00:00Z");
    assert_eq!(
        change(json!({"set": "2029-12-31T00:00:00Z"})).await.body["now"],
        "2029-12-31T00:00:00Z"
    );
    let token = tenant.administrator_token().await;
    assert_eq!(
        crate::harness::claims(&token)["iat"],
        "2029-12-30T23:55:00Z"
            .parse::<jiff::Timestamp>()
            .expect("a time")
            .as_second()
    );
    assert_eq!(change(json!({"frozen": false})).await.body["frozen"], false);
    for bad in [
        json!({"set": "yesterday"}),
        json!({"set": "2029-12-31T00:00:00Z", "advance_seconds": 1}),
        json!({"colour": 1}),
        json!({"date_skew_seconds": i64::MAX}),
    ] {
        assert_eq!(change(bad.clone()).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn the_date_header_can_be_wrong_while_the_clock_is_right() {
    let tenant =
        Tenant::start_with(|config| config.frozen_at = Some("2026-03-01T00:00:00Z".parse().expect("a time"))).await;
    let token = tenant.administrator_token().await;
    let date = async || {
        let answer = tenant.get(&token, "/organization").await;
        answer.header("date").map(str::to_owned)
    };
    assert_eq!(date().await.as_deref(), Some("Sun, 01 Mar 2026 00:00:00 GMT"));
    tenant
        .control(Method::POST, "/clock", &json!({"date_skew_seconds": -3600}))
        .await;
    assert_eq!(date().await.as_deref(), Some("Sat, 28 Feb 2026 23:00:00 GMT"));
}

#[tokio::test]
async fn the_last_requests_are_listed_with_their_senders() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    tenant.get(&token, "/users/support@contoso.example?$select=id").await;
    let path = "/requests/recent?limit=1";
    let last = tenant.control(Method::GET, path, &Value::Null).await.body["requests"][0].clone();
    assert_eq!(last["path"], "/v1.0/users/support@contoso.example");
    assert_eq!(last["status"], 200);
    assert_eq!(
        last["application"],
        tenant.description().administrator.client_id.to_string()
    );
    let path = "/requests/recent?mailbox=nobody@contoso.example";
    assert_eq!(
        tenant.control(Method::GET, path, &Value::Null).await.body["requests"],
        json!([])
    );
    let all = tenant.control(Method::GET, "/requests/recent", &Value::Null).await;
    let text = String::from_utf8_lossy(&all.bytes).into_owned();
    assert!(
        !text.contains("$select") && !text.contains(&token),
        "no queries, no tokens"
    );
}

#[tokio::test]
async fn a_reset_forgets_orders_and_counts_and_keeps_the_tenant() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let rule = json!({"times": 0, "action": {"kind": "status", "status": 500}});
    tenant.control(Method::POST, "/faults", &rule).await;
    let reset = tenant.control(Method::POST, "/reset", &Value::Null).await;
    assert_eq!(reset.body["faults"], 1);
    let requests = tenant.control(Method::GET, "/requests", &Value::Null).await.body;
    assert_eq!(requests["total"]["requests"], 0);
    assert_eq!(tenant.get(&token, "/organization").await.status, 200);
}

#[tokio::test]
async fn new_objects_are_found_after_the_lag() {
    let tenant =
        Tenant::start_with(|config| config.frozen_at = Some("2026-03-01T00:00:00Z".parse().expect("a time"))).await;
    tenant
        .control(Method::POST, "/clock", &json!({"advance_seconds": 3600}))
        .await;
    let lag = tenant
        .control(Method::PATCH, "/policies", &json!({"replication_lag_seconds": 30}))
        .await;
    assert_eq!(lag.status, 200);
    let token = tenant.administrator_token().await;
    let made = tenant
        .post(&token, "/applications", &json!({"displayName": "New"}))
        .await
        .body;
    let path = format!("/applications/{}", made["id"].as_str().expect("an id"));
    let by_app_id = format!("/applications(appId='{}')", made["appId"].as_str().expect("an id"));
    for path in [&path, &by_app_id] {
        let early = tenant.get(&token, path).await;
        assert_eq!(
            (early.status.as_u16(), early.error_code()),
            (404, "Request_ResourceNotFound")
        );
    }
    tenant
        .control(Method::POST, "/clock", &json!({"advance_seconds": 30}))
        .await;
    for path in [&path, &by_app_id] {
        assert_eq!(tenant.get(&token, path).await.status, 200);
    }
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

#[tokio::test]
async fn a_deleted_user_is_unknown_to_exchange_and_comes_back_with_the_mailbox() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let inbox = "/users/sales@contoso.example/mailFolders/inbox?$select=id";
    let before = tenant.get(&token, inbox).await;
    assert_eq!(before.status, 200);
    let user = "/users/sales@contoso.example";
    assert_eq!(tenant.control(Method::DELETE, user, &Value::Null).await.status, 200);
    let gone = tenant.get(&token, inbox).await;
    assert_eq!((gone.status.as_u16(), gone.error_code()), (404, "ErrorInvalidUser"));
    assert_eq!(tenant.control(Method::DELETE, user, &Value::Null).await.status, 404);
    let restore = format!("{user}/restore");
    assert_eq!(tenant.control(Method::POST, &restore, &Value::Null).await.status, 200);
    assert_eq!(tenant.get(&token, inbox).await.body["id"], before.body["id"]);
    assert_eq!(tenant.control(Method::POST, &restore, &Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_mailbox_that_moves_is_stale_however_it_is_addressed() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let profile = "/mailboxes/sales@contoso.example/profile";
    let id = tenant.control(Method::GET, profile, &Value::Null).await.body["id"].clone();
    let moving = json!({"condition": "moving"});
    assert_eq!(tenant.control(Method::PATCH, profile, &moving).await.status, 200);
    for name in ["sales@contoso.example", id.as_str().expect("an id")] {
        let answer = tenant.get(&token, &format!("/users/{name}/mailFolders/inbox")).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (503, "MailboxInfoStale"));
    }
}
