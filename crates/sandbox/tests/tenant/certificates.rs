//! Certificates: registering them, and assertions that they sign.

use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};

use crate::harness::{Tenant, claims};
use crate::registration::{Registered, code};
use crate::signing::{Signer, now};

const DIRECTORY: &str = "00000002-0000-0000-c000-000000000000";

async fn registered(tenant: &Tenant, signer: &Signer) -> Registered {
    let application = Registered::new(tenant, json!({"displayName": "Certified"})).await;
    let body = json!({"keyCredentials": [signer.credential()]});
    assert_eq!(application.patch(tenant, &body).await.status, 204);
    application
}

fn endpoint(tenant: &Tenant) -> String {
    tenant.url(&format!("/{}/oauth2/v2.0/token", tenant.description().tenant_id))
}

fn assertion(application: &Registered, audience: &str, at: i64) -> Value {
    let id = &application.app_id;
    json!({"aud": audience, "iss": id, "sub": id, "jti": "1", "nbf": at, "iat": at, "exp": at + 600})
}

#[tokio::test]
async fn both_forms_of_assertion_give_a_token() {
    let tenant = Tenant::start().await;
    let signer = Signer::new();
    let application = registered(&tenant, &signer).await;
    let at = now(&tenant).await;
    let mut chained = signer.header();
    chained.x5c = Some(vec!["MIIC\nAAAA\n".to_owned()]);
    let mut by_key_id = Header::new(Algorithm::RS256);
    by_key_id.kid = Some(signer.sha1());
    for header in [signer.header(), signer.older_header(), chained, by_key_id] {
        let token = signer.sign(&header, &assertion(&application, &endpoint(&tenant), at));
        let answer = application.assert(&tenant, &token).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let claims = claims(answer.body["access_token"].as_str().expect("a token"));
        assert_eq!(claims["appidacr"], "2");
        assert_eq!(claims["appid"], application.app_id);
        assert!(claims.get("roles").is_none());
    }
}

#[tokio::test]
async fn every_name_of_the_authority_is_an_audience_and_no_other() {
    let tenant = Tenant::start().await;
    let signer = Signer::new();
    let application = registered(&tenant, &signer).await;
    let at = now(&tenant).await;
    let id = tenant.description().tenant_id;
    for good in [
        format!("https://login.microsoftonline.com/{id}/oauth2/v2.0/token"),
        format!("https://login.microsoftonline.com/{id}/oauth2/token"),
        format!("https://login.microsoftonline.com/{id}/v2.0"),
        "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token".to_owned(),
        format!("https://sts.windows.net/{id}/"),
        tenant.url(&format!("/{id}/oauth2/token")),
    ] {
        let token = signer.sign(&signer.header(), &assertion(&application, &good, at));
        let answer = application.assert(&tenant, &token).await;
        assert_eq!(answer.status, 200, "{good}: {:?}", answer.body);
    }
    for bad in [
        "https://graph.microsoft.com".to_owned(),
        format!("https://login.contoso.example/{id}/oauth2/v2.0/token"),
        "https://login.microsoftonline.com/fabrikam.example/oauth2/v2.0/token".to_owned(),
        format!("https://login.microsoftonline.com/{id}/oauth2/v2.0/authorize"),
        application.app_id.clone(),
    ] {
        let token = signer.sign(&signer.header(), &assertion(&application, &bad, at));
        let answer = application.assert(&tenant, &token).await;
        assert_eq!((answer.status.as_u16(), code(&answer)), (401, 50_013), "{bad}");
        assert_eq!(answer.body["error"], "invalid_client");
    }
}

#[tokio::test]
async fn every_fault_of_an_assertion_has_its_code() {
    let tenant = Tenant::start().await;
    let (signer, stranger) = (Signer::new(), Signer::new());
    let application = registered(&tenant, &signer).await;
    let (at, audience) = (now(&tenant).await, endpoint(&tenant));
    let good = assertion(&application, &audience, at);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let without_thumbprint = Header::new(Algorithm::PS256);
    let cases = [
        ("unknown key", stranger.sign(&stranger.header(), &good), 700_027),
        ("borrowed thumbprint", stranger.sign(&signer.header(), &good), 700_027),
        ("no thumbprint", signer.sign(&without_thumbprint, &good), 50_027),
        ("not a token", "x".to_owned(), 50_027),
        (
            "issuer",
            signer.sign(&signer.header(), &with("iss", json!("other"))),
            50_013,
        ),
        (
            "subject",
            signer.sign(&signer.header(), &with("sub", json!("other"))),
            50_013,
        ),
        (
            "expired",
            signer.sign(&signer.header(), &with("exp", json!(at - 400))),
            500_133,
        ),
        (
            "early",
            signer.sign(&signer.header(), &with("nbf", json!(at + 900))),
            500_133,
        ),
        (
            "endless",
            signer.sign(&signer.header(), &with("exp", Value::Null)),
            500_133,
        ),
    ];
    for (name, token, expected) in cases {
        assert_eq!(code(&application.assert(&tenant, &token).await), expected, "{name}");
    }
    let fractions = with("exp", json!(at as f64 + 300.25));
    let answer = application
        .assert(&tenant, &signer.sign(&signer.header(), &fractions))
        .await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);

    let token = signer.sign(&signer.header(), &good);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", application.app_id.as_str()),
        ("client_assertion", token.as_str()),
        ("scope", crate::harness::GRAPH),
    ];
    assert_eq!(code(&tenant.token(&fields).await), 900_144, "no assertion type");
    let bare = [fields[0], fields[1], fields[3]];
    assert_eq!(code(&tenant.token(&bare).await), 7_000_218, "no credential");
    let mut public = fields.to_vec();
    public[1].1 = "14d82eec-204b-4c2f-b7e8-296a70dab67e";
    assert_eq!(code(&tenant.token(&public).await), 700_025, "a public client");
}

#[tokio::test]
async fn a_certificate_dies_by_the_tenants_clock() {
    let tenant = Tenant::start_with(|config| {
        config.frozen_at = Some("2030-12-31T23:50:00Z".parse().expect("a time"));
    })
    .await;
    let signer = Signer::until(2031);
    let application = registered(&tenant, &signer).await;
    let before = now(&tenant).await;
    let token = signer.sign(&signer.header(), &assertion(&application, &endpoint(&tenant), before));
    assert_eq!(application.assert(&tenant, &token).await.status, 200);
    let advance = json!({"advance_seconds": 660});
    tenant.control(reqwest::Method::POST, "/clock", &advance).await;
    let token = signer.sign(
        &signer.header(),
        &assertion(&application, &endpoint(&tenant), before + 660),
    );
    let answer = application.assert(&tenant, &token).await;
    assert_eq!(code(&answer), 700_027);
    let text = answer.body["error_description"].as_str().expect("text");
    assert!(text.contains("The key used is expired"), "{text}");
}

#[tokio::test]
async fn key_credentials_are_checked_listed_and_replaced() {
    let tenant = Tenant::start().await;
    let signer = Signer::new();
    let application = registered(&tenant, &signer).await;
    let path = format!("/applications/{}", application.id);
    let listed = tenant.get(&application.administrator, &path).await.body["keyCredentials"][0].clone();
    assert_eq!(listed["key"], Value::Null);
    assert_eq!(listed["usage"], "Verify");
    assert_eq!(listed["endDateTime"], "2120-01-01T00:00:00Z");
    assert_eq!(listed["customKeyIdentifier"].as_str().map(str::len), Some(40));
    let selected = tenant
        .get(&application.administrator, &format!("{path}?$select=keyCredentials"))
        .await;
    assert_eq!(selected.body["keyCredentials"][0]["key"], signer.credential()["key"]);

    let other = Signer::new();
    let pem = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(&other.pem)
    };
    let kept = json!({"keyId": listed["keyId"], "type": "AsymmetricX509Cert", "usage": "Verify"});
    let added = json!({"type": "AsymmetricX509Cert", "usage": "Verify", "key": pem, "displayName": "second"});
    let both = json!({"keyCredentials": [kept, added]});
    assert_eq!(application.patch(&tenant, &both).await.status, 204);
    let keys = tenant.get(&application.administrator, &path).await.body["keyCredentials"].clone();
    assert_eq!(keys.as_array().map(Vec::len), Some(2));
    assert_eq!(keys[0]["keyId"], listed["keyId"]);

    let mut without_usage = signer.credential();
    without_usage["usage"] = Value::Null;
    let mut beyond = signer.credential();
    beyond["endDateTime"] = json!("2121-01-01T00:00:00Z");
    let mut symmetric = signer.credential();
    symmetric["type"] = json!("Symmetric");
    for (bad, status) in [
        (
            json!({"type": "AsymmetricX509Cert", "usage": "Verify", "key": "AAAA"}),
            400,
        ),
        (json!({"type": "AsymmetricX509Cert", "usage": "Verify"}), 400),
        (without_usage, 400),
        (beyond, 400),
        (Signer::until(2021).credential(), 400),
        (symmetric, 501),
    ] {
        let answer = application.patch(&tenant, &json!({"keyCredentials": [bad]})).await;
        assert_eq!(answer.status, status, "{:?}", answer.body);
    }
    let keys = tenant.get(&application.administrator, &path).await.body["keyCredentials"].clone();
    assert_eq!(
        keys.as_array().map(Vec::len),
        Some(2),
        "a refused change changes nothing"
    );
}

#[tokio::test]
async fn an_application_rolls_its_own_certificate_with_a_proof() {
    let tenant = Tenant::start().await;
    let (old, new) = (Signer::new(), Signer::new());
    let application = registered(&tenant, &old).await;
    let at = now(&tenant).await;
    let token = old.sign(&old.header(), &assertion(&application, &endpoint(&tenant), at));
    let token = application.assert(&tenant, &token).await.body["access_token"].clone();
    let token = token.as_str().expect("a token");
    let proof = |signer: &Signer, audience: &str, issuer: &str, life: i64| {
        let claims = json!({"aud": audience, "iss": issuer, "nbf": at, "exp": at + life});
        signer.sign(&signer.older_header(), &claims)
    };
    let path = |action: &str| format!("/applications/{}/{action}", application.id);
    let body = |proof: String| json!({"keyCredential": new.credential(), "passwordCredential": null, "proof": proof});
    for (name, bad) in [
        ("stranger", proof(&new, DIRECTORY, &application.id, 600)),
        (
            "audience",
            proof(&old, "https://graph.microsoft.com", &application.id, 600),
        ),
        ("issuer", proof(&old, DIRECTORY, &application.app_id, 600)),
        ("life", proof(&old, DIRECTORY, &application.id, 601)),
        ("nothing", String::new()),
    ] {
        let answer = tenant.post(token, &path("addKey"), &body(bad)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error_code()),
            (401, "Authentication_MissingOrMalformed"),
            "{name}"
        );
    }
    let good = proof(&old, DIRECTORY, &application.id, 600);
    let added = tenant.post(token, &path("addKey"), &body(good)).await;
    assert_eq!(added.status, 200, "{:?}", added.body);
    assert!(added.body["keyId"].is_string() && added.body["key"].is_null());

    let fresh = new.sign(&new.header(), &assertion(&application, &endpoint(&tenant), at));
    assert_eq!(application.assert(&tenant, &fresh).await.status, 200);
    let object = tenant.get(&application.administrator, &path("")).await.body;
    let first = object["keyCredentials"][0]["keyId"].clone();
    let removal = json!({"keyId": first, "proof": proof(&new, DIRECTORY, &application.id, 600)});
    let others = tenant.mail_token().await;
    assert_eq!(
        tenant.post(&others, &path("removeKey"), &removal).await.status,
        403,
        "another application"
    );
    assert_eq!(tenant.post(token, &path("removeKey"), &removal).await.status, 204);
    assert_eq!(tenant.post(token, &path("removeKey"), &removal).await.status, 400);
    let stale = old.sign(&old.header(), &assertion(&application, &endpoint(&tenant), at));
    assert_eq!(code(&application.assert(&tenant, &stale).await), 700_027);
}
