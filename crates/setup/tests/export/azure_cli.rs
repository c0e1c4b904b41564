//! The Azure CLI script, run against a stand-in for az.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use guichet_setup::{Language, export::Format};
use serde_json::{Value, json};

use super::{exported, nasty};

const FAKE: &str = include_str!("fake-az.py");

/// az evaluates JMESPath with this Python library; without it there is nothing to stand in for az with.
fn can_stand_in() -> bool {
    let found = Command::new("python3").args(["-c", "import jmespath"]).output();
    let there = found.is_ok_and(|out| out.status.success());
    if !there {
        eprintln!("not run: python3 with jmespath is not at hand");
    }
    there
}

struct Stage {
    dir: tempfile::TempDir,
}

impl Stage {
    fn set(applications: &Value) -> Self {
        let dir = tempfile::tempdir().expect("dir");
        let state = json!({
            "tenant": "8f2b7c1e-0000-4000-8000-000000000001", "calls": [], "writes": 0,
            "applications": applications, "principals": [], "grants": []
        });
        std::fs::write(dir.path().join("state.json"), state.to_string()).expect("state");
        std::fs::write(dir.path().join("fake-az.py"), FAKE).expect("fake");
        let az = dir.path().join("az");
        std::fs::write(&az, "#!/bin/sh\nexec python3 \"${0%/*}/fake-az.py\" \"$@\"\n").expect("az");
        std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).expect("mode");
        let script = exported(Format::AzureCli, Language::English);
        std::fs::write(dir.path().join("connect.sh"), script).expect("script");
        Self { dir }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new("bash")
            .arg("connect.sh")
            .args(arguments)
            .current_dir(self.dir.path())
            .env("PATH", format!("{}:{path}", self.dir.path().display()))
            .env("FAKE_AZ", self.dir.path().join("state.json"))
            .env("GUICHET_PAUSE", "0")
            .output()
            .expect("bash runs")
    }

    fn succeed(&self, arguments: &[&str]) -> (String, String) {
        let out = self.run(arguments);
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{told}");
        (String::from_utf8_lossy(&out.stdout).into_owned(), told)
    }

    fn state(&self) -> Value {
        let text = std::fs::read_to_string(self.dir.path().join("state.json")).expect("state");
        serde_json::from_str(&text).expect("JSON")
    }
}

fn parses(script: &Path) -> Output {
    Command::new("bash").arg("-n").arg(script).output().expect("bash runs")
}

#[test]
fn script_parses_in_both_languages() {
    let dir = tempfile::tempdir().expect("dir");
    for language in Language::ALL {
        let file = dir.path().join(language.code());
        std::fs::write(&file, exported(Format::AzureCli, language)).expect("written");
        let out = parses(&file);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    let file = dir.path().join("broken");
    std::fs::write(&file, "say 'no end").expect("written");
    assert!(!parses(&file).status.success(), "bash accepts what is broken");
}

#[test]
fn first_run_makes_everything_and_second_run_nothing() {
    if !can_stand_in() {
        return;
    }
    let stage = Stage::set(&json!([]));
    let (values, told) = stage.succeed(&[]);
    assert!(values.contains("Secret value: the~secret~value"), "{values}");
    assert!(
        values.contains("https://login.microsoftonline.com/8f2b7c1e-0000-4000-8000-000000000001/oauth2/v2.0/token"),
        "{values}"
    );
    assert!(told.contains("no such user"), "the second mailbox is unknown: {told}");
    let state = stage.state();
    let application = &state["applications"][0];
    let desired = nasty();
    assert_eq!(application["displayName"], desired.application.name);
    assert_eq!(
        application["web"]["redirectUris"][0],
        desired.application.redirect_text()
    );
    assert_eq!(application["signInAudience"], "AzureADMultipleOrgs");
    let secret = &application["passwordCredentials"][0];
    assert_eq!(secret["displayName"], desired.application.secret_description);
    assert_eq!(
        state["principals"][0]["roles"].as_array().map(Vec::len),
        Some(2),
        "{state}"
    );
    assert_eq!(state["grants"][0]["scope"], "User.Read");
    assert!(!stage.dir.path().join("here").exists(), "a value was executed");

    let (values, told) = stage.succeed(&[]);
    assert_eq!(values, "");
    assert!(told.contains("its value can't be shown again"), "{told}");
    assert_eq!(stage.state()["writes"], state["writes"], "the second run wrote: {told}");

    stage.succeed(&["--new-secret"]);
    let secrets = stage.state()["applications"][0]["passwordCredentials"].clone();
    assert_eq!(secrets.as_array().map(Vec::len), Some(2), "{secrets}");
}

#[test]
fn existing_application_is_corrected_and_keeps_what_others_added() {
    if !can_stand_in() {
        return;
    }
    let other = json!({ "resourceAppId": "other-api", "resourceAccess": [{ "id": "x", "type": "Role" }] });
    let calendars = json!({ "id": "calendars", "type": "Role" });
    let stage = Stage::set(&json!([{
        "id": "object", "appId": "app", "displayName": nasty().application.name,
        "signInAudience": "AzureADMyOrg", "passwordCredentials": [],
        "web": { "redirectUris": ["https://kept.example/"] },
        "requiredResourceAccess": [
            other,
            { "resourceAppId": guichet_setup::permissions::GRAPH_APP_ID, "resourceAccess": [calendars] }
        ]
    }]));
    let (_, told) = stage.succeed(&["--listed"]);
    assert!(told.contains("application corrected"), "{told}");
    let state = stage.state();
    let application = &state["applications"][0];
    assert_eq!(application["signInAudience"], "AzureADMultipleOrgs");
    let redirects = &application["web"]["redirectUris"];
    assert_eq!(redirects[0], "https://kept.example/");
    assert_eq!(redirects[1], nasty().application.redirect_text());
    let access = &application["requiredResourceAccess"];
    assert_eq!(access[0], other);
    let asked = access[1]["resourceAccess"].as_array().expect("a list");
    assert_eq!(asked.len(), 4, "{access}");
    assert_eq!(asked[0], calendars);
    assert_eq!(
        state["principals"][0]["roles"],
        json!([]),
        "--listed grants nothing for the tenant"
    );
}

#[test]
fn ambiguous_name_or_unknown_option_stops_before_anything_is_written() {
    if !can_stand_in() {
        return;
    }
    let name = nasty().application.name;
    let stage = Stage::set(&json!([
        { "id": "1", "appId": "one", "displayName": name },
        { "id": "2", "appId": "two", "displayName": name }
    ]));
    let out = stage.run(&[]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("several applications"));
    assert_eq!(stage.state()["writes"], 0);
    let out = stage.run(&["--nonsense"]);
    assert_eq!(out.status.code(), Some(2));
}
