//! Grants for a person without a page, and what OpenID Connect tells about them.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Tenant, claims, read};

const OWNER: &str = "owner@contoso.example";
const PASSWORD: &str = "a password";
const ON_BEHALF_OF: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

struct Service {
    tenant: Tenant,
    app_id: String,
    secret: String,
}

impl Service {
    /// A person with a mailbox, and an application that the administrator has consented to for everybody.
    async fn start(consented: &str) -> Self {
        let tenant = Tenant::start().await;
        let owner = json!({"address": OWNER, "password": PASSWORD});
        assert_eq!(tenant.control(Method::POST, "/mailboxes", &owner).await.status, 201);
        let administrator = tenant.administrator_token().await;
        let made = tenant
            .post(&administrator, "/applications", &json!({"displayName": "Service"}))
            .await;
        let app_id = made.body["appId"].as_str().expect("an id").to_owned();
        let principal = tenant
            .post(&administrator, "/servicePrincipals", &json!({"appId": app_id}))
            .await;
        let graph = "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id";
        let graph = tenant.get(&administrator, graph).await.body["id"].clone();
        let grant = json!({
            "clientId": principal.body["id"], "resourceId": graph, "consentType": "AllPrincipals", "scope": consented,
        });
        let granted = tenant.post(&administrator, "/oauth2PermissionGrants", &grant).await;
        assert_eq!(granted.status, 201, "{:?}", granted.body);
        let path = format!("/applications/{}/addPassword", made.body["id"].as_str().expect("an id"));
        let secret = tenant.post(&administrator, &path, &json!({})).await;
        let secret = secret.body["secretText"].as_str().expect("a secret").to_owned();
        Self { tenant, app_id, secret }
    }

    async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("client_id", self.app_id.as_str()),
            ("client_secret", self.secret.as_str()),
        ];
        all.extend_from_slice(fields);
        self.tenant.token(&all).await
    }

    async fn password(&self, password: &str, scope: &str) -> Answer {
        let fields = [
            ("grant_type", "password"),
            ("username", OWNER),
            ("password", password),
            ("scope", scope),
        ];
        self.token(&fields).await
    }

    async fn on_behalf_of(&self, assertion: &str) -> Answer {
        let fields = [
            ("grant_type", ON_BEHALF_OF),
            ("requested_token_use", "on_behalf_of"),
            ("assertion", assertion),
            ("scope", "https://graph.microsoft.com/User.Read"),
        ];
        self.token(&fields).await
    }
}

fn access(answer: &Answer) -> String {
    let token = answer.body["access_token"].as_str();
    token.unwrap_or_else(|| panic!("{:?}", answer.body)).to_owned()
}

#[tokio::test]
async fn a_name_and_a_password_give_a_token_of_the_person() {
    let service = Service::start("User.Read").await;
    let answer = service.password(PASSWORD, "User.Read openid offline_access").await;
    assert_eq!(claims(&access(&answer))["upn"], OWNER);
    assert!(answer.body["refresh_token"].is_string() && answer.body["id_token"].is_string());
    let me = service.tenant.get(&access(&answer), "/me").await;
    assert_eq!(me.body["userPrincipalName"], OWNER);
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_consent_are_refused() {
    let service = Service::start("User.Read").await;
    let wrong = service.password("another", "User.Read").await;
    assert_eq!(wrong.body["error"], "invalid_grant");
    assert_eq!(wrong.body["error_codes"], json!([50_126]));
    let lacking = service.password(PASSWORD, "Mail.Read").await;
    assert_eq!(lacking.body["error_codes"], json!([65_001]));
}

#[tokio::test]
async fn a_service_acts_for_whoever_called_it() {
    let service = Service::start("User.Read").await;
    let for_service = service
        .password(PASSWORD, &format!("{}/.default", service.app_id))
        .await;
    let answer = service.on_behalf_of(&access(&for_service)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let me = service.tenant.get(&access(&answer), "/me").await;
    assert_eq!(me.body["userPrincipalName"], OWNER);
}

#[tokio::test]
async fn a_service_acts_for_nobody_with_another_token() {
    let service = Service::start("User.Read").await;
    let for_graph = access(&service.password(PASSWORD, "User.Read").await);
    let answer = service.on_behalf_of(&for_graph).await;
    assert_eq!(answer.body["error"], "invalid_grant");
    assert_eq!(answer.body["error_codes"], json!([500_131]));

    let scope = format!("{}/.default", service.app_id);
    let of_application = service
        .token(&[("grant_type", "client_credentials"), ("scope", &scope)])
        .await;
    let answer = service.on_behalf_of(&access(&of_application)).await;
    assert_eq!(answer.body["error_codes"], json!([7_000_114]));

    let forged = format!("{}AAAA", &for_graph[..for_graph.len() - 4]);
    assert_eq!(service.on_behalf_of(&forged).await.body["error_codes"], json!([50_013]));
    assert_eq!(service.on_behalf_of("x").await.body["error_codes"], json!([50_027]));
}

#[tokio::test]
async fn the_subject_at_userinfo_is_that_of_the_identity_token() {
    let service = Service::start("User.Read").await;
    let tenant = &service.tenant;
    let answer = service.password(PASSWORD, "User.Read openid").await;
    let document = format!(
        "/{}/v2.0/.well-known/openid-configuration",
        tenant.description().tenant_id
    );
    let document = read(
        tenant
            .client
            .get(tenant.url(&document))
            .send()
            .await
            .expect("an answer"),
    )
    .await;
    let address = document.body["userinfo_endpoint"]
        .as_str()
        .expect("an address")
        .to_owned();
    let ask = |token: String| tenant.client.get(&address).bearer_auth(token).send();
    let found = read(ask(access(&answer)).await.expect("an answer")).await;
    assert_eq!(found.status, 200, "{:?}", found.body);
    let identity = claims(answer.body["id_token"].as_str().expect("an identity token"));
    assert_eq!(found.body["sub"], identity["sub"]);
    assert_eq!(found.body["email"], OWNER);
}

#[tokio::test]
async fn userinfo_tells_nothing_without_openid() {
    let service = Service::start("User.Read").await;
    let tenant = &service.tenant;
    let url = tenant.url("/oidc/userinfo");
    let without = access(&service.password(PASSWORD, "User.Read").await);
    for (token, status) in [(without, 403), (tenant.administrator_token().await, 403)] {
        let answer = read(
            tenant
                .client
                .get(&url)
                .bearer_auth(token)
                .send()
                .await
                .expect("an answer"),
        )
        .await;
        assert_eq!(answer.status, status);
    }
    let anonymous = read(tenant.client.get(&url).send().await.expect("an answer")).await;
    assert_eq!(anonymous.status, 401);
}
