//! A small receiver of notifications, and how tests subscribe.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::mail::tests::world::{Reply, SUPPORT, World};
use crate::notify::tuning::Tuning;

/// How the receiver answers the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    Echo,
    /// With a character set, as most frameworks answer.
    EchoWithCharset,
    Html,
    Undecoded,
    WithNewline,
    Empty,
    Refuse,
    Redirect,
    Hang,
    Endless,
}

#[derive(Clone)]
struct Receiver {
    manners: Manners,
    status: Arc<AtomicU16>,
    arrived: mpsc::UnboundedSender<Value>,
}

pub struct Hook {
    pub url: String,
    pub arrived: mpsc::UnboundedReceiver<Value>,
    /// What deliveries are answered with; 0 means never.
    pub status: Arc<AtomicU16>,
    pub stop: CancellationToken,
    pub address: std::net::SocketAddr,
    sender: mpsc::UnboundedSender<Value>,
}

#[derive(serde::Deserialize)]
struct Token {
    #[serde(rename = "validationToken")]
    token: Option<String>,
}

async fn receive(State(receiver): State<Receiver>, Query(query): Query<Token>, body: Bytes) -> Response {
    let Some(token) = query.token else {
        // Before the test hears of it, so that it cannot change its mind in between.
        let status = receiver.status.load(Ordering::SeqCst);
        let _ = receiver.arrived.send(serde_json::from_slice(&body).unwrap());
        if status == 0 {
            std::future::pending::<()>().await;
        }
        return StatusCode::from_u16(status).unwrap().into_response();
    };
    match receiver.manners {
        Manners::Echo => ([("content-type", "text/plain")], token).into_response(),
        Manners::Html => ([("content-type", "text/html")], token).into_response(),
        Manners::Undecoded => ([("content-type", "text/plain")], token.replace(' ', "+")).into_response(),
        Manners::EchoWithCharset => ([("content-type", "Text/Plain; charset=utf-8")], token).into_response(),
        Manners::WithNewline => ([("content-type", "text/plain")], format!("{token}\n")).into_response(),
        Manners::Empty => ([("content-type", "text/plain")], "").into_response(),
        Manners::Refuse => StatusCode::ACCEPTED.into_response(),
        Manners::Redirect => (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response(),
        Manners::Hang => std::future::pending().await,
        Manners::Endless => ([("content-type", "text/plain")], "x".repeat(1_000_000)).into_response(),
    }
}

impl Hook {
    pub async fn start(world: &World, manners: Manners) -> Self {
        let (sender, arrived) = mpsc::unbounded_channel();
        let status = Arc::new(AtomicU16::new(202));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}/hook?tenant=a%20b");
        let mut hook = Self {
            url,
            arrived,
            status,
            stop: CancellationToken::new(),
            address,
            sender,
        };
        hook.serve(world, listener, manners);
        hook
    }

    pub fn serve(&mut self, world: &World, listener: tokio::net::TcpListener, manners: Manners) {
        let receiver = Receiver {
            manners,
            status: self.status.clone(),
            arrived: self.sender.clone(),
        };
        let app = Router::new().route("/hook", post(receive)).with_state(receiver);
        let stop = CancellationToken::new();
        self.stop = stop.clone();
        world.tasks.spawn(async move {
            let server = axum::serve(listener, app).into_future();
            if let Some(outcome) = stop.run_until_cancelled(server).await {
                outcome.unwrap();
            }
        });
    }

    /// The next delivery.
    pub async fn whole(&mut self) -> Value {
        tokio::time::timeout(Duration::from_secs(60), self.arrived.recv())
            .await
            .expect("no notification came")
            .unwrap()
    }

    /// The notifications of the next delivery.
    pub async fn next(&mut self) -> Vec<Value> {
        self.whole().await["value"].as_array().unwrap().clone()
    }

    /// Whether nothing has come.
    pub fn is_silent(&mut self) -> bool {
        self.arrived.try_recv().is_err()
    }

    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The next `count` notifications, however they are batched.
    pub async fn collect(&mut self, count: usize) -> Vec<Value> {
        let mut found = Vec::new();
        while found.len() < count {
            found.extend(self.next().await);
        }
        found
    }
}

pub fn wish(hook: &str) -> Value {
    json!({
        "changeType": "created,updated,deleted", "notificationUrl": hook, "resource": format!("users/{SUPPORT}/mailFolders('inbox')/messages"),
        "expirationDateTime": "2026-03-02T10:00:00.5871790+00:00", "clientState": "secret",
    })
}

pub async fn subscribe(world: &World, body: Value) -> Reply {
    world.post("/subscriptions", body).await
}

pub fn with(mut body: Value, name: &str, value: impl Into<Value>) -> Value {
    body[name] = value.into();
    body
}

/// Waits until `reached` says yes.
pub async fn until(what: &str, mut reached: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if reached() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

/// Waits until the journal has an attempt like this.
pub async fn until_logged(world: &World, what: &str, like: impl Fn(&Value) -> bool) {
    until(what, || world.service.notification_log().iter().any(&like)).await;
}

/// Changes the numbers in force.
pub fn tune(world: &World, change: impl FnOnce(&mut Tuning)) {
    let mut tuning = world.service.notifier().tuning();
    change(&mut tuning);
    world.service.notifier().tune(tuning).unwrap();
}

/// Orders a mishap.
pub fn mishap(world: &World, rule: Value) {
    let rule = serde_json::from_value(rule).unwrap();
    world.service.notifier().mishaps().add(rule).unwrap();
}

/// One property of each notification.
pub fn each(told: &[Value], name: &str) -> Vec<String> {
    told.iter()
        .map(|one| one[name].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The id in each notification.
pub fn ids(told: &[Value]) -> Vec<String> {
    told.iter()
        .map(|one| one["resourceData"]["id"].as_str().unwrap_or_default().to_owned())
        .collect()
}
