//! What the tests share: a service over a store in memory, with mail in it, and a client.

mod answer;
mod certificate;
mod mails;
mod ports;

use std::sync::Arc;

use axum::{Router, body::Body, response::Response};
use guichet_domain::{
    AddressRange, ApiKeyId, FolderId, MailboxId,
    ports::{Clock, Entropy},
    routing::{AddressPattern, Route},
};
use guichet_engine::Handle;
use guichet_store::Store;
use http::{Method, Request};
use jiff::SignedDuration;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub(crate) use self::{
    answer::Answer,
    certificate::{self_signed, write_pair},
    mails::{ATTACHED, RAW},
    ports::TestEntropy,
};
use self::{mails::mailbox_in, ports::TestClock};
use crate::{
    auth::{hash_api_key, new_api_key},
    router,
    state::{ApiParts, ApiState, FindingsSource},
};

/// An id that nothing has.
pub(crate) const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
/// A service with one mailbox, and a client with a key.
pub(crate) struct Fixture {
    pub state: ApiState,
    app: Router,
    pub key: String,
    key_id: ApiKeyId,
    pub mailbox: MailboxId,
    folder: FolderId,
    epoch: i64,
}

impl Fixture {
    pub async fn new() -> Self {
        Self::build(None).await
    }

    pub async fn with_findings(source: Arc<dyn FindingsSource>) -> Self {
        Self::build(Some(source)).await
    }

    async fn build(findings: Option<Arc<dyn FindingsSource>>) -> Self {
        let store = Store::in_memory().await.expect("store");
        let clock: Arc<dyn Clock> = Arc::new(TestClock::default());
        let entropy: Arc<dyn Entropy> = Arc::new(TestEntropy::default());
        let (mailbox, folder) = mailbox_in(&store, clock.as_ref(), entropy.as_ref()).await;
        let until = clock.now() + SignedDuration::from_hours(1000);
        let lease = store
            .acquire_folder(folder, clock.now(), until, "test")
            .await
            .expect("lease")
            .expect("free");
        let route = Route {
            name: "support".to_owned(),
            address: AddressPattern::parse("support@contoso.example").expect("pattern"),
            languages: Vec::new(),
            queue: "support".to_owned(),
            priority: 3,
            threading_window_days: 30,
        };
        let ranges = ["203.0.113.0/28", "198.51.100.7"].map(|range| AddressRange::parse(range).expect("range"));
        let parts = ApiParts {
            store,
            engine: Handle::default(),
            clock,
            entropy,
            routes: Arc::new(vec![route]),
            addresses: Arc::new([("eu".to_owned(), ranges.to_vec())].into()),
            version: "0.0.0-test",
            findings,
        };
        let state = ApiState::new(parts, CancellationToken::new());
        let app = router::build(state.clone());
        let (key, key_id) = add_key(&state).await;
        Self {
            state,
            app,
            key,
            key_id,
            mailbox,
            folder,
            epoch: lease.epoch,
        }
    }

    /// The same service, for a client with another key.
    pub async fn other_client(&self) -> Self {
        let (key, key_id) = add_key(&self.state).await;
        let Self {
            mailbox, folder, epoch, ..
        } = *self;
        Self {
            state: self.state.clone(),
            app: self.app.clone(),
            key,
            key_id,
            mailbox,
            folder,
            epoch,
        }
    }

    pub fn parts(&self) -> ApiParts {
        self.state.parts.clone()
    }

    pub async fn revoke_key(&self) {
        let now = self.state.parts.clock.now();
        assert!(
            self.state
                .store()
                .revoke_api_key(self.key_id, now)
                .await
                .expect("revoked")
        );
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(
            Method::PATCH,
            path,
            &[("content-type", "application/json")],
            &body.to_string(),
        )
        .await
    }

    /// A request with the key.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let authorization = format!("Bearer {}", self.key);
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend_from_slice(headers);
        self.send_anonymous(method, path, &all, body).await
    }

    pub async fn with_authorization(&self, path: &str, value: &str) -> Answer {
        self.send_anonymous(Method::GET, path, &[("authorization", value)], "")
            .await
    }

    /// A request without the key.
    pub async fn anonymous(&self, method: Method, path: &str) -> Answer {
        self.send_anonymous(method, path, &[], "").await
    }

    pub async fn send_anonymous(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        Answer::read(self.exchange(method, path, headers, body).await).await
    }

    /// The answer to a request with the key, its body unread.
    pub async fn respond(&self, method: Method, path: &str) -> Response {
        self.respond_with(method, path, &[]).await
    }

    pub async fn respond_with(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let authorization = format!("Bearer {}", self.key);
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend_from_slice(headers);
        self.exchange(method, path, &all, "").await
    }

    async fn exchange(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("request");
        self.app.clone().oneshot(request).await.expect("infallible")
    }
}

async fn add_key(state: &ApiState) -> (String, ApiKeyId) {
    let (clock, entropy) = (state.parts.clock.as_ref(), state.parts.entropy.as_ref());
    let key = new_api_key(entropy);
    let id = ApiKeyId::generate(clock, entropy);
    state
        .store()
        .add_api_key(id, &format!("key {id}"), &hash_api_key(&key), clock.now())
        .await
        .expect("key");
    (key, id)
}
