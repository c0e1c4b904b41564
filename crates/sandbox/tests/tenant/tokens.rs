//! The token endpoint: what a client gets when it does everything right.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::harness::{GRAPH, Tenant, claims, read};

fn credentials(tenant: &Tenant) -> (String, String) {
    let administrator = &tenant.description().administrator;
    (administrator.client_id.to_string(), administrator.client_secret.clone())
}

#[tokio::test]
async fn a_client_secret_gives_a_version_one_token_with_roles() {
    let tenant = Tenant::start().await;
    let (id, secret) = credentials(&tenant);
    let answer = tenant
        .token(&[
            ("grant_type", "client_credentials"),
            ("client_id", &id),
            ("client_secret", &secret),
            ("scope", GRAPH),
            ("client_info", "1"),
            ("x-client-SKU", "any"),
        ])
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store, no-cache"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    assert!(answer.header("x-ms-request-id").is_some());
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["expires_in"], 3599);
    assert_eq!(answer.body["ext_expires_in"], 3599);
    assert!(answer.body.get("refresh_token").is_none());

    let claims = claims(answer.body["access_token"].as_str().expect("a token"));
    let tid = tenant.description().tenant_id.to_string();
    assert_eq!(claims["aud"], "https://graph.microsoft.com");
    assert_eq!(claims["iss"], format!("https://sts.windows.net/{tid}/"));
    assert_eq!(claims["ver"], "1.0");
    assert_eq!(claims["appid"], id);
    assert_eq!(claims["appidacr"], "1");
    assert_eq!(claims["idtyp"], "app");
    assert_eq!(claims["oid"], claims["sub"]);
    assert_eq!(claims["tid"], tid);
    let second = |name: &str| claims[name].as_i64().expect("a number");
    assert_eq!(second("exp") - second("iat"), 3900);
    assert_eq!(second("iat"), second("nbf"));
    let roles = claims["roles"].as_array().expect("roles");
    assert!(roles.contains(&json!("Application.ReadWrite.All")));
    assert!(!roles.contains(&json!("Mail.ReadWrite")));
}

#[tokio::test]
async fn http_basic_and_the_domain_name_work_as_well() {
    let tenant = Tenant::start().await;
    let (id, secret) = credentials(&tenant);
    for name in ["contoso.example", "contoso.onmicrosoft.com", "CONTOSO.example"] {
        let form = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let request = tenant
            .client
            .post(tenant.url(&format!("/{name}/oauth2/v2.0/token")))
            .basic_auth(form(&id), Some(form(&secret)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default");
        let answer = read(request.send().await.expect("an answer")).await;
        assert_eq!(answer.status, 200, "{name}: {:?}", answer.body);
    }
}

#[tokio::test]
async fn every_spelling_of_the_graph_scope_is_understood() {
    let tenant = Tenant::start().await;
    let (id, secret) = credentials(&tenant);
    let own = format!("{}/.default", tenant.description().graph_url);
    for (scope, audience) in [
        ("https://graph.microsoft.com//.default", "https://graph.microsoft.com"),
        ("https://localhost/.default", "https://graph.microsoft.com"),
        (own.as_str(), "https://graph.microsoft.com"),
        (
            "00000003-0000-0000-c000-000000000000/.default",
            "00000003-0000-0000-c000-000000000000",
        ),
    ] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
            ("scope", scope),
        ];
        let answer = tenant.token(&fields).await;
        assert_eq!(answer.status, 200, "{scope}: {:?}", answer.body);
        let token = answer.body["access_token"].as_str().expect("a token");
        assert_eq!(claims(token)["aud"], audience, "{scope}");
        assert_eq!(tenant.get(token, "/organization").await.status, 200, "{scope}");
    }
}

#[tokio::test]
async fn the_key_set_verifies_the_token_and_no_other() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let header = jsonwebtoken::decode_header(&token).expect("a header");
    let url = tenant.url(&format!("/{}/discovery/v2.0/keys", tenant.description().tenant_id));
    let keys = read(tenant.client.get(url).send().await.expect("an answer")).await.body;
    let key = keys["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .find(|key| key["kid"] == json!(header.kid));
    let key = key.expect("the key that the header names");
    let text = |name: &str| key[name].as_str().expect("text").to_owned();
    assert_eq!(key["kty"], "RSA");
    assert_eq!(key["x5t"], key["kid"]);
    let decoding = DecodingKey::from_rsa_components(&text("n"), &text("e")).expect("a key");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["https://graph.microsoft.com"]);
    jsonwebtoken::decode::<Value>(&token, &decoding, &validation).expect("a good signature");

    let certificate = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.decode(key["x5c"][0].as_str().expect("a certificate"))
    };
    let certificate = certificate.expect("base64");
    x509_parser::parse_x509_certificate(&certificate).expect("a certificate");

    let other = Tenant::start().await;
    let foreign = other.administrator_token().await;
    assert!(jsonwebtoken::decode::<Value>(&foreign, &decoding, &validation).is_err());
}

#[tokio::test]
async fn a_correlation_id_comes_back() {
    let tenant = Tenant::start().await;
    let url = tenant.url(&format!(
        "/{}/oauth2/v2.0/token?client-request-id=3d0e4c7e-2f4c-4f0a-9d0e-000000000001",
        tenant.description().tenant_id
    ));
    let answer = tenant.form(&url, &[("grant_type", "client_credentials")]).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body["correlation_id"], "3d0e4c7e-2f4c-4f0a-9d0e-000000000001");
}

#[tokio::test]
async fn the_older_endpoint_answers_with_text_numbers() {
    let tenant = Tenant::start().await;
    let (id, secret) = credentials(&tenant);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
        ("resource", "https://graph.microsoft.com/"),
    ];
    let answer = tenant.login("oauth2/token", &fields).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.body["expires_in"], "3599");
    assert_eq!(answer.body["resource"], "https://graph.microsoft.com");
}
