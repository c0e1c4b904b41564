//! Control of the ledger.
//!
//! Owns `/requests`: the counters, and the last requests one by one.

use std::sync::Arc;

use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::control::answers::{Answer, ok};
use crate::ledger::Wanted;
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

pub async fn report(State(sandbox): Tenant) -> Answer {
    ok(sandbox.ledger.report())
}

pub async fn clear(State(sandbox): Tenant) -> Answer {
    sandbox.ledger.clear();
    ok(json!({"cleared": true}))
}

#[derive(Deserialize)]
pub struct Which {
    limit: Option<usize>,
    after: Option<u64>,
    mailbox: Option<String>,
    application: Option<Uuid>,
}

pub async fn recent(State(sandbox): Tenant, Query(which): Query<Which>) -> Answer {
    let wanted = Wanted {
        limit: which.limit,
        after: which.after,
        mailbox: which.mailbox.as_deref(),
        application: which.application,
    };
    ok(json!({"requests": sandbox.ledger.recent(&wanted)}))
}
