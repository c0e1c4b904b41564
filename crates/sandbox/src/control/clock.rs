//! Control of the tenant's clock.
//!
//! Owns `/clock`: advance, set, freeze, let go, and the wrongness of the `Date` header. What a scenario has planned up
//! to the new time has happened when the answer comes.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use crate::control::answers::{Answer, Refusal, ok};
use crate::control::parse;
use crate::scenario;
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

/// Longest single step of the clock: a hundred years, so that a slip of digits is noticed.
const MAX_STEP: u64 = 100 * 366 * 24 * 3600;

pub async fn show(State(sandbox): Tenant) -> Answer {
    let clock = &sandbox.clock;
    ok(json!({
        "now": clock.now(),
        "offset_seconds": clock.offset().as_secs(),
        "frozen": clock.is_frozen(),
        "date_skew_seconds": clock.date_skew().as_secs(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    advance_seconds: Option<u64>,
    set: Option<Timestamp>,
    frozen: Option<bool>,
    date_skew_seconds: Option<i64>,
}

pub async fn change(State(sandbox): Tenant, body: Bytes) -> Answer {
    let change: Change = parse(
        &body,
        r#"{"advance_seconds": 60}, {"set": "2026-03-01T00:00:00Z"}, {"frozen": true} or {"date_skew_seconds": 300}"#,
    )?;
    if change.advance_seconds.is_some() && change.set.is_some() {
        return Err(Refusal::bad("send advance_seconds or set, not both"));
    }
    let too_far = change.advance_seconds.is_some_and(|seconds| seconds > MAX_STEP)
        || change
            .date_skew_seconds
            .is_some_and(|seconds| seconds.unsigned_abs() > MAX_STEP);
    if too_far {
        return Err(Refusal::bad(format!(
            "the clock moves at most {MAX_STEP} seconds at once"
        )));
    }
    let clock = &sandbox.clock;
    match change.frozen {
        Some(true) => clock.freeze(),
        Some(false) => clock.unfreeze(),
        None => {}
    }
    if let Some(seconds) = change.date_skew_seconds {
        clock.set_date_skew(SignedDuration::from_secs(seconds));
    }
    if let Some(at) = change.set {
        clock.set(at);
    }
    if let Some(seconds) = change.advance_seconds {
        clock.advance(Duration::from_secs(seconds));
    }
    scenario::run_due(&sandbox).await;
    show(State(sandbox)).await
}
