//! Taking over an application that somebody else has made, with pasted values and no administrator.

use std::path::{Path, PathBuf};

use guichet_cli::demo::{processes::Launcher, stage::Stage};
use serde_json::Value;

/// A stage whose application exists, and a second installation that knows nothing of it.
struct Adopting {
    stage: Stage,
    values: Value,
    config: String,
}

impl Adopting {
    async fn new(dir: &Path) -> Self {
        guichet_net::install_tls_provider();
        let launcher = Launcher::new(PathBuf::from(env!("CARGO_BIN_EXE_guichet")), dir);
        let stage = Stage::set(launcher, 30).await.map_err(|f| f.title).expect("a stage");
        let shown = stage.launcher.run(&["connect", "values", "--show-secret", "--json"]);
        let shown = shown.await.map_err(|f| f.title).expect("values");
        let text = std::fs::read_to_string(dir.join("guichet.toml")).expect("configuration");
        let second = text.replace("data_dir = \"data\"", "data_dir = \"second\"");
        assert_ne!(text, second);
        std::fs::write(dir.join("second.toml"), second).expect("written");
        Self {
            stage,
            values: serde_json::from_str(&shown).expect("JSON"),
            config: "second.toml".to_owned(),
        }
    }

    fn value(&self, name: &str) -> String {
        self.values[name].as_str().expect("a text").to_owned()
    }

    async fn adopt(&self, secret: &str, token_endpoint: &str) -> (i32, String, String) {
        let launcher = self.stage.launcher.clone().with("GUICHET_CLIENT_SECRET", secret);
        let day = self.value("secret_expires_at").chars().take(10).collect::<String>();
        let (application, secret_id) = (self.value("application_id"), self.value("secret_id"));
        let arguments = [
            "connect",
            "adopt",
            "--config",
            &self.config,
            "--application-id",
            &application,
            "--secret-id",
            &secret_id,
            "--secret-expires",
            &day,
            "--token-endpoint",
            token_endpoint,
            "--language",
            "en",
            "--json",
        ];
        launcher
            .try_run(&arguments)
            .await
            .map_err(|f| f.title)
            .expect("it runs")
    }
}

#[tokio::test]
async fn an_application_made_by_somebody_else_is_adopted_with_pasted_values() {
    let dir = tempfile::tempdir().expect("dir");
    let adopting = Adopting::new(dir.path()).await;
    let endpoint = adopting.value("token_endpoint");
    let v1 = endpoint.replace("/v2.0", "").replace("https://", "");
    let (code, out, err) = adopting.adopt(&adopting.value("secret_value"), &v1).await;
    assert_eq!(code, 0, "{err}");
    let adopted: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(adopted["mailboxes"], 3, "{adopted}");
    assert_eq!(adopted["token_endpoint"], adopting.values["token_endpoint"]);
    let open = adopted["procedure"].as_array().expect("a list");
    assert!(open.iter().all(|item| item["state"] != "open"), "{adopted}");

    // Once more changes nothing, and an administrator's apply completes what could not be seen, once.
    let (_, again, _) = adopting.adopt(&adopting.value("secret_value"), &endpoint).await;
    let again: Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!(again["changes"], serde_json::json!([]), "{again}");
    let administrator = adopting.stage.as_administrator();
    let apply = [
        "connect",
        "apply",
        "--sign-in",
        "application",
        "--config",
        "second.toml",
        "--json",
    ];
    let names = ["mailbox-name-differs"; 3];
    for expected in [
        ["principal-not-recorded"].into_iter().chain(names).collect(),
        Vec::new(),
    ] {
        let out = administrator
            .run(&apply)
            .await
            .map_err(|f| f.title)
            .expect("it applies");
        let applied: Value = serde_json::from_str(&out).expect("JSON");
        let reasons: Vec<&str> = applied["changes"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|change| change["why"].as_str())
            .collect();
        assert_eq!(reasons, expected, "{applied}");
        assert_eq!(
            applied["key_id"], adopting.values["secret_id"],
            "no new secret was made"
        );
    }
}

#[tokio::test]
async fn values_that_are_wrong_are_refused_by_name_and_nothing_is_recorded() {
    let dir = tempfile::tempdir().expect("dir");
    let adopting = Adopting::new(dir.path()).await;
    let endpoint = adopting.value("token_endpoint");
    let (good, id) = (adopting.value("secret_value"), adopting.value("secret_id"));
    let elsewhere = endpoint.replace(&adopting.value("tenant_id"), "11111111-2222-4333-8444-555555555555");
    let other_service = format!(
        "https://login.microsoftonline.com/{}/oauth2/v2.0/token",
        adopting.value("tenant_id")
    );
    for (secret, endpoint, expected) in [
        (id.as_str(), endpoint.as_str(), "this is the secret's id, not its value"),
        ("", &endpoint, "the client secret is empty"),
        ("wrong~secret.value", &endpoint, "secret-wrong"),
        (&good, "https://login.microsoftonline.com/", "no tenant is in"),
        (&good, &elsewhere, "tenant-unknown"),
        (&good, &other_service, "is not of the sign-in service"),
    ] {
        let (code, _, err) = adopting.adopt(secret, endpoint).await;
        // Long lines are wrapped.
        let said = err.replace("\n  │ ", " ").replace("- ", "-");
        assert!(code != 0 && said.contains(expected), "{expected}: {code} {err}");
        let show = ["integration", "show", "--config", "second.toml"];
        let (_, _, shown) = adopting
            .stage
            .launcher
            .try_run(&show)
            .await
            .map_err(|f| f.title)
            .expect("it runs");
        assert!(shown.contains("no integration is recorded"), "{expected}: {shown}");
    }
}
