//! Mistakes around subscriptions over HTTPS, each with its refusal, and what the directory does to subscriptions.

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use guichet_sandbox::{Config, Persistence, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::harness::{self, Answer, Tenant};

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

/// A tenant, a receiver, and an application that may read mail.
struct Scene {
    tenant: Tenant,
    token: String,
    hook: String,
    told: mpsc::UnboundedReceiver<Value>,
    _tasks: tokio::task::JoinSet<std::io::Result<()>>,
}

impl Scene {
    async fn start() -> Self {
        Self::start_with(configure).await
    }

    async fn start_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let tenant = Tenant::start_with(adjust).await;
        let token = tenant.mail_token().await;
        let (sender, told) = mpsc::unbounded_channel();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let hook = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let app = Router::new().route("/hook", post(receive)).with_state(sender);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await });
        Self {
            tenant,
            token,
            hook,
            told,
            _tasks: tasks,
        }
    }

    fn wish(&self) -> Value {
        json!({
            "changeType": "created,updated", "notificationUrl": self.hook, "lifecycleNotificationUrl": self.hook,
            "resource": format!("users/{SUPPORT}/mailFolders('inbox')/messages"), "clientState": "s",
            "expirationDateTime": "2026-03-02T10:00:00Z",
        })
    }

    async fn subscribe(&self, wish: &Value) -> Answer {
        self.tenant.post(&self.token, "/subscriptions", wish).await
    }

    async fn inject(&self) {
        let url = format!("{}/mailboxes/{SUPPORT}/messages", self.tenant.description().control_url);
        let sent = self.tenant.client.post(url).body("Subject: x\r\n\r\ny").send().await;
        assert!(sent.expect("an answer").status().is_success());
    }

    async fn next(&mut self) -> Value {
        tokio::time::timeout(std::time::Duration::from_secs(60), self.told.recv())
            .await
            .expect("a notification in time")
            .expect("a notification")
    }
}

fn configure(config: &mut Config) {
    config.notify_plain_http = true;
    config.frozen_at = Some("2026-03-01T10:00:00Z".parse().expect("a time"));
}

/// The wish with one property set, or left out when null.
fn but(mut wish: Value, name: &str, value: Value) -> Value {
    let members = wish.as_object_mut().expect("an object");
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    wish
}

#[tokio::test]
async fn each_mistake_in_a_wish_has_its_refusal() {
    let scene = Scene::start().await;
    let user = |rest: &str| json!(format!("users/{SUPPORT}/{rest}"));
    let mistakes = [
        (400, "changeType", Value::Null),
        (400, "changeType", json!("")),
        (400, "changeType", json!("read")),
        (400, "changeType", json!(["created"])),
        (400, "notificationUrl", Value::Null),
        (400, "notificationUrl", json!("not a url")),
        (400, "notificationUrl", json!("ftp://127.0.0.1/hook")),
        (400, "notificationUrl", json!("http://127.0.0.1:1/nobody")),
        (
            501,
            "notificationUrl",
            json!("EventHub:https://v.vault.azure.net/secrets/s?tenantId=t"),
        ),
        (501, "notificationUrl", json!("EventGrid:?azuresubscriptionid=s")),
        (400, "lifecycleNotificationUrl", json!("http://127.0.0.1:1/nobody")),
        (400, "resource", Value::Null),
        (400, "resource", json!("nonsense")),
        (400, "resource", json!("me/messages")),
        (404, "resource", json!("users/nobody@contoso.example/messages")),
        (
            404,
            "resource",
            json!("users/00000000-0000-0000-0000-000000000001/messages"),
        ),
        (501, "resource", user("events")),
        (501, "resource", json!("teams/t/channels/c/messages")),
        (400, "resource", user("mailFolders/nonsense/messages")),
        (400, "resource", user("messages?$filter=nonsense eq 1")),
        (400, "resource", user("messages?$top=5")),
        (400, "expirationDateTime", Value::Null),
        (400, "expirationDateTime", json!("tomorrow")),
        (400, "expirationDateTime", json!("2026-03-02T10:00:00")),
        (400, "expirationDateTime", json!("2026-03-01T09:59:59Z")),
        (400, "expirationDateTime", json!("2026-03-08T10:05:00Z")),
        (400, "clientState", json!("x".repeat(129))),
        (400, "clientState", json!(7)),
        (400, "latestSupportedTlsVersion", json!("v9_9")),
        (400, "includeResourceData", json!(true)),
        (501, "notificationQueryOptions", json!("$filter=x")),
        (400, "notificationURI", json!("https://hook.example")),
    ];
    for (status, name, value) in mistakes {
        let answer = scene.subscribe(&but(scene.wish(), name, value.clone())).await;
        assert_eq!(answer.status, status, "{name} {value}: {:?}", answer.body);
        let error = &answer.body["error"];
        assert!(error["code"].is_string() && !error["message"].as_str().unwrap_or_default().is_empty());
        assert!(error["innerError"]["request-id"].is_string(), "{name}");
    }
    let listed = scene.tenant.get(&scene.token, "/subscriptions").await;
    assert_eq!(listed.body["value"], json!([]));
    // The wish itself is good: the refusals above were for the mistakes.
    assert_eq!(scene.subscribe(&scene.wish()).await.status, 201);
    assert_eq!(scene.subscribe(&scene.wish()).await.status, 409);
}

#[tokio::test]
async fn a_failed_validation_answers_as_observed() {
    let scene = Scene::start().await;
    let closed = but(scene.wish(), "notificationUrl", json!("http://127.0.0.1:1/nobody"));
    let answer = scene.subscribe(&closed).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.error_code(), "InvalidRequest");
    assert_eq!(
        answer.body["error"]["message"],
        "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request."
    );
    let seen = scene
        .tenant
        .control(Method::GET, "/notifications/handshakes", &Value::Null)
        .await;
    assert!(seen.body["handshakes"][0]["problem"].is_string(), "{:?}", seen.body);
}

#[tokio::test]
async fn both_urls_are_validated_even_when_they_are_the_same() {
    let scene = Scene::start().await;
    assert_eq!(scene.subscribe(&scene.wish()).await.status, 201);
    let seen = scene
        .tenant
        .control(Method::GET, "/notifications/handshakes", &Value::Null)
        .await;
    assert_eq!(seen.body["handshakes"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn each_mistake_with_a_subscription_has_its_refusal() {
    let scene = Scene::start().await;
    let (tenant, token) = (&scene.tenant, &scene.token);
    let made = scene.subscribe(&scene.wish()).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let path = format!("/subscriptions/{}", made.body["id"].as_str().expect("an id"));
    let renewal = json!({"expirationDateTime": "2026-03-03T10:00:00Z"});
    let other = tenant.administrator_token().await;
    let path = path.as_str();
    let unknown = "/subscriptions/00000000-0000-0000-0000-000000000001";
    let calls = [
        (404, Method::GET, token, unknown, Value::Null),
        (404, Method::GET, token, "/subscriptions/nonsense", Value::Null),
        (404, Method::PATCH, token, unknown, renewal.clone()),
        (404, Method::DELETE, token, unknown, Value::Null),
        (404, Method::GET, &other, path, Value::Null),
        (404, Method::PATCH, &other, path, renewal.clone()),
        (404, Method::DELETE, &other, path, Value::Null),
        (400, Method::PATCH, token, path, json!({})),
        (
            400,
            Method::PATCH,
            token,
            path,
            json!({"lifecycleNotificationUrl": "https://hook.example"}),
        ),
        (400, Method::PATCH, token, path, json!({"resource": "me/messages"})),
        (
            400,
            Method::PATCH,
            token,
            path,
            json!({"expirationDateTime": "2026-04-01T10:00:00Z"}),
        ),
        (
            400,
            Method::PATCH,
            token,
            path,
            json!({"notificationUrl": "http://127.0.0.1:1/nobody"}),
        ),
        (405, Method::PUT, token, path, renewal.clone()),
        (405, Method::PATCH, token, "/subscriptions", renewal.clone()),
        (400, Method::GET, token, "/subscriptions?$filter=id eq 'x'", Value::Null),
    ];
    for (status, method, token, path, body) in calls {
        let answer = tenant.graph(token, method.clone(), path, &body).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {:?}", answer.body);
    }
    let nobody = tenant
        .graph("nonsense", Method::POST, "/subscriptions", &scene.wish())
        .await;
    assert_eq!(nobody.status, 401);
    assert_eq!(tenant.graph(token, Method::PATCH, path, &renewal).await.status, 200);
    let reauthorized = tenant.post(token, &format!("{path}/reauthorize"), &Value::Null).await;
    assert_eq!(reauthorized.status, 204);
    assert_eq!(
        tenant.graph(token, Method::DELETE, path, &Value::Null).await.status,
        204
    );
    assert_eq!(tenant.get(token, path).await.status, 404);
}

#[tokio::test]
async fn an_application_without_a_mail_permission_may_not_watch() {
    let scene = Scene::start().await;
    let other = scene.tenant.administrator_token().await;
    let answer = scene.tenant.post(&other, "/subscriptions", &scene.wish()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.error_code()),
        (403, "ErrorAccessDenied")
    );
}

/// The service principal of the application that subscribed.
async fn principal(scene: &Scene) -> (String, String) {
    let administrator = scene.tenant.administrator_token().await;
    let app = harness::claims(&scene.token)["appid"]
        .as_str()
        .expect("an id")
        .to_owned();
    let found = scene
        .tenant
        .get(&administrator, &format!("/servicePrincipals(appId='{app}')"))
        .await;
    (administrator, found.body["id"].as_str().expect("an id").to_owned())
}

#[tokio::test]
async fn a_disabled_application_loses_its_subscription() {
    let mut scene = Scene::start().await;
    let made = scene.subscribe(&scene.wish()).await;
    let (administrator, id) = principal(&scene).await;
    let path = format!("/servicePrincipals/{id}");
    let disabled = json!({"accountEnabled": false});
    let answer = scene
        .tenant
        .graph(&administrator, Method::PATCH, &path, &disabled)
        .await;
    assert_eq!(answer.status, 204, "{:?}", answer.body);
    let told = scene.next().await;
    assert_eq!(told["value"][0]["lifecycleEvent"], "subscriptionRemoved");
    assert_eq!(told["value"][0]["subscriptionId"], made.body["id"]);
}

#[tokio::test]
async fn a_revoked_consent_ends_the_subscription() {
    let mut scene = Scene::start().await;
    scene.subscribe(&scene.wish()).await;
    let (administrator, id) = principal(&scene).await;
    let path = format!("/servicePrincipals/{id}/appRoleAssignments");
    let held = scene.tenant.get(&administrator, &path).await;
    let mail = held.body["value"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["appRoleId"] == "e2a3a72e-5f79-4c64-b1b1-878b674786c9")
        .expect("the permission to read mail");
    let path = format!("{path}/{}", mail["id"].as_str().expect("an id"));
    let answer = scene
        .tenant
        .graph(&administrator, Method::DELETE, &path, &Value::Null)
        .await;
    assert_eq!(answer.status, 204);
    assert_eq!(scene.next().await["value"][0]["lifecycleEvent"], "subscriptionRemoved");
    let left = scene
        .tenant
        .control(Method::GET, "/notifications/subscriptions", &Value::Null)
        .await;
    assert_eq!(left.body["subscriptions"], json!([]));
}

#[tokio::test]
async fn mishaps_and_numbers_are_ordered_over_the_control_interface() {
    let mut scene = Scene::start().await;
    let made = scene.subscribe(&scene.wish()).await;
    let tenant = &scene.tenant;
    for (method, path, body, status) in [
        (Method::PATCH, "/notifications/settings", json!({"slow_share": 2}), 400),
        (Method::PATCH, "/notifications/settings", json!({"nonsense": 2}), 400),
        (
            Method::PATCH,
            "/notifications/settings",
            json!({"slow_after_milliseconds": 2900}),
            200,
        ),
        (
            Method::POST,
            "/notifications/faults",
            json!({"action": {"kind": "explode"}}),
            400,
        ),
        (
            Method::POST,
            "/notifications/faults",
            json!({"mailbox": "x@y", "action": {"kind": "lose"}}),
            400,
        ),
        (
            Method::POST,
            "/notifications/faults",
            json!({"mailbox": SUPPORT, "action": {"kind": "duplicate"}}),
            201,
        ),
        (Method::DELETE, "/notifications/faults/99", Value::Null, 404),
    ] {
        let answer = tenant.control(method.clone(), path, &body).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {:?}", answer.body);
    }
    let settings = tenant
        .control(Method::GET, "/notifications/settings", &Value::Null)
        .await;
    assert_eq!(settings.body["slow_after_milliseconds"], 2_900);
    scene.inject().await;
    let mut told = Vec::new();
    while told.len() < 2 {
        told.extend(scene.next().await["value"].as_array().cloned().unwrap_or_default());
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0]["subscriptionId"], made.body["id"]);
    let rules = scene
        .tenant
        .control(Method::DELETE, "/notifications/faults", &Value::Null)
        .await;
    assert_eq!(rules.body["removed"], 1);
}

#[tokio::test]
async fn a_validation_token_is_signed_with_the_published_key() {
    let mut scene = Scene::start().await;
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).expect("a key");
    let params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    let certificate = params.self_signed(&key).expect("a certificate");
    let mut wish = but(scene.wish(), "includeResourceData", json!(true));
    wish["resource"] = json!(format!("users/{SUPPORT}/messages?$select=subject"));
    wish["encryptionCertificate"] = {
        use base64::Engine as _;
        json!(base64::engine::general_purpose::STANDARD.encode(certificate.der()))
    };
    wish["encryptionCertificateId"] = json!("c");
    let made = scene.subscribe(&wish).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    scene.inject().await;
    let told = scene.next().await;
    let token = told["validationTokens"][0].as_str().expect("a token").to_owned();
    let keys = scene
        .tenant
        .client
        .get(scene.tenant.url("/common/discovery/keys"))
        .send()
        .await;
    let keys: jsonwebtoken::jwk::JwkSet = keys.expect("an answer").json().await.expect("keys");
    let header = jsonwebtoken::decode_header(&token).expect("a header");
    let jwk = keys.find(&header.kid.expect("a key id")).expect("the key");
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&[harness::claims(&scene.token)["appid"].as_str().expect("an id")]);
    let tenant_id = scene.tenant.description().tenant_id;
    validation.set_issuer(&[format!("https://sts.windows.net/{tenant_id}/")]);
    // The tenant's clock is frozen in another year than the machine's.
    validation.validate_exp = false;
    let decoding = jsonwebtoken::DecodingKey::from_jwk(jwk).expect("a usable key");
    let claims = jsonwebtoken::decode::<Value>(&token, &decoding, &validation).expect("a valid token");
    assert_eq!(claims.claims["appid"], "0bf30f3b-4a52-48df-9a82-234910c4a086");
}

#[tokio::test]
async fn a_subscription_outlives_a_restart() {
    let saved = |config: &mut Config| {
        configure(config);
        config.persistence = Persistence::Saved;
    };
    let scene = Scene::start_with(saved).await;
    let made = scene.subscribe(&scene.wish()).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let Scene { tenant, mut told, .. } = scene;
    let data = tenant.path().join("data");
    let Tenant { running, .. } = tenant;
    running.stop().await.expect("the last save");
    let mut config = Config {
        data_directory: data,
        ..Config::default()
    };
    saved(&mut config);
    let again = Sandbox::start(config).await.expect("the sandbox starts again");
    let url = format!("{}/mailboxes/{SUPPORT}/messages", again.description().control_url);
    let sent = harness::client(again.description())
        .post(url)
        .body("Subject: x\r\n\r\ny")
        .send()
        .await;
    assert!(sent.expect("an answer").status().is_success());
    let notification = tokio::time::timeout(std::time::Duration::from_secs(60), told.recv()).await;
    let notification = notification.expect("a notification in time").expect("a notification");
    assert_eq!(notification["value"][0]["subscriptionId"], made.body["id"]);
    again.shutdown().await;
}
