//! The token endpoint and Graph: what a client gets for each mistake.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, GRAPH, Tenant, read};

/// A right request with some fields replaced; an empty value leaves the field out.
async fn with(tenant: &Tenant, changes: &[(&str, &str)]) -> Answer {
    let administrator = &tenant.description().administrator;
    let id = administrator.client_id.to_string();
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", id.as_str()),
        ("client_secret", administrator.client_secret.as_str()),
        ("scope", GRAPH),
    ];
    for (name, value) in changes {
        fields.retain(|(field, _)| field != name);
        if !value.is_empty() {
            fields.push((*name, *value));
        }
    }
    tenant.token(&fields).await
}

fn assert_refused(answer: &Answer, status: u16, error: &str, code: u32) {
    assert_eq!(answer.status, status, "{:?}", answer.body);
    assert_eq!(answer.body["error"], error, "{:?}", answer.body);
    assert_eq!(answer.body["error_codes"], json!([code]), "{:?}", answer.body);
    let description = answer.body["error_description"].as_str().expect("a description");
    assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
    assert!(
        description.contains("Trace ID: ") && description.contains("Correlation ID: "),
        "{description}"
    );
    assert!(
        answer.body["timestamp"]
            .as_str()
            .is_some_and(|text| text.ends_with('Z'))
    );
    assert!(answer.body["trace_id"].is_string());
}

#[tokio::test]
async fn the_right_request_is_answered() {
    let tenant = Tenant::start().await;
    assert_eq!(with(&tenant, &[]).await.status, 200);
}

#[tokio::test]
async fn each_mistake_of_a_client_has_its_code() {
    let tenant = Tenant::start().await;
    let unknown = "5f1c9c6e-0000-4000-8000-000000000001";
    for (changes, status, error, code) in [
        (&[("client_secret", "wrong")][..], 401, "invalid_client", 7_000_215),
        (&[("client_secret", "")], 401, "invalid_client", 7_000_218),
        (&[("client_id", unknown)], 400, "unauthorized_client", 700_016),
        (&[("client_id", "not-an-id")], 400, "unauthorized_client", 700_038),
        (&[("client_id", "")], 400, "invalid_request", 900_144),
        (&[("grant_type", "")], 400, "invalid_request", 900_144),
        (&[("scope", "")], 400, "invalid_request", 900_144),
        (
            &[("grant_type", "no_such_grant")],
            400,
            "unsupported_grant_type",
            70_003,
        ),
        (
            &[("scope", "https://graph.microsoft.com/Mail.Read")],
            400,
            "invalid_scope",
            1_002_012,
        ),
        (&[("scope", "nonsense/.default")], 400, "invalid_scope", 70_011),
        (
            &[(
                "scope",
                "https://graph.microsoft.com/.default https://outlook.office365.com/.default",
            )],
            400,
            "invalid_scope",
            700_022,
        ),
        (
            &[("scope", "api://not-a-registered-resource/.default")],
            400,
            "invalid_resource",
            500_011,
        ),
        (
            &[("scope", ""), ("resource", "https://graph.microsoft.com")],
            400,
            "invalid_request",
            901_002,
        ),
    ] {
        assert_refused(&with(&tenant, changes).await, status, error, code);
    }
}

#[tokio::test]
async fn recorded_refusals_carry_an_address_for_more_only_where_microsoft_gives_one() {
    let tenant = Tenant::start().await;
    let wrong = with(&tenant, &[("client_secret", "wrong")]).await;
    assert_eq!(
        wrong.body["error_uri"],
        "https://login.microsoftonline.com/error?code=7000215"
    );
    let invalid = with(&tenant, &[("client_id", "00000000-0000-0000-0000-000000000000")]).await;
    assert_refused(&invalid, 400, "unauthorized_client", 700_038);
    assert!(invalid.body.get("error_uri").is_none());
}

#[tokio::test]
async fn each_wrong_tenant_has_its_code() {
    let tenant = Tenant::start().await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "x"),
        ("scope", GRAPH),
    ];
    for (name, code) in [
        ("5f1c9c6e-0000-4000-8000-000000000001", 90_002),
        ("fabrikam.example", 90_002),
        ("nonsense", 900_023),
        ("common", 9_001_023),
        ("consumers", 9_001_023),
        ("organizations", 50_059),
    ] {
        let answer = tenant
            .form(&tenant.url(&format!("/{name}/oauth2/v2.0/token")), &fields)
            .await;
        assert_refused(&answer, 400, "invalid_request", code);
    }
}

#[tokio::test]
async fn a_form_that_is_none_is_refused() {
    let tenant = Tenant::start().await;
    let url = tenant.url(&format!("/{}/oauth2/v2.0/token", tenant.description().tenant_id));
    let json = tenant
        .client
        .post(&url)
        .json(&json!({"grant_type": "client_credentials"}));
    assert_refused(
        &read(json.send().await.expect("an answer")).await,
        400,
        "invalid_request",
        9_002_313,
    );
    let get = tenant.client.get(&url).send().await.expect("an answer");
    assert_refused(&read(get).await, 400, "invalid_request", 900_561);
}

#[tokio::test]
async fn a_secret_expires_by_the_tenants_clock() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let application = tenant
        .post(&token, "/applications", &json!({"displayName": "Short"}))
        .await
        .body;
    let (id, app_id) = (
        application["id"].as_str().expect("an id"),
        application["appId"].as_str().expect("an id"),
    );
    tenant
        .post(&token, "/servicePrincipals", &json!({"appId": app_id}))
        .await;
    let secret = tenant
        .post(&token, &format!("/applications/{id}/addPassword"), &Value::Null)
        .await
        .body;
    let text = secret["secretText"].as_str().expect("a secret");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", app_id),
        ("client_secret", text),
        ("scope", GRAPH),
    ];
    assert_eq!(tenant.token(&fields).await.status, 200);
    tenant
        .control(Method::POST, "/clock", &json!({"advance_seconds": 3 * 365 * 24 * 3600}))
        .await;
    assert_refused(&tenant.token(&fields).await, 401, "invalid_client", 7_000_222);
}

#[tokio::test]
async fn a_disabled_service_principal_gets_no_token() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let application = tenant
        .post(&token, "/applications", &json!({"displayName": "Off"}))
        .await
        .body;
    let (id, app_id) = (
        application["id"].as_str().expect("an id"),
        application["appId"].as_str().expect("an id"),
    );
    let body = json!({"appId": app_id, "accountEnabled": false});
    let principal = tenant.post(&token, "/servicePrincipals", &body).await.body;
    let secret = tenant
        .post(&token, &format!("/applications/{id}/addPassword"), &Value::Null)
        .await
        .body;
    let text = secret["secretText"].as_str().expect("a secret");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", app_id),
        ("client_secret", text),
        ("scope", GRAPH),
    ];
    assert_refused(&tenant.token(&fields).await, 400, "unauthorized_client", 7_000_112);
    let path = format!("/servicePrincipals/{}", principal["id"].as_str().expect("an id"));
    let enabled = tenant
        .graph(&token, Method::PATCH, &path, &json!({"accountEnabled": true}))
        .await;
    assert_eq!(enabled.status, 204);
    assert_eq!(tenant.token(&fields).await.status, 200);
}

#[tokio::test]
async fn graph_refuses_tokens_that_are_not_good() {
    let tenant = Tenant::start().await;
    let good = tenant.administrator_token().await;
    let other = Tenant::start().await;
    let foreign = other.administrator_token().await;
    let administrator = &tenant.description().administrator;
    let elsewhere = tenant
        .token(&[
            ("grant_type", "client_credentials"),
            ("client_id", &administrator.client_id.to_string()),
            ("client_secret", &administrator.client_secret),
            ("scope", "https://outlook.office365.com/.default"),
        ])
        .await;
    let elsewhere = elsewhere.body["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(tenant.get(&good, "/organization").await.status, 200);

    let empty = read(
        tenant
            .client
            .get(tenant.url("/v1.0/organization"))
            .send()
            .await
            .expect("an answer"),
    )
    .await;
    let cases = [
        (empty, "Access token is empty."),
        (
            tenant.get("nodots", "/organization").await,
            "IDX14100: JWT is not well formed",
        ),
        (
            tenant.get("a.b.c", "/organization").await,
            "CompactToken parsing failed with error code: 80049217",
        ),
        (tenant.get(&foreign, "/organization").await, "Signature is invalid."),
        (
            tenant.get(&elsewhere, "/organization").await,
            "Access token validation failure. Invalid audience.",
        ),
    ];
    for (answer, text) in cases {
        assert_eq!(answer.status, 401, "{text}");
        assert_eq!(answer.error_code(), "InvalidAuthenticationToken", "{text}");
        assert!(
            answer.body["error"]["message"]
                .as_str()
                .is_some_and(|message| message.starts_with(text)),
            "{answer:?}"
        );
        assert!(answer.body["error"]["innerError"]["request-id"].is_string(), "{text}");
        assert!(
            answer
                .header("www-authenticate")
                .is_some_and(|value| value.starts_with("Bearer realm=\"\"")),
            "{text}"
        );
    }

    tenant
        .control(Method::POST, "/clock", &json!({"advance_seconds": 3600}))
        .await;
    let expired = tenant.get(&good, "/organization").await;
    assert_eq!(expired.status, 401);
    assert_eq!(
        expired.body["error"]["message"],
        "Lifetime validation failed, the token is expired."
    );
}

#[tokio::test]
async fn me_needs_a_signed_in_user() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let answer = tenant.get(&token, "/me").await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.body["error"]["message"],
        "/me request is only valid with delegated authentication flow."
    );
}

#[tokio::test]
async fn what_the_sandbox_does_not_know_is_said_so() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    assert_eq!(tenant.get(&token, "/drives").await.status, 501);
    assert_eq!(tenant.get(&token, "/nonsense").await.status, 400);
    assert_eq!(tenant.get(&token, "/users?$expand=manager").await.status, 501);
    assert_eq!(tenant.get(&token, "/users?$select=colour").await.status, 400);
    assert_eq!(tenant.get(&token, "/applications?$skip=1").await.status, 400);
}
