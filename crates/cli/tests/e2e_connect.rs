//! Connecting a tenant as an administrator does, and what `plan`, `doctor` and a second `apply` say.

use std::path::{Path, PathBuf};

use guichet_cli::demo::{
    http::Client,
    processes::Launcher,
    stage::{Stage, wait_until},
};
use serde_json::Value;

async fn set_stage(dir: &Path) -> Stage {
    guichet_net::install_tls_provider();
    let launcher = Launcher::new(PathBuf::from(env!("CARGO_BIN_EXE_guichet")), dir);
    Stage::set(launcher, 30)
        .await
        .map_err(|f| f.title)
        .expect("the stage is set with a device sign-in")
}

/// Adds a line to `[application]`.
fn configure(stage: &Stage, line: &str) {
    let name = "name = \"Guichet demo\"\n";
    let changed = stage.configure(|text| text.replace(name, &format!("{name}{line}\n")));
    changed.map_err(|f| f.title).expect("configuration is changed");
}

async fn run_json(launcher: &Launcher, arguments: &[&str]) -> Value {
    let out = launcher.run(arguments).await.map_err(|f| f.title).expect("it succeeds");
    serde_json::from_str(&out).expect("stdout is JSON")
}

#[tokio::test]
async fn second_apply_and_plan_change_nothing() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    let administrator = stage.as_administrator();
    let plan = run_json(
        &administrator,
        &["connect", "plan", "--sign-in", "application", "--json"],
    )
    .await;
    assert_eq!(plan["changes"], serde_json::json!([]), "{plan}");
    let applied = run_json(
        &administrator,
        &["connect", "apply", "--sign-in", "application", "--json"],
    )
    .await;
    assert_eq!(applied["changes"], serde_json::json!([]), "{applied}");
    assert_eq!(applied["mailboxes"], 3, "{applied}");
}

#[tokio::test]
async fn values_to_paste_show_the_secret_only_when_asked() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    let values = run_json(&stage.launcher, &["connect", "values", "--json"]).await;
    assert_eq!(values["secret_value"], Value::Null, "{values}");
    for key in ["application_id", "tenant_id", "secret_id", "secret_expires_at"] {
        assert!(
            values[key].as_str().is_some_and(|value| value.len() > 9),
            "{key}: {values}"
        );
    }
    let shown = run_json(&stage.launcher, &["connect", "values", "--show-secret", "--json"]).await;
    let secret = shown["secret_value"].as_str().expect("a value").to_owned();
    assert_ne!(shown["secret_value"], shown["secret_id"]);
    let endpoint = shown["token_endpoint"].as_str().expect("an endpoint");
    assert!(endpoint.ends_with("/oauth2/v2.0/token"), "{endpoint}");
    let plain = stage
        .launcher
        .run(&["connect", "values"])
        .await
        .map_err(|f| f.title)
        .expect("text");
    assert!(
        plain.contains("--show-secret prints it") && !plain.contains(&secret),
        "{plain}"
    );
}

#[tokio::test]
async fn changed_account_types_are_planned_and_applied() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    configure(&stage, "account_types = \"any-organisation\"");
    let administrator = stage.as_administrator();
    let plan = run_json(
        &administrator,
        &["connect", "plan", "--sign-in", "application", "--json"],
    )
    .await;
    let changes = plan["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 1, "{plan}");
    assert!(changes[0].to_string().contains("AzureADMultipleOrgs"), "{plan}");
    let arguments = ["connect", "apply", "--sign-in", "application", "--json"];
    let applied = run_json(&administrator, &arguments).await;
    assert_eq!(applied["changes"].as_array().map(Vec::len), Some(1), "{applied}");
}

#[tokio::test]
async fn rotate_replaces_the_secret_and_what_is_stored_still_signs_in() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    let administrator = stage.as_administrator();
    let applied = run_json(
        &administrator,
        &["connect", "apply", "--sign-in", "application", "--json"],
    )
    .await;
    let arguments = ["connect", "rotate", "--sign-in", "application", "--json"];
    let rotated = run_json(&administrator, &arguments).await;
    assert_eq!(rotated["removed"], serde_json::json!([applied["key_id"]]), "{rotated}");
    assert_ne!(rotated["key_id"], applied["key_id"]);
    let doctor = stage.launcher.run(&["doctor", "--json", "--language", "en"]).await;
    let findings = doctor.map_err(|f| f.title).expect("nothing is wrong");
    assert!(findings.contains("token-ok"), "{findings}");
    assert!(
        findings.contains(rotated["key_id"].as_str().expect("an id")),
        "{findings}"
    );

    let arguments = ["connect", "rotate", "--sign-in", "application", "--keep-old", "--json"];
    let kept = run_json(&administrator, &arguments).await;
    assert_eq!(kept["kept"], serde_json::json!([rotated["key_id"]]), "{kept}");
    assert_eq!(kept["removed"], serde_json::json!([]), "{kept}");
}

#[tokio::test]
async fn a_secret_renews_itself_where_the_configuration_allows_it() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    configure(&stage, "self_rotation = true");
    let arguments = ["connect", "apply", "--sign-in", "application", "--json"];
    let applied = run_json(&stage.as_administrator(), &arguments).await;
    assert!(applied["changes"].to_string().contains("owner-missing"), "{applied}");
    let again = run_json(&stage.as_administrator(), &arguments).await;
    assert_eq!(again["changes"], serde_json::json!([]), "{again}");

    let rotated = run_json(&stage.launcher, &["connect", "rotate", "--sign-in", "self", "--json"]).await;
    assert_eq!(rotated["kind"], "secret", "{rotated}");
    assert_eq!(rotated["removed"], serde_json::json!([applied["key_id"]]), "{rotated}");
    let doctor = stage.launcher.run(&["doctor", "--json", "--language", "en"]).await;
    let findings = doctor.map_err(|f| f.title).expect("nothing is wrong");
    assert!(
        findings.contains(rotated["key_id"].as_str().expect("an id")) && !findings.contains("consent-excess"),
        "{findings}"
    );
}

#[tokio::test]
async fn a_certificate_signs_in_and_renews_itself_without_an_administrator() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    let by_itself = ["connect", "rotate", "--sign-in", "self", "--json"];
    let refused = stage
        .launcher
        .run(&by_itself)
        .await
        .expect_err("a secret needs a permission");
    assert!(
        refused.title.contains("Application.ReadWrite.OwnedBy"),
        "{}",
        refused.title
    );

    configure(&stage, "credential = \"certificate\"");
    let arguments = ["connect", "apply", "--sign-in", "application", "--json"];
    let applied = run_json(&stage.as_administrator(), &arguments).await;

    let rotated = run_json(&stage.launcher, &by_itself).await;
    assert_eq!(rotated["kind"], "certificate", "{rotated}");
    assert_eq!(rotated["removed"], serde_json::json!([applied["key_id"]]), "{rotated}");
    assert_eq!(
        rotated["kept"].as_array().map(Vec::len),
        Some(1),
        "the secret of before is not the application's to remove: {rotated}"
    );
    let doctor = stage.launcher.run(&["doctor", "--json", "--language", "en"]).await;
    let findings = doctor.map_err(|f| f.title).expect("nothing is wrong");
    assert!(findings.contains("token-ok"), "{findings}");
    assert!(
        findings.contains(rotated["key_id"].as_str().expect("an id")),
        "{findings}"
    );
    let not_due = ["connect", "rotate", "--sign-in", "self", "--if-due", "--json"];
    assert_eq!(run_json(&stage.launcher, &not_due).await, Value::Null);
}

/// Signs in on the page that the command shows, and comes back to the command as a browser does.
async fn browse(stage: &Stage, action: &str, line: &str) -> Result<(), guichet_cli::failure::Failure> {
    let Some(address) = line.trim().strip_prefix("address ") else {
        return Ok(());
    };
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("username", &stage.described("/administrator/user_principal_name"))
        .append_pair("password", &stage.described("/administrator/password"))
        .append_pair("action", action)
        .finish();
    let page = Client::new(address.trim(), Some(stage.described("/ca_file").into()), None)?;
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = page.send(http::Method::POST, "", &headers, form.into_bytes()).await?;
    let back = answer.headers["location"].to_str().expect("an address");
    let returned = Client::new(&back.replace("http://localhost:", "http://127.0.0.1:"), None, None)?;
    let page = returned.send(http::Method::GET, "", &[], Vec::new()).await?;
    assert_eq!(page.status, 200);
    Ok(())
}

#[tokio::test]
async fn an_administrator_signs_in_with_a_browser_or_declines() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    let arguments = ["connect", "plan", "--sign-in", "browser", "--json", "--language", "en"];
    let accept = async |line: &str| browse(&stage, "accept", line).await;
    let signed_in = stage.launcher.run_with(&arguments, accept).await;
    let plan: Value = serde_json::from_str(&signed_in.map_err(|f| f.title).expect("a plan")).expect("JSON");
    assert_eq!(plan["changes"], serde_json::json!([]), "{plan}");

    let decline = async |line: &str| browse(&stage, "decline", line).await;
    let declined = stage.launcher.run_with(&arguments, decline).await;
    let title = declined.expect_err("it was declined").title;
    assert!(
        title.contains("AADSTS65004") || title.contains("access_denied"),
        "{title}"
    );
}

#[tokio::test]
async fn doctor_finds_nothing_wrong_after_connect_and_speaks_french() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    let _service = stage.serve().await.map_err(|f| f.title).expect("the service runs");
    let english = wait_until("a subscription for each mailbox", async || {
        let findings = run_json(&stage.launcher, &["doctor", "--json", "--language", "en"]).await;
        Ok((!findings.to_string().contains("subscription-absent")).then_some(findings))
    })
    .await
    .map_err(|f| f.title)
    .expect("every folder is subscribed");
    let french = run_json(&stage.launcher, &["doctor", "--json", "--language", "fr"]).await;
    let codes = |findings: &Value| -> Vec<String> {
        let list = findings.as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(|f| f["code"].as_str().map(str::to_owned))
            .collect()
    };
    for wanted in ["token-ok", "consent-ok", "mailbox-ok", "subscription-ok"] {
        assert!(
            codes(&english).iter().any(|code| code == wanted),
            "no {wanted}: {english}"
        );
    }
    assert_eq!(codes(&english), codes(&french));
    assert_ne!(english[0]["title"], french[0]["title"]);
}

#[tokio::test]
async fn administrators_secret_and_tokens_are_not_kept_on_disk() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    let administrator = stage.described("/administrator/client_secret");
    // The application's own secret is shown to nobody; the administrator's secret and any token can be
    // looked for.
    let data = dir.path().join("data");
    for entry in std::fs::read_dir(&data).expect("data directory") {
        let path = entry.expect("entry").path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for needle in [administrator.as_bytes(), b"eyJ0eXAi".as_slice(), b"eyJhbGci".as_slice()] {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "a secret stands in {}", path.display());
        }
    }
}

#[test]
fn export_needs_the_configuration_alone() {
    let dir = tempfile::tempdir().expect("dir");
    let file = dir.path().join("guichet.toml");
    let text = "[microsoft]\ntenant = \"contoso.example\"\n[[mailbox]]\naddress = \"support@contoso.example\"\n\
                [addresses.regions]\neu = [\"203.0.113.0/28\"]\n";
    std::fs::write(&file, text).expect("configuration");
    let export = |arguments: &[&str]| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_guichet"))
            .arg("--config")
            .arg(&file)
            .args(["connect", "export"])
            .args(arguments)
            .output()
            .expect("it runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("UTF-8")
    };
    let french = export(&["--format", "portal", "--language", "fr"]);
    assert!(french.contains("Choisissez **Nouvelle inscription**") && french.contains("203.0.113.0/28"));
    for (format, beginning) in [
        ("powershell", "#Requires -Version"),
        ("azure-cli", "#!/usr/bin/env bash"),
        ("terraform", "# "),
    ] {
        let text = export(&["--format", format, "--language", "en"]);
        assert!(text.starts_with(beginning) && text.contains("support"), "{text}");
    }
    assert_eq!(
        std::fs::read_dir(dir.path()).expect("dir").count(),
        1,
        "nothing is written"
    );
}

#[tokio::test]
async fn access_is_limited_to_the_listed_mailboxes_and_the_others_are_closed() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    let mailboxes = stage.mailboxes();
    let outside = format!("[[mailbox]]\naddress = \"{}\"\n", mailboxes[2]);
    let access = "\n[access]\nscope = \"mailboxes\"\nremove_tenant_wide_grants = true\n";
    let changed = stage.configure(|text| {
        assert!(text.contains(&outside), "{text}");
        text.replace(&outside, "") + access
    });
    changed.map_err(|f| f.title).expect("configuration is changed");

    let administrator = stage.as_administrator();
    let arguments = ["connect", "apply", "--sign-in", "application", "--json"];
    let applied = run_json(&administrator, &arguments).await;
    assert_eq!(applied["mailboxes"], 2, "{applied}");
    let app_id = applied["app_id"].as_str().expect("an application id");
    for (mailbox, open) in [(&mailboxes[0], true), (&mailboxes[1], true), (&mailboxes[2], false)] {
        let path = format!("/exchange/access?app={app_id}&mailbox={mailbox}");
        let access = stage.control.get(&path).await.map_err(|f| f.title).expect("access");
        for permission in ["Mail.ReadWrite", "Mail.Send"] {
            let effective = access["newest"]["effective"].as_array().expect("permissions");
            let granted = effective.iter().any(|held| held == permission);
            assert_eq!(granted, open, "{mailbox} {permission}: {access}");
        }
    }
    let again = run_json(&administrator, &arguments).await;
    assert_eq!(again["changes"], serde_json::json!([]), "{again}");
    let findings = run_json(&stage.launcher, &["doctor", "--json"]).await;
    let worse: Vec<&Value> = findings
        .as_array()
        .expect("a list")
        .iter()
        .filter(|f| f["severity"] == "error")
        .collect();
    assert!(worse.is_empty(), "{worse:?}");
}

#[tokio::test]
async fn destroy_says_what_goes_and_removes_it_only_when_it_is_meant() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    let administrator = stage.as_administrator();
    let destroy = ["connect", "destroy", "--sign-in", "application", "--json"];
    let planned = run_json(&administrator, &destroy).await;
    assert_eq!(planned["done"], false);
    let steps: Vec<&Value> = planned["changes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|change| &change["step"])
        .collect();
    assert_eq!(steps, ["activation", "secret", "service-principal", "application"]);
    let plan = ["connect", "plan", "--sign-in", "application", "--json"];
    let untouched = run_json(&administrator, &plan).await;
    assert_eq!(untouched["changes"], serde_json::json!([]), "{untouched}");

    let meant = [&destroy[..], &["--yes"]].concat();
    let destroyed = run_json(&administrator, &meant).await;
    assert_eq!(destroyed["changes"], planned["changes"]);
    let again = run_json(&administrator, &meant).await;
    assert_eq!(again["changes"], serde_json::json!([]), "{again}");

    let applied = run_json(
        &administrator,
        &["connect", "apply", "--sign-in", "application", "--json"],
    )
    .await;
    assert_eq!(applied["mailboxes"], 3, "it can be connected again: {applied}");
}
