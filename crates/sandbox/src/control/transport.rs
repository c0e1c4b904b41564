//! Control of transport: switches, refusals outside, verdicts of the filter, the queue, and what a mailbox does with
//! its mail.
//!
//! Owns the endpoints below `/transport` and `/mailboxes/{address}/delivery`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::control::answers::{Answer, Refusal, created, ok};
use crate::control::tenant::parse;
use crate::mail::transport::control::DeliveryPatch;
use crate::mail::transport::outside_rules::OutsideRule;
use crate::mail::transport::settings::TransportSettings;
use crate::mail::transport::verdicts::Verdict;
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

pub async fn settings(State(sandbox): Tenant) -> Answer {
    ok(json!(sandbox.mail.transport().settings()))
}

/// Changes the switches that the body names.
pub async fn change_settings(State(sandbox): Tenant, body: Bytes) -> Answer {
    let example = r#"{"messages_per_minute": 30}"#;
    let changes: serde_json::Map<String, Value> = parse(&body, example)?;
    let mut all = json!(sandbox.mail.transport().settings());
    if let Some(members) = all.as_object_mut() {
        members.extend(changes);
    }
    let changed: TransportSettings =
        serde_json::from_value(all).map_err(|error| Refusal::bad(format!("{error}: send something like {example}")))?;
    sandbox.mail.transport().set_settings(changed).map_err(Refusal::bad)?;
    settings(State(sandbox)).await
}

pub async fn queue(State(sandbox): Tenant) -> Answer {
    ok(json!({"waiting": sandbox.mail.transport().queue().shown()}))
}

pub async fn outside_rules(State(sandbox): Tenant) -> Answer {
    ok(json!({"rules": sandbox.mail.transport().outside_rules().list()}))
}

pub async fn add_outside_rule(State(sandbox): Tenant, body: Bytes) -> Answer {
    let rule: OutsideRule = parse(
        &body,
        r#"{"recipient": "gone@outside.example", "code": 550, "status": "5.1.1", "text": "User unknown"}"#,
    )?;
    let id = sandbox
        .mail
        .transport()
        .outside_rules()
        .add(rule)
        .map_err(Refusal::bad)?;
    created(json!({"id": id}))
}

pub async fn remove_outside_rules(State(sandbox): Tenant) -> Answer {
    ok(json!({"removed": sandbox.mail.transport().outside_rules().remove(None)}))
}

pub async fn remove_outside_rule(State(sandbox): Tenant, Path(id): Path<u64>) -> Answer {
    match sandbox.mail.transport().outside_rules().remove(Some(id)) {
        0 => Err(Refusal::missing(format!("no rule for the outside has the id {id}"))),
        removed => ok(json!({"removed": removed})),
    }
}

pub async fn verdicts(State(sandbox): Tenant) -> Answer {
    ok(json!({"verdicts": sandbox.mail.transport().verdicts().list()}))
}

pub async fn add_verdict(State(sandbox): Tenant, body: Bytes) -> Answer {
    let verdict: Verdict = parse(&body, r#"{"sender": "spam.example", "scl": 9}"#)?;
    let id = sandbox.mail.transport().verdicts().add(verdict).map_err(Refusal::bad)?;
    created(json!({"id": id}))
}

pub async fn remove_verdicts(State(sandbox): Tenant) -> Answer {
    ok(json!({"removed": sandbox.mail.transport().verdicts().remove(None)}))
}

pub async fn remove_verdict(State(sandbox): Tenant, Path(id): Path<u64>) -> Answer {
    match sandbox.mail.transport().verdicts().remove(Some(id)) {
        0 => Err(Refusal::missing(format!("no verdict has the id {id}"))),
        removed => ok(json!({"removed": removed})),
    }
}

fn no_mailbox(address: &str) -> Refusal {
    Refusal::missing(format!("no mailbox has the address {address}"))
}

pub async fn delivery(State(sandbox): Tenant, Path(address): Path<String>) -> Answer {
    let shown = sandbox.mail.delivery_for_control(&address);
    ok(shown.ok_or_else(|| no_mailbox(&address))?)
}

/// Changes what a mailbox does with its mail, as far as the body names it.
pub async fn change_delivery(State(sandbox): Tenant, Path(address): Path<String>, body: Bytes) -> Answer {
    let patch: DeliveryPatch = parse(
        &body,
        r#"{"quota_bytes": 50000000, "forwarding": {"address": "sales@contoso.example", "deliver_and_forward": true}}"#,
    )?;
    patch.check().map_err(Refusal::bad)?;
    let shown = sandbox.mail.change_delivery(&address, patch);
    ok(shown.ok_or_else(|| no_mailbox(&address))?)
}
