//! Device sign-in: codes, the page, and the tokens of a person.

use serde_json::{Value, json};

use crate::harness::{Answer, Tenant, claims, read};

const COMMAND_LINE_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

struct Codes {
    user_code: String,
    device_code: String,
    page: String,
}

async fn start(tenant: &Tenant, scope: &str) -> Codes {
    let fields = [("client_id", COMMAND_LINE_TOOLS), ("scope", scope)];
    let answer = tenant.login("oauth2/v2.0/devicecode", &fields).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let text = |name: &str| answer.body[name].as_str().expect("text").to_owned();
    assert_eq!(answer.body["expires_in"], 900);
    assert!(answer.body.get("verification_uri_complete").is_none());
    assert!(text("message").contains(&text("user_code")));
    Codes {
        user_code: text("user_code"),
        device_code: text("device_code"),
        page: text("verification_uri"),
    }
}

async fn sign_in(tenant: &Tenant, codes: &Codes, user: &str, password: &str, action: &str) -> Answer {
    let fields = [
        ("user_code", codes.user_code.as_str()),
        ("username", user),
        ("password", password),
        ("action", action),
    ];
    tenant.form(&codes.page, &fields).await
}

async fn poll(tenant: &Tenant, codes: &Codes) -> Answer {
    tenant
        .token(&[
            ("grant_type", DEVICE_GRANT),
            ("client_id", COMMAND_LINE_TOOLS),
            ("device_code", &codes.device_code),
            ("client_info", "1"),
        ])
        .await
}

#[tokio::test]
async fn an_administrator_signs_in_and_administers() {
    let tenant = Tenant::start().await;
    let administrator = tenant.description().administrator.clone();
    let scope = "Application.ReadWrite.All https://graph.microsoft.com/AppRoleAssignment.ReadWrite.All openid profile offline_access";
    let codes = start(&tenant, scope).await;
    assert_eq!(poll(&tenant, &codes).await.body["error"], "authorization_pending");

    let page = read(tenant.client.get(&codes.page).send().await.expect("a page")).await;
    assert!(String::from_utf8_lossy(&page.bytes).contains("<form method=\"post\""));
    let user = administrator.user_principal_name.as_str();
    let wrong = sign_in(&tenant, &codes, user, "wrong", "accept").await;
    assert_eq!(wrong.status, 400);
    assert!(String::from_utf8_lossy(&wrong.bytes).contains("AADSTS50126"));
    assert_eq!(poll(&tenant, &codes).await.body["error"], "authorization_pending");
    assert_eq!(
        sign_in(&tenant, &codes, user, &administrator.password, "accept")
            .await
            .status,
        200
    );

    let answer = poll(&tenant, &codes).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let access = answer.body["access_token"].as_str().expect("a token");
    let access_claims = claims(access);
    let scopes: Vec<&str> = access_claims["scp"].as_str().expect("scopes").split(' ').collect();
    assert!(
        scopes.contains(&"Application.ReadWrite.All") && scopes.contains(&"openid"),
        "{scopes:?}"
    );
    let wids = access_claims["wids"].as_array().expect("roles");
    assert!(wids.contains(&json!("62e90394-69f5-4237-9190-012177145e10")));
    assert_eq!(access_claims["upn"], user);
    let id_claims = claims(answer.body["id_token"].as_str().expect("an identity token"));
    assert_eq!(id_claims["aud"], COMMAND_LINE_TOOLS);
    assert_eq!(
        id_claims["iss"],
        format!(
            "{}/{}/v2.0",
            tenant.description().authority,
            tenant.description().tenant_id
        )
    );
    assert!(id_claims.get("nonce").is_none());
    assert!(answer.body["client_info"].is_string());

    assert_eq!(
        tenant.get(access, "/me").await.status,
        403,
        "User.Read was not asked for"
    );
    let created = tenant
        .post(access, "/applications", &json!({"displayName": "By hand"}))
        .await;
    assert_eq!(created.status, 201, "{:?}", created.body);

    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", COMMAND_LINE_TOOLS),
        (
            "refresh_token",
            answer.body["refresh_token"].as_str().expect("a refresh token"),
        ),
    ];
    let refreshed = tenant.token(&fields).await;
    assert_eq!(refreshed.status, 200, "{:?}", refreshed.body);
    let access = refreshed.body["access_token"].as_str().expect("a token");
    assert_eq!(tenant.get(access, "/applications").await.status, 200);

    let used = poll(&tenant, &codes).await;
    assert_eq!(used.body["error"], "bad_verification_code");
}

#[tokio::test]
async fn every_end_of_a_sign_in_has_its_error() {
    let tenant = Tenant::start().await;
    let administrator = tenant.description().administrator.clone();
    let declined = start(&tenant, "User.Read").await;
    let user = administrator.user_principal_name.as_str();
    assert_eq!(sign_in(&tenant, &declined, user, "", "decline").await.status, 200);
    assert_eq!(poll(&tenant, &declined).await.body["error"], "authorization_declined");

    let late = start(&tenant, "User.Read").await;
    tenant
        .control(reqwest::Method::POST, "/clock", &json!({"advance_seconds": 901}))
        .await;
    assert_eq!(
        sign_in(&tenant, &late, user, &administrator.password, "accept")
            .await
            .status,
        400
    );
    assert_eq!(poll(&tenant, &late).await.body["error"], "expired_token");

    let unknown = Codes {
        user_code: String::new(),
        device_code: "x".to_owned(),
        page: String::new(),
    };
    assert_eq!(poll(&tenant, &unknown).await.body["error"], "bad_verification_code");
    let fields = [("client_id", COMMAND_LINE_TOOLS), ("scope", "No.Such.Permission")];
    let answer = tenant.login("oauth2/v2.0/devicecode", &fields).await;
    assert_eq!(answer.body["error_codes"], json!([650_053]));
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", COMMAND_LINE_TOOLS),
        ("refresh_token", "x"),
    ];
    assert_eq!(tenant.token(&fields).await.body["error"], "invalid_grant");
}

#[tokio::test]
async fn a_confidential_client_must_show_its_secret() {
    let tenant = Tenant::start().await;
    let id = tenant.description().administrator.client_id.to_string();
    let answer = tenant
        .login("oauth2/v2.0/devicecode", &[("client_id", &id), ("scope", "User.Read")])
        .await;
    let code = answer.body["device_code"].as_str().expect("a code").to_owned();
    let fields = [
        ("grant_type", "device_code"),
        ("client_id", id.as_str()),
        ("device_code", &code),
    ];
    let answer = tenant.token(&fields).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body["error_codes"], json!([7_000_218]));
}

#[tokio::test]
async fn me_is_the_person_who_signed_in() {
    let tenant = Tenant::start().await;
    let administrator = tenant.description().administrator.clone();
    let codes = start(&tenant, "User.Read").await;
    let user = administrator.user_principal_name.as_str();
    sign_in(&tenant, &codes, user, &administrator.password, "accept").await;
    let answer = poll(&tenant, &codes).await;
    assert!(answer.body.get("refresh_token").is_none());
    assert!(answer.body.get("id_token").is_none());
    let access = answer.body["access_token"].as_str().expect("a token");
    let me = tenant.get(access, "/me?$select=userPrincipalName").await;
    assert_eq!(me.body["userPrincipalName"], user);
    let refused = tenant.graph(access, reqwest::Method::GET, "/users", &Value::Null).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn the_owner_of_a_mailbox_made_with_a_password_signs_in() {
    let tenant = Tenant::start().await;
    let owner = "owner@contoso.example";
    let body = json!({"address": owner, "password": "a password"});
    assert_eq!(
        tenant.control(reqwest::Method::POST, "/mailboxes", &body).await.status,
        201
    );
    let codes = start(&tenant, "User.Read Mail.Read").await;
    assert_eq!(sign_in(&tenant, &codes, owner, "another", "accept").await.status, 400);
    assert_eq!(
        sign_in(&tenant, &codes, owner, "a password", "accept").await.status,
        200
    );
    let answer = poll(&tenant, &codes).await;
    let access = answer.body["access_token"].as_str().expect("a token");
    assert_eq!(tenant.get(access, "/me/mailFolders/inbox").await.status, 200);
}
