//! A sandbox, connected as an administrator connects a tenant, and everything that can be done to either.
//!
//! Owns the clock of both sides, which stands still unless a fault moves it.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use guichet_domain::{AddressRange, finding::Finding};
use guichet_graph::{GraphClient, Time, TokenSource};
use guichet_net::{BodyLimit, HttpRequest, NetConfig, ReqwestTransport, Transport};
use guichet_sandbox::{Config, Description, Running, Sandbox};
use guichet_setup::{
    Connect, Desired, KeySource, Language, SignIn, Silent, Vault, administrator,
    doctor::{self, DoctorContext, Options},
};
use guichet_store::{
    Store,
    records::{Credential, Folder, Integration},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use crate::endpoint::Endpoint;

pub const SUPPORT: &str = "support@contoso.example";
pub const SALES: &str = "sales@contoso.example";
/// 32 bytes in base64.
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NOW: &str = "2026-03-01T12:00:00Z";

#[derive(Debug)]
pub(crate) struct StageTime(Mutex<Timestamp>);

impl StageTime {
    fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

#[async_trait]
impl Time for StageTime {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    /// Waits of the program pass at once.
    async fn sleep(&self, duration: Duration) {
        self.advance(SignedDuration::try_from(duration).unwrap());
    }
}

#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl guichet_domain::ports::Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&next[8 - chunk.len()..]);
        }
    }
}

pub(crate) struct Stage {
    sandbox: Running,
    /// Another tenant elsewhere, where a fault needs one.
    elsewhere: Option<Running>,
    directory: TempDir,
    administrator: GraphClient,
    /// The way to the sandbox, for the stage's own requests.
    sound: Arc<dyn Transport>,
    /// The way out of the program.
    pub transport: Arc<dyn Transport>,
    pub time: Arc<StageTime>,
    pub entropy: Arc<dyn guichet_domain::ports::Entropy>,
    pub store: Store,
    /// The master key as the environment gives it.
    pub key: String,
    /// What `guichet.toml` says.
    pub desired: Desired,
    pub notification_url: Option<Url>,
    pub options: Options,
    /// Addresses for the allow list.
    pub ranges: Vec<AddressRange>,
    /// What listens at the notification address, where a fault needs it.
    pub endpoint: Option<Endpoint>,
    /// What a fault keeps for its undoing.
    pub kept: Value,
}

async fn start(directory: &TempDir, name: &str, domain: &str, now: Timestamp) -> Running {
    let config = Config {
        data_directory: directory.path().join(name),
        tenant_domain: domain.to_owned(),
        mailboxes: ["support", "sales"].map(|user| format!("{user}@{domain}")).to_vec(),
        frozen_at: Some(now),
        ..Config::default()
    };
    Sandbox::start(config).await.unwrap()
}

/// A transport that trusts these sandboxes.
fn transport(trusted: &[&Description], request_timeout: Duration) -> Arc<dyn Transport> {
    let config = NetConfig {
        extra_ca_files: trusted.iter().map(|description| description.ca_file.clone()).collect(),
        request_timeout,
        ..NetConfig::default()
    };
    Arc::new(ReqwestTransport::new(&config).unwrap())
}

const LONG: Duration = Duration::from_secs(30);

impl Stage {
    pub async fn connected() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let now = NOW.parse().unwrap();
        let sandbox = start(&directory, "sandbox", "contoso.example", now).await;
        let description = sandbox.description().clone();
        let sound = transport(&[&description], LONG);
        let time = Arc::new(StageTime(Mutex::new(now)));
        let entropy: Arc<dyn guichet_domain::ports::Entropy> = Arc::new(Counter::default());
        let desired: Desired = serde_json::from_value(json!({
            "tenant": description.tenant_id,
            "authority": description.authority,
            "graph": description.graph_url,
            "application": { "name": "Guichet of Contoso" },
            "mailboxes": [SUPPORT, SALES],
        }))
        .unwrap();
        let sign_in = SignIn::Application {
            client_id: description.administrator.client_id.to_string(),
            secret: description.administrator.client_secret.as_str().into(),
        };
        let administrator = administrator(sign_in, &desired, sound.clone(), time.clone(), entropy.clone(), &|_| {});
        let stage = Self {
            administrator: administrator.await.unwrap(),
            elsewhere: None,
            transport: sound.clone(),
            store: Store::in_memory().await.unwrap(),
            key: KEY.to_owned(),
            notification_url: None,
            // No stage of these has an endpoint; those that have one switch it on.
            options: Options {
                probe_endpoint: false,
                ..Options::default()
            },
            ranges: Vec::new(),
            endpoint: None,
            kept: Value::Null,
            sandbox,
            directory,
            sound,
            time,
            entropy,
            desired,
        };
        stage.apply().await;
        stage
    }

    pub fn administrator(&self) -> &GraphClient {
        &self.administrator
    }

    /// What `guichet connect` works with.
    pub fn connect(&self) -> Connect {
        Connect {
            administrator: self.administrator.clone(),
            transport: self.transport.clone(),
            store: self.store.clone(),
            vault: self.vault().unwrap(),
            time: self.time.clone(),
            entropy: self.entropy.clone(),
        }
    }

    /// `guichet connect apply`.
    pub async fn apply(&self) {
        self.connect().apply(&self.desired, &Silent).await.unwrap();
    }

    /// `guichet doctor`.
    pub async fn doctor(&self, language: Language) -> Vec<Finding> {
        let context = DoctorContext {
            store: self.store.clone(),
            vault: self.vault(),
            transport: self.transport.clone(),
            time: self.time.clone(),
            entropy: self.entropy.clone(),
            desired: Some(self.desired.clone()),
            notification_url: self.notification_url.clone(),
            options: self.options.clone(),
            ranges: self.ranges.clone(),
        };
        doctor::run(&context, language).await
    }

    /// A file that goes with the stage.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn vault(&self) -> Result<Arc<Vault>, guichet_setup::Error> {
        Vault::open(KeySource::Environment(self.key.clone())).map(Arc::new)
    }

    pub fn description(&self) -> &Description {
        self.sandbox.description()
    }

    pub async fn integration(&self) -> Integration {
        self.store.integration().await.unwrap().unwrap()
    }

    /// The credential in use.
    pub async fn credential(&self) -> Credential {
        let integration = self.integration().await;
        self.store.credentials(integration.id).await.unwrap().remove(0)
    }

    /// The first followed folder of the served mailbox.
    pub async fn folder(&self) -> Folder {
        let mut mailboxes = self.store.mailboxes().await.unwrap();
        mailboxes.retain(|mailbox| mailbox.enabled);
        self.store.folders_of(mailboxes[0].id).await.unwrap().remove(0)
    }

    pub async fn app_id(&self) -> String {
        self.integration().await.app_id.unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// Lets the clocks of both sides go on.
    pub async fn advance(&self, by: SignedDuration) {
        self.time.advance(by);
        self.control(Method::POST, "/clock", &json!({ "advance_seconds": by.as_secs() }))
            .await;
    }

    /// Sets this machine's clock back.
    pub fn set_back(&self, by: SignedDuration) {
        self.time.advance(-by);
    }

    /// The configuration as it is right.
    pub fn correct(&mut self) {
        let description = self.sandbox.description();
        self.desired.tenant = description.tenant_id.to_string();
        self.desired.authority = description.authority.parse().unwrap();
        self.desired.graph = description.graph_url.parse().unwrap();
        self.desired.mailboxes = serde_json::from_value(json!([SUPPORT, SALES])).unwrap();
        self.desired.folders = vec!["inbox".to_owned()];
        self.transport = self.sound.clone();
        self.key = KEY.to_owned();
    }

    /// From now on the program gives up early.
    pub fn become_impatient(&mut self) {
        self.transport = transport(&[self.sandbox.description()], Duration::from_millis(400));
    }

    /// A sandbox of another tenant, with an authority of its own for certificates.
    pub async fn elsewhere(&mut self) -> Description {
        let running = start(&self.directory, "elsewhere", "fabrikam.example", self.now()).await;
        let description = running.description().clone();
        self.elsewhere = Some(running);
        description
    }

    /// From now on the program trusts this sandbox's certificate, and no other.
    pub fn trust_only(&mut self, description: &Description) {
        self.transport = transport(&[description], LONG);
    }

    /// A request to the control interface.
    pub async fn control(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.sandbox.description().control_url);
        self.send(method, &url, HeaderMap::new(), body).await
    }

    /// A request to Graph as the administrator.
    pub async fn graph(&self, method: Method, path: &str, body: &Value) -> Value {
        let token = self.administrator.token().await.unwrap();
        self.graph_with(&token, method, path, body).await
    }

    /// A request to Graph as the application itself, for what no administrator's tool does.
    pub async fn graph_as_application(&self, method: Method, path: &str, body: &Value) -> Value {
        let token = self.application_token().await.unwrap();
        self.graph_with(&token, method, path, body).await
    }

    /// A new token of the application itself.
    pub async fn application_token(&self) -> guichet_graph::Result<guichet_graph::AccessToken> {
        let credential = self.credential().await;
        let secret = guichet_setup::client_secret::unseal(&self.vault().unwrap(), &credential).unwrap();
        self.token_of(&self.app_id().await, secret.expose_secret()).await
    }

    /// A token of any application.
    pub async fn token_of(&self, app_id: &str, secret: &str) -> guichet_graph::Result<guichet_graph::AccessToken> {
        let secret = guichet_graph::ClientCredential::Secret(secret.into());
        self.token_by(app_id, secret).await
    }

    /// The same with a credential of any kind.
    pub async fn token_by(
        &self,
        app_id: &str,
        credential: guichet_graph::ClientCredential,
    ) -> guichet_graph::Result<guichet_graph::AccessToken> {
        let endpoint = self.integration().await.token_endpoint.unwrap();
        let source = guichet_graph::ClientCredentials::new(
            self.sound.clone(),
            self.time.clone(),
            endpoint.parse().unwrap(),
            app_id,
            credential,
        );
        let resource = guichet_graph::Endpoints {
            authority: self.desired.authority.clone(),
            graph: self.desired.graph.clone(),
        };
        source.token(resource.graph_resource()).await
    }

    pub async fn graph_with(
        &self,
        token: &guichet_graph::AccessToken,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Value {
        let mut headers = HeaderMap::new();
        let value = format!("Bearer {}", token.secret().expose_secret());
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
        let url = format!("{}/v1.0{path}", self.sandbox.description().authority);
        self.send(method, &url, headers, body).await
    }

    async fn send(&self, method: Method, url: &str, mut headers: HeaderMap, body: &Value) -> Value {
        let mut bytes = Vec::new();
        if !body.is_null() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            bytes = serde_json::to_vec(body).unwrap();
        }
        let request = HttpRequest {
            method: method.clone(),
            url: url.parse().unwrap(),
            headers,
            body: bytes.into(),
        };
        let answer = self.sound.send(request, BodyLimit::default()).await.unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status.is_success(), "{method} {url}: {}: {text}", answer.status);
        if answer.status == StatusCode::NO_CONTENT {
            return Value::Null;
        }
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// A rule for faults that holds until [`Stage::without_rules`].
    pub async fn rule(&self, mut rule: Value) {
        rule["times"] = json!(0);
        self.control(Method::POST, "/faults", &rule).await;
    }

    pub async fn without_rules(&self) {
        self.control(Method::DELETE, "/faults", &Value::Null).await;
    }

    /// Entra answers each request for a token with this refusal.
    pub async fn refuse_tokens(&self, status: u16, error: &str, number: u32, text: &str) {
        let body = json!({
            "error": error,
            "error_description": format!("AADSTS{number}: {text} Trace ID: 3a0a4c5c-4bb1-4d6a-9f4f-2b8b0e6f0d00 \
                 Correlation ID: 3a0a4c5c-4bb1-4d6a-9f4f-2b8b0e6f0d01 Timestamp: 2026-03-01 12:00:00Z"),
            "error_codes": [number],
            "trace_id": "3a0a4c5c-4bb1-4d6a-9f4f-2b8b0e6f0d00",
        });
        let action = json!({ "kind": "status", "status": status, "body": body.to_string() });
        self.rule(json!({ "path_contains": "/oauth2/v2.0/token", "action": action }))
            .await;
    }

    /// The application's object in the directory.
    pub async fn application(&self) -> Value {
        let path = format!("/applications(appId='{}')", self.app_id().await);
        self.graph(Method::GET, &path, &Value::Null).await
    }

    /// The application's service principal.
    pub async fn principal(&self) -> Value {
        let path = format!("/servicePrincipals(appId='{}')", self.app_id().await);
        self.graph(Method::GET, &path, &Value::Null).await
    }

    pub async fn patch_application(&self, change: &Value) {
        let path = format!("/applications/{}", text(&self.application().await["id"]));
        self.graph(Method::PATCH, &path, change).await;
    }

    pub async fn patch_principal(&self, change: &Value) {
        let path = format!("/servicePrincipals/{}", text(&self.principal().await["id"]));
        self.graph(Method::PATCH, &path, change).await;
    }

    /// A cmdlet of Exchange Online PowerShell.
    pub async fn cmdlet(&self, cmdlet: &str, parameters: Value) -> Value {
        let body = json!({ "cmdlet": cmdlet, "parameters": parameters });
        self.control(Method::POST, "/exchange/invoke", &body).await
    }
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// An address where nothing listens.
pub fn closed_port() -> Url {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    format!("https://localhost:{port}").parse().unwrap()
}
