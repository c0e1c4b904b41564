//! Applications and cmdlets for the tests of Exchange.
//!
//! Owns set-up and the spelling of requests; it judges nothing but that the set-up worked.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Tenant, read};

/// Scope of tokens for Exchange's administration.
pub const EXCHANGE: &str = "https://outlook.office365.com/.default";
const GRAPH_APP: &str = "00000003-0000-0000-c000-000000000000";
const EXCHANGE_APP: &str = "00000002-0000-0ff1-ce00-000000000000";

/// A registered application with a secret.
pub struct App {
    pub app_id: String,
    pub principal: String,
    pub secret: String,
}

impl App {
    /// Registers an application with permissions of Graph and of Exchange, by their ids.
    pub async fn new(tenant: &Tenant, graph: &[&str], exchange: &[&str]) -> Self {
        let administrator = tenant.administrator_token().await;
        let made = tenant
            .post(&administrator, "/applications", &json!({"displayName": "App"}))
            .await;
        let text = |value: &Value, name: &str| value[name].as_str().expect(name).to_owned();
        let app_id = text(&made.body, "appId");
        let principal = tenant
            .post(&administrator, "/servicePrincipals", &json!({"appId": app_id}))
            .await;
        let principal = text(&principal.body, "id");
        for (resource, roles) in [(GRAPH_APP, graph), (EXCHANGE_APP, exchange)] {
            let path = format!("/servicePrincipals(appId='{resource}')?$select=id");
            let resource = tenant.get(&administrator, &path).await.body["id"].clone();
            for role in roles {
                let link = json!({"principalId": principal, "resourceId": resource, "appRoleId": role});
                let path = format!("/servicePrincipals/{principal}/appRoleAssignments");
                let answer = tenant.post(&administrator, &path, &link).await;
                assert_eq!(answer.status, 201, "{:?}", answer.body);
            }
        }
        let path = format!("/applications/{}/addPassword", text(&made.body, "id"));
        let secret = tenant.post(&administrator, &path, &Value::Null).await;
        Self {
            app_id,
            principal,
            secret: text(&secret.body, "secretText"),
        }
    }

    pub async fn token(&self, tenant: &Tenant, scope: &str) -> String {
        let answer = tenant
            .token(&[
                ("grant_type", "client_credentials"),
                ("client_id", &self.app_id),
                ("client_secret", &self.secret),
                ("scope", scope),
            ])
            .await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body["access_token"].as_str().expect("a token").to_owned()
    }

    /// Status and error text of reading a mailbox's inbox.
    pub async fn reads(&self, tenant: &Tenant, mailbox: &str) -> (u16, String) {
        let token = self.token(tenant, crate::harness::GRAPH).await;
        let path = format!("/users/{mailbox}/mailFolders/inbox/messages");
        outcome(&tenant.get(&token, &path).await)
    }
}

/// Status and error text.
pub fn outcome(answer: &Answer) -> (u16, String) {
    let text = answer.body["error"]["message"].as_str().unwrap_or_default();
    (answer.status.as_u16(), text.to_owned())
}

/// Runs a cmdlet through the control interface.
pub async fn run(tenant: &Tenant, cmdlet: &str, parameters: Value) -> Vec<Value> {
    let answer = try_run(tenant, cmdlet, parameters).await;
    assert_eq!(answer.status, 200, "{cmdlet}: {:?}", answer.body);
    answer.body["value"].as_array().cloned().unwrap_or_default()
}

pub async fn try_run(tenant: &Tenant, cmdlet: &str, parameters: Value) -> Answer {
    let mut body = json!({"cmdlet": cmdlet});
    body["parameters"] = parameters;
    tenant.control(Method::POST, "/exchange/invoke", &body).await
}

/// Makes a mail-enabled security group with these members and gives its distinguished name.
pub async fn group(tenant: &Tenant, name: &str, members: &[&str]) -> String {
    let made = run(
        tenant,
        "New-DistributionGroup",
        json!({"Name": name, "Type": "Security", "Members": members}),
    )
    .await;
    made[0]["DistinguishedName"].as_str().expect("a name").to_owned()
}

/// Gives an application a role over a group's members.
pub async fn assign(tenant: &Tenant, app: &App, role: &str, group: &str) {
    let known = run(tenant, "Get-ServicePrincipal", json!({})).await;
    if !known.iter().any(|principal| principal["AppId"] == app.app_id.as_str()) {
        let pointer = json!({"AppId": app.app_id, "ObjectId": app.principal, "DisplayName": app.app_id});
        run(tenant, "New-ServicePrincipal", pointer).await;
    }
    let scope = format!("Scope of {group}");
    let filter = format!("MemberOfGroup -eq '{group}'");
    let name: String = scope.chars().take(40).collect();
    let scope = json!({"Name": name, "RecipientRestrictionFilter": filter});
    try_run(tenant, "New-ManagementScope", scope).await;
    run(
        tenant,
        "New-ManagementRoleAssignment",
        json!({"App": app.principal, "Role": role, "CustomResourceScope": name}),
    )
    .await;
}

/// Sends a cmdlet the way the Exchange Online module does.
pub async fn invoke(tenant: &Tenant, token: Option<&str>, cmdlet: &str, parameters: Value) -> Answer {
    let path = format!("/adminapi/beta/{}/InvokeCommand", tenant.description().tenant_id);
    let mut body = json!({"CmdletInput": {"CmdletName": cmdlet}});
    body["CmdletInput"]["Parameters"] = parameters;
    post_admin(tenant, token, &path, &body).await
}

pub async fn post_admin(tenant: &Tenant, token: Option<&str>, path: &str, body: &Value) -> Answer {
    let mut request = tenant
        .client
        .post(tenant.url(path))
        .header("x-responseformat", "json")
        .json(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    read(request.send().await.expect("an answer")).await
}

/// A token of a person who signs in with a device code at a public client.
pub async fn person(tenant: &Tenant, client: &str, name: &str, password: &str, scope: &str) -> String {
    let fields = [("client_id", client), ("scope", scope)];
    let codes = tenant.login("oauth2/v2.0/devicecode", &fields).await;
    assert_eq!(codes.status, 200, "{:?}", codes.body);
    let text = |name: &str| codes.body[name].as_str().expect(name).to_owned();
    let fields = [
        ("user_code", text("user_code")),
        ("username", name.to_owned()),
        ("password", password.to_owned()),
        ("action", "accept".to_owned()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(tenant.form(&text("verification_uri"), &fields).await.status, 200);
    let answer = tenant
        .token(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", client),
            ("device_code", &text("device_code")),
        ])
        .await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.body["access_token"].as_str().expect("a token").to_owned()
}

/// Gives a user a password, so that a person can sign in.
pub async fn set_password(tenant: &Tenant, user: &str, password: &str) {
    let writer = App::new(tenant, &["741f803b-c850-494e-b5df-cde7c675a1ca"], &[]).await;
    let token = writer.token(tenant, crate::harness::GRAPH).await;
    let body = json!({"passwordProfile": {"password": password, "forceChangePasswordNextSignIn": false}});
    let path = format!("/users/{user}");
    let answer = tenant.graph(&token, Method::PATCH, &path, &body).await;
    assert_eq!(answer.status, 204, "{:?}", answer.body);
}
