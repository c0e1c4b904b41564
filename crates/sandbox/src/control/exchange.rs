//! Control of Exchange: cmdlets without sign-in, settings, effective access, kinds and conditions of mailboxes.
//!
//! Owns the endpoints below `/exchange` and `/mailboxes/{address}/profile`. They go around permissions; what they set
//! is the same state that cmdlets and Graph set.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::{Caller, CallerKind};
use crate::control::answers::{Answer, Refusal, created, ok};
use crate::control::parse;
use crate::directory::mailbox_profile::{MailboxCondition, MailboxKind};
use crate::directory::permissions::GRAPH_APP_ID;
use crate::directory::role_assignments;
use crate::directory::{Directory as _, ExchangeRules};
use crate::exchange::connection_filter::Verdict;
use crate::exchange::rules::Unit;
use crate::exchange::{ExchangeSettings, Saved, cmdlets, decision, restriction};
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

/// Administrative units: a bound, as for groups.
const MAX_UNITS: usize = 10_000;

pub async fn show(State(sandbox): Tenant) -> Answer {
    ok(json!({"settings": sandbox.exchange.settings(), "state": sandbox.exchange.saved()}))
}

pub async fn restore(State(sandbox): Tenant, body: Bytes) -> Answer {
    let saved: Saved = parse(&body, "the member 'state' of GET /exchange")?;
    sandbox.exchange.restore(saved);
    show(State(sandbox)).await
}

pub async fn configure(State(sandbox): Tenant, body: Bytes) -> Answer {
    let settings: ExchangeSettings = parse(
        &body,
        r#"{"cache_idle_seconds": 1800, "cache_longest_seconds": 7200, "propagation_seconds": 0, "subscriptions_by_rbac": true}"#,
    )?;
    sandbox.exchange.configure(settings);
    ok(json!({"settings": settings}))
}

#[derive(Deserialize)]
struct Invocation {
    cmdlet: String,
    #[serde(default)]
    parameters: Value,
}

pub async fn invoke(State(sandbox): Tenant, body: Bytes) -> Answer {
    let Invocation { cmdlet, parameters } = parse(
        &body,
        r#"{"cmdlet": "New-DistributionGroup", "parameters": {"Name": "Team", "Type": "Security"}}"#,
    )?;
    match cmdlets::run(&sandbox, &cmdlet, &parameters) {
        Ok(output) => ok(json!({"value": output.value, "warnings": output.warnings})),
        Err(failure) => Err(Refusal::bad(failure.message)),
    }
}

#[derive(Deserialize)]
pub struct Pair {
    app: Uuid,
    mailbox: String,
}

/// What an application reaches in a mailbox, by whose grant, now and once all changes have taken effect.
pub async fn access(State(sandbox): Tenant, Query(pair): Query<Pair>) -> Answer {
    let tenant = &sandbox.tenant;
    let user = tenant
        .user(&pair.mailbox)
        .or_else(|| tenant.user_by_address(&pair.mailbox));
    let user = user.ok_or_else(|| Refusal::missing(format!("no user is called {}", pair.mailbox)))?;
    let (principal, roles) = {
        let objects = tenant.read();
        let principal = objects.service_principal_of(pair.app).map(|principal| principal.id);
        let principal =
            principal.ok_or_else(|| Refusal::missing(format!("no service principal has the appId {}", pair.app)))?;
        let graph = objects.service_principal_of(GRAPH_APP_ID).map(|graph| graph.id);
        (
            principal,
            graph
                .map(|graph| objects.roles(principal, graph, sandbox.clock.now()))
                .unwrap_or_default(),
        )
    };
    let mut caller = Caller::anonymous();
    caller.kind = CallerKind::App;
    caller.app_id = pair.app;
    caller.service_principal_id = Some(principal);
    let now = sandbox.exchange.exchange_rules(&caller, user.id);
    let newest = decision::decide(tenant, &sandbox.exchange.rules(), pair.app, Some(principal), user.id);
    let effective = |rules: &ExchangeRules| {
        let mut effective: Vec<String> = match rules.blocked {
            true => Vec::new(),
            false => roles.clone(),
        };
        for granted in &rules.granted {
            if !effective.iter().any(|held| held.as_str() == *granted) {
                effective.push((*granted).to_owned());
            }
        }
        json!({"by_exchange": rules.granted, "blocked_by_access_policy": rules.blocked, "effective": effective})
    };
    ok(json!({
        "app": pair.app,
        "mailbox": user.user_principal_name,
        "by_entra": roles,
        "now": effective(&now),
        "newest": effective(&newest),
    }))
}

pub async fn judge_server(State(sandbox): Tenant, Path(address): Path<String>) -> Answer {
    let address: IpAddr = address
        .parse()
        .map_err(|_| Refusal::bad(format!("'{address}' is not an IP address")))?;
    let verdict = match sandbox.exchange.connection_filter().judge(address) {
        Verdict::Allowed => "allowed",
        Verdict::Blocked => "blocked",
        Verdict::Unknown => "unknown",
    };
    ok(json!({"address": address, "verdict": verdict}))
}

#[derive(Deserialize)]
struct NewUnit {
    display_name: String,
    #[serde(default)]
    members: Vec<String>,
}

pub async fn add_unit(State(sandbox): Tenant, body: Bytes) -> Answer {
    let new: NewUnit = parse(
        &body,
        r#"{"display_name": "Paris", "members": ["support@contoso.example"]}"#,
    )?;
    let mut members = Vec::new();
    for name in &new.members {
        let user = sandbox.tenant.user(name);
        members.push(
            user.ok_or_else(|| Refusal::missing(format!("no user is called {name}")))?
                .id,
        );
    }
    let unit = Unit {
        id: sandbox.entropy.uuid(),
        display_name: new.display_name,
        members,
    };
    let shown = json!({"id": unit.id, "display_name": unit.display_name, "members": unit.members});
    sandbox.exchange.change(|rules| {
        if rules.units.len() >= MAX_UNITS {
            return Err(Refusal::conflict("the tenant has too many administrative units"));
        }
        rules.units.push(unit);
        Ok(())
    })?;
    created(shown)
}

#[derive(Deserialize)]
struct NewRole {
    principal: String,
    role: String,
}

/// Gives a directory role to a user (by name or id) or an application (by appId or object id).
pub async fn give_role(State(sandbox): Tenant, body: Bytes) -> Answer {
    let new: NewRole = parse(
        &body,
        r#"{"principal": "6f1a2f0e-…", "role": "Exchange Administrator"}"#,
    )?;
    let role = role_assignments::ROLES
        .iter()
        .find(|(id, name)| name.eq_ignore_ascii_case(&new.role) || id.to_string() == new.role.to_lowercase());
    let (role, name) =
        *role.ok_or_else(|| Refusal::bad(format!("the sandbox knows no directory role {}", new.role)))?;
    let mut objects = sandbox.tenant.write();
    let id = new.principal.parse::<Uuid>().ok();
    let by_app = id
        .and_then(|id| objects.service_principal_of(id))
        .map(|principal| principal.id);
    let principal = by_app
        .or_else(|| objects.user(&new.principal).map(|user| user.id))
        .or(id);
    let given = principal.and_then(|principal| role_assignments::give(&mut objects, principal, role));
    if given.is_none() {
        return Err(Refusal::missing(format!(
            "no user or application is called {}",
            new.principal
        )));
    }
    created(json!({"principal": principal, "role": name}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    kind: Option<MailboxKind>,
    licensed: Option<bool>,
    condition: Option<MailboxCondition>,
    aliases: Option<Vec<String>>,
    attributes: Option<std::collections::BTreeMap<String, String>>,
}

pub async fn profile(State(sandbox): Tenant, Path(address): Path<String>) -> Answer {
    let objects = sandbox.tenant.read();
    let user = objects.user(&address).or_else(|| objects.user_of_address(&address));
    let user = user.ok_or_else(|| Refusal::missing(format!("no user is called {address}")))?;
    ok(json!({"id": user.id, "user_principal_name": user.user_principal_name, "profile": user.mailbox}))
}

pub async fn set_profile(State(sandbox): Tenant, Path(address): Path<String>, body: Bytes) -> Answer {
    let wanted: Profile = parse(
        &body,
        r#"{"kind": "shared", "licensed": false, "condition": "active", "aliases": ["help@contoso.example"], "attributes": {"Department": "Support"}}"#,
    )?;
    for name in wanted.attributes.iter().flatten().map(|(name, _)| name) {
        if !restriction::PROPERTIES.contains(&name.as_str()) {
            return Err(Refusal::bad(format!("Exchange has no recipient property {name}")));
        }
    }
    {
        let mut objects = sandbox.tenant.write();
        let user = objects.user(&address).or_else(|| objects.user_of_address(&address));
        let id = user
            .ok_or_else(|| Refusal::missing(format!("no user is called {address}")))?
            .id;
        if let Some(aliases) = &wanted.aliases {
            objects
                .set_aliases(id, aliases)
                .map_err(|taken| Refusal::conflict(format!("the address {taken} is taken")))?;
        }
        if let Some(user) = objects.user_mut(id) {
            let profile = &mut user.mailbox;
            profile.kind = wanted.kind.unwrap_or(profile.kind);
            profile.licensed = wanted.licensed.unwrap_or(profile.licensed);
            profile.condition = wanted.condition.unwrap_or(profile.condition);
            if let Some(attributes) = wanted.attributes {
                profile.attributes = attributes;
            }
        }
    }
    profile(State(sandbox), Path(address)).await
}
