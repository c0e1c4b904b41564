//! The authorization code flow with PKCE, and administrators' consent.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use url::Url;

use crate::harness::{Answer, Tenant, builder, claims, read};
use crate::registration::{Registered, code};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const BACK: &str = "https://app.contoso.example/back";

struct Flow {
    tenant: Tenant,
    application: Registered,
    browser: reqwest::Client,
}

impl Flow {
    async fn start() -> Self {
        let tenant = Tenant::start().await;
        let body = json!({
            "displayName": "Flow",
            "web": {"redirectUris": [BACK]},
            "publicClient": {"redirectUris": ["http://localhost/native"]},
            "spa": {"redirectUris": ["https://page.contoso.example/"]},
        });
        let application = Registered::new(&tenant, body).await;
        let browser = builder(tenant.description())
            .redirect(Policy::none())
            .build()
            .expect("a client");
        Self {
            tenant,
            application,
            browser,
        }
    }

    /// The address of the sign-in page; later fields replace earlier ones.
    fn page(&self, changes: &[(&str, &str)]) -> Url {
        let challenge = URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            VERIFIER.as_bytes(),
        ));
        let mut fields = vec![
            ("client_id", self.application.app_id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", BACK),
            ("scope", "openid profile offline_access User.Read"),
            ("state", "a b&c"),
            ("nonce", "n-1"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        fields.retain(|(_, value)| !value.is_empty());
        let path = format!("/{}/oauth2/v2.0/authorize", self.tenant.description().tenant_id);
        let mut url = Url::parse(&self.tenant.url(&path)).expect("an address");
        url.query_pairs_mut().extend_pairs(fields);
        url
    }

    async fn open(&self, page: Url) -> Answer {
        read(self.browser.get(page).send().await.expect("an answer")).await
    }

    async fn submit(&self, page: Url, user: &str, password: &str, more: &[(&str, &str)]) -> Answer {
        let fields = [("username", user), ("password", password), ("action", "accept")];
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .extend_pairs(more)
            .finish();
        let request = self
            .browser
            .post(page)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        read(request.send().await.expect("an answer")).await
    }

    async fn accept(&self, page: Url) -> Answer {
        let administrator = &self.tenant.description().administrator;
        self.submit(page, &administrator.user_principal_name, &administrator.password, &[])
            .await
    }

    async fn code(&self, changes: &[(&str, &str)]) -> String {
        let answer = self.accept(self.page(changes)).await;
        field(&back(&answer), "code").unwrap_or_else(|| panic!("{}", text(&answer)))
    }

    async fn redeem(&self, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("grant_type", "authorization_code"),
            ("client_id", &self.application.app_id),
        ];
        all.extend_from_slice(fields);
        self.tenant.token(&all).await
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}

fn back(answer: &Answer) -> Url {
    let location = answer.header("location").unwrap_or_else(|| panic!("{}", text(answer)));
    Url::parse(location).expect("an address")
}

fn field(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn a_person_signs_in_and_the_program_gets_tokens() {
    let flow = Flow::start().await;
    let page = flow.open(flow.page(&[("login_hint", "someone@contoso.example")])).await;
    assert_eq!(page.status, 200);
    let html = text(&page);
    assert!(
        html.contains("<li>User.Read</li>") && html.contains("value=\"someone@contoso.example\""),
        "{html}"
    );

    let user = flow.tenant.description().administrator.user_principal_name.clone();
    let wrong = flow.submit(flow.page(&[]), &user, "wrong", &[]).await;
    assert_eq!(wrong.status, 400);
    assert!(text(&wrong).contains("AADSTS50126"));

    let answer = flow.accept(flow.page(&[("client_info", "1")])).await;
    assert_eq!(answer.status, 302);
    let back = back(&answer);
    assert!(back.as_str().starts_with(BACK));
    assert_eq!(field(&back, "state").as_deref(), Some("a b&c"));
    assert!(field(&back, "client_info").is_some());
    let code_text = field(&back, "code").expect("a code");
    let secret = flow.application.secret(&flow.tenant).await;
    let good = [
        ("code", code_text.as_str()),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
        ("client_secret", secret.as_str()),
        ("client_info", "1"),
    ];
    let but = |name: &str, value| {
        let fields = good
            .iter()
            .map(|(known, good)| (*known, if *known == name { value } else { *good }));
        fields.collect::<Vec<_>>()
    };
    assert_eq!(code(&flow.redeem(&but("client_secret", "")).await), 7_000_218);
    assert_eq!(code(&flow.redeem(&but("client_secret", "wrong")).await), 7_000_215);
    assert_eq!(code(&flow.redeem(&but("code_verifier", "")).await), 501_481);
    assert_eq!(code(&flow.redeem(&but("code_verifier", "wrong")).await), 501_481);
    assert_eq!(
        code(
            &flow
                .redeem(&but("redirect_uri", "https://app.contoso.example/other"))
                .await
        ),
        500_112
    );
    assert_eq!(code(&flow.redeem(&but("redirect_uri", "")).await), 900_144);
    assert_eq!(code(&flow.redeem(&but("code", "unknown")).await), 70_000);

    let tokens = flow.redeem(&good).await;
    assert_eq!(tokens.status, 200, "{:?}", tokens.body);
    let identity = claims(tokens.body["id_token"].as_str().expect("an identity token"));
    assert_eq!(identity["nonce"], "n-1");
    assert_eq!(identity["aud"], flow.application.app_id);
    let access = tokens.body["access_token"].as_str().expect("a token");
    assert_eq!(claims(access)["appidacr"], "1");
    assert_eq!(flow.tenant.get(access, "/me").await.body["userPrincipalName"], user);
    assert_eq!(code(&flow.redeem(&good).await), 54_005, "a code is good once");

    let refresh = tokens.body["refresh_token"].as_str().expect("a refresh token");
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", flow.application.app_id.as_str()),
        ("client_secret", &secret),
        ("refresh_token", refresh),
    ];
    let refreshed = flow.tenant.token(&fields).await;
    assert_eq!(refreshed.status, 200, "{:?}", refreshed.body);
    let identity = claims(refreshed.body["id_token"].as_str().expect("an identity token"));
    assert!(identity.get("nonce").is_none());
    let mut more = fields.to_vec();
    more.push(("scope", "Mail.Send"));
    assert_eq!(
        code(&flow.tenant.token(&more).await),
        65_001,
        "nobody consented to that"
    );
}

#[tokio::test]
async fn the_platform_of_the_address_decides_how_a_code_is_redeemed() {
    let flow = Flow::start().await;
    let secret = flow.application.secret(&flow.tenant).await;
    let native = "http://localhost:49152/native";
    let issued = flow.code(&[("redirect_uri", native)]).await;
    let fields = [
        ("code", issued.as_str()),
        ("redirect_uri", native),
        ("code_verifier", VERIFIER),
    ];
    let mut with_secret = fields.to_vec();
    with_secret.push(("client_secret", &secret));
    assert_eq!(code(&flow.redeem(&with_secret).await), 700_025);
    let tokens = flow.redeem(&fields).await;
    assert_eq!(tokens.status, 200, "{:?}", tokens.body);
    assert_eq!(
        claims(tokens.body["access_token"].as_str().expect("a token"))["appidacr"],
        "0"
    );

    let page = "https://page.contoso.example/";
    let refused = flow
        .open(flow.page(&[("redirect_uri", page), ("code_challenge", "")]))
        .await;
    assert!(
        field(&back(&refused), "error_description")
            .expect("text")
            .contains("AADSTS9002325")
    );
    let issued = flow.code(&[("redirect_uri", page)]).await;
    let fields = [
        ("code", issued.as_str()),
        ("redirect_uri", page),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(code(&flow.redeem(&fields).await), 9_002_327, "not from a page");
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "authorization_code"),
            ("client_id", &flow.application.app_id),
        ])
        .extend_pairs(fields)
        .finish();
    let path = format!("/{}/oauth2/v2.0/token", flow.tenant.description().tenant_id);
    let request = flow
        .browser
        .post(flow.tenant.url(&path))
        .header("origin", "https://page.contoso.example")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let answer = read(request.send().await.expect("an answer")).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn refusals_go_back_only_to_registered_addresses() {
    let flow = Flow::start().await;
    for (changes, expected) in [
        (&[("redirect_uri", "https://evil.example/back")][..], "AADSTS50011"),
        (&[("redirect_uri", "https://app.contoso.example/Back")], "AADSTS50011"),
        (&[("redirect_uri", "http://127.0.0.1/native")], "AADSTS50011"),
        (&[("client_id", "11111111-2222-3333-4444-555555555555")], "AADSTS700016"),
        (&[("client_id", "")], "AADSTS900144"),
        (&[("response_mode", "carrier_pigeon")], "AADSTS70007"),
    ] {
        let answer = flow.open(flow.page(changes)).await;
        assert_eq!(answer.status, 400, "{expected}");
        assert!(answer.header("location").is_none(), "{expected}");
        assert!(text(&answer).contains(expected), "{expected}: {}", text(&answer));
    }
    for (changes, error, expected) in [
        (
            &[("response_type", "id_token")][..],
            "unsupported_response_type",
            "AADSTS700054",
        ),
        (&[("response_type", "")], "invalid_request", "AADSTS900144"),
        (&[("scope", "")], "invalid_request", "AADSTS900144"),
        (&[("scope", "No.Such.Permission")], "invalid_client", "AADSTS650053"),
        (&[("prompt", "none")], "login_required", "AADSTS50058"),
        (&[("code_challenge", "short")], "invalid_request", "AADSTS501491"),
    ] {
        let back = back(&flow.open(flow.page(changes)).await);
        assert_eq!(field(&back, "error").as_deref(), Some(error), "{expected}");
        assert!(
            field(&back, "error_description").expect("text").starts_with(expected),
            "{expected}"
        );
        assert_eq!(field(&back, "state").as_deref(), Some("a b&c"));
    }
    let common = flow
        .page(&[])
        .as_str()
        .replace(&flow.tenant.description().tenant_id.to_string(), "common");
    let answer = flow.open(Url::parse(&common).expect("an address")).await;
    assert!(text(&answer).contains("AADSTS50194"), "{}", text(&answer));
}

#[tokio::test]
async fn every_response_mode_carries_the_answer() {
    let flow = Flow::start().await;
    let answer = flow.accept(flow.page(&[("response_mode", "fragment")])).await;
    let back = back(&answer);
    assert!(back.fragment().is_some_and(|fragment| fragment.contains("code=1.")) && back.query().is_none());
    let posted = flow
        .accept(flow.page(&[("response_mode", "form_post"), ("state", "\"><script>")]))
        .await;
    assert_eq!(posted.status, 200);
    let html = text(&posted);
    assert!(
        html.contains(&format!("action=\"{BACK}\"")) && html.contains("name=\"code\""),
        "{html}"
    );
    assert!(html.contains("value=\"&quot;&gt;&lt;script&gt;\""), "{html}");
    let declined = flow.submit(flow.page(&[]), "", "", &[]).await;
    assert_eq!(declined.status, 400, "nobody is called nothing");
}

#[tokio::test]
async fn a_code_lives_ten_minutes() {
    let flow = Flow::start().await;
    let native = "http://localhost/native";
    let issued = flow.code(&[("redirect_uri", native)]).await;
    let advance = json!({"advance_seconds": 600});
    flow.tenant.control(reqwest::Method::POST, "/clock", &advance).await;
    let fields = [
        ("code", issued.as_str()),
        ("redirect_uri", native),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(code(&flow.redeem(&fields).await), 70_008);
}

/// Gives a user who is no administrator a password, as an administrator does.
async fn with_password(flow: &Flow, user: &str, password: &str) {
    let cli = ("client_id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46");
    let page = flow.page(&[
        cli,
        ("redirect_uri", "http://localhost:1"),
        ("scope", "User.ReadWrite.All"),
        ("code_challenge", ""),
    ]);
    let code = field(&back(&flow.accept(page).await), "code").expect("a code");
    let fields = [
        ("grant_type", "authorization_code"),
        cli,
        ("code", &code),
        ("redirect_uri", "http://localhost:1"),
    ];
    let answer = flow.tenant.token(&fields).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let token = answer.body["access_token"].as_str().expect("a token");
    let body = json!({"passwordProfile": {"password": password, "forceChangePasswordNextSignIn": false}});
    let path = format!("/users/{user}");
    let changed = flow.tenant.graph(token, reqwest::Method::PATCH, &path, &body).await;
    assert_eq!(changed.status, 204, "{:?}", changed.body);
    let refused = flow
        .tenant
        .graph(&flow.application.administrator, reqwest::Method::PATCH, &path, &body)
        .await;
    assert_eq!(refused.status, 403, "an application that may only read");
}

#[tokio::test]
async fn a_person_consents_to_what_persons_may_until_an_administrator_does() {
    let flow = Flow::start().await;
    let (user, password) = ("unlicensed@contoso.example", "A-good-passw0rd");
    with_password(&flow, user, password).await;
    let admin_only = flow.page(&[("scope", "User.Read.All")]);
    let refused = flow.submit(admin_only.clone(), user, password, &[]).await;
    assert!(text(&refused).contains("AADSTS90094"), "{}", text(&refused));
    let for_all = [("consent", "organization")];
    let refused = flow.submit(flow.page(&[]), user, password, &for_all).await;
    assert!(text(&refused).contains("AADSTS90094"), "{}", text(&refused));
    assert_eq!(flow.submit(flow.page(&[]), user, password, &[]).await.status, 302);
    let administrator = flow.tenant.description().administrator.clone();
    let (name, secret) = (&administrator.user_principal_name, &administrator.password);
    assert_eq!(
        flow.submit(admin_only.clone(), name, secret, &for_all).await.status,
        302
    );
    assert_eq!(flow.submit(admin_only, user, password, &[]).await.status, 302);
}

#[tokio::test]
async fn an_administrator_consents_for_the_organization() {
    let flow = Flow::start().await;
    let required = json!({"requiredResourceAccess": [{
        "resourceAppId": "00000003-0000-0000-c000-000000000000",
        "resourceAccess": [
            {"id": "e2a3a72e-5f79-4c64-b1b1-878b674786c9", "type": "Role"},
            {"id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "type": "Scope"},
        ],
    }]});
    assert_eq!(flow.application.patch(&flow.tenant, &required).await.status, 204);
    let id = flow.tenant.description().tenant_id.to_string();
    let address = |uri: &str| {
        let mut url = Url::parse(&flow.tenant.url(&format!("/{id}/adminconsent"))).expect("an address");
        url.query_pairs_mut()
            .append_pair("client_id", &flow.application.app_id)
            .append_pair("redirect_uri", uri)
            .append_pair("state", "12345");
        url
    };
    let page = flow.open(address(BACK)).await;
    assert!(text(&page).contains("<li>Mail.ReadWrite</li>"), "{}", text(&page));
    let refused = flow.open(address("https://evil.example/")).await;
    assert!(text(&refused).contains("AADSTS50011") && refused.header("location").is_none());
    with_password(&flow, "unlicensed@contoso.example", "A-good-passw0rd").await;
    let refused = flow
        .submit(address(BACK), "unlicensed@contoso.example", "A-good-passw0rd", &[])
        .await;
    assert!(text(&refused).contains("AADSTS90094"), "{}", text(&refused));

    let mut declined = address(BACK);
    declined.query_pairs_mut().append_pair("action", "decline");
    let declined = back(&flow.submit(declined, "", "", &[]).await);
    assert_eq!(field(&declined, "error").as_deref(), Some("permission_denied"));
    for _ in 0..2 {
        let answer = back(&flow.accept(address(BACK)).await);
        assert_eq!(field(&answer, "admin_consent").as_deref(), Some("True"));
        assert_eq!(field(&answer, "tenant").as_deref(), Some(id.as_str()));
        assert_eq!(field(&answer, "state").as_deref(), Some("12345"));
    }
    let secret = flow.application.secret(&flow.tenant).await;
    let token = flow.tenant.application_token(&flow.application.app_id, &secret).await;
    assert_eq!(claims(&token)["roles"], json!(["Mail.ReadWrite"]));
    let path = "/oauth2PermissionGrants?$filter=consentType eq 'AllPrincipals'";
    let grants = flow.tenant.get(&flow.application.administrator, path).await.body;
    assert_eq!(grants["value"][0]["scope"], Value::from("User.Read"));
}
