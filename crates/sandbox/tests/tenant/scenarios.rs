//! Scenarios from files and over HTTP.

use std::path::{Path, PathBuf};

use guichet_sandbox::{Config, Error, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, GRAPH, Tenant, read};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/scenarios")
        .join(name)
}

async fn start(name: &str) -> Tenant {
    Tenant::start_with(|config| config.scenario = Some(file(name))).await
}

async fn advance(tenant: &Tenant, seconds: u64) {
    let moved = tenant
        .control(Method::POST, "/clock", &json!({"advance_seconds": seconds}))
        .await;
    assert_eq!(moved.status, 200, "{:?}", moved.body);
}

/// A token of the application that the scenarios of the repository have, by their number.
async fn ask(tenant: &Tenant, number: u32, secret: &str) -> Answer {
    let id = format!("b3f6ff2c-5b0e-4f0a-9f4a-0d5d0c6d1a{number:02}");
    tenant
        .token(&[
            ("grant_type", "client_credentials"),
            ("client_id", &id),
            ("client_secret", secret),
            ("scope", GRAPH),
        ])
        .await
}

async fn token(tenant: &Tenant, number: u32, secret: &str) -> String {
    let answer = ask(tenant, number, secret).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.body["access_token"].as_str().expect("a token").to_owned()
}

async fn inbox(tenant: &Tenant) -> Vec<Value> {
    let path = "/mailboxes/helpdesk@contoso.example/messages";
    let listed = tenant.control(Method::GET, path, &Value::Null).await.body;
    listed["messages"].as_array().expect("messages").clone()
}

async fn no_step_failed(tenant: &Tenant) {
    let report = tenant.control(Method::GET, "/scenario", &Value::Null).await.body;
    assert_eq!(report["planned"], json!([]));
    for happened in report["happened"].as_array().expect("steps") {
        assert_eq!(happened["error"], Value::Null, "{happened}");
    }
}

#[tokio::test]
async fn a_secret_expires_while_the_program_runs() {
    let tenant = start("expired-secret.toml").await;
    let secret = "expired-secret-scenario-0001";
    let old = token(&tenant, 1, secret).await;
    advance(&tenant, 600).await;
    let refused = ask(&tenant, 1, secret).await;
    assert_eq!(refused.body["error_codes"], json!([7_000_222]));
    let path = "/users/helpdesk@contoso.example/messages";
    assert_eq!(tenant.get(&old, path).await.status, 200);
    assert_eq!(inbox(&tenant).await[0]["subject"], "My order");
}

#[tokio::test]
async fn a_throttled_mailbox_is_freed_later() {
    let tenant = start("throttled-mailbox.toml").await;
    let token = token(&tenant, 2, "throttled-mailbox-scenario-0002").await;
    assert_eq!(inbox(&tenant).await.len(), 25);
    let path = "/users/helpdesk@contoso.example/messages?$top=1";
    for _ in 0..10 {
        assert_eq!(tenant.get(&token, path).await.status, 200);
    }
    assert_eq!(tenant.get(&token, path).await.status, 429);
    advance(&tenant, 600).await;
    no_step_failed(&tenant).await;
    for _ in 0..11 {
        assert_eq!(tenant.get(&token, path).await.status, 200);
    }
}

#[tokio::test]
async fn steps_happen_in_their_order_when_their_time_comes() {
    let tenant = start("lost-notifications.toml").await;
    assert!(inbox(&tenant).await.is_empty());
    advance(&tenant, 60).await;
    assert_eq!(inbox(&tenant).await.len(), 1);
    advance(&tenant, 10 * 60).await;
    assert_eq!(inbox(&tenant).await.len(), 2);
    no_step_failed(&tenant).await;
    let report = tenant.control(Method::GET, "/scenario", &Value::Null).await.body;
    let times: Vec<&str> = report["happened"]
        .as_array()
        .expect("steps")
        .iter()
        .filter_map(|step| step["at"].as_str())
        .collect();
    assert!(times.len() == 6 && times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn reports_come_in_a_storm() {
    let tenant = start("ndr-storm.toml").await;
    advance(&tenant, 120).await;
    let mails = inbox(&tenant).await;
    assert_eq!(mails.len(), 201);
    let reports = mails.iter().filter(|mail| mail["subject"] == "Undeliverable: Our news");
    assert_eq!(reports.count(), 200);
    no_step_failed(&tenant).await;
}

#[tokio::test]
async fn a_slow_graph_has_its_faults() {
    let tenant = start("slow-graph.toml").await;
    let faults = tenant.control(Method::GET, "/faults", &Value::Null).await.body;
    let names: Vec<&str> = faults["faults"]
        .as_array()
        .expect("faults")
        .iter()
        .filter_map(|fault| fault["rule"]["name"].as_str())
        .collect();
    assert_eq!(names, ["slow", "bad gateway", "ambiguous send"]);
    assert_eq!(inbox(&tenant).await.len(), 5);
}

#[tokio::test]
async fn revoked_tokens_need_a_new_sign_in() {
    let tenant = start("revoked-tokens.toml").await;
    let secret = "revoked-tokens-scenario-0006";
    let old = token(&tenant, 6, secret).await;
    let path = "/users/helpdesk@contoso.example/messages";
    assert_eq!(tenant.get(&old, path).await.status, 200);
    advance(&tenant, 300).await;
    let refused = tenant.get(&old, path).await;
    assert_eq!(refused.status, 401);
    let challenge = refused.header("www-authenticate").expect("a challenge");
    assert!(
        challenge.contains("error=\"insufficient_claims\"") && challenge.contains("claims=\""),
        "{challenge}"
    );
    assert_eq!(ask(&tenant, 6, secret).await.status, 429);
    let new = token(&tenant, 6, secret).await;
    assert_eq!(tenant.get(&new, path).await.status, 200);
    no_step_failed(&tenant).await;
}

async fn load(tenant: &Tenant, text: &str) -> Answer {
    let url = format!("{}/scenario", tenant.description().control_url);
    let request = tenant.client.post(url).header("content-type", "application/toml");
    read(request.body(text.to_owned()).send().await.expect("an answer")).await
}

#[tokio::test]
async fn a_scenario_can_be_loaded_while_the_tenant_runs() {
    let tenant = Tenant::start().await;
    let text = r#"
version = 1
[clock]
frozen = true
[[user]]
address = "helpdesk@contoso.example"
[[step]]
at = "PT0S"
mail = { to = ["helpdesk@contoso.example"], from = "a@outside.example", subject = "Now" }
[[step]]
at = "PT1H"
name = "to nobody"
mail = { to = ["nobody@contoso.example"], from = "a@outside.example", subject = "Later" }
[[step]]
at = "PT2H"
mail = { to = ["helpdesk@contoso.example"], from = "a@outside.example", subject = "Last" }
"#;
    let loaded = load(&tenant, text).await;
    assert_eq!(loaded.status, 201, "{:?}", loaded.body);
    assert_eq!(loaded.body["planned"].as_array().map(Vec::len), Some(2));
    assert_eq!(inbox(&tenant).await[0]["subject"], "Now");
    advance(&tenant, 3 * 3600).await;
    let report = tenant.control(Method::GET, "/scenario", &Value::Null).await.body;
    assert!(
        report["happened"][1]["error"]
            .as_str()
            .is_some_and(|error| error.contains("nobody"))
    );
    assert_eq!(
        inbox(&tenant).await.len(),
        2,
        "a step that fails does not stop the others"
    );
    assert_eq!(load(&tenant, text).await.status, 400, "the user exists already");
}

#[tokio::test]
async fn a_plan_can_be_dropped() {
    let tenant = Tenant::start().await;
    let text = "version = 1\n[[step]]\nat = \"PT1H\"\nremove_faults = true\n";
    assert_eq!(load(&tenant, text).await.status, 201);
    let dropped = tenant.control(Method::DELETE, "/scenario", &Value::Null).await;
    assert_eq!(dropped.body, json!({"dropped": 1}));
}

#[tokio::test]
async fn what_only_a_file_may_say_is_refused_over_http() {
    let tenant = Tenant::start().await;
    for (text, expected) in [
        ("version = 1\n[tenant]\ndomain = \"other.example\"", "--scenario"),
        (
            "version = 1\n[[mail]]\nto = [\"support@contoso.example\"]\nfile = \"/etc/hostname\"",
            "only a scenario from a file",
        ),
        ("version = 1\ncolour = 1", "line 2"),
        (
            "version = 1\n[[application]]\nname = \"x\"\npermissions = [\"No.Such\"]",
            "No.Such",
        ),
        ("version = 1\n[throttling]\ncolour = 1", "colour"),
        ("version = ", "line 1"),
    ] {
        let refused = load(&tenant, text).await;
        assert_eq!(refused.status, 400, "{text}");
        let error = refused.body["error"].as_str().unwrap_or_default();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[tokio::test]
async fn a_tenant_is_what_its_file_says() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("tenant.toml");
    let text = r#"
version = 1
[tenant]
domain = "fabrikam.example"
id = "11111111-2222-3333-4444-555555555555"
only_these_users = true
[clock]
at = "2027-05-01T00:00:00Z"
frozen = true
[[user]]
address = "clerk@fabrikam.example"
display_name = "Clerk"
[[user]]
address = "guest@fabrikam.example"
mailbox = false
enabled = false
[[application]]
name = "Disabled"
app_id = "22222222-2222-3333-4444-555555555555"
secrets = [{ text = "a-secret-of-the-disabled" }]
enabled = false
"#;
    std::fs::write(&path, text).expect("a file");
    let tenant = Tenant::start_with(|config| config.scenario = Some(path)).await;
    let description = tenant.description();
    assert_eq!(description.tenant_domain, "fabrikam.example");
    assert_eq!(
        description.tenant_id.to_string(),
        "11111111-2222-3333-4444-555555555555"
    );
    assert_eq!(description.mailboxes, ["clerk@fabrikam.example"]);
    let clock = tenant.control(Method::GET, "/clock", &Value::Null).await.body;
    assert_eq!(clock["now"], "2027-05-01T00:00:00Z");
    let answer = tenant
        .token(&[
            ("grant_type", "client_credentials"),
            ("client_id", "22222222-2222-3333-4444-555555555555"),
            ("client_secret", "a-secret-of-the-disabled"),
            ("scope", GRAPH),
        ])
        .await;
    assert_eq!(answer.body["error_codes"], json!([7_000_112]));
    let state = tenant.control(Method::GET, "/state", &Value::Null).await.body;
    let users = state["users"].as_array().expect("users");
    let guest = users
        .iter()
        .find(|user| user["user_principal_name"] == "guest@fabrikam.example")
        .expect("the guest");
    assert_eq!(
        (&guest["mail"], &guest["account_enabled"]),
        (&Value::Null, &json!(false))
    );
}

#[tokio::test]
async fn a_file_that_is_wrong_starts_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("wrong.toml");
    std::fs::write(&path, "version = 1\n\n[[user]]\nadress = \"a@contoso.example\"\n").expect("a file");
    let config = Config {
        data_directory: directory.path().join("data"),
        scenario: Some(path),
        ..Config::default()
    };
    let error = Sandbox::start(config).await.expect_err("a wrong file");
    assert!(matches!(error, Error::Config(_)));
    let text = error.to_string();
    assert!(text.contains("wrong.toml") && text.contains("line 4"), "{text}");
}
