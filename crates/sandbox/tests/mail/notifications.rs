//! Notifications to an HTTPS endpoint whose certificate the sandbox's authority issued.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum_server::tls_rustls::RustlsConfig;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::harness::Tenant;

const SUPPORT: &str = "support@contoso.example";

#[derive(serde::Deserialize)]
struct Token {
    #[serde(rename = "validationToken")]
    token: Option<String>,
}

async fn receive(
    State(sender): State<mpsc::UnboundedSender<Value>>,
    Query(query): Query<Token>,
    body: axum::body::Bytes,
) -> Response {
    if let Some(token) = query.token {
        return ([("content-type", "text/plain")], token).into_response();
    }
    let _ = sender.send(serde_json::from_slice(&body).expect("json"));
    axum::http::StatusCode::ACCEPTED.into_response()
}

/// The server's configuration, from the certificate that the sandbox wrote.
fn tls(data: &std::path::Path) -> RustlsConfig {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let chain = CertificateDer::pem_file_iter(data.join("service.pem"))
        .expect("a chain")
        .collect::<Result<Vec<_>, _>>();
    let key = PrivateKeyDer::from_pem_file(data.join("service.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain.expect("certificates"), key)
        .expect("a certificate with its key");
    RustlsConfig::from_config(Arc::new(config))
}

#[tokio::test]
async fn an_https_endpoint_is_validated_and_told() {
    let tenant = Tenant::start_with(|config| config.service_certificate = true).await;
    let token = tenant.mail_token().await;
    let (sender, mut told) = mpsc::unbounded_channel();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    let app = Router::new().route("/hook", post(receive)).with_state(sender);
    let mut tasks = tokio::task::JoinSet::new();
    let config = tls(&tenant.path().join("data"));
    tasks.spawn(async move {
        let server = axum_server::from_tcp_rustls(listener, config).expect("a listener");
        server.serve(app.into_make_service()).await
    });
    let expires = in_an_hour(&tenant).await;
    let wish = json!({
        "changeType": "created", "notificationUrl": format!("https://localhost:{}/hook", address.port()),
        "resource": format!("users/{SUPPORT}/mailFolders('inbox')/messages"), "expirationDateTime": expires, "clientState": "s",
    });
    let mut plain = wish.clone();
    plain["notificationUrl"] = json!(format!("http://localhost:{}/hook", address.port()));
    assert_eq!(tenant.post(&token, "/subscriptions", &plain).await.status, 400);
    let made = tenant.post(&token, "/subscriptions", &wish).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let url = format!("{}/mailboxes/{SUPPORT}/messages", tenant.description().control_url);
    tenant
        .client
        .post(url)
        .body("Subject: x\r\n\r\ny")
        .send()
        .await
        .expect("an answer");
    let notification = tokio::time::timeout(std::time::Duration::from_secs(30), told.recv()).await;
    let notification = notification.expect("a notification in time").expect("a notification");
    assert_eq!(notification["value"][0]["subscriptionId"], made.body["id"]);
    tasks.abort_all();
}

/// An hour from the tenant's present, as its clock tells it.
async fn in_an_hour(tenant: &Tenant) -> String {
    let clock = tenant.control(reqwest::Method::GET, "/clock", &Value::Null).await;
    let now = clock.body["now"].as_str().expect("a time");
    let now: jiff::Timestamp = now.parse().expect("a time");
    (now + jiff::SignedDuration::from_hours(1)).to_string()
}
