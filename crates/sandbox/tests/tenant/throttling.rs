//! Limits, as a client meets them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, GRAPH, Tenant, read};

const INBOX: &str = "/users/support@contoso.example/mailFolders/inbox";

async fn tenant() -> Tenant {
    Tenant::start_with(|config| {
        config.throttle = true;
        config.frozen_at = Some("2026-03-01T00:00:00Z".parse().expect("a time"));
    })
    .await
}

async fn limit(tenant: &Tenant, settings: Value) -> Answer {
    tenant.control(Method::POST, "/throttling", &settings).await
}

async fn advance(tenant: &Tenant, seconds: u64) {
    let moved = tenant
        .control(Method::POST, "/clock", &json!({"advance_seconds": seconds}))
        .await;
    assert_eq!(moved.status, 200);
}

#[tokio::test]
async fn requests_to_a_mailbox_run_out_and_come_back() {
    let tenant = tenant().await;
    let token = tenant.mail_token().await;
    let changed = limit(&tenant, json!({"mailbox_requests": {"limit": 2, "seconds": 600}})).await;
    assert_eq!(changed.body["settings"]["concurrency"], 4, "other limits stay");
    let id = tenant
        .get(&tenant.administrator_token().await, "/users/support@contoso.example")
        .await
        .body["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(tenant.get(&token, INBOX).await.status, 200);
    assert_eq!(
        tenant
            .get(&token, &format!("/users/{id}/mailFolders/inbox"))
            .await
            .status,
        200
    );
    let refused = tenant.get(&token, INBOX).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), Some("600"));
    assert_eq!(refused.error_code(), "ApplicationThrottled");
    assert_eq!(
        refused.body["error"]["message"],
        "Application is over its RequestCount limit."
    );
    assert_eq!(
        tenant
            .get(&token, "/users/sales@contoso.example/mailFolders/inbox")
            .await
            .status,
        200
    );
    advance(&tenant, 600).await;
    assert_eq!(tenant.get(&token, INBOX).await.status, 200);
}

#[tokio::test]
async fn parts_of_a_batch_are_refused_one_by_one() {
    let tenant = tenant().await;
    let token = tenant.mail_token().await;
    limit(&tenant, json!({"mailbox_requests": {"limit": 2, "seconds": 600}})).await;
    let part = |id: usize| json!({"id": id.to_string(), "method": "GET", "url": INBOX});
    let batch = json!({"requests": (1..=5).map(part).collect::<Vec<_>>()});
    let answer = tenant.post(&token, "/$batch", &batch).await;
    assert_eq!(answer.status, 200);
    let responses = answer.body["responses"].as_array().expect("responses");
    let refused: Vec<&Value> = responses.iter().filter(|response| response["status"] == 429).collect();
    assert_eq!((responses.len(), refused.len()), (5, 3));
    assert_eq!(refused[0]["headers"]["Retry-After"], "600");
    assert_eq!(refused[0]["body"]["error"]["code"], "ApplicationThrottled");
}

#[tokio::test]
async fn parts_of_a_batch_wait_for_a_place() {
    let tenant = tenant().await;
    let token = tenant.mail_token().await;
    let part = |id: usize| json!({"id": id.to_string(), "method": "GET", "url": INBOX});
    let batch = json!({"requests": (1..=20).map(part).collect::<Vec<_>>()});
    let answer = tenant.post(&token, "/$batch", &batch).await;
    let responses = answer.body["responses"].as_array().expect("responses");
    assert!(
        responses.iter().all(|response| response["status"] == 200),
        "four at a time are allowed"
    );
}

#[tokio::test]
async fn more_than_so_many_at_a_time_are_refused() {
    let tenant = tenant().await;
    let token = tenant.mail_token().await;
    limit(&tenant, json!({"concurrency": 0})).await;
    let refused = tenant.get(&token, INBOX).await;
    assert_eq!(
        refused.body["error"]["message"],
        "Application is over its MailboxConcurrency limit."
    );
    assert_eq!(refused.header("retry-after"), Some("10"));
}

#[tokio::test]
async fn upload_is_counted_in_bytes() {
    let tenant = tenant().await;
    let token = tenant.mail_token().await;
    limit(&tenant, json!({"mailbox_upload": {"limit": 1000, "seconds": 300}})).await;
    let path = "/users/support@contoso.example/messages";
    let draft = json!({"subject": "x".repeat(600)});
    assert_eq!(tenant.post(&token, path, &draft).await.status, 201);
    let refused = tenant.post(&token, path, &draft).await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.body["error"]["message"],
        "Application is over its IncomingBytes limit."
    );
    assert_eq!(
        tenant.get(&token, path).await.body["value"].as_array().map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn slices_of_an_upload_session_are_upload_of_who_made_it() {
    let tenant = tenant().await;
    let token = tenant.mail_token().await;
    let path = "/users/support@contoso.example/messages";
    let draft = tenant.post(&token, path, &json!({"subject": "Large"})).await.body;
    let path = format!(
        "{path}/{}/attachments/createUploadSession",
        draft["id"].as_str().expect("an id")
    );
    let item = json!({"AttachmentItem": {"attachmentType": "file", "name": "a.bin", "size": 4_000_000}});
    let session = tenant.post(&token, &path, &item).await;
    assert_eq!(session.status, 201, "{:?}", session.body);
    let url = session.body["uploadUrl"].as_str().expect("an address").to_owned();
    limit(&tenant, json!({"mailbox_upload": {"limit": 400_000, "seconds": 300}})).await;
    let slice = async |from: usize| {
        let range = format!("bytes {from}-{}/4000000", from + 327_680 - 1);
        let request = tenant.client.put(&url).header("content-range", range);
        read(request.body(vec![0; 327_680]).send().await.expect("an answer")).await
    };
    assert_eq!(slice(0).await.status, 200);
    let refused = slice(327_680).await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.body["error"]["message"],
        "Application is over its IncomingBytes limit."
    );
    advance(&tenant, 600).await;
    assert_eq!(slice(327_680).await.status, 200, "the refused slice was not taken");
}

#[tokio::test]
async fn the_directory_tells_its_price() {
    let tenant = tenant().await;
    let token = tenant.administrator_token().await;
    let answer = tenant.get(&token, "/applications").await;
    assert_eq!(answer.header("x-ms-resource-unit"), Some("2"));
    assert_eq!(answer.header("x-ms-throttle-limit-percentage"), None);
    limit(&tenant, json!({"identity_units_by_size": [4, 4, 4]})).await;
    let answer = tenant.get(&token, "/applications").await;
    assert_eq!(answer.header("x-ms-throttle-limit-percentage"), Some("1.0"));
    let refused = tenant.get(&token, "/applications").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.error_code(), "TooManyRequests");
    assert_eq!(
        refused.header("x-ms-throttle-information"),
        Some("ResourceUnitLimitExceeded")
    );
    assert!(refused.header("x-ms-throttle-scope").is_some_and(|scope| {
        scope.starts_with("Tenant_Application/ReadWrite/")
            && scope.ends_with(&tenant.description().tenant_id.to_string())
    }));
}

#[tokio::test]
async fn a_program_that_never_keeps_its_token_is_told_of_a_loop() {
    let tenant = tenant().await;
    limit(&tenant, json!({"sign_in_loop": {"limit": 2, "seconds": 300}})).await;
    let administrator = &tenant.description().administrator;
    let id = administrator.client_id.to_string();
    let ask = async || {
        tenant
            .token(&[
                ("grant_type", "client_credentials"),
                ("client_id", &id),
                ("client_secret", &administrator.client_secret),
                ("scope", GRAPH),
            ])
            .await
    };
    assert_eq!(ask().await.status, 200);
    assert_eq!(ask().await.status, 200);
    let looped = ask().await;
    assert_eq!(looped.status, 400);
    assert_eq!(looped.body["error"], "invalid_grant");
    assert_eq!(looped.body["error_codes"], json!([50_196]));
    limit(&tenant, json!({"sign_ins": {"limit": 1, "seconds": 30}})).await;
    ask().await;
    let refused = ask().await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(refused.header("retry-after"), Some("30"));
}

#[tokio::test]
async fn nothing_is_limited_unless_it_is_switched_on() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    limit(&tenant, json!({"identity_units_by_size": [0, 0, 0]})).await;
    let answer = tenant.get(&token, "/applications").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-ms-resource-unit"), None);
    assert_eq!(
        limit(&tenant, json!({"enabled": true})).await.body["settings"]["enabled"],
        true
    );
    assert_eq!(tenant.get(&token, "/applications").await.status, 429);
    for bad in [
        json!({"colour": 1}),
        json!({"mailbox_requests": {"limit": 1}}),
        json!({"mailbox_requests": {"limit": 1, "seconds": 0}}),
        json!([]),
    ] {
        assert_eq!(limit(&tenant, bad.clone()).await.status, 400, "{bad}");
    }
}
