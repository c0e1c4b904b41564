//! Certificates, listeners, headers and the description file.

use guichet_sandbox::{Config, Description, Sandbox};
use reqwest::Version;

use crate::harness::{Tenant, builder, client, read};

#[tokio::test]
async fn both_versions_of_http_are_spoken_over_tls() {
    let tenant = Tenant::start().await;
    let url = tenant.url("/common/discovery/v2.0/keys");
    let new = tenant.client.get(&url).send().await.expect("an answer");
    assert_eq!(new.version(), Version::HTTP_2);
    let old = builder(tenant.description()).http1_only().build().expect("a client");
    let old = old.get(&url).send().await.expect("an answer");
    assert_eq!(old.version(), Version::HTTP_11);
}

#[tokio::test]
async fn a_redirected_client_of_microsofts_hosts_finds_a_matching_certificate() {
    let tenant = Tenant::start().await;
    let port = url::Url::parse(&tenant.description().authority)
        .expect("a URL")
        .port()
        .expect("a port");
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    for host in [
        "login.microsoftonline.com",
        "graph.microsoft.com",
        "graph.microsoft.us",
        "login.partner.microsoftonline.cn",
    ] {
        let client = builder(tenant.description())
            .resolve(host, address)
            .build()
            .expect("a client");
        let url = format!("https://{host}:{port}/common/v2.0/.well-known/openid-configuration");
        let answer = read(client.get(&url).send().await.expect("an answer")).await;
        assert_eq!(answer.status, 200, "{host}");
        let endpoint = answer.body["token_endpoint"].as_str().expect("an endpoint");
        assert!(endpoint.starts_with(&format!("https://{host}:{port}/")), "{endpoint}");
    }
}

#[tokio::test]
async fn plain_http_serves_the_same_tenant_only_when_asked() {
    let tenant = Tenant::start().await;
    let base = tenant.description().authority_http.clone().expect("plain HTTP is on");
    let url = format!("{base}/common/v2.0/.well-known/openid-configuration");
    let answer = read(tenant.client.get(url).send().await.expect("an answer")).await;
    assert!(
        answer.body["token_endpoint"]
            .as_str()
            .is_some_and(|endpoint| endpoint.starts_with(&base))
    );
    let quiet = Tenant::start_with(|config| config.plain_http = false).await;
    assert_eq!(quiet.description().authority_http, None);
}

#[tokio::test]
async fn the_authority_survives_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = Config {
        data_directory: directory.path().to_owned(),
        ..Config::default()
    };
    let first = Sandbox::start(config.clone()).await.expect("a sandbox");
    let trusting = client(first.description());
    let before = std::fs::read(&first.description().ca_file).expect("the authority");
    first.shutdown().await;
    let second = Sandbox::start(config).await.expect("a sandbox");
    assert_eq!(
        std::fs::read(&second.description().ca_file).expect("the authority"),
        before
    );
    let url = format!("{}/common/discovery/v2.0/keys", second.description().authority);
    assert_eq!(
        trusting.get(url).send().await.expect("the old trust holds").status(),
        200
    );
    second.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_the_keys() {
    use std::os::unix::fs::PermissionsExt as _;
    let tenant = Tenant::start().await;
    let mode = |name: &str| {
        let path = tenant.path().join("data").join(name);
        std::fs::metadata(path).expect("the file").permissions().mode() & 0o777
    };
    assert_eq!(mode("ca.pem"), 0o644);
    assert_eq!(mode("ca-key.pem"), 0o600);
}

#[tokio::test]
async fn a_damaged_authority_is_replaced() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("ca.pem"), "nonsense").expect("written");
    std::fs::write(directory.path().join("ca-key.pem"), "nonsense").expect("written");
    let config = Config {
        data_directory: directory.path().to_owned(),
        ..Config::default()
    };
    let running = Sandbox::start(config).await.expect("a sandbox");
    let url = format!("{}/common/discovery/v2.0/keys", running.description().authority);
    assert_eq!(
        client(running.description())
            .get(url)
            .send()
            .await
            .expect("an answer")
            .status(),
        200
    );
}

#[tokio::test]
async fn the_description_file_says_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("sandbox.json");
    let tenant = Tenant::start_with(|config| config.description_file = Some(file.clone())).await;
    let text = std::fs::read(&file).expect("the file");
    let description: Description = serde_json::from_slice(&text).expect("a description");
    assert_eq!(&description, tenant.description());
    assert!(description.ca_file.is_absolute());
    assert_eq!(description.mailboxes.len(), 3);
}

#[tokio::test]
async fn a_request_and_its_answer_carry_ids_and_the_tenants_time() {
    let tenant =
        Tenant::start_with(|config| config.frozen_at = Some("2026-03-01T10:20:30Z".parse().expect("a time"))).await;
    let token = tenant.administrator_token().await;
    let request = tenant.client.get(tenant.url("/v1.0/organization")).bearer_auth(&token);
    let answer = read(
        request
            .header("client-request-id", "mine")
            .send()
            .await
            .expect("an answer"),
    )
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("client-request-id"), Some("mine"));
    assert!(answer.header("request-id").is_some());
    assert_eq!(answer.header("date"), Some("Sun, 01 Mar 2026 10:20:30 GMT"));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_tenant() {
    let one = Tenant::start_with(|config| config.seed = Some(7)).await;
    let two = Tenant::start_with(|config| config.seed = Some(7)).await;
    let other = Tenant::start_with(|config| config.seed = Some(8)).await;
    assert_eq!(one.description().tenant_id, two.description().tenant_id);
    assert_eq!(one.description().administrator, two.description().administrator);
    assert_ne!(one.description().tenant_id, other.description().tenant_id);
}

#[tokio::test]
async fn impossible_configurations_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let base = Config {
        data_directory: directory.path().to_owned(),
        ..Config::default()
    };
    let wrong = [
        Config {
            tenant_domain: "nonsense".to_owned(),
            ..base.clone()
        },
        Config {
            mailboxes: vec!["nonsense".to_owned()],
            ..base.clone()
        },
        Config {
            mailboxes: vec!["a@contoso.example".to_owned(), "A@contoso.example".to_owned()],
            ..base.clone()
        },
    ];
    for config in wrong {
        assert!(Sandbox::start(config).await.is_err());
    }
}
