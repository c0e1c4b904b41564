//! Control of people and of the tenant's switches.
//!
//! Owns deleting users and their return, making users that have no ordinary mailbox (unlicensed, guests, with a plan that gives none), changing whether
//! and how a user signs in, and setting the tenant's policies.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::answers::{Answer, Refusal, created, ok};
use crate::control::tenant::parse;
use crate::directory::model::GLOBAL_ADMINISTRATOR;
use crate::directory::policies::Policies;
use crate::directory::tenant::NewUser;
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

const NEW_USER: &str = r#"{"user_principal_name": "eve@contoso.example", "kind": "unlicensed", "password": "…"}"#;
const CHANGE: &str = r#"{"password": "…", "account_enabled": false, "administrator": true}"#;

/// Kinds of users without an ordinary mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// No licence and no mailbox.
    Unlicensed,
    /// A licence whose Exchange plan gives no mailbox.
    Foundation,
    /// A person of another organisation.
    Guest,
}

#[derive(Deserialize)]
struct New {
    user_principal_name: String,
    kind: Kind,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(flatten)]
    change: Change,
}

#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    account_enabled: Option<bool>,
    #[serde(default)]
    administrator: Option<bool>,
}

pub async fn create(State(sandbox): Tenant, body: Bytes) -> Answer {
    let new: New = parse(&body, NEW_USER)?;
    let given = new.user_principal_name.trim();
    let Some((local, domain)) = given
        .split_once('@')
        .filter(|(local, domain)| !local.is_empty() && domain.contains('.') && !domain.contains('@'))
    else {
        return Err(Refusal::bad(format!("'{given}' is not a sign-in name")));
    };
    let tenant = &sandbox.tenant;
    let name = match new.kind {
        Kind::Guest => format!("{local}_{domain}#EXT#@{}", tenant.initial_domain()),
        Kind::Unlicensed | Kind::Foundation => given.to_owned(),
    };
    let added = tenant.add_user(NewUser {
        user_principal_name: &name,
        display_name: new.display_name.as_deref().unwrap_or(local),
        mailbox: false,
        password: None,
        roles: Vec::new(),
    });
    let added = added.ok_or_else(|| Refusal::conflict(format!("'{name}' exists already, or the tenant is full")))?;
    {
        let mut objects = tenant.write();
        if let Some(user) = objects.user_mut(added.id) {
            user.guest = new.kind == Kind::Guest;
            user.foundation_only = new.kind == Kind::Foundation;
            user.mail = (new.kind == Kind::Guest).then(|| given.to_owned());
        }
    }
    apply(&sandbox, added.id, &new.change);
    created(json!({"id": added.id, "user_principal_name": name}))
}

pub async fn change(State(sandbox): Tenant, Path(name): Path<String>, body: Bytes) -> Answer {
    let change: Change = parse(&body, CHANGE)?;
    let id = sandbox.tenant.read().user(&name).map(|user| user.id);
    let id = id.ok_or_else(|| Refusal::missing(format!("no user is called {name}")))?;
    apply(&sandbox, id, &change);
    ok(json!({"id": id}))
}

pub async fn delete(State(sandbox): Tenant, Path(name): Path<String>) -> Answer {
    if sandbox.tenant.write().delete_user(&name) {
        ok(json!({"deleted": name}))
    } else {
        Err(Refusal::missing(format!("no user is called {name}")))
    }
}

pub async fn restore(State(sandbox): Tenant, Path(name): Path<String>) -> Answer {
    if sandbox.tenant.write().restore_user(&name) {
        ok(json!({"restored": name}))
    } else {
        Err(Refusal::missing(format!(
            "no deleted user is called {name}, or the name or an address has been given to another"
        )))
    }
}

fn apply(sandbox: &Sandbox, user: uuid::Uuid, change: &Change) {
    let mut objects = sandbox.tenant.write();
    let Some(user) = objects.user_mut(user) else {
        return;
    };
    if let Some(password) = &change.password {
        user.password = Some(SecretString::from(password.as_str()));
    }
    user.account_enabled = change.account_enabled.unwrap_or(user.account_enabled);
    if let Some(administrator) = change.administrator {
        user.roles.retain(|role| *role != GLOBAL_ADMINISTRATOR);
        if administrator {
            user.roles.push(GLOBAL_ADMINISTRATOR);
        }
    }
}

pub async fn policies(State(sandbox): Tenant) -> Answer {
    ok(json!(sandbox.tenant.policies()))
}

/// Members that are given replace the present ones, the others stay.
pub async fn set_policies(State(sandbox): Tenant, body: Bytes) -> Answer {
    let example = r#"{"replication_lag_seconds": 30, "security_defaults": true}"#;
    let changes: serde_json::Map<String, Value> = parse(&body, example)?;
    let mut objects = sandbox.tenant.write();
    let mut all = json!(objects.policies);
    for (name, value) in changes {
        all[name.as_str()] = value;
    }
    let policies: Policies = serde_json::from_value(all)
        .map_err(|error| Refusal::bad(format!("the policies are not usable ({error}): send {example}")))?;
    objects.policies = policies;
    ok(json!(objects.policies))
}
