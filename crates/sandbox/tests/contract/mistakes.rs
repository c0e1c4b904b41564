//! What a client gets for each mistake at Graph: one row a mistake, each with its status, code and text.
//!
//! Owns the table's form and the mistakes with batches and permissions; directory, mail and tokens have their own files.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Tenant, read};
use crate::world::{SUPPORT, World, registered};

/// One mistake.
pub struct Mistake<'a> {
    pub name: &'a str,
    pub method: Method,
    pub path: String,
    pub body: Value,
    pub headers: &'a [(&'a str, &'a str)],
    /// Status, code, and a part of the message.
    pub wanted: (u16, &'a str, &'a str),
}

pub fn mistake<'a>(
    name: &'a str,
    method: Method,
    path: impl Into<String>,
    body: Value,
    wanted: (u16, &'a str, &'a str),
) -> Mistake<'a> {
    Mistake {
        name,
        method,
        path: path.into(),
        body,
        headers: &[],
        wanted,
    }
}

async fn sent(world: &World, mistake: &Mistake<'_>) -> Answer {
    let url = world.tenant.url(&format!("/v1.0{}", mistake.path));
    let mut request = world
        .tenant
        .client
        .request(mistake.method.clone(), url)
        .bearer_auth(&world.app);
    for (name, value) in mistake.headers {
        request = request.header(*name, *value);
    }
    request = match &mistake.body {
        Value::Null => request,
        Value::String(text) => request.body(text.clone()),
        json => request.json(json),
    };
    read(request.send().await.expect("an answer")).await
}

/// Sends every mistake and says which were not refused as they should be.
pub async fn refused(world: &World, mistakes: &[Mistake<'_>]) {
    let mut problems = Vec::new();
    for mistake in mistakes {
        let answer = sent(world, mistake).await;
        let (status, code, part) = mistake.wanted;
        let message = answer.body["error"]["message"].as_str().unwrap_or_default();
        if answer.status != status || answer.error_code() != code || !message.contains(part) {
            let shown = String::from_utf8_lossy(&answer.bytes);
            problems.push(format!("{}: {} {shown}", mistake.name, answer.status));
        }
    }
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

/// As [`refused`]; an empty code stands for any, where no source names one.
pub async fn lenient(world: &World, mistakes: &[Mistake<'_>]) {
    let mut problems = Vec::new();
    for mistake in mistakes {
        let answer = sent(world, mistake).await;
        let (status, code, part) = mistake.wanted;
        let message = answer.body["error"]["message"].as_str().unwrap_or_default();
        let right_code = if code.is_empty() {
            !answer.error_code().is_empty()
        } else {
            answer.error_code() == code
        };
        if answer.status != status || !right_code || !message.contains(part) {
            let shown = String::from_utf8_lossy(&answer.bytes);
            problems.push(format!("{}: {} {shown}", mistake.name, answer.status));
        }
    }
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_with_batches_are_refused() {
    let world = World::new().await;
    let item = |id: &str| json!({"id": id, "method": "GET", "url": "/organization"});
    let many: Vec<Value> = (0..21).map(|number| item(&number.to_string())).collect();
    let batch =
        |name, requests: Value, wanted| mistake(name, Method::POST, "/$batch", json!({"requests": requests}), wanted);
    lenient(
        &world,
        &[
            batch("21 requests", json!(many), (400, "", "20")),
            batch("an id twice", json!([item("a"), item("A")]), (400, "", "")),
            batch(
                "no id",
                json!([{"method": "GET", "url": "/organization"}]),
                (400, "", ""),
            ),
            batch("no address", json!([{"id": "1", "method": "GET"}]), (400, "", "")),
            batch(
                "a dependency that is not there",
                json!([{"id": "1", "method": "GET", "url": "/organization", "dependsOn": ["9"]}]),
                (400, "", ""),
            ),
            batch("no list", json!({}), (400, "", "")),
            mistake("reading the batch", Method::GET, "/$batch", Value::Null, (405, "", "")),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_permission_is_refused_everywhere() {
    let tenant = Tenant::start().await;
    let administrator = tenant.administrator_token().await;
    let (app_id, id, principal) = registered(&tenant, &administrator, &json!({"displayName": "Nobody"})).await;
    let path = format!("/applications/{id}/addPassword");
    let secret = tenant.post(&administrator, &path, &Value::Null).await.body;
    let token = tenant
        .application_token(&app_id, secret["secretText"].as_str().expect("a secret"))
        .await;
    let denied = "Authorization_RequestDenied";
    let mut problems = Vec::new();
    for (method, path, code) in [
        (Method::GET, "/applications".to_owned(), denied),
        (Method::GET, "/applications/delta".to_owned(), denied),
        (Method::POST, "/applications".to_owned(), denied),
        (Method::GET, format!("/applications/{id}"), denied),
        (Method::PATCH, format!("/applications/{id}"), denied),
        (Method::DELETE, format!("/applications/{id}"), denied),
        (Method::POST, format!("/applications/{id}/addPassword"), denied),
        (
            Method::POST,
            format!("/applications/{id}/federatedIdentityCredentials"),
            denied,
        ),
        (Method::GET, format!("/applications/{id}/owners"), denied),
        (Method::GET, "/servicePrincipals".to_owned(), denied),
        (Method::POST, "/servicePrincipals".to_owned(), denied),
        (Method::DELETE, format!("/servicePrincipals/{principal}"), denied),
        (
            Method::POST,
            format!("/servicePrincipals/{principal}/appRoleAssignments"),
            denied,
        ),
        (
            Method::GET,
            format!("/servicePrincipals/{principal}/appRoleAssignments"),
            denied,
        ),
        (Method::GET, "/oauth2PermissionGrants".to_owned(), denied),
        (Method::POST, "/oauth2PermissionGrants".to_owned(), denied),
        (
            Method::GET,
            "/directory/deletedItems/microsoft.graph.application".to_owned(),
            denied,
        ),
        (Method::GET, "/users".to_owned(), denied),
        (Method::GET, format!("/users/{SUPPORT}"), denied),
        (Method::GET, format!("/users/{SUPPORT}/licenseDetails"), denied),
        (Method::GET, "/organization".to_owned(), denied),
        (Method::GET, "/domains".to_owned(), denied),
        (Method::GET, "/subscribedSkus".to_owned(), denied),
        (Method::GET, format!("/users/{SUPPORT}/messages"), "ErrorAccessDenied"),
        (
            Method::GET,
            format!("/users/{SUPPORT}/mailFolders"),
            "ErrorAccessDenied",
        ),
        (Method::POST, format!("/users/{SUPPORT}/sendMail"), "ErrorAccessDenied"),
        (Method::POST, format!("/users/{SUPPORT}/messages"), "ErrorAccessDenied"),
    ] {
        let body = if method == Method::GET || method == Method::DELETE {
            Value::Null
        } else {
            json!({})
        };
        let answer = tenant.graph(&token, method.clone(), &path, &body).await;
        if answer.status != 403 || answer.error_code() != code {
            problems.push(format!("{method} {path}: {} {:?}", answer.status, answer.body));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
