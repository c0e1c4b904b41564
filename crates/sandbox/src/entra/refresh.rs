//! Refresh tokens.
//!
//! Owns what was given out: to which client, for whom, for which scopes. A token is opaque, stays valid when it is
//! used (as Entra's do) and dies after ninety days without use; at most [`MAX_TOKENS`] are kept, the oldest goes first.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::entra::clients::{self, Need};
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest};
use crate::entra::token::{self, SignIn};
use crate::persist::Section;
use crate::state::Sandbox;

/// Life without use.
const LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Tokens kept at once.
const MAX_TOKENS: usize = 10_000;
/// Letters of a token.
const LENGTH: usize = 128;

/// Refresh tokens given out.
#[derive(Debug, Default)]
pub struct RefreshTokens(Mutex<VecDeque<Issued>>);

#[derive(Clone, Serialize, Deserialize)]
struct Issued {
    token: String,
    client: Uuid,
    user: Uuid,
    scope: String,
    expires_at: Timestamp,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Issued")
            .field("client", &self.client)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl RefreshTokens {
    /// A new token for a sign-in.
    pub fn issue(&self, sandbox: &Sandbox, client: Uuid, user: Uuid, scope: &str) -> String {
        let token = format!("1.{}", sandbox.entropy.secret(LENGTH));
        let expires_at = sandbox.clock.now().checked_add(LIFE).unwrap_or(Timestamp::MAX);
        let issued = Issued {
            token: token.clone(),
            client,
            user,
            scope: scope.to_owned(),
            expires_at,
        };
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS {
            tokens.pop_front();
        }
        tokens.push_back(issued);
        token
    }

    /// Forgets the tokens of a client and a person, or of all; gives how many went.
    pub fn revoke(&self, client: Option<Uuid>, user: Option<Uuid>) -> usize {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = tokens.len();
        tokens.retain(|issued| {
            client.is_some_and(|client| issued.client != client) || user.is_some_and(|user| issued.user != user)
        });
        before - tokens.len()
    }

    fn redeem(&self, token: &str, client: Uuid, now: Timestamp) -> Result<(Uuid, String), OAuthError> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let issued = tokens
            .iter()
            .find(|issued| issued.token == token && issued.client == client);
        let issued = issued.ok_or_else(OAuthError::invalid_grant)?;
        if now >= issued.expires_at {
            return Err(OAuthError::expired_refresh_token());
        }
        Ok((issued.user, issued.scope.clone()))
    }
}

impl Section for RefreshTokens {
    fn name(&self) -> &'static str {
        "entra.refresh_tokens"
    }

    fn save(&self) -> serde_json::Result<String> {
        serde_json::to_string(&*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = serde_json::from_str(saved)?;
        Ok(())
    }
}

/// `grant_type=refresh_token`.
///
/// # Errors
/// The refusal as Entra words it.
pub async fn grant(sandbox: &Sandbox, request: &LoginRequest, form: &Form) -> Result<Value, OAuthError> {
    let tenant = &sandbox.tenant;
    let client = clients::identify(sandbox, request, form, Need::IfConfidential).await?;
    let token = form.need("refresh_token")?;
    let (user, scope) = sandbox
        .entra
        .refresh_tokens
        .redeem(token, client.app_id, tenant.clock.now())?;
    let asked = form.get("scope").map_or(scope, str::to_owned);
    token::user_answer(
        sandbox,
        request,
        form,
        &SignIn {
            client,
            user,
            nonce: form.get("nonce"),
            scope: &asked,
        },
    )
}
