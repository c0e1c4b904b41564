//! Making a scenario true.
//!
//! Owns the order: clock, users, applications, limits, mails, faults, and then the plan of later steps. It goes around
//! permissions as the control interface does. What exists already is an error, and what was done before it stays.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::format::{Application, Call, Mail, Scenario, Step, User};
use crate::control;
use crate::directory::model::{self, AppRoleAssignment, GLOBAL_ADMINISTRATOR, Grant};
use crate::directory::permissions::{self, GRAPH_APP_ID};
use crate::directory::tenant::NewUser;
use crate::directory::{key_credentials, templates};
use crate::mail::Arrival;
use crate::smtp::trace::{self, Hop};
use crate::state::Sandbox;

/// Life of a secret that names no end.
const SECRET_LIFE: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);
/// Largest answer of a control call that is read for its error text.
const MAX_ANSWER: usize = 64 * 1024;

/// Applies a scenario to a running tenant; relative files are below `directory`.
///
/// # Errors
/// Text that names what could not be done.
pub async fn apply(sandbox: &Arc<Sandbox>, scenario: &Scenario, directory: Option<&Path>) -> Result<(), String> {
    let mut scenario = scenario.clone();
    // Files are read first: a scenario with a missing file does nothing.
    for mail in scenario
        .mails
        .iter_mut()
        .chain(scenario.steps.iter_mut().filter_map(|step| step.mail.as_mut()))
    {
        mail.load(directory)?;
    }
    if !sandbox.plan.has_room(scenario.steps.len()) {
        return Err("too many steps wait already: DELETE /scenario drops them".to_owned());
    }
    clock(sandbox, &scenario);
    if let Some(lag) = scenario.directory.replication_lag_seconds {
        sandbox.tenant.write().policies.replication_lag_seconds = lag;
    }
    for wanted in &scenario.users {
        user(sandbox, wanted)?;
    }
    for wanted in &scenario.applications {
        application(sandbox, wanted)?;
    }
    if !scenario.throttling.is_empty() {
        control::change_settings(sandbox, scenario.throttling.clone())?;
    }
    for mail in &scenario.mails {
        deliver(sandbox, mail).await?;
    }
    for rule in &scenario.faults {
        sandbox.faults.add(rule.clone())?;
    }
    sandbox.plan.add(&scenario, sandbox.clock.now())
}

/// Carries out one step.
///
/// # Errors
/// Text for the report.
pub async fn step(sandbox: &Arc<Sandbox>, step: &Step) -> Result<(), String> {
    if let Some(mail) = &step.mail {
        deliver(sandbox, mail).await?;
    }
    if let Some(rule) = &step.fault {
        sandbox.faults.add(rule.clone())?;
    }
    if step.remove_faults {
        sandbox.faults.remove(None);
    }
    if let Some(changes) = &step.throttling {
        control::change_settings(sandbox, changes.clone())?;
    }
    match &step.call {
        Some(call) => carry_out(sandbox, call).await,
        None => Ok(()),
    }
}

fn clock(sandbox: &Sandbox, scenario: &Scenario) {
    let clock = &sandbox.clock;
    match scenario.clock.frozen {
        Some(true) => clock.freeze(),
        Some(false) => clock.unfreeze(),
        None => {}
    }
    if let Some(at) = scenario.clock.at {
        clock.set(at);
    }
    if let Some(skew) = scenario.clock.date_skew_seconds {
        clock.set_date_skew(SignedDuration::from_secs(skew));
    }
}

fn user(sandbox: &Sandbox, wanted: &User) -> Result<(), String> {
    let tenant = &sandbox.tenant;
    let added = tenant.add_user(NewUser {
        user_principal_name: &wanted.address,
        display_name: wanted.display_name.as_deref().unwrap_or(&wanted.address),
        mailbox: wanted.mailbox,
        password: wanted.password.clone().map(SecretString::from),
        roles: if wanted.administrator {
            vec![GLOBAL_ADMINISTRATOR]
        } else {
            Vec::new()
        },
    });
    let user = added.ok_or_else(|| format!("the user '{}' exists already, or the tenant is full", wanted.address))?;
    {
        let mut objects = tenant.write();
        objects
            .set_aliases(user.id, &wanted.aliases)
            .map_err(|taken| format!("the address {taken} is taken"))?;
        if let Some(user) = objects.user_mut(user.id) {
            user.account_enabled = wanted.enabled;
            let profile = &mut user.mailbox;
            profile.kind = wanted.kind.unwrap_or(profile.kind);
            profile.licensed = wanted.licensed.unwrap_or(profile.licensed);
            profile.condition = wanted.condition.unwrap_or(profile.condition);
        }
    }
    if wanted.mailbox {
        sandbox
            .mail
            .create_mailbox(user.id, &wanted.address, &user.display_name);
    }
    Ok(())
}

fn application(sandbox: &Sandbox, wanted: &Application) -> Result<(), String> {
    let tenant = &sandbox.tenant;
    let now = tenant.clock.now();
    let (id, app_id) = (
        tenant.entropy.uuid(),
        wanted.app_id.unwrap_or_else(|| tenant.entropy.uuid()),
    );
    if tenant.read().application_of(app_id).is_some() {
        return Err(format!("the application {app_id} exists already"));
    }
    let mut document = templates::application(id, app_id, &tenant.domain, now);
    document.insert("displayName".to_owned(), Value::from(wanted.name.as_str()));
    document.insert("isFallbackPublicClient".to_owned(), Value::from(wanted.public_client));
    for (platform, uris) in &wanted.redirect_uris {
        if !["web", "publicClient", "spa"].contains(&platform.as_str()) {
            return Err(format!("'{platform}' is none of web, publicClient, spa"));
        }
        document.insert(platform.clone(), json!({"redirectUris": uris}));
    }
    crate::directory::redirects::check(&document).map_err(|error| error.message.into_owned())?;
    let keys: Vec<Value> = wanted.certificates.iter().map(|pem| certificate(pem)).collect();
    let keys =
        key_credentials::replaced(tenant, &[], &Value::from(keys)).map_err(|error| error.message.into_owned())?;
    let secrets = wanted.secrets.iter().map(|secret| model::Secret {
        key_id: tenant.entropy.uuid(),
        display_name: secret.display_name.clone(),
        start: now,
        end: secret
            .expires
            .unwrap_or_else(|| now.checked_add(SECRET_LIFE).unwrap_or(Timestamp::MAX)),
        known_from: now,
        text: SecretString::from(secret.text.clone()),
    });
    let registered = model::Application {
        id,
        app_id,
        document,
        secrets: secrets.collect(),
        keys,
        federated: Vec::new(),
        owners: Vec::new(),
    };
    tenant.write().applications.push(registered);
    let principal = tenant.ensure_service_principal(app_id, &wanted.name, tenant.id);
    grant(sandbox, principal, wanted, now)?;
    if !wanted.enabled {
        let mut objects = tenant.write();
        let own = objects.service_principals.iter_mut().find(|own| own.id == principal);
        if let Some(own) = own {
            own.document.insert("accountEnabled".to_owned(), Value::from(false));
        }
    }
    Ok(())
}

fn certificate(pem: &str) -> Value {
    let base64: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .map(str::trim)
        .collect();
    json!({"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64})
}

fn grant(sandbox: &Sandbox, principal_id: Uuid, wanted: &Application, now: Timestamp) -> Result<(), String> {
    let tenant = &sandbox.tenant;
    let graph = tenant.read().service_principal_of(GRAPH_APP_ID).map(|graph| graph.id);
    let resource_id = graph.ok_or("the tenant has no service principal of Microsoft Graph")?;
    for name in &wanted.permissions {
        let role = permissions::role_by_value(GRAPH_APP_ID, name)
            .ok_or_else(|| format!("'{name}' is not an application permission of Microsoft Graph"))?;
        let assignment = AppRoleAssignment {
            id: tenant.link_id(),
            app_role_id: role.id,
            principal_id,
            resource_id,
            created_at: now,
        };
        tenant.write().assignments.push(assignment);
    }
    let unknown = wanted
        .delegated
        .iter()
        .find(|name| permissions::scope_by_value(GRAPH_APP_ID, name).is_none());
    if let Some(name) = unknown {
        return Err(format!("'{name}' is not a delegated permission of Microsoft Graph"));
    }
    if !wanted.delegated.is_empty() {
        let grant = Grant {
            id: tenant.link_id(),
            client_id: principal_id,
            principal_id: None,
            resource_id,
            scope: wanted.delegated.join(" "),
        };
        tenant.write().grants.push(grant);
    }
    Ok(())
}

async fn deliver(sandbox: &Arc<Sandbox>, mail: &Mail) -> Result<(), String> {
    for number in 1..=mail.repeat {
        let (now, id) = (sandbox.clock.now(), sandbox.entropy.uuid());
        let bytes: Bytes = match &mail.bytes {
            Some(bytes) => bytes.clone(),
            None => mail.compose(number, now, id)?.into(),
        };
        let from = mail.from.as_deref().unwrap_or_default();
        match &mail.folder {
            Some(folder) => {
                for address in &mail.to {
                    let put = sandbox.mail.deliver_into(address, Some(folder), bytes.clone()).await;
                    put.map_err(|error| error.to_string())?;
                }
            }
            None => {
                let hop = Hop {
                    from,
                    helo: "mail.outside.example",
                    peer: "192.0.2.25",
                    at: now,
                    id,
                    judgement: sandbox.mail.transport().judge(from, &bytes),
                };
                let only = match mail.to.as_slice() {
                    [only] => Some(only.as_str()),
                    _ => None,
                };
                let traced = trace::add(&bytes, &hop, only);
                let sent = sandbox.mail.deliver_raw(&mail.to, from, traced, Arrival::Smtp).await;
                sent.map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(())
}

/// Asks the control interface as a program outside would.
async fn carry_out(sandbox: &Arc<Sandbox>, call: &Call) -> Result<(), String> {
    let body = match &call.body {
        Some(body) => Body::from(body.to_string()),
        None => Body::empty(),
    };
    let request = Request::builder()
        .method(call.method.to_ascii_uppercase().as_str())
        .uri(call.path.as_str())
        .header(HOST, "localhost")
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|error| error.to_string())?;
    let router = control::router(Arc::clone(sandbox), Vec::new());
    let Ok(answer) = router.oneshot(request).await;
    if answer.status().is_success() {
        return Ok(());
    }
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), MAX_ANSWER)
        .await
        .unwrap_or_default();
    let document: Map<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
    let text = document.get("error").and_then(Value::as_str).unwrap_or_default();
    Err(format!("{} answered {status}: {text}", call.path))
}
