//! The public clients of Microsoft's that every tenant knows: sign-in with each, in both ways that they have.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::redirect::Policy;
use serde_json::Value;
use url::Url;

use crate::harness::{Answer, Tenant, builder, claims, read};

/// Name, client id, what it asks for, and the audience of what it gets.
const CLIENTS: [(&str, &str, &str, &str); 3] = [
    (
        "Microsoft Graph Command Line Tools",
        "14d82eec-204b-4c2f-b7e8-296a70dab67e",
        "User.Read openid profile offline_access",
        "https://graph.microsoft.com",
    ),
    (
        "Azure CLI",
        "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "https://graph.microsoft.com/.default openid profile offline_access",
        "https://graph.microsoft.com",
    ),
    (
        "Exchange Online PowerShell",
        "fb78d390-0c51-40cd-8e17-fdbfab77341b",
        "https://outlook.office365.com/.default openid profile offline_access",
        "https://outlook.office365.com",
    ),
];
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn is_token_of(answer: &Answer, client: &(&str, &str, &str, &str), user: &str) {
    let (name, id, _, audience) = client;
    assert_eq!(answer.status, 200, "{name}: {:?}", answer.body);
    let access = claims(answer.body["access_token"].as_str().expect("a token"));
    assert_eq!(access["appid"], *id, "{name}");
    assert_eq!(access["upn"], user, "{name}");
    assert_eq!(
        access["aud"].as_str().map(|aud| aud.trim_end_matches('/')),
        Some(*audience),
        "{name}"
    );
    assert!(answer.body["refresh_token"].is_string(), "{name}");
    let identity = claims(answer.body["id_token"].as_str().expect("an identity token"));
    assert_eq!(identity["aud"], *id, "{name}");
}

#[tokio::test]
async fn each_signs_an_administrator_in_by_device_code() {
    let tenant = Tenant::start().await;
    let administrator = tenant.description().administrator.clone();
    for client in &CLIENTS {
        let (name, id, scope, _) = client;
        let started = tenant
            .login("oauth2/v2.0/devicecode", &[("client_id", id), ("scope", scope)])
            .await;
        assert_eq!(started.status, 200, "{name}: {:?}", started.body);
        let text = |field: &str| started.body[field].as_str().expect("text").to_owned();
        let fields = [
            ("user_code", text("user_code")),
            ("username", administrator.user_principal_name.clone()),
            ("password", administrator.password.clone()),
            ("action", "accept".to_owned()),
        ];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = tenant.form(&text("verification_uri"), &fields).await;
        assert_eq!(page.status, 200, "{name}");
        let answer = tenant
            .token(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                ("client_id", id),
                ("device_code", &text("device_code")),
            ])
            .await;
        is_token_of(&answer, client, &administrator.user_principal_name);
    }
}

async fn code(tenant: &Tenant, client: &(&str, &str, &str, &str), redirect: &str) -> Answer {
    let (_, id, scope, _) = client;
    let administrator = tenant.description().administrator.clone();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, VERIFIER.as_bytes());
    let challenge = URL_SAFE_NO_PAD.encode(digest);
    // These clients ask without naming a tenant.
    let mut page = Url::parse(&tenant.url("/organizations/oauth2/v2.0/authorize")).expect("an address");
    page.query_pairs_mut().extend_pairs([
        ("client_id", *id),
        ("response_type", "code"),
        ("redirect_uri", redirect),
        ("scope", *scope),
        ("state", "s"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ]);
    let browser = builder(tenant.description())
        .redirect(Policy::none())
        .build()
        .expect("a client");
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("username", administrator.user_principal_name.as_str()),
            ("password", administrator.password.as_str()),
            ("action", "accept"),
        ])
        .finish();
    let request = browser
        .post(page)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    read(request.send().await.expect("an answer")).await
}

#[tokio::test]
async fn each_signs_an_administrator_in_by_a_code_to_localhost() {
    let tenant = Tenant::start().await;
    let user = tenant.description().administrator.user_principal_name.clone();
    for client in &CLIENTS {
        let (name, id, ..) = client;
        for redirect in ["http://localhost:8400", "http://localhost:49152/"] {
            let answer = code(&tenant, client, redirect).await;
            assert_eq!(answer.status, 302, "{name}: {}", String::from_utf8_lossy(&answer.bytes));
            let back = Url::parse(answer.header("location").expect("an address")).expect("an address");
            assert_eq!(back.host_str(), Some("localhost"), "{name}");
            let code = back
                .query_pairs()
                .find(|(field, _)| field == "code")
                .expect("a code")
                .1
                .into_owned();
            let tokens = tenant
                .token(&[
                    ("grant_type", "authorization_code"),
                    ("client_id", id),
                    ("code", &code),
                    ("redirect_uri", redirect),
                    ("code_verifier", VERIFIER),
                ])
                .await;
            is_token_of(&tokens, client, &user);
        }
    }
}

#[tokio::test]
async fn none_of_them_sends_its_code_elsewhere_or_has_a_secret() {
    let tenant = Tenant::start().await;
    for client in &CLIENTS {
        let (name, id, ..) = client;
        let answer = code(&tenant, client, "https://evil.example/back").await;
        assert_eq!(answer.header("location"), None, "{name}");
        assert!(String::from_utf8_lossy(&answer.bytes).contains("AADSTS50011"), "{name}");
        let refused = tenant
            .token(&[
                ("grant_type", "client_credentials"),
                ("client_id", id),
                ("client_secret", "x"),
                ("scope", crate::harness::GRAPH),
            ])
            .await;
        assert_ne!(refused.status, 200, "{name}");
        assert_eq!(refused.body.get("access_token"), None::<&Value>, "{name}");
    }
}
