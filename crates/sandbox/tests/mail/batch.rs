//! `$batch`: order, dependencies, single failures, refusals.

use serde_json::{Value, json};

use crate::harness::{Answer, Tenant};

const SUPPORT: &str = "support@contoso.example";

async fn batch(tenant: &Tenant, token: &str, requests: Value) -> Answer {
    tenant.post(token, "/$batch", &json!({"requests": requests})).await
}

fn of(answer: &Answer, id: &str) -> Value {
    answer.body["responses"]
        .as_array()
        .expect("responses")
        .iter()
        .find(|response| response["id"] == id)
        .cloned()
        .expect("an answer with that id")
}

#[tokio::test]
async fn each_request_is_answered_by_itself() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let requests = json!([
        {"id": "1", "method": "GET", "url": format!("/users/{SUPPORT}/mailFolders/inbox?$select=displayName")},
        {"id": "2", "method": "get", "url": format!("/v1.0/users/{SUPPORT}/messages/AAMk")},
        {"id": "3", "method": "POST", "url": format!("users/{SUPPORT}/mailFolders"), "body": {"displayName": "New"},
         "headers": {"Content-Type": "application/json"}},
        {"id": "4", "method": "GET", "url": "/users/nobody@contoso.example/messages"},
    ]);
    let answer = batch(&tenant, &token, requests).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(of(&answer, "1")["body"]["displayName"], "Inbox");
    assert_eq!(of(&answer, "1")["status"], 200);
    assert!(of(&answer, "1")["headers"]["Content-Type"].is_string());
    assert_eq!(of(&answer, "2")["body"]["error"]["code"], "ErrorInvalidIdMalformed");
    assert_eq!(of(&answer, "3")["status"], 201);
    assert_eq!(of(&answer, "4")["status"], 404);
}

#[tokio::test]
async fn a_request_waits_for_those_it_depends_on_and_fails_with_them() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let list = format!("/users/{SUPPORT}/mailFolders?$filter=displayName eq 'First'");
    let create = |name: &str| json!({"displayName": name});
    let json_type = json!({"Content-Type": "application/json"});
    let requests = json!([
        {"id": "c", "method": "GET", "url": list, "dependsOn": ["b"]},
        {"id": "b", "method": "POST", "url": format!("/users/{SUPPORT}/mailFolders"), "body": create("First"), "headers": json_type},
        {"id": "d", "method": "GET", "url": list, "dependsOn": ["B"]},
    ]);
    let answer = batch(&tenant, &token, requests).await;
    assert_eq!(of(&answer, "c")["body"]["value"][0]["displayName"], "First");
    assert_eq!(of(&answer, "d")["status"], 200);
    let serial = json!([
        {"id": "1", "method": "POST", "url": format!("/users/{SUPPORT}/mailFolders"), "body": create("First"), "headers": json_type},
        {"id": "2", "method": "GET", "url": list, "dependsOn": ["1"]},
        {"id": "3", "method": "GET", "url": list, "dependsOn": ["2"]},
    ]);
    let answer = batch(&tenant, &token, serial).await;
    assert_eq!(of(&answer, "1")["status"], 409);
    assert_eq!(of(&answer, "2")["status"], 424);
    assert_eq!(of(&answer, "3")["status"], 424);
}

#[tokio::test]
async fn results_that_are_not_json_are_base64() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let url = format!("{}/mailboxes/{SUPPORT}/messages", tenant.description().control_url);
    let mime = b"Subject: 1\r\n\r\n{}".to_vec();
    let sent = tenant.client.post(url).body(mime).send().await.expect("an answer");
    let id = crate::harness::read(sent).await.body["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let requests = json!([
        {"id": "v", "method": "GET", "url": format!("/users/{SUPPORT}/messages/{id}/$value")},
        {"id": "n", "method": "GET", "url": format!("/users/{SUPPORT}/messages/$count?$filter=subject ne 'http://x'")},
    ]);
    let answer = batch(&tenant, &token, requests).await;
    assert_eq!(of(&answer, "v")["body"], "U3ViamVjdDogMQ0KDQp7fQ==");
    assert_eq!(of(&answer, "n")["body"], "MQ==");
}

#[tokio::test]
async fn mail_as_mime_is_sent_as_its_base64_text() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let send = |body: &str| {
        json!([{"id": "s", "method": "POST", "url": format!("/users/{SUPPORT}/sendMail"),
        "headers": {"content-type": "text/plain"}, "body": body}])
    };
    let mime = "VG86IGFkYUBmYWJyaWthbS5leGFtcGxlDQpTdWJqZWN0OiB4DQoNCnkNCg==";
    assert_eq!(of(&batch(&tenant, &token, send(mime)).await, "s")["status"], 202);
    let refused = of(&batch(&tenant, &token, send("%%%")).await, "s");
    assert_eq!(refused["body"]["error"]["code"], "ErrorMimeContentInvalidBase64String");
}

#[tokio::test]
async fn what_is_no_batch_is_refused_whole() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let get = |id: &str| json!({"id": id, "method": "GET", "url": "/organization"});
    let many: Vec<Value> = (0..21).map(|number| get(&number.to_string())).collect();
    for requests in [
        json!([]),
        json!(many),
        json!([get("a"), get("A")]),
        json!([{"method": "GET", "url": "/organization"}]),
        json!([{"id": "1", "method": "GET", "url": "https://graph.microsoft.com/v1.0/me"}]),
        json!([{"id": "1", "method": "POST", "url": "/$batch", "body": {"requests": []}, "headers": {"Content-Type": "application/json"}}]),
        json!([{"id": "1", "method": "POST", "url": "/organization", "body": {}}]),
        json!([{"id": "1", "method": "GET", "url": "/organization", "dependsOn": ["9"]}]),
        json!([{"id": "1", "method": "GET", "url": "/organization", "dependsOn": "2"}]),
        json!([{"id": "1", "method": "GET", "url": "/organization", "dependsOn": ["1"]}]),
        json!([get("1"), {"id": "2", "method": "GET", "url": "/a", "dependsOn": ["1"]}, {"id": "3", "method": "GET", "url": "/a", "dependsOn": ["2"]},
            {"id": "4", "method": "GET", "url": "/a", "dependsOn": ["2"]}]),
        json!([get("1"), get("2"), {"id": "3", "method": "GET", "url": "/a", "dependsOn": ["1", "2"]}]),
        json!([{"id": 1, "method": "GET", "url": "/organization"}]),
        json!([{"id": "1", "method": "PUT", "url": "/organization", "headers": {"Content-Type": "image/png"}, "body": "%%%"}]),
        json!([{"id": "1", "method": "GET", "url": "/a", "dependsOn": ["2"]}, {"id": "2", "method": "GET", "url": "/a", "dependsOn": ["1"]}]),
    ] {
        let answer = batch(&tenant, &token, requests.clone()).await;
        assert_eq!(answer.status, 400, "{requests}");
    }
}
