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

/// The body that arrives, and whether all of it does.
async fn body(tenant: &Tenant, token: &str) -> (Vec<u8>, bool) {
    let request = tenant.client.get(tenant.url("/v1.0/applications")).bearer_auth(token);
    let mut response = request.send().await.expect("a status");
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return (bytes, true),
            Err(_) => return (bytes, false),
        }
    }
}

#[tokio::test]
async fn a_body_is_cut_short() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let (whole, _) = body(&tenant, &token).await;
    order(
        &tenant,
        json!({"path_contains": "/applications", "action": {"kind": "truncate", "bytes": 20}}),
    )
    .await;
    let (part, complete) = body(&tenant, &token).await;
    assert!(!complete, "the end is missing");
    assert_eq!(part, whole[..20]);
    assert!(body(&tenant, &token).await.1);
}

#[tokio::test]
async fn a_body_drips_and_arrives_whole() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let (whole, _) = body(&tenant, &token).await;
    let action = json!({"kind": "drip", "bytes_per_second": whole.len() * 5});
    order(&tenant, json!({"path_contains": "/applications", "action": action})).await;
    assert_eq!(body(&tenant, &token).await, (whole, true));
}

#[tokio::test]
async fn answers_are_not_what_they_are_called() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let mut seen = Vec::new();
    for action in [
        json!({"kind": "garbage"}),
        json!({"kind": "content_type", "value": "text/html"}),
        json!({"kind": "gateway_page", "status": 504}),
    ] {
        order(&tenant, json!({"action": action})).await;
        let answer = tenant.get(&token, "/organization").await;
        let content_type = answer.header("content-type").unwrap_or_default().to_owned();
        seen.push((answer.status.as_u16(), content_type, answer.body.is_null()));
    }
    assert!(
        seen[0].0 == 200 && seen[0].1.starts_with("application/json") && seen[0].2,
        "{seen:?}"
    );
    assert_eq!(seen[1], (200, "text/html".to_owned(), false));
    assert!(
        seen[2].0 == 504 && seen[2].1.starts_with("text/html") && seen[2].2,
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_refusal_can_come_after_the_effect() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let before = applications(&tenant, &token).await;
    for (after_effect, more) in [(false, 0), (true, 1)] {
        let action = json!({"kind": "status", "status": 504, "after_effect": after_effect});
        order(
            &tenant,
            json!({"method": "POST", "path_contains": "/applications", "action": action}),
        )
        .await;
        let new = json!({"displayName": "Ambiguous"});
        assert_eq!(tenant.post(&token, "/applications", &new).await.status, 504);
        assert_eq!(applications(&tenant, &token).await, before + more);
    }
}

#[tokio::test]
async fn rules_find_mailboxes_by_every_name_and_applications_by_their_id() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let state = tenant.control(Method::GET, "/state", &Value::Null).await.body;
    let users = state["users"].as_array().expect("users");
    let support = users
        .iter()
        .find(|user| user["mail"] == "support@contoso.example")
        .expect("support");
    let id = support["id"].as_str().expect("an id");
    let rule = json!({
        "mailbox": "SUPPORT@contoso.example",
        "application": crate::harness::claims(&token)["appid"],
        "times": 0,
        "action": {"kind": "status", "status": 503},
    });
    order(&tenant, rule).await;
    for name in ["support@contoso.example", id] {
        assert_eq!(tenant.get(&token, &format!("/users/{name}/messages")).await.status, 503);
    }
    assert_eq!(
        tenant.get(&token, "/users/sales@contoso.example/messages").await.status,
        200
    );
    let other = tenant.administrator_token().await;
    assert_eq!(tenant.get(&other, &format!("/users/{id}")).await.status, 200);
}

#[tokio::test]
async fn parts_of_a_batch_meet_faults_of_their_own() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let action = json!({"kind": "status", "status": 503, "retry_after": 4});
    order(
        &tenant,
        json!({"path_contains": "/organization", "nth": 2, "action": action}),
    )
    .await;
    order(
        &tenant,
        json!({"path_contains": "/domains", "action": {"kind": "gateway_page"}}),
    )
    .await;
    order(
        &tenant,
        json!({"path_contains": "/subscribedSkus", "action": {"kind": "cut_after"}}),
    )
    .await;
    let part = |id: &str, url: &str| json!({"id": id, "method": "GET", "url": url, "dependsOn": []});
    let batch = json!({"requests": [
        part("1", "/organization"),
        part("2", "/organization"),
        part("3", "/domains"),
        part("4", "/subscribedSkus"),
    ]});
    let answer = tenant.post(&token, "/$batch", &batch).await;
    let of = |id: &str| {
        let responses = answer.body["responses"].as_array().expect("responses");
        responses
            .iter()
            .find(|response| response["id"] == id)
            .expect("a response")
            .clone()
    };
    assert_eq!(of("1")["status"], 200);
    assert_eq!(of("2")["status"], 503);
    assert_eq!(of("2")["headers"]["Retry-After"], "4");
    assert_eq!(of("3")["status"], 502);
    assert_eq!(of("4")["status"], 200, "a part has no connection to break");
}

#[tokio::test]
async fn tokens_are_revoked_with_and_without_a_challenge() {
    let tenant = Tenant::start_with(|config| {
        config.frozen_at = Some("2026-03-01T00:00:00Z".parse().expect("a time"));
    })
    .await;
    let old = tenant.administrator_token().await;
    order(
        &tenant,
        json!({"path_contains": "/organization", "action": {"kind": "revoke_tokens"}}),
    )
    .await;
    assert_eq!(tenant.get(&old, "/organization").await.status, 401);
    let refused = tenant.get(&old, "/applications").await;
    assert_eq!(
        (refused.status.as_u16(), refused.error_code()),
        (401, "InvalidAuthenticationToken")
    );
    let challenge = refused.header("www-authenticate").expect("a challenge");
    assert!(challenge.contains("error=\"insufficient_claims\""), "{challenge}");
    let new = tenant.administrator_token().await;
    assert_eq!(
        tenant.get(&new, "/applications").await.status,
        200,
        "given out in the same second"
    );
    let revoke = json!({"challenge": false, "user": "nobody@contoso.example"});
    assert_eq!(
        tenant.control(Method::POST, "/tokens/revoke", &revoke).await.status,
        404
    );
    let revoke = json!({"challenge": false});
    assert_eq!(
        tenant.control(Method::POST, "/tokens/revoke", &revoke).await.status,
        200
    );
    let refused = tenant.get(&new, "/applications").await;
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .header("www-authenticate")
            .is_some_and(|header| !header.contains("claims"))
    );
}

#[tokio::test]
async fn connections_break_before_anything_is_said() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    for kind in ["tls_failure", "reset_connection"] {
        order(&tenant, json!({"action": {"kind": kind}})).await;
        // A client of its own, since connections are kept.
        let fresh = builder(tenant.description()).build().expect("a client");
        let url = tenant.url("/v1.0/organization");
        let error = fresh.get(&url).bearer_auth(&token).send().await.expect_err(kind);
        assert!(error.is_connect(), "{kind}: {error:?}");
        let answer = fresh
            .get(&url)
            .bearer_auth(&token)
            .send()
            .await
            .expect("the next one is fine");
        assert_eq!(answer.status(), 200, "{kind}");
    }
}
