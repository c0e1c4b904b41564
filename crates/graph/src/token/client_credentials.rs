//! Tokens for the application itself (OAuth client credentials).
//!
//! Owns the cache and the single flight: however many callers need a token at the same moment, one
//! request is made and all get its outcome. Invariants: a token is renewed before it expires, while
//! the old one still serves if the sign-in service is unavailable; a refusal is remembered for
//! seconds only, so that a mended credential works at once and a broken one does not flood the
//! service.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use guichet_net::Transport;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::assertion::CertificateKey;
use super::exchange::{Granted, request_token};
use super::{AccessToken, GET_TOKEN, TokenSource};
use crate::endpoints::Resource;
use crate::error::{Error, Result};
use crate::ports::Time;
use crate::retry::{Attempts, Effect, RetryPolicy};

/// How long before its expiry a token is renewed. Longer than any call with its repetitions.
const RENEW_BEFORE_EXPIRY: Duration = Duration::from_secs(5 * 60);

/// How long a refusal answers further callers.
const FAILURE_HOLD: Duration = Duration::from_secs(5);

/// Resources with a token of their own: Graph and Exchange, and room for two more.
const MAX_RESOURCES: usize = 4;

/// RFC 7523.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What the application proves itself with.
#[derive(Clone)]
#[non_exhaustive]
pub enum ClientCredential {
    /// A client secret's value (not its id).
    Secret(SecretString),
    /// A registered certificate and its private key.
    Certificate(CertificateKey),
    /// Tokens of an outside issuer whom the application trusts (a federated credential).
    Assertion(Arc<dyn AssertionSource>),
}

/// Where the tokens of an outside issuer come from. Asked for each sign-in, since they live for minutes.
pub trait AssertionSource: Send + Sync + fmt::Debug {
    /// The token that is valid now.
    ///
    /// # Errors
    /// `Invalid` if there is none, with what is in the way.
    fn assertion(&self) -> Result<SecretString>;
}

impl fmt::Debug for ClientCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(_) => f.write_str("Secret(…)"),
            Self::Certificate(key) => f.debug_tuple("Certificate").field(key).finish(),
            Self::Assertion(source) => f.debug_tuple("Assertion").field(source).finish(),
        }
    }
}

/// Signs in as the application.
pub struct ClientCredentials {
    transport: Arc<dyn Transport>,
    time: Arc<dyn Time>,
    token_endpoint: Url,
    client_id: String,
    credential: ClientCredential,
    retry: RetryPolicy,
    slots: Mutex<HashMap<Resource, Arc<Slot>>>,
}

#[derive(Debug, Default)]
struct Slot {
    /// Held while a token is being asked for.
    flight: tokio::sync::Mutex<()>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    token: Option<AccessToken>,
    renew_at: Timestamp,
    failure: Option<(Error, Timestamp)>,
}

impl ClientCredentials {
    /// A source for one application. `token_endpoint` comes from discovery or
    /// [`crate::Endpoints::token_endpoint`].
    pub fn new(
        transport: Arc<dyn Transport>,
        time: Arc<dyn Time>,
        token_endpoint: Url,
        client_id: impl Into<String>,
        credential: ClientCredential,
    ) -> Self {
        Self {
            transport,
            time,
            token_endpoint,
            client_id: client_id.into(),
            credential,
            retry: RetryPolicy::default(),
            slots: Mutex::default(),
        }
    }

    /// The same with another policy for failures of the sign-in service.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    fn slot(&self, resource: &Resource) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_RESOURCES && !slots.contains_key(resource) {
            slots.clear();
        }
        slots.entry(resource.clone()).or_default().clone()
    }

    async fn request(&self, resource: &Resource) -> Result<Granted> {
        let scope = resource.default_scope();
        let mut attempts = Attempts::new(&self.retry, Effect::Reads);
        loop {
            let mut fields = vec![
                ("grant_type", "client_credentials"),
                ("client_id", self.client_id.as_str()),
                ("scope", scope.as_str()),
            ];
            // A repetition needs an assertion of its own: each is taken once.
            let assertion = match &self.credential {
                ClientCredential::Secret(secret) => {
                    fields.push(("client_secret", secret.expose_secret()));
                    None
                }
                ClientCredential::Certificate(key) => {
                    Some(key.assertion(&self.token_endpoint, &self.client_id, self.time.now())?)
                }
                ClientCredential::Assertion(source) => Some(source.assertion()?),
            };
            if let Some(assertion) = &assertion {
                fields.push(("client_assertion_type", ASSERTION_TYPE));
                fields.push(("client_assertion", assertion.expose_secret()));
            }
            let asked = request_token(&*self.transport, &*self.time, GET_TOKEN, &self.token_endpoint, &fields).await;
            match asked {
                Ok(granted) => return Ok(granted),
                // No jitter: single flight leaves one caller for each process.
                Err(error) => self.time.sleep(attempts.after(error, 0.0)?).await,
            }
        }
    }
}

#[async_trait]
impl TokenSource for ClientCredentials {
    async fn token(&self, resource: Resource) -> Result<AccessToken> {
        let slot = self.slot(&resource);
        if let Some(answer) = slot.answer(self.time.now()) {
            return answer;
        }
        // Whoever waits here finds the outcome of the flight before it in the slot. A caller that
        // is dropped in flight lets the next one take off.
        let _flight = slot.flight.lock().await;
        if let Some(answer) = slot.answer(self.time.now()) {
            return answer;
        }
        let outcome = self.request(&resource).await;
        slot.keep(outcome, self.time.now())
    }

    fn invalidate(&self, resource: &Resource, refused: &AccessToken) {
        let slot = self.slot(resource);
        let mut held = slot.lock();
        // Of many callers with the same refused token only the first may discard, else the last
        // would discard its successor.
        if held.token.as_ref().is_some_and(|token| token.is(refused)) {
            held.token = None;
        }
    }
}

impl Slot {
    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer that needs no request, if there is one.
    fn answer(&self, now: Timestamp) -> Option<Result<AccessToken>> {
        let held = self.lock();
        let living = held.token.as_ref().filter(|token| now < token.expires_at());
        if let Some(token) = living.filter(|_| now < held.renew_at) {
            return Some(Ok(token.clone()));
        }
        let (error, until) = held.failure.as_ref()?;
        if now >= *until {
            return None;
        }
        Some(living.map_or_else(|| Err(error.clone()), |token| Ok(token.clone())))
    }

    fn keep(&self, outcome: Result<Granted>, now: Timestamp) -> Result<AccessToken> {
        let mut held = self.lock();
        match outcome {
            Ok(Granted { token, lifetime, .. }) => {
                // Half the life of a short-lived token, else it would be due at once for ever.
                let margin = RENEW_BEFORE_EXPIRY.min(lifetime / 2);
                held.renew_at = token.expires_at().saturating_sub(margin).unwrap_or(now);
                held.failure = None;
                held.token = Some(token.clone());
                Ok(token)
            }
            Err(error) => {
                let until = now.saturating_add(FAILURE_HOLD).unwrap_or(now);
                held.failure = Some((error.clone(), until));
                match held
                    .token
                    .as_ref()
                    .filter(|token| error.is_retry() && now < token.expires_at())
                {
                    Some(token) => Ok(token.clone()),
                    None => Err(error),
                }
            }
        }
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("token_endpoint", &self.token_endpoint.as_str())
            .field("client_id", &self.client_id)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}
