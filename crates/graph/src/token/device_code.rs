//! Sign-in of a person on another device (OAuth device authorization, RFC 8628).
//!
//! Owns the two requests and the waiting between polls. Invariant: polling ends, with a token, a
//! refusal, or the end of the code's life, and is never faster than the service asks for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use guichet_net::Transport;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::exchange::{Granted, post_form, request_token};
use super::{AccessToken, error_from_entra};
use crate::class::Class;
use crate::error::{Error, Result};
use crate::ports::Time;
use crate::wire::lenient;

const START: &str = "start device sign-in";
const POLL: &str = "wait for device sign-in";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The interval when the service names none (RFC 8628 §3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

/// What `slow_down` adds to the interval (RFC 8628 §3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// Longest life of a code that is waited for; Entra gives 15 minutes.
const MAX_LIFE: Duration = Duration::from_secs(60 * 60);

/// Signs a person in.
#[derive(Debug)]
pub struct DeviceCode {
    transport: Arc<dyn Transport>,
    time: Arc<dyn Time>,
    device_endpoint: Url,
    token_endpoint: Url,
}

/// What to show to the person.
#[derive(Clone)]
pub struct DeviceCodePrompt {
    /// The code to type in.
    pub user_code: String,
    /// Where to type it in.
    pub verification_uri: String,
    /// The service's own sentence with both, in English.
    pub message: String,
    /// Shortest pause between two polls.
    pub interval: Duration,
    /// When the code stops working.
    pub expires: Timestamp,
    device_code: SecretString,
    client_id: String,
}

/// What a sign-in gives.
#[derive(Debug, Clone)]
pub struct UserToken {
    /// Token for the scopes' resource.
    pub token: AccessToken,
    /// To get further tokens, where `offline_access` was asked for.
    pub refresh: Option<SecretString>,
    /// Scopes that were granted, which may be fewer than were asked for.
    pub scopes: Vec<String>,
}

impl DeviceCode {
    /// Uses the two endpoints that discovery gives.
    pub fn new(
        transport: Arc<dyn Transport>,
        time: Arc<dyn Time>,
        device_authorization_endpoint: Url,
        token_endpoint: Url,
    ) -> Self {
        Self {
            transport,
            time,
            device_endpoint: device_authorization_endpoint,
            token_endpoint,
        }
    }

    /// Asks for a code.
    ///
    /// # Errors
    /// The service's refusal, or a transport failure. Starting again is always possible.
    pub async fn start(&self, client_id: &str, scopes: &[&str]) -> Result<DeviceCodePrompt> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(deserialize_with = "lenient::secret")]
            device_code: SecretString,
            user_code: String,
            verification_uri: String,
            expires_in: u64,
            #[serde(default)]
            interval: Option<u64>,
            #[serde(default)]
            message: Option<String>,
        }
        let now = self.time.now();
        let scope = scopes.join(" ");
        let fields = [("client_id", client_id), ("scope", scope.as_str())];
        let answer = post_form(&*self.transport, START, &self.device_endpoint, &fields).await?;
        if !answer.status.is_success() {
            return Err(error_from_entra(
                START,
                &self.device_endpoint,
                &answer,
                Some(self.time.now()),
            ));
        }
        let wire: Wire = serde_json::from_slice(&answer.body)
            .map_err(|error| Error::unreadable(START, false, &self.device_endpoint, &error))?;
        let life = Duration::from_secs(wire.expires_in).min(MAX_LIFE);
        let message = wire.message.unwrap_or_else(|| {
            format!(
                "To sign in, open {} and enter the code {}.",
                wire.verification_uri, wire.user_code
            )
        });
        Ok(DeviceCodePrompt {
            user_code: wire.user_code,
            verification_uri: wire.verification_uri,
            message,
            interval: wire
                .interval
                .map_or(DEFAULT_INTERVAL, Duration::from_secs)
                .clamp(Duration::from_secs(1), MAX_LIFE),
            expires: now.saturating_add(life).unwrap_or(now),
            device_code: wire.device_code,
            client_id: client_id.to_owned(),
        })
    }

    /// Waits until the person has signed in. Drop the future to stop waiting.
    ///
    /// # Errors
    /// `Denied` with code `authorization_declined` when the person refuses, `Reauthorise` with code
    /// `expired_token` when the code's life ends, and every other refusal of the service.
    pub async fn poll(&self, prompt: &DeviceCodePrompt) -> Result<UserToken> {
        let mut interval = prompt.interval;
        while self.time.now() < prompt.expires {
            self.time.sleep(interval).await;
            match self.poll_once(prompt).await {
                Ok(Some(token)) => return Ok(token),
                Ok(None) => {}
                Err(error) if error.has_code("slow_down") => interval += SLOW_DOWN,
                // A passing failure of the network must not end a sign-in that a person is doing.
                Err(error) if error.is_retry() => {
                    tracing::debug!(code = %error.code, "poll for device sign-in failed and is repeated");
                }
                Err(error) => return Err(error),
            }
        }
        let text = "the code was not used in time; start again";
        Err(Error::new(Class::Reauthorise, POLL, "expired_token", text))
    }

    /// Asks once; `None` while the person has not finished.
    ///
    /// # Errors
    /// As [`DeviceCode::poll`]; transport failures too.
    pub async fn poll_once(&self, prompt: &DeviceCodePrompt) -> Result<Option<UserToken>> {
        let fields = [
            ("grant_type", GRANT),
            ("client_id", prompt.client_id.as_str()),
            ("device_code", prompt.device_code.expose_secret()),
        ];
        match request_token(&*self.transport, &*self.time, POLL, &self.token_endpoint, &fields).await {
            Ok(Granted {
                token, refresh, scopes, ..
            }) => Ok(Some(UserToken { token, refresh, scopes })),
            Err(error) if error.has_code("authorization_pending") || error.has_code("AADSTS70016") => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for DeviceCodePrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The user code signs in whoever learns it first.
        f.debug_struct("DeviceCodePrompt")
            .field("verification_uri", &self.verification_uri)
            .field("interval", &self.interval)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
