//! Control of the tenant as a whole: its state, notifications, delta.
//!
//! Owns the endpoints that touch no mailbox content.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::answers::{Answer, Refusal, ok};
pub(super) use crate::control::parse;
use crate::directory::model::User;
use crate::notify::LifecycleEvent;
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

/// Most notifications repeated at once.
const MAX_REPEATED: usize = 1000;

pub async fn healthz() -> Answer {
    ok(json!({"status": "ok"}))
}

pub async fn state(State(sandbox): Tenant) -> Answer {
    let objects = sandbox.tenant.read();
    let users: Vec<Value> = objects.users().map(user).collect();
    let applications = objects.applications.iter().map(|application| {
        json!({
            "id": application.id,
            "app_id": application.app_id,
            "display_name": application.display_name(),
            "secrets": application.secrets.len(),
        })
    });
    let applications: Vec<Value> = applications.collect();
    let principals = objects.service_principals.iter().map(|principal| {
        json!({
            "id": principal.id,
            "app_id": principal.app_id,
            "display_name": principal.display_name(),
            "account_enabled": principal.account_enabled(),
        })
    });
    let principals: Vec<Value> = principals.collect();
    let assignments: Vec<Value> = objects
        .assignments
        .iter()
        .map(|assignment| objects.assignment_entity(assignment))
        .collect();
    let grants: Vec<Value> = objects
        .grants
        .iter()
        .map(crate::directory::model::Grant::entity)
        .collect();
    drop(objects);
    ok(json!({
        "tenant_id": sandbox.tenant.id,
        "tenant_domain": sandbox.tenant.domain,
        "now": sandbox.clock.now(),
        "description": sandbox.description.get(),
        "users": users,
        "applications": applications,
        "service_principals": principals,
        "app_role_assignments": assignments,
        "oauth2_permission_grants": grants,
        "outside_mails": sandbox.mail.outside_mail(None).len(),
        "frozen": sandbox.clock.is_frozen(),
        "faults": sandbox.faults.list(),
        "throttling": sandbox.throttle.is_enabled(),
        "replication_lag_seconds": sandbox.tenant.policies().replication_lag_seconds,
        "scenario": sandbox.plan.report()["name"],
    }))
}

fn user(user: &User) -> Value {
    json!({
        "id": user.id,
        "user_principal_name": user.user_principal_name,
        "display_name": user.display_name,
        "mail": user.mail,
        "account_enabled": user.account_enabled,
    })
}

pub async fn notifications(State(sandbox): Tenant) -> Answer {
    ok(json!({"notifications": sandbox.mail.notification_log()}))
}

#[derive(Deserialize)]
struct Duplicate {
    times: usize,
}

pub async fn duplicate_notifications(State(sandbox): Tenant, body: Bytes) -> Answer {
    let Duplicate { times } = parse(&body, r#"{"times": 1}"#)?;
    if times > MAX_REPEATED {
        return Err(Refusal::bad(format!(
            "at most {MAX_REPEATED} notifications are repeated at once"
        )));
    }
    ok(json!({"repeated": sandbox.mail.duplicate_notifications(times)}))
}

#[derive(Deserialize)]
struct Replay {
    mailbox: String,
    folder: String,
}

pub async fn replay_delta(State(sandbox): Tenant, body: Bytes) -> Answer {
    let Replay { mailbox, folder } = parse(&body, r#"{"mailbox": "support@contoso.example", "folder": "inbox"}"#)?;
    if sandbox.mail.replay_delta(&mailbox, &folder) {
        ok(json!({"replaying": true}))
    } else {
        Err(Refusal::missing(format!("no mailbox {mailbox} with a folder {folder}")))
    }
}

#[derive(Deserialize)]
struct Expire {
    mailbox: String,
    #[serde(default)]
    folder: Option<String>,
}

pub async fn expire_delta(State(sandbox): Tenant, body: Bytes) -> Answer {
    let Expire { mailbox, folder } = parse(&body, r#"{"mailbox": "support@contoso.example", "folder": "inbox"}"#)?;
    if sandbox.mail.expire_delta_tokens(&mailbox, folder.as_deref()) {
        ok(json!({"expired": true}))
    } else {
        Err(Refusal::missing(format!("no mailbox {mailbox} with that folder")))
    }
}

#[derive(Deserialize)]
struct Lifecycle {
    event: String,
    #[serde(default)]
    subscription: Option<uuid::Uuid>,
}

pub async fn lifecycle(State(sandbox): Tenant, body: Bytes) -> Answer {
    let Lifecycle { event, subscription } = parse(&body, r#"{"event": "missed"}"#)?;
    let known = [
        LifecycleEvent::ReauthorizationRequired,
        LifecycleEvent::SubscriptionRemoved,
        LifecycleEvent::Missed,
    ];
    let event = known
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(&event))
        .ok_or_else(|| {
            Refusal::bad(format!(
                "'{event}' is none of reauthorizationRequired, subscriptionRemoved, missed"
            ))
        })?;
    ok(json!({"told": sandbox.mail.send_lifecycle(event, subscription)}))
}
