//! `-ApplicationAccessPolicy` cmdlets.
//!
//! Owns the form of policies and which recipients may be their target: a mail-enabled security group or one user. A
//! shared mailbox is reached by being a member only (contract §7).

use serde_json::{Value, json};
use uuid::Uuid;

use crate::directory::mailbox_profile::MailboxKind;
use crate::directory::tenant::{Objects, Tenant};
use crate::exchange::cmdlets::{Context, Outcome, Output};
use crate::exchange::decision;
use crate::exchange::failure::Failure;
use crate::exchange::parameters::Parameters;
use crate::exchange::recipient::{self, RecipientId};
use crate::exchange::rules::{AccessPolicy, AccessRight, Rules};

/// Policies of one tenant.
const MAX_POLICIES: usize = 300;
/// Longest description.
const MAX_DESCRIPTION: usize = 1_024;

fn identity(tenant: &Tenant, policy: &AccessPolicy) -> String {
    let sid = policy.target.as_u128();
    let part = |shift: u32| (sid >> shift) % 4_294_967_296;
    format!(
        "{}\\{}:S-1-5-21-{}-{}-{}-{};{}",
        tenant.id,
        policy.app_id,
        part(96),
        part(64),
        part(32),
        part(0),
        policy.id
    )
}

fn show(tenant: &Tenant, objects: &Objects, rules: &Rules, policy: &AccessPolicy) -> Value {
    let name = match rules.group(policy.target) {
        Some(group) => group.name.clone(),
        None => objects
            .user_by_id(policy.target)
            .map_or_else(|| policy.target.to_string(), |user| recipient::alias(user).to_owned()),
    };
    let whole = identity(tenant, policy);
    let sid = whole
        .split_once(':')
        .and_then(|(_, rest)| rest.split_once(';'))
        .map_or("", |(sid, _)| sid);
    json!({
        "ScopeName": name,
        "ScopeIdentity": name,
        "Identity": whole,
        "AppId": policy.app_id,
        "ScopeIdentityRaw": format!("{sid};{}", policy.target),
        "Description": policy.description,
        "AccessRight": policy.right.as_str(),
        "ShardType": "All",
        "IsValid": true,
        "ObjectState": "Unchanged",
    })
}

fn find(tenant: &Tenant, rules: &Rules, wanted: &str) -> Result<Uuid, Failure> {
    let id = wanted.trim().parse::<Uuid>().ok();
    let found = rules
        .policies
        .iter()
        .find(|policy| Some(policy.id) == id || identity(tenant, policy).eq_ignore_ascii_case(wanted.trim()));
    found.map(|policy| policy.id).ok_or_else(|| Failure::not_found(wanted))
}

fn target(context: &Context<'_>, rules: &Rules, wanted: &str) -> Result<Uuid, Failure> {
    let objects = context.tenant.read();
    match recipient::any(context.tenant, &objects, rules, wanted)? {
        RecipientId::Group(id) => {
            let group = rules.group(id);
            if group.is_some_and(|group| group.security && group.address.is_some()) {
                Ok(id)
            } else {
                Err(Failure::invalid(format!(
                    "The recipient '{wanted}' isn't a security principal. PolicyScopeGroupId must be a mail-enabled security group or a user."
                )))
            }
        }
        RecipientId::Mailbox(id) => {
            let kind = objects.user_by_id(id).map(|user| user.mailbox.kind);
            if kind == Some(MailboxKind::User) {
                Ok(id)
            } else {
                Err(Failure::invalid(format!(
                    "The recipient '{wanted}' isn't a security principal. Make the mailbox a member of a mail-enabled security group and use the group."
                )))
            }
        }
    }
}

fn description(parameters: &Parameters) -> Result<Option<String>, Failure> {
    let text = parameters.text("Description")?;
    if text.as_ref().is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        return Err(Failure::invalid(format!(
            "The description can't be longer than {MAX_DESCRIPTION} characters."
        )));
    }
    Ok(text)
}

pub fn create(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rights = parameters.need("AccessRight")?;
    let right = match rights.to_ascii_lowercase().as_str() {
        "restrictaccess" => AccessRight::RestrictAccess,
        "denyaccess" => AccessRight::DenyAccess,
        _ => {
            return Err(Failure::binding(format!(
                "Cannot process argument transformation on parameter 'AccessRight'. Cannot convert value \"{rights}\" to type \"Microsoft.Exchange.Data.Directory.SystemConfiguration.ApplicationAccessPolicyRight\". Specify one of: RestrictAccess, DenyAccess."
            )));
        }
    };
    let apps = parameters.list("AppId")?;
    let mut app_ids = Vec::new();
    for app in &apps {
        let id = app.parse::<Uuid>().map_err(|_| {
            Failure::binding(format!(
                "Cannot process argument transformation on parameter 'AppId'. Cannot convert value \"{app}\" to type \"System.Guid\"."
            ))
        })?;
        app_ids.push(id);
    }
    let rules = context.exchange.rules();
    let target = target(context, &rules, &parameters.need("PolicyScopeGroupId")?)?;
    let description = description(parameters)?.unwrap_or_default();
    let policies: Vec<AccessPolicy> = app_ids
        .into_iter()
        .map(|app_id| AccessPolicy {
            id: context.tenant.entropy.uuid(),
            app_id,
            target,
            right,
            description: description.clone(),
        })
        .collect();
    let added = policies.clone();
    context.exchange.change(|rules| {
        for policy in policies {
            let same = |known: &AccessPolicy| known.app_id == policy.app_id && known.target == policy.target;
            if rules.policies.iter().any(same) {
                return Err(Failure::exists(format!(
                    "An application access policy for the application '{}' and this scope already exists.",
                    policy.app_id
                )));
            }
            if rules.policies.len() >= MAX_POLICIES {
                return Err(Failure::invalid(format!(
                    "The organization can't have more than {MAX_POLICIES} application access policies."
                )));
            }
            rules.policies.push(policy);
        }
        Ok(())
    })?;
    let rules = context.exchange.rules();
    let objects = context.tenant.read();
    let shown = added
        .iter()
        .map(|policy| show(context.tenant, &objects, &rules, policy));
    Ok(Output::many(shown.collect()))
}

pub fn list(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    let only = match parameters.text("Identity")? {
        Some(wanted) => Some(find(context.tenant, &rules, &wanted)?),
        None => None,
    };
    let objects = context.tenant.read();
    let chosen = rules
        .policies
        .iter()
        .filter(|policy| only.is_none_or(|id| policy.id == id));
    let shown = chosen.map(|policy| show(context.tenant, &objects, &rules, policy));
    Ok(Output::many(shown.collect()))
}

pub fn change(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let wanted = parameters.need("Identity")?;
    let description = description(parameters)?;
    context.exchange.change(|rules| {
        let id = find(context.tenant, rules, &wanted)?;
        for policy in rules.policies.iter_mut().filter(|policy| policy.id == id) {
            if let Some(text) = &description {
                policy.description.clone_from(text);
            }
        }
        Ok::<_, Failure>(())
    })?;
    Ok(Output::nothing())
}

pub fn remove(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let wanted = parameters.need("Identity")?;
    context.exchange.change(|rules| {
        let id = find(context.tenant, rules, &wanted)?;
        rules.policies.retain(|policy| policy.id != id);
        Ok::<_, Failure>(())
    })?;
    Ok(Output::nothing())
}

pub fn test(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    let app_id = parameters.guid("AppId")?.unwrap_or_default();
    let wanted = parameters.need("Identity")?;
    let objects = context.tenant.read();
    let mailbox = recipient::mailbox(context.tenant, &objects, &wanted)?;
    let name = objects
        .user_by_id(mailbox)
        .map(|user| recipient::alias(user).to_owned())
        .unwrap_or_default();
    let blocked = decision::is_blocked(&rules, app_id, mailbox);
    Ok(Output::one(json!({
        "AppId": app_id,
        "Mailbox": name,
        "MailboxId": mailbox,
        "MailboxSid": format!("S-1-5-21-{}", mailbox.as_u128() % 4_294_967_296),
        "AccessCheckResult": if blocked { "Denied" } else { "Granted" },
    })))
}
