//! The tenant that the simulated nodes work for, and the world around it.
//!
//! Owns the sandbox in this process and what the simulation asks of its control interface. The nodes reach it through
//! a transport only, as they reach Microsoft's. Never speaks to it under the nodes' application: faults that are
//! ordered for them do not touch the simulation's own questions.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use guichet_graph::{ClientCredential, ClientCredentials, Endpoints, GraphClient, RetryPolicy};
use guichet_net::{BodyLimit, HttpRequest, HttpResponse, Transport, TransportError, TransportErrorKind};
use guichet_sandbox::{Config, Cut, InProcess, Receiver};
use http::Request;
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use crate::{dice::Dice, ports::NodeTime, time::VirtualTime};

/// The nodes' application.
pub const NODES: &str = "00000000-0000-4000-8000-0000000000a1";
/// The application under which the simulation itself looks into mailboxes.
const OBSERVER: &str = "00000000-0000-4000-8000-0000000000a2";
const SECRET: &str = "simulated~secret~of~forty~characters~000";
const BASE: &str = "https://localhost";

/// The simulation itself can't go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(pub String);

impl<E: std::error::Error> From<E> for Broken {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// What the simulation asks for.
pub type Asked<T> = Result<T, Broken>;

/// A message as it lies in a mailbox.
#[derive(Debug)]
pub struct Lying {
    pub immutable_id: String,
    pub folder: String,
    pub is_read: bool,
}

/// A mail that left the tenant.
#[derive(Debug)]
pub struct Left {
    pub seq: u64,
    pub recipients: Vec<String>,
    pub internet_message_id: String,
}

/// What a mail that left the tenant says.
#[derive(Debug)]
pub struct Letter {
    pub mark: String,
    pub text: String,
    /// Name and bytes of each.
    pub attachments: Vec<(String, Option<i64>)>,
}

/// The tenant.
#[derive(Debug)]
pub struct Tenant {
    inner: InProcess,
    id: String,
    /// Addresses that are followed.
    pub mailboxes: Vec<String>,
}

impl Tenant {
    /// Makes a tenant with so many mailboxes, and two applications that may use them.
    pub async fn start(
        seed: u64,
        time: &VirtualTime,
        mailboxes: usize,
        receiver: Arc<dyn Receiver>,
    ) -> Asked<Arc<Self>> {
        let mailboxes: Vec<String> = (0..mailboxes).map(|n| format!("desk{n}@contoso.example")).collect();
        let config = Config {
            mailboxes: mailboxes.clone(),
            seed: Some(seed),
            ..Config::default()
        };
        let inner = InProcess::start(&config, time.now(), receiver)?;
        let mut tenant = Self {
            inner,
            id: String::new(),
            mailboxes,
        };
        let application = |name: &str, id: &str| {
            format!(
                "[[application]]\nname = \"{name}\"\napp_id = \"{id}\"\nsecrets = [{{ text = \"{SECRET}\" }}]\n\
                 permissions = [\"Mail.ReadWrite\", \"Mail.Send\", \"User.Read.All\"]\n"
            )
        };
        let scenario = format!(
            "version = 1\nname = \"simulation\"\n{}{}",
            application("nodes", NODES),
            application("observer", OBSERVER)
        );
        tenant.control("POST", "/scenario", scenario.into()).await?;
        let state = tenant.control("GET", "/state", Bytes::new()).await?;
        tenant.id = text(&state, "tenant_id")?;
        Ok(Arc::new(tenant))
    }

    /// Its clock, to be moved.
    pub fn clock(&self) -> &guichet_sandbox::SandboxClock {
        self.inner.clock()
    }

    /// Sends a request as a program outside would; nothing when the connection broke.
    pub async fn request(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let mut asked = Request::builder()
            .method(request.method.clone())
            .uri(request.url.as_str());
        if let Some(headers) = asked.headers_mut() {
            headers.extend(request.headers.clone());
        }
        let answer = self.inner.request(asked.body(request.body.clone()).ok()?).await;
        let (parts, body) = answer.ok()?.into_parts();
        Some(HttpResponse {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    async fn raw(&self, method: &str, path: &str, body: Bytes) -> Asked<Bytes> {
        let request = Request::builder().method(method).uri(format!("http://localhost{path}"));
        let answer = self.inner.control(request.body(body)?).await;
        let answer = answer.map_err(|Cut| Broken(format!("{method} {path}: no answer")))?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let said = String::from_utf8_lossy(answer.body()).into_owned();
        Err(Broken(format!("{method} {path}: {} {said}", answer.status())))
    }

    async fn control(&self, method: &str, path: &str, body: Bytes) -> Asked<Value> {
        Ok(serde_json::from_slice(&self.raw(method, path, body).await?)?)
    }

    /// Orders something of the control interface.
    pub async fn order(&self, method: &str, path: &str, body: &Value) -> Asked<Value> {
        self.control(method, path, body.to_string().into()).await
    }

    /// Puts the bytes of a mail into an inbox; gives its immutable id.
    pub async fn deliver(&self, mailbox: &str, mail: Bytes) -> Asked<String> {
        let path = format!("/mailboxes/{mailbox}/messages?folder=inbox");
        text(&self.control("POST", &path, mail).await?, "immutable_id")
    }

    /// Everything that lies in a mailbox.
    pub async fn messages(&self, mailbox: &str) -> Asked<Vec<Lying>> {
        let path = format!("/mailboxes/{mailbox}/messages");
        let answer = self.control("GET", &path, Bytes::new()).await?;
        list(&answer, "messages")?
            .iter()
            .map(|one| {
                Ok(Lying {
                    immutable_id: text(one, "immutable_id")?,
                    folder: text(one, "folder")?,
                    is_read: one["is_read"] == json!(true),
                })
            })
            .collect()
    }

    /// The bytes of a mail as they lie in a mailbox.
    pub async fn mime(&self, mailbox: &str, id: &str) -> Asked<Bytes> {
        let path = format!("/mailboxes/{mailbox}/messages/{id}/mime");
        self.raw("GET", &path, Bytes::new()).await
    }

    /// Every mail that left the tenant.
    pub async fn outside(&self) -> Asked<Vec<Left>> {
        let answer = self.control("GET", "/outside", Bytes::new()).await?;
        list(&answer, "mails")?
            .iter()
            .map(|one| {
                let recipients = list(one, "recipients")?;
                Ok(Left {
                    seq: one["seq"].as_u64().unwrap_or_default(),
                    recipients: recipients.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                    internet_message_id: text(one, "internet_message_id")?,
                })
            })
            .collect()
    }

    /// What a mail that left the tenant says; its header of this name is the mark.
    pub async fn read_outside(&self, seq: u64, mark: &str) -> Asked<Letter> {
        let answer = self
            .control("GET", &format!("/outside/{seq}/message"), Bytes::new())
            .await?;
        let headers = list(&answer, "headers")?;
        let found = headers
            .iter()
            .find(|header| header["name"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(mark)));
        let mark = found.and_then(|header| header["value"].as_str()).unwrap_or_default();
        let attachment = |one: &Value| {
            (
                one["name"].as_str().unwrap_or_default().to_owned(),
                one["size"].as_i64(),
            )
        };
        Ok(Letter {
            mark: mark.to_owned(),
            text: answer["text"].as_str().unwrap_or_default().to_owned(),
            attachments: list(&answer, "attachments")?.iter().map(attachment).collect(),
        })
    }

    /// Ids of all subscriptions.
    pub async fn subscriptions(&self) -> Asked<Vec<String>> {
        let answer = self
            .control("GET", "/notifications/subscriptions", Bytes::new())
            .await?;
        list(&answer, "subscriptions")?
            .iter()
            .map(|one| text(one, "id"))
            .collect()
    }

    /// A client of one of the applications over this transport.
    fn client(
        &self,
        application: &str,
        transport: Arc<dyn Transport>,
        time: Arc<dyn guichet_graph::Time>,
        entropy: Arc<Dice>,
        retry: RetryPolicy,
    ) -> Asked<GraphClient> {
        let base = Url::parse(BASE)?;
        let endpoints = Endpoints {
            authority: base.clone(),
            graph: base,
        };
        let tokens = ClientCredentials::new(
            transport.clone(),
            time.clone(),
            endpoints.token_endpoint(&self.id)?,
            application,
            ClientCredential::Secret(SecretString::from(SECRET)),
        );
        let tokens = Arc::new(tokens.with_retry(retry.clone()));
        Ok(GraphClient::new(transport, tokens, endpoints, retry, time, entropy))
    }

    /// The client of a node.
    pub fn client_of_node(
        &self,
        transport: Arc<dyn Transport>,
        time: Arc<NodeTime>,
        entropy: Arc<Dice>,
    ) -> Asked<GraphClient> {
        self.client(NODES, transport, time, entropy, RetryPolicy::default())
    }

    /// The client of the simulation, whose questions take no time and meet no fault.
    pub fn observer(self: &Arc<Self>, time: Arc<NodeTime>, seed: u64) -> Asked<GraphClient> {
        let entropy = Arc::new(Dice::new(seed, "observer"));
        let transport = Arc::new(Direct(self.clone()));
        self.client(OBSERVER, transport, time, entropy, RetryPolicy::never())
    }

    /// The directory id in text.
    pub fn id(&self) -> &str {
        &self.id
    }
}

fn text(value: &Value, name: &str) -> Asked<String> {
    let found = value[name].as_str().map(str::to_owned);
    found.ok_or_else(|| Broken(format!("the control interface gives no `{name}`: {value}")))
}

fn list<'a>(value: &'a Value, name: &str) -> Asked<&'a [Value]> {
    let found = value[name].as_array().map(Vec::as_slice);
    found.ok_or_else(|| Broken(format!("the control interface gives no `{name}`: {value}")))
}

/// A way to the tenant without distance.
#[derive(Debug)]
struct Direct(Arc<Tenant>);

#[async_trait]
impl Transport for Direct {
    async fn send(&self, request: HttpRequest, _: BodyLimit) -> Result<HttpResponse, TransportError> {
        let answer = self.0.request(&request).await;
        answer.ok_or_else(|| TransportError::new(TransportErrorKind::Closed, &request.url, "cut"))
    }
}
