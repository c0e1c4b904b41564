//! Ordered faults, as a client meets them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Tenant, builder, read};

async fn order(tenant: &Tenant, rule: Value) -> u64 {
    let answer = tenant.control(Method::POST, "/faults", &rule).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.body["id"].as_u64().expect("an id")
}

async fn applications(tenant: &Tenant, token: &str) -> usize {
    tenant.get(token, "/applications").await.body["value"]
        .as_array()
        .expect("a list")
        .len()
}

#[tokio::test]
async fn a_status_comes_with_its_waiting_time_and_then_no_more() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let rule = json!({
        "path_prefix": "/v1.0/applications",
        "method": "GET",
        "nth": 2,
        "action": {"kind": "status", "status": 429, "retry_after": 7},
    });
    order(&tenant, rule).await;
    assert_eq!(tenant.get(&token, "/applications").await.status, 200);
    let throttled = tenant.get(&token, "/applications").await;
    assert_eq!(throttled.status, 429);
    assert_eq!(throttled.header("retry-after"), Some("7"));
    assert_eq!(throttled.error_code(), "ApplicationThrottled");
    assert_eq!(tenant.get(&token, "/applications").await.status, 200);
    let listed = tenant.control(Method::GET, "/faults", &Value::Null).await.body;
    assert_eq!(listed["faults"][0]["hits"], 1);
    assert_eq!(listed["faults"][0]["matches"], 3);
}

#[tokio::test]
async fn the_token_endpoint_can_fail_too() {
    let tenant = Tenant::start().await;
    let action = json!({"kind": "status", "status": 503, "retry_after": 1});
    order(
        &tenant,
        json!({"path_contains": "/oauth2/v2.0/token", "action": action}),
    )
    .await;
    let answer = tenant.token(&[("grant_type", "client_credentials")]).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.body["error"], "temporarily_unavailable");
}

#[tokio::test]
async fn a_cut_before_the_effect_leaves_nothing_behind() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let before = applications(&tenant, &token).await;
    let rule = json!({"path_contains": "/applications", "method": "POST", "action": {"kind": "cut_before"}});
    order(&tenant, rule).await;
    let url = tenant.url("/v1.0/applications");
    let request = tenant
        .client
        .post(&url)
        .bearer_auth(&token)
        .json(&json!({"displayName": "Cut"}));
    let error = request.send().await.expect_err("the connection breaks");
    assert!(error.status().is_none(), "{error}");
    assert_eq!(applications(&tenant, &token).await, before);
}

#[tokio::test]
async fn a_cut_after_the_effect_leaves_the_effect() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let before = applications(&tenant, &token).await;
    let plain = tenant.description().graph_url_http.clone().expect("plain HTTP is on");
    let old = builder(tenant.description()).http1_only().build().expect("a client");
    let clients = [
        (
            &tenant.client,
            tenant.description().graph_url.clone(),
            "HTTP/2 over TLS",
        ),
        (&old, tenant.description().graph_url.clone(), "HTTP/1.1 over TLS"),
        (&old, plain, "HTTP/1.1"),
    ];
    for (round, (client, base, what)) in clients.into_iter().enumerate() {
        let rule = json!({"path_contains": "/applications", "method": "POST", "action": {"kind": "cut_after"}});
        order(&tenant, rule).await;
        let request = client
            .post(format!("{base}/v1.0/applications"))
            .bearer_auth(&token)
            .json(&json!({"displayName": "Cut"}));
        let error = request.send().await.expect_err(what);
        assert!(error.status().is_none(), "{what}: {error}");
        assert_eq!(applications(&tenant, &token).await, before + round + 1, "{what}");
    }
}

#[tokio::test]
async fn a_delay_does_not_change_the_answer() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    order(&tenant, json!({"action": {"kind": "latency", "milliseconds": 20}})).await;
    assert_eq!(tenant.get(&token, "/organization").await.status, 200);
    let listed = tenant.control(Method::GET, "/faults", &Value::Null).await.body;
    assert_eq!(listed["faults"][0]["hits"], 1);
}

#[tokio::test]
async fn rules_can_be_withdrawn_and_bad_ones_are_refused() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let id = order(
        &tenant,
        json!({"times": 0, "action": {"kind": "status", "status": 500}}),
    )
    .await;
    assert_eq!(tenant.get(&token, "/organization").await.status, 500);
    assert_eq!(
        tenant
            .control(Method::DELETE, &format!("/faults/{id}"), &Value::Null)
            .await
            .status,
        200
    );
    assert_eq!(tenant.get(&token, "/organization").await.status, 200);
    assert_eq!(
        tenant
            .control(Method::DELETE, &format!("/faults/{id}"), &Value::Null)
            .await
            .status,
        404
    );
    for bad in [
        json!({}),
        json!({"action": {"kind": "nonsense"}}),
        json!({"colour": 1, "action": {"kind": "cut_after"}}),
    ] {
        assert_eq!(tenant.control(Method::POST, "/faults", &bad).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn an_overlong_body_is_refused_whole() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let url = tenant.url("/v1.0/applications");
    let request = tenant
        .client
        .post(url)
        .bearer_auth(&token)
        .body(vec![b' '; 4 * 1024 * 1024 + 1]);
    let answer = read(request.send().await.expect("an answer")).await;
    assert_eq!(answer.status, 413);
    assert_eq!(
        answer.body["error"]["message"],
        "The maximum request length supported is 4MB."
    );
}
