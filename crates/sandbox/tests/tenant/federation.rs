//! Federated credentials: their records, and tokens for assertions of outside issuers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Tenant, claims};
use crate::registration::{Registered, code};
use crate::signing::{Issuer, now};

const AUDIENCE: &str = "api://AzureADTokenExchange";

fn record(name: &str, issuer: &str, subject: &str) -> Value {
    json!({"name": name, "issuer": issuer, "subject": subject, "audiences": [AUDIENCE]})
}

async fn application(tenant: &Tenant) -> (Registered, String) {
    let application = Registered::new(tenant, json!({"displayName": "Federated"})).await;
    let path = format!("/applications/{}/federatedIdentityCredentials", application.id);
    (application, path)
}

#[tokio::test]
async fn an_outside_assertion_gives_a_token() {
    let tenant = Tenant::start().await;
    let issuer = Issuer::start().await;
    let (application, path) = application(&tenant).await;
    let subject = "repo:contoso/site:ref:refs/heads/main";
    let new = record("build", &issuer.url, subject);
    let created = tenant.post(&application.administrator, &path, &new).await;
    assert_eq!(created.status, 201, "{:?}", created.body);
    let expires = now(&tenant).await + 600;
    let answer = application
        .assert(&tenant, &issuer.token(subject, AUDIENCE, expires))
        .await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let token = claims(answer.body["access_token"].as_str().expect("a token"));
    assert_eq!(token["appidacr"], "2");

    let upper = subject.to_uppercase();
    for (name, assertion, expected) in [
        ("subject", issuer.token(&upper, AUDIENCE, expires), 700_213),
        ("audience", issuer.token(subject, "api://other", expires), 700_212),
        ("expired", issuer.token(subject, AUDIENCE, expires - 1200), 500_133),
    ] {
        let answer = application.assert(&tenant, &assertion).await;
        assert_eq!(
            (answer.status.as_u16(), code(&answer)),
            (401, expected),
            "{name}: {:?}",
            answer.body
        );
    }
    let forger = Issuer::start().await;
    let unknown = forger.token(subject, AUDIENCE, expires);
    assert_eq!(code(&application.assert(&tenant, &unknown).await), 700_211);
    let mut forger = forger;
    forger.url.clone_from(&issuer.url);
    let forged = forger.token(subject, AUDIENCE, expires);
    assert_eq!(code(&application.assert(&tenant, &forged).await), 50_013);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_or_lies_is_refused() {
    let tenant = Tenant::start().await;
    let liar = Issuer::start_as(|_| "https://token.contoso.example".to_owned()).await;
    let (application, path) = application(&tenant).await;
    let expires = now(&tenant).await + 600;
    let new = record("liar", &liar.url, "s");
    assert_eq!(tenant.post(&application.administrator, &path, &new).await.status, 201);
    let answer = application.assert(&tenant, &liar.token("s", AUDIENCE, expires)).await;
    assert_eq!((answer.status.as_u16(), code(&answer)), (400, 50_166));
    let gone = Issuer::start().await;
    let new = record("gone", &gone.url, "s");
    assert_eq!(tenant.post(&application.administrator, &path, &new).await.status, 201);
    let token = gone.token("s", AUDIENCE, expires);
    drop(gone);
    assert_eq!(code(&application.assert(&tenant, &token).await), 50_166);
}

#[tokio::test]
async fn the_tenants_own_application_tokens_are_assertions_too() {
    let tenant = Tenant::start().await;
    let (application, path) = application(&tenant).await;
    let own = tenant.administrator_token().await;
    let token = claims(&own);
    let text = |name: &str| token[name].as_str().expect("text");
    let mut new = record("own", text("iss"), text("sub"));
    new["audiences"] = json!([text("aud")]);
    assert_eq!(tenant.post(&application.administrator, &path, &new).await.status, 201);
    let answer = application.assert(&tenant, &own).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let (signed, _) = own.rsplit_once('.').expect("a signature");
    let forged = format!("{signed}.AAAA");
    assert_eq!(code(&application.assert(&tenant, &forged).await), 50_013);
}

#[tokio::test]
async fn records_are_created_read_changed_and_deleted() {
    let tenant = Tenant::start().await;
    let (application, path) = application(&tenant).await;
    let token = application.administrator.as_str();
    let created = tenant
        .post(token, &path, &record("first", "https://a.contoso.example", "s"))
        .await;
    assert_eq!(created.status, 201);
    assert_eq!(created.body["description"], Value::Null);
    let id = created.body["id"].as_str().expect("an id").to_owned();
    let context = created.body["@odata.context"].as_str().expect("a context");
    assert!(context.ends_with(&format!(
        "#applications('{}')/federatedIdentityCredentials/$entity",
        application.id
    )));
    for key in [
        format!("{path}/{id}"),
        format!("{path}/first"),
        format!("{path}('{id}')"),
    ] {
        assert_eq!(tenant.get(token, &key).await.body["name"], "first", "{key}");
    }
    assert_eq!(
        tenant.get(token, &path).await.body["value"].as_array().map(Vec::len),
        Some(1)
    );

    let change = |body: Value| {
        let path = format!("{path}/{id}");
        let tenant = &tenant;
        async move { tenant.graph(token, Method::PATCH, &path, &body).await.status.as_u16() }
    };
    assert_eq!(change(json!({"subject": "t", "description": "d"})).await, 204);
    assert_eq!(tenant.get(token, &format!("{path}/{id}")).await.body["subject"], "t");
    assert_eq!(change(json!({"name": "second"})).await, 400);

    let same_pair = record("second", "https://a.contoso.example", "t");
    assert_eq!(tenant.post(token, &path, &same_pair).await.status, 409);
    assert_eq!(
        tenant
            .post(token, &path, &record("first", "https://b.contoso.example", "t"))
            .await
            .status,
        409
    );
    let mut two = record("second", "https://b.contoso.example", "s");
    two["audiences"] = json!(["a", "b"]);
    for (name, bad) in [
        ("name", record("no spaces", "https://b.contoso.example", "s")),
        ("long name", record(&"n".repeat(121), "https://b.contoso.example", "s")),
        ("issuer", record("second", "b.contoso.example", "s")),
        ("subject", record("second", "https://b.contoso.example", "")),
        (
            "long subject",
            record("second", "https://b.contoso.example", &"s".repeat(601)),
        ),
        ("audiences", two),
    ] {
        assert_eq!(tenant.post(token, &path, &bad).await.status, 400, "{name}");
    }
    let stranger = tenant.mail_token().await;
    let new = record("second", "https://b.contoso.example", "s");
    assert_eq!(tenant.post(&stranger, &path, &new).await.status, 403);
    let delete = tenant
        .graph(token, Method::DELETE, &format!("{path}/{id}"), &Value::Null)
        .await;
    assert_eq!(delete.status, 204);
    assert_eq!(tenant.get(token, &format!("{path}/{id}")).await.status, 404);
}

#[tokio::test]
async fn an_application_holds_twenty_records() {
    let tenant = Tenant::start().await;
    let (application, path) = application(&tenant).await;
    for number in 0..21 {
        let new = record(&format!("n{number}"), "https://a.contoso.example", &number.to_string());
        let status = tenant.post(&application.administrator, &path, &new).await.status;
        assert_eq!(status, if number < 20 { 201 } else { 400 }, "{number}");
    }
}
