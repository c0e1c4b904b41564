//! Control of faults, throttling and tokens.
//!
//! Owns `/faults`, `/throttling` and `/tokens/revoke`. A rule or a limit takes effect with the next request.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::control::answers::{Answer, Refusal, created, ok};
use crate::control::parse;
use crate::directory::Directory as _;
use crate::faults::Rule;
use crate::revocation::Revoked;
use crate::state::Sandbox;
use crate::throttle::Settings;

type Tenant = State<Arc<Sandbox>>;

pub async fn list(State(sandbox): Tenant) -> Answer {
    ok(json!({"faults": sandbox.faults.list()}))
}

pub async fn add(State(sandbox): Tenant, body: Bytes) -> Answer {
    let rule: Rule = parse(
        &body,
        r#"{"path_contains": "/messages", "action": {"kind": "cut_before"}}"#,
    )?;
    let id = sandbox.faults.add(rule).map_err(Refusal::bad)?;
    created(json!({"id": id}))
}

pub async fn remove_all(State(sandbox): Tenant) -> Answer {
    ok(json!({"removed": sandbox.faults.remove(None)}))
}

pub async fn remove(State(sandbox): Tenant, Path(id): Path<u64>) -> Answer {
    match sandbox.faults.remove(Some(id)) {
        0 => Err(Refusal::missing(format!("no fault has the id {id}"))),
        removed => ok(json!({"removed": removed})),
    }
}

pub async fn throttling(State(sandbox): Tenant) -> Answer {
    ok(sandbox.throttle.report(sandbox.clock.now()))
}

/// Changes the settings that are given and keeps the others.
pub async fn change_throttling(State(sandbox): Tenant, body: Bytes) -> Answer {
    let example = r#"{"enabled": true, "mailbox_requests": {"limit": 100, "seconds": 60}}"#;
    let changes: serde_json::Map<String, Value> = parse(&body, example)?;
    change_settings(&sandbox, changes).map_err(Refusal::bad)?;
    throttling(State(sandbox)).await
}

/// Merges settings into those that hold.
///
/// # Errors
/// Text that says what to change.
pub fn change_settings(sandbox: &Sandbox, changes: serde_json::Map<String, Value>) -> Result<(), String> {
    let mut settings = json!(sandbox.throttle.settings());
    if let Value::Object(settings) = &mut settings {
        settings.extend(changes);
    }
    let settings: Settings = serde_json::from_value(settings).map_err(|error| error.to_string())?;
    sandbox.throttle.change(settings)
}

pub async fn clear_throttling(State(sandbox): Tenant) -> Answer {
    sandbox.throttle.clear();
    ok(json!({"cleared": true}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    application: Option<Uuid>,
    user: Option<String>,
    #[serde(default = "yes")]
    challenge: bool,
    #[serde(default)]
    refresh_tokens: bool,
}

fn yes() -> bool {
    true
}

pub async fn revoke(State(sandbox): Tenant, body: Bytes) -> Answer {
    let example = r#"{"application": "<client id>", "challenge": true, "refresh_tokens": false}"#;
    let revoke: Revoke = parse(&body, example)?;
    let user = match &revoke.user {
        None => None,
        Some(name) => {
            let user = sandbox.tenant.user(name);
            Some(
                user.ok_or_else(|| Refusal::missing(format!("no user is called {name}")))?
                    .id,
            )
        }
    };
    sandbox.revocations.add(Revoked {
        application: revoke.application,
        user,
        up_to: sandbox.clock.tick(),
        at: sandbox.clock.now().as_second(),
        challenge: revoke.challenge,
    });
    let forgotten = match revoke.refresh_tokens {
        true => sandbox.entra.refresh_tokens.revoke(revoke.application, user),
        false => 0,
    };
    ok(json!({"revoked": true, "refresh_tokens": forgotten}))
}
