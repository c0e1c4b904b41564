//! Delivery: one queue and one task per endpoint.
//!
//! Owns batching, retry and giving up. Any 2xx is delivered; otherwise the batch is tried again with exponential
//! back-off for four hours by the tenant's clock, then dropped (contract §3). Each request opens its own connection,
//! so an endpoint that restarted is found again. A full queue drops the newest and counts it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::SandboxClock;
use crate::notify::NotifySettings;
use crate::notify::journal::{Journal, Outcome};

/// Notifications in one request.
const MAX_BATCH: usize = 100;
/// Notifications waiting for one endpoint (about 10 MB); more are dropped, which a client must survive anyway.
const MAX_WAITING: usize = 10_000;
/// Endpoints with a task; beyond this idle ones end.
const MAX_ENDPOINTS: usize = 1_000;
/// How long an endpoint may take to answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a notification is tried.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(4);
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// How often a waiting task looks at the tenant's clock, which may be advanced.
const CLOCK_GLANCE: Duration = Duration::from_millis(50);

/// A notification on its way.
#[derive(Debug, Clone)]
pub struct Pending {
    pub url: String,
    pub body: Value,
}

#[derive(Debug)]
struct Endpoint {
    waiting: Mutex<VecDeque<Pending>>,
    wake: Notify,
    stop: CancellationToken,
}

/// The queues, their tasks, and the journal.
#[derive(Debug)]
pub struct Dispatcher {
    clock: Arc<SandboxClock>,
    settings: NotifySettings,
    client: Option<reqwest::Client>,
    endpoints: Mutex<HashMap<String, Arc<Endpoint>>>,
    journal: Mutex<Journal>,
}

impl Dispatcher {
    /// No endpoints yet.
    #[must_use]
    pub fn new(clock: Arc<SandboxClock>, settings: NotifySettings) -> Self {
        let client = match build_client(&settings.trusted_pem) {
            Ok(client) => Some(client),
            Err(reason) => {
                tracing::error!(reason, "notifications cannot be sent");
                None
            }
        };
        Self {
            clock,
            settings,
            client,
            endpoints: Mutex::default(),
            journal: Mutex::default(),
        }
    }

    /// The HTTP client, for the handshake.
    #[must_use]
    pub fn client(&self) -> Option<&reqwest::Client> {
        self.client.as_ref()
    }

    /// Starts the task of an endpoint; must be called inside the runtime, before the first [`Dispatcher::send`].
    pub fn open(self: &Arc<Self>, url: &str) {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if endpoints.contains_key(url) {
            return;
        }
        if endpoints.len() >= MAX_ENDPOINTS {
            endpoints.retain(|_, endpoint| {
                let busy = !endpoint
                    .waiting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .is_empty();
                if !busy {
                    endpoint.stop.cancel();
                }
                busy
            });
        }
        let endpoint = Arc::new(Endpoint {
            waiting: Mutex::default(),
            wake: Notify::new(),
            stop: self.settings.stop.child_token(),
        });
        endpoints.insert(url.to_owned(), endpoint.clone());
        let dispatcher = self.clone();
        self.settings.tasks.spawn(async move {
            let stop = endpoint.stop.clone();
            stop.run_until_cancelled(dispatcher.serve(&endpoint)).await;
        });
    }

    /// Queues a notification; never blocks. An endpoint that was never opened has no task and gets nothing.
    pub fn send(&self, pending: Pending) {
        let endpoint = {
            let endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
            endpoints.get(&pending.url).cloned()
        };
        let Some(endpoint) = endpoint else { return };
        let mut waiting = endpoint.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MAX_WAITING {
            drop(waiting);
            self.note(&[pending], 0, &Outcome::GivenUp);
            return;
        }
        waiting.push_back(pending);
        drop(waiting);
        endpoint.wake.notify_one();
    }

    /// Queues the last `times` delivered notifications once more.
    pub fn duplicate_last(&self, times: usize) -> usize {
        let again = self.journal.lock().unwrap_or_else(PoisonError::into_inner).last(times);
        let count = again.len();
        for pending in again {
            self.send(pending);
        }
        count
    }

    /// The attempts so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Value> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).attempts()
    }

    fn note(&self, batch: &[Pending], number: u32, outcome: &Outcome) {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.attempt(self.clock.now(), batch, number, outcome);
        if matches!(outcome, Outcome::Status(200..=299)) {
            journal.delivered(batch);
        }
    }

    async fn serve(&self, endpoint: &Endpoint) {
        loop {
            if endpoint
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_empty()
            {
                endpoint.wake.notified().await;
            }
            tokio::time::sleep(self.settings.latency).await;
            let batch: Vec<Pending> = {
                let mut waiting = endpoint.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let count = waiting.len().min(MAX_BATCH);
                waiting.drain(..count).collect()
            };
            if !batch.is_empty() {
                self.deliver(&batch).await;
            }
        }
    }

    async fn deliver(&self, batch: &[Pending]) {
        let began = self.clock.now();
        let mut pause = FIRST_PAUSE;
        for number in 1_u32.. {
            let started = self.clock.now();
            let outcome = self.attempt(batch).await;
            self.note(batch, number, &outcome);
            if matches!(outcome, Outcome::Status(200..=299)) {
                return;
            }
            let next = started.checked_add(pause).unwrap_or(Timestamp::MAX);
            if next.duration_since(began) > GIVE_UP_AFTER {
                self.note(batch, number, &Outcome::GivenUp);
                return;
            }
            self.wait_until(next).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits by the tenant's clock, so that advancing it hastens the next attempt.
    async fn wait_until(&self, due: Timestamp) {
        loop {
            let left = due.duration_since(self.clock.now());
            if left <= SignedDuration::ZERO {
                return;
            }
            tokio::time::sleep(CLOCK_GLANCE.min(left.unsigned_abs())).await;
        }
    }

    async fn attempt(&self, batch: &[Pending]) -> Outcome {
        let (Some(client), Some(first)) = (&self.client, batch.first()) else {
            return Outcome::Failed("no http client".to_owned());
        };
        let body = json!({"value": batch.iter().map(|pending| &pending.body).collect::<Vec<_>>()});
        match client.post(&first.url).json(&body).send().await {
            Ok(response) => Outcome::Status(response.status().as_u16()),
            Err(error) => Outcome::Failed(error.without_url().to_string()),
        }
    }
}

fn build_client(trusted_pem: &[Vec<u8>]) -> Result<reqwest::Client, String> {
    let mut roots = rustls::RootCertStore::empty();
    for pem in trusted_pem {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .timeout(REQUEST_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
        .map_err(|error| error.to_string())
}
