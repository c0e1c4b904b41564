//! Bad input ends with one clear error that names the thing and the fix, with its documented exit
//! code, and nothing is lost.

use std::path::{Path, PathBuf};

use guichet_cli::{
    demo::{http::Client, processes::Launcher, stage::Stage},
    failure::Failure,
};
use http::Method;
use serde_json::{Value, json};

const CONFIG: &str = "[microsoft]\ntenant = \"contoso.example\"\nauthority = \"https://localhost:9\"\n\
                      graph = \"https://localhost:9\"\n[[mailbox]]\naddress = \"support@contoso.example\"\n";

fn launcher(dir: &Path) -> Launcher {
    guichet_net::install_tls_provider();
    Launcher::new(PathBuf::from(env!("CARGO_BIN_EXE_guichet")), dir)
}

fn write_config(dir: &Path, text: &str) {
    std::fs::write(dir.join("guichet.toml"), text).expect("configuration is written");
}

/// Runs a command that must fail: its exit code and stderr.
async fn fails(launcher: &Launcher, arguments: &[&str]) -> (i32, String) {
    let (code, out, err) = launcher
        .try_run(arguments)
        .await
        .map_err(|f| f.title)
        .expect("the binary starts");
    assert_ne!(code, 0, "{arguments:?} succeeded: {out}");
    assert!(!err.contains("panicked"), "{err}");
    (code, err)
}

#[tokio::test]
async fn unknown_key_is_named_with_its_line() {
    let dir = tempfile::tempdir().expect("dir");
    write_config(dir.path(), &format!("pol_seconds = 3\n{CONFIG}"));
    let (code, err) = fails(&launcher(dir.path()), &["serve"]).await;
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("pol_seconds") && err.contains("guichet.toml"), "{err}");
}

#[tokio::test]
async fn missing_file_is_named() {
    let dir = tempfile::tempdir().expect("dir");
    let (code, err) = fails(&launcher(dir.path()), &["--config", "nowhere.toml", "doctor"]).await;
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("nowhere.toml"), "{err}");
}

#[tokio::test]
async fn serve_before_connect_names_the_command_that_comes_first() {
    let dir = tempfile::tempdir().expect("dir");
    write_config(dir.path(), CONFIG);
    let (code, err) = fails(&launcher(dir.path()), &["serve"]).await;
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("guichet connect apply"), "{err}");
}

#[tokio::test]
async fn unreachable_authority_is_named_by_connect() {
    let dir = tempfile::tempdir().expect("dir");
    write_config(dir.path(), CONFIG);
    let launcher = launcher(dir.path())
        .with("GUICHET_ADMIN_CLIENT_ID", "11111111-1111-1111-1111-111111111111")
        .with("GUICHET_ADMIN_CLIENT_SECRET", "not-used");
    let (code, err) = fails(&launcher, &["connect", "apply", "--sign-in", "application"]).await;
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("localhost:9"), "{err}");
}

#[tokio::test]
async fn corrupt_database_is_named_and_left_as_it_is() {
    let dir = tempfile::tempdir().expect("dir");
    write_config(dir.path(), CONFIG);
    let data = dir.path().join("guichet-data");
    std::fs::create_dir_all(&data).expect("data directory");
    let garbage = vec![0x5a; 8192];
    std::fs::write(data.join("guichet.db"), &garbage).expect("garbage is written");
    let (code, err) = fails(&launcher(dir.path()), &["serve"]).await;
    assert_eq!(code, 6, "{err}");
    assert!(err.contains("guichet.db"), "{err}");
    assert_eq!(
        std::fs::read(data.join("guichet.db")).expect("still there"),
        garbage,
        "the file was changed"
    );
}

#[tokio::test]
async fn port_in_use_is_named() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    let port: u16 = stage
        .service_url
        .rsplit(':')
        .next()
        .and_then(|p| p.parse().ok())
        .expect("port");
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    let (code, err) = fails(&stage.launcher, &["serve"]).await;
    assert_eq!(code, 6, "{err}");
    assert!(err.contains(&port.to_string()), "{err}");
}

#[tokio::test]
async fn second_service_on_the_same_data_is_refused() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    let _first = stage
        .serve()
        .await
        .map_err(|f| f.title)
        .expect("the first service runs");
    let (code, err) = fails(&stage.launcher, &["serve", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(code, 6, "{err}");
    assert!(err.contains("guichet.lock") || err.contains("already"), "{err}");
}

#[tokio::test]
async fn wrong_secret_is_explained_by_serve_and_doctor() {
    let dir = tempfile::tempdir().expect("dir");
    let stage = set_stage(dir.path()).await;
    remove_secrets(&stage)
        .await
        .map_err(|f| f.title)
        .expect("the secret is removed at Microsoft's side");
    let (code, err) = fails(&stage.launcher, &["serve"]).await;
    assert_eq!(code, 5, "{err}");
    assert!(err.contains("AADSTS7000215") && err.contains("connect apply"), "{err}");
    let (code, out, _) = stage
        .launcher
        .try_run(&["doctor", "--json"])
        .await
        .map_err(|f| f.title)
        .expect("doctor runs");
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("AADSTS7000215"), "{out}");
}

async fn set_stage(dir: &Path) -> Stage {
    Stage::set(launcher(dir), 30)
        .await
        .map_err(|f| f.title)
        .expect("the stage is set")
}

/// Removes every secret of Guichet's application, as an administrator could in the portal.
async fn remove_secrets(stage: &Stage) -> Result<(), Failure> {
    let ca = Some(PathBuf::from(stage.described("/ca_file")));
    let authority = Client::new(&stage.described("/authority"), ca.clone(), None)?;
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
        stage.described("/administrator/client_id"),
        url::form_urlencoded::byte_serialize(stage.described("/administrator/client_secret").as_bytes())
            .collect::<String>(),
    );
    let path = format!("/{}/oauth2/v2.0/token", stage.described("/tenant_id"));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = authority.send(Method::POST, &path, &headers, form.into_bytes()).await?;
    let token: Value = serde_json::from_slice(&answer.body).expect("a token answer");
    let token = token["access_token"].as_str().map(str::to_owned);
    let graph = Client::new(&stage.described("/graph_url"), ca, token)?;
    let found = graph
        .get("/v1.0/applications?$filter=displayName%20eq%20'Guichet%20demo'")
        .await?;
    let application = &found["value"][0];
    let id = application["id"].as_str().expect("the application exists");
    for credential in application["passwordCredentials"].as_array().expect("a list") {
        let body = json!({ "keyId": credential["keyId"] });
        graph
            .post(&format!("/v1.0/applications/{id}/removePassword"), &body)
            .await?;
    }
    Ok(())
}
