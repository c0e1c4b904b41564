//! A tenant without sockets, for a simulation that runs in the same process.
//!
//! Owns the way in: requests are answered by the same handlers that the listeners have, so faults, throttling and the
//! ledger apply. Never opens a socket, starts a thread, or reads the machine's time: whoever made the tenant moves its
//! clock, and with it every wait in it. Signing keys are the one thing that no seed makes repeatable.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::clock::SandboxClock;
use crate::config::Config;
use crate::control;
use crate::entra::keys::{SavedKey, SigningKey};
use crate::error::Error;
use crate::mail::transport;
use crate::notify::Receiver;
use crate::persist::saver::Saved;
use crate::scenario;
use crate::server::connection::Switch;
use crate::server::gateway::Gateway;
use crate::server::headers::Scheme;
use crate::server::listen;
use crate::server::start::{Surroundings, assemble, check};
use crate::state::Sandbox;

/// Longest answer; the largest that the tenant gives is one mail.
const MAX_ANSWER: usize = 160 * 1024 * 1024;

/// A tenant that is called, not connected to. Dropping it ends its tasks.
#[derive(Debug)]
pub struct InProcess {
    sandbox: Arc<Sandbox>,
    tenant: Router,
    control: Router,
    _stop: DropGuard,
}

/// The connection broke before there was a whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut;

impl InProcess {
    /// Makes a tenant whose clock stands at `at` until [`InProcess::clock`] is moved. Change notifications go to
    /// `receiver`, whatever address they name. Addresses, files and persistence of the configuration are not used.
    /// To be called inside a runtime, which carries the tenant's own tasks.
    ///
    /// # Errors
    /// When the configuration contradicts itself or no signing key can be made.
    pub fn start(config: &Config, at: Timestamp, receiver: Arc<dyn Receiver>) -> Result<Self, Error> {
        check(config)?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let surroundings = Surroundings {
            trusted_pem: Vec::new(),
            receiver: Some(receiver),
            key: Some(signing_key()?),
            clock: SandboxClock::driven_from(at),
        };
        let (sandbox, _) = assemble(config, surroundings, &tasks, &stop, None, Saved::default())?;
        tasks.spawn(scenario::keep_time(Arc::clone(&sandbox), stop.clone()));
        let (mail, pump_stop) = (Arc::clone(&sandbox), stop.clone());
        tasks.spawn(async move { transport::pump::run(&mail.mail, pump_stop).await });
        let gateway = Gateway {
            sandbox: Arc::clone(&sandbox),
            scheme: Scheme::Https,
        };
        Ok(Self {
            tenant: listen::router(gateway),
            control: control::router(Arc::clone(&sandbox), Vec::new()),
            sandbox,
            _stop: stop.drop_guard(),
        })
    }

    /// The time of the tenant and of everything in it.
    #[must_use]
    pub fn clock(&self) -> &SandboxClock {
        &self.sandbox.clock
    }

    /// Sends one request over a connection of its own and reads the answer.
    ///
    /// # Errors
    /// [`Cut`] when the connection broke, before or after the effect.
    pub async fn request(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Cut> {
        let switch = Switch::default();
        let mut request = request.map(Body::from);
        request.extensions_mut().insert(switch.clone());
        let answer = whole(self.tenant.clone(), request).await?;
        if switch.is_cut() { Err(Cut) } else { Ok(answer) }
    }

    /// Asks the control interface.
    ///
    /// # Errors
    /// [`Cut`] when the answer is longer than any.
    pub async fn control(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Cut> {
        whole(self.control.clone(), request.map(Body::from)).await
    }
}

async fn whole(service: Router, request: Request<Body>) -> Result<Response<Bytes>, Cut> {
    let Ok(answer) = service.oneshot(request).await;
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, MAX_ANSWER).await.map_err(|_| Cut)?;
    Ok(Response::from_parts(parts, body))
}

/// One key for all tenants of this process: making one takes longer than a whole simulation.
fn signing_key() -> Result<SavedKey, Error> {
    static KEY: OnceLock<SavedKey> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(key.clone());
    }
    let made = SigningKey::generate()?.saved();
    Ok(KEY.get_or_init(|| made).clone())
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    use super::*;
    use crate::notify::{Posted, Reply};

    #[derive(Debug)]
    struct Deaf;

    impl Receiver for Deaf {
        fn receive(&self, _: Posted) -> BoxFuture<'static, Option<Reply>> {
            async { None }.boxed()
        }
    }

    fn request(method: &str, uri: &str, body: &'static str) -> Request<Bytes> {
        let request = Request::builder().method(method).uri(uri).header("host", "localhost");
        request.body(Bytes::from_static(body.as_bytes())).expect("a request")
    }

    #[tokio::test]
    async fn tenant_answers_without_a_socket_and_ordered_cuts_break_the_connection() {
        let tenant = InProcess::start(&Config::default(), Timestamp::UNIX_EPOCH, Arc::new(Deaf)).expect("a tenant");
        let anonymous = || request("GET", "https://localhost/v1.0/users", "");
        let refused = tenant.request(anonymous()).await.expect("an answer");
        assert_eq!(refused.status(), 401);
        let rule = r#"{"path_prefix": "/v1.0", "action": {"kind": "cut_after"}}"#;
        let added = tenant.control(request("POST", "http://localhost/faults", rule)).await;
        assert!(added.expect("an answer").status().is_success());
        assert_eq!(tenant.request(anonymous()).await.err(), Some(Cut));
    }
}
