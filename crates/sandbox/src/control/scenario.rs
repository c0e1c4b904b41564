//! Control of scenarios, the directory's lag, and starting afresh.
//!
//! Owns `/scenario` and `/reset`. A scenario that comes over HTTP names no files.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use serde_json::json;

use crate::control::answers::{Answer, Refusal, created, ok};
use crate::scenario::{self, Scenario};
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

pub async fn report(State(sandbox): Tenant) -> Answer {
    ok(sandbox.plan.report())
}

pub async fn load(State(sandbox): Tenant, body: Bytes) -> Answer {
    let text = std::str::from_utf8(&body).map_err(|_| Refusal::bad("the body is not UTF-8: send TOML"))?;
    let scenario = Scenario::parse(text).map_err(Refusal::bad)?;
    if scenario.tenant != Default::default() {
        return Err(Refusal::bad(
            "[tenant] can be decided only at the start: use guichet sandbox --scenario FILE",
        ));
    }
    scenario::apply(&sandbox, &scenario, None).await.map_err(Refusal::bad)?;
    scenario::run_due(&sandbox).await;
    created(sandbox.plan.report())
}

pub async fn drop_plan(State(sandbox): Tenant) -> Answer {
    ok(json!({"dropped": sandbox.plan.clear()}))
}

/// Forgets what was ordered and counted; directory and mailboxes stay, so that credentials and ids stay good.
pub async fn reset(State(sandbox): Tenant) -> Answer {
    let steps = sandbox.plan.clear();
    let faults = sandbox.faults.remove(None);
    let mishaps = sandbox.mail.notifier().mishaps().remove(None);
    let outside_rules = sandbox.mail.transport().outside_rules().remove(None);
    let verdicts = sandbox.mail.transport().verdicts().remove(None);
    sandbox.mail.reset_behaviour();
    sandbox.throttle.clear();
    sandbox.revocations.clear();
    sandbox.tenant.write().policies.replication_lag_seconds = 0;
    sandbox.clock.set_date_skew(jiff::SignedDuration::ZERO);
    sandbox.ledger.clear();
    let outside = sandbox.mail.clear_outside();
    ok(json!({
        "faults": faults,
        "notification_faults": mishaps,
        "outside_rules": outside_rules,
        "verdicts": verdicts,
        "steps": steps,
        "outside_mails": outside,
    }))
}
