//! `-MailboxPermission` and `-RecipientPermission` cmdlets: full access and send as.
//!
//! Owns who holds which of the two rights. Other rights on folders are not kept and refused.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::directory::tenant::Objects;
use crate::exchange::cmdlets::{Context, Outcome, Output, limited};
use crate::exchange::failure::Failure;
use crate::exchange::parameters::Parameters;
use crate::exchange::recipient::{self, RecipientId};

/// Trustees of one right on one mailbox.
const MAX_TRUSTEES: usize = 1_000;

/// The two rights that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Right {
    FullAccess,
    SendAs,
}

impl Right {
    fn as_str(self) -> &'static str {
        match self {
            Self::FullAccess => "FullAccess",
            Self::SendAs => "SendAs",
        }
    }

    fn trustees(self, objects: &Objects, mailbox: Uuid) -> Vec<Uuid> {
        let profile = objects.user_by_id(mailbox).map(|user| &user.mailbox);
        profile
            .map(|profile| match self {
                Self::FullAccess => profile.full_access.clone(),
                Self::SendAs => profile.send_as.clone(),
            })
            .unwrap_or_default()
    }
}

fn check_right(parameters: &Parameters, right: Right) -> Result<(), Failure> {
    let wanted = parameters.list("AccessRights")?;
    let mut wanted = wanted.iter().flat_map(|rights| rights.split(',')).map(str::trim);
    match wanted.find(|wanted| !wanted.eq_ignore_ascii_case(right.as_str())) {
        None => Ok(()),
        Some(other) => Err(Failure::unsupported(&format!("the access right {other}"))),
    }
}

/// Whom the parameters name: the mailbox and the trustee.
fn parties(context: &Context<'_>, parameters: &Parameters, trustee: &str) -> Result<(Uuid, Uuid), Failure> {
    let rules = context.exchange.rules();
    let objects = context.tenant.read();
    let mailbox = recipient::mailbox(context.tenant, &objects, &parameters.need("Identity")?)?;
    let trustee = recipient::any(context.tenant, &objects, &rules, &parameters.need(trustee)?)?;
    if let RecipientId::Group(id) = trustee
        && !rules.group(id).is_some_and(|group| group.security)
    {
        return Err(Failure::invalid("The trustee isn't a security principal."));
    }
    Ok((mailbox, trustee.id()))
}

fn change(
    context: &Context<'_>,
    mailbox: Uuid,
    right: Right,
    act: impl FnOnce(&mut Vec<Uuid>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut objects = context.tenant.write();
    let user = objects
        .user_mut(mailbox)
        .ok_or_else(|| Failure::not_found(&mailbox.to_string()))?;
    act(match right {
        Right::FullAccess => &mut user.mailbox.full_access,
        Right::SendAs => &mut user.mailbox.send_as,
    })
}

fn row(context: &Context<'_>, mailbox: Uuid, trustee: Uuid, right: Right) -> Value {
    let rules = context.exchange.rules();
    let objects = context.tenant.read();
    let mailbox = objects.user_by_id(mailbox).map(recipient::alias).unwrap_or_default();
    let trustee = match objects.user_by_id(trustee) {
        Some(user) => user.user_principal_name.clone(),
        None => rules
            .group(trustee)
            .map_or_else(|| trustee.to_string(), |group| group.name.clone()),
    };
    match right {
        Right::FullAccess => json!({
            "Identity": mailbox,
            "User": trustee,
            "AccessRights": ["FullAccess"],
            "IsInherited": false,
            "Deny": false,
            "InheritanceType": "All",
        }),
        Right::SendAs => json!({
            "Identity": mailbox,
            "Trustee": trustee,
            "AccessControlType": "Allow",
            "AccessRights": ["SendAs"],
            "IsInherited": false,
            "InheritanceType": "None",
        }),
    }
}

fn add(context: &Context<'_>, parameters: &Parameters, trustee: &str, right: Right) -> Outcome {
    check_right(parameters, right)?;
    let (mailbox, trustee) = parties(context, parameters, trustee)?;
    let mut warnings = Vec::new();
    change(context, mailbox, right, |trustees| {
        if trustees.contains(&trustee) {
            warnings.push("The appropriate access control entry is already present on the object.".to_owned());
            return Ok(());
        }
        if trustees.len() >= MAX_TRUSTEES {
            return Err(Failure::invalid("The object has too many access control entries."));
        }
        trustees.push(trustee);
        Ok(())
    })?;
    Ok(Output {
        value: vec![row(context, mailbox, trustee, right)],
        warnings,
    })
}

fn remove(context: &Context<'_>, parameters: &Parameters, trustee: &str, right: Right) -> Outcome {
    check_right(parameters, right)?;
    let (mailbox, trustee) = parties(context, parameters, trustee)?;
    let mut warnings = Vec::new();
    change(context, mailbox, right, |trustees| {
        if !trustees.contains(&trustee) {
            warnings.push("Can't remove the access control entry because it doesn't exist on the object.".to_owned());
        }
        trustees.retain(|known| *known != trustee);
        Ok(())
    })?;
    Ok(Output {
        value: Vec::new(),
        warnings,
    })
}

fn list(context: &Context<'_>, parameters: &Parameters, trustee: &str, right: Right) -> Outcome {
    let (mailboxes, only) = {
        let rules = context.exchange.rules();
        let objects = context.tenant.read();
        let mailboxes: Vec<Uuid> = match parameters.text("Identity")? {
            Some(identity) => vec![recipient::mailbox(context.tenant, &objects, &identity)?],
            None => objects
                .users()
                .filter(|user| user.mail.is_some())
                .map(|user| user.id)
                .collect(),
        };
        let only = match parameters.text(trustee)? {
            Some(identity) => Some(recipient::any(context.tenant, &objects, &rules, &identity)?.id()),
            None => None,
        };
        (mailboxes, only)
    };
    let mut rows = Vec::new();
    for mailbox in mailboxes {
        let trustees = right.trustees(&context.tenant.read(), mailbox);
        // Every mailbox lists itself first.
        if only.is_none() {
            let mut own = row(context, mailbox, mailbox, right);
            own[if right == Right::SendAs { "Trustee" } else { "User" }] = "NT AUTHORITY\\SELF".into();
            rows.push(own);
        }
        let chosen = trustees.into_iter().filter(|id| only.is_none_or(|only| only == *id));
        rows.extend(chosen.map(|id| row(context, mailbox, id, right)));
    }
    limited(parameters, rows)
}

pub fn add_mailbox_permission(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    if parameters.flag("Deny")? == Some(true) {
        return Err(Failure::unsupported("-Deny"));
    }
    add(context, parameters, "User", Right::FullAccess)
}

pub fn mailbox_permissions(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    list(context, parameters, "User", Right::FullAccess)
}

pub fn remove_mailbox_permission(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    remove(context, parameters, "User", Right::FullAccess)
}

pub fn add_recipient_permission(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    add(context, parameters, "Trustee", Right::SendAs)
}

pub fn recipient_permissions(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    list(context, parameters, "Trustee", Right::SendAs)
}

pub fn remove_recipient_permission(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    remove(context, parameters, "Trustee", Right::SendAs)
}
