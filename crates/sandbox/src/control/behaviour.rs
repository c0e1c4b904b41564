//! Control of the mail switches.
//!
//! Owns `/mail/behaviour`: the switches as one document, of which any part can be changed.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Map, Value, json};

use crate::control::answers::{Answer, Refusal, ok};
use crate::control::parse;
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

pub async fn show(State(sandbox): Tenant) -> Answer {
    ok(json!(sandbox.mail.behaviour()))
}

/// Changes the switches that the body names; the others stay.
pub async fn change(State(sandbox): Tenant, body: Bytes) -> Answer {
    let changes: Map<String, Value> = parse(&body, r#"{"tips": true, "gone_code": "resyncRequired"}"#)?;
    let mut whole = json!(sandbox.mail.behaviour());
    if let Some(members) = whole.as_object_mut() {
        members.extend(changes);
    }
    let behaviour = serde_json::from_value(whole).map_err(|error| Refusal::bad(error.to_string()))?;
    sandbox.mail.set_behaviour(behaviour).map_err(Refusal::bad)?;
    ok(json!(sandbox.mail.behaviour()))
}
