//! Device sign-in: a code for the person, a code for the program.
//!
//! Owns the codes under way, from issue to redemption. A device code is good for fifteen minutes by the tenant's clock
//! and once only; at most [`MAX_CODES`] are kept, the oldest goes first.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::entra::clients::{self, Client, Need};
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest, Presented};
use crate::entra::tenancy::Tenancy;
use crate::entra::token::{self, SignIn};
use crate::state::Sandbox;

/// Life of a code.
const LIFE: SignedDuration = SignedDuration::from_secs(900);
/// Seconds between two polls.
const INTERVAL: u32 = 5;
/// Sign-ins under way at once.
const MAX_CODES: usize = 1000;
/// Letters of user codes: none that look alike.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Letters of a user code.
const USER_CODE_LENGTH: usize = 9;
/// Letters of a device code.
const DEVICE_CODE_LENGTH: usize = 160;

/// Sign-ins under way.
#[derive(Debug, Default)]
pub struct DeviceCodes(Mutex<VecDeque<Pending>>);

#[derive(Debug, Clone)]
struct Pending {
    device_code: String,
    user_code: String,
    client: Client,
    scope: String,
    expires_at: Timestamp,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Approved(Uuid),
    Declined,
}

impl DeviceCodes {
    fn with<T>(&self, work: impl FnOnce(&mut VecDeque<Pending>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The client and scope behind a user code that can still be used.
    #[must_use]
    pub fn waiting(&self, user_code: &str, now: Timestamp) -> Option<(Client, String)> {
        let user_code = normalised(user_code);
        self.with(|codes| {
            let pending = codes.iter().find(|pending| {
                pending.user_code == user_code && pending.state == State::Waiting && now < pending.expires_at
            })?;
            Some((pending.client.clone(), pending.scope.clone()))
        })
    }

    /// Records what the person decided; false when the code is no longer waiting.
    pub fn decide(&self, user_code: &str, approved_by: Option<Uuid>, now: Timestamp) -> bool {
        let user_code = normalised(user_code);
        self.with(|codes| {
            let pending = codes.iter_mut().find(|pending| {
                pending.user_code == user_code && pending.state == State::Waiting && now < pending.expires_at
            });
            pending.is_some_and(|pending| {
                pending.state = approved_by.map_or(State::Declined, State::Approved);
                true
            })
        })
    }
}

fn normalised(user_code: &str) -> String {
    user_code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect()
}

/// `POST /{tenant}/oauth2/v2.0/devicecode`.
///
/// # Errors
/// The refusal as Entra words it.
pub fn start(sandbox: &Sandbox, request: &LoginRequest, tenancy: Tenancy, form: &Form) -> Result<Value, OAuthError> {
    if tenancy == Tenancy::Consumers {
        return Err(OAuthError::tenant_needed());
    }
    let presented = Presented::read(request, form)?;
    let asked = form.need("scope")?;
    let tenant = &sandbox.tenant;
    let client = {
        let objects = tenant.read();
        let client = clients::find(&objects, tenant, &presented.client_id)?;
        tenancy.check(&objects, &client)?;
        client
    };
    token::check_requested(sandbox, &client, asked)?;
    let user_code = sandbox.entropy.text(USER_CODE_LENGTH, ALPHABET);
    let device_code = sandbox.entropy.secret(DEVICE_CODE_LENGTH);
    let expires_at = tenant.clock.now().checked_add(LIFE).unwrap_or(Timestamp::MAX);
    let answer = json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": format!("{}/devicelogin", request.base_url),
        "expires_in": LIFE.as_secs(),
        "interval": INTERVAL,
        "message": format!(
            "To sign in, use a web browser to open the page {}/devicelogin and enter the code {user_code} to authenticate.",
            request.base_url,
        ),
    });
    let pending = Pending {
        device_code,
        user_code,
        client,
        scope: asked.to_owned(),
        expires_at,
        state: State::Waiting,
    };
    sandbox.entra.device_codes.with(|codes| {
        if codes.len() >= MAX_CODES {
            codes.pop_front();
        }
        codes.push_back(pending);
    });
    Ok(answer)
}

/// `grant_type=urn:ietf:params:oauth:grant-type:device_code`.
///
/// # Errors
/// The refusal as Entra words it, `authorization_pending` among them.
pub async fn grant(sandbox: &Sandbox, request: &LoginRequest, form: &Form) -> Result<Value, OAuthError> {
    let tenant = &sandbox.tenant;
    let client = clients::identify(sandbox, request, form, Need::IfConfidential).await?;
    let device_code = match form.get("device_code").or_else(|| form.get("code")) {
        Some(device_code) => device_code,
        None => return Err(OAuthError::missing_parameter("device_code")),
    };
    let now = tenant.clock.now();
    let (user, scope) = sandbox.entra.device_codes.with(|codes| {
        let found = codes.iter().position(|pending| pending.device_code == device_code);
        let position = found.ok_or_else(OAuthError::bad_verification_code)?;
        let pending = &codes[position];
        if pending.client.app_id != client.app_id {
            return Err(OAuthError::bad_verification_code());
        }
        if now >= pending.expires_at {
            return Err(OAuthError::expired_token());
        }
        match pending.state {
            State::Waiting => Err(OAuthError::authorization_pending()),
            State::Declined => Err(OAuthError::authorization_declined()),
            State::Approved(user) => {
                let scope = pending.scope.clone();
                codes.remove(position);
                Ok((user, scope))
            }
        }
    })?;
    token::user_answer(
        sandbox,
        request,
        form,
        &SignIn {
            client,
            user,
            nonce: form.get("nonce"),
            scope: &scope,
        },
    )
}
