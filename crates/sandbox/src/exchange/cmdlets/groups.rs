//! `-DistributionGroup` cmdlets: groups with an address, and their direct members.
//!
//! Owns making and changing mail-enabled groups. `-Type Security` makes one that policies and scopes can use.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::directory::Directory as _;
use crate::directory::tenant::{Objects, Tenant};
use crate::exchange::cmdlets::{Context, Outcome, Output, limited, mailboxes};
use crate::exchange::failure::Failure;
use crate::exchange::graph_groups;
use crate::exchange::parameters::Parameters;
use crate::exchange::recipient::{self, RecipientId};
use crate::exchange::rules::{Group, Rules};

pub fn show(tenant: &Tenant, group: &Group) -> Value {
    let kind = match (group.address.is_some(), group.security) {
        (true, true) => "MailUniversalSecurityGroup",
        (true, false) => "MailUniversalDistributionGroup",
        (false, _) => "UniversalSecurityGroup",
    };
    let address = group.address.clone().unwrap_or_default();
    json!({
        "Name": group.name,
        "Identity": group.name,
        "Id": group.name,
        "DisplayName": group.display_name,
        "Alias": group.alias,
        "PrimarySmtpAddress": address,
        "WindowsEmailAddress": address,
        "EmailAddresses": group.address.iter().map(|address| format!("SMTP:{address}")).collect::<Vec<_>>(),
        "GroupType": if group.security { "Universal, SecurityEnabled" } else { "Universal" },
        "RecipientType": kind,
        "RecipientTypeDetails": kind,
        "Description": group.description.iter().collect::<Vec<_>>(),
        "DistinguishedName": recipient::distinguished_name(tenant, &group.name),
        "Guid": group.id,
        "ExternalDirectoryObjectId": group.id,
        "ManagedBy": ["Organization Management"],
        "MemberJoinRestriction": "Closed",
        "WhenCreatedUTC": group.created_at.to_string(),
        "IsValid": true,
    })
}

/// The mailbox or group of an identity that becomes a member.
fn member(context: &Context<'_>, rules: &Rules, identity: &str) -> Result<Uuid, Failure> {
    let objects = context.tenant.read();
    recipient::any(context.tenant, &objects, rules, identity).map(RecipientId::id)
}

pub fn create(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let name = parameters.need("Name")?;
    let security = match parameters
        .text("Type")?
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "" | "distribution" => false,
        "security" => true,
        other => {
            return Err(Failure::binding(format!(
                "Cannot process argument transformation on parameter 'Type'. Cannot convert value \"{other}\" to type \"Microsoft.Exchange.Management.RecipientTasks.GroupType\". Specify one of: Distribution, Security."
            )));
        }
    };
    let alias = parameters.text("Alias")?.filter(|alias| !alias.is_empty());
    let alias = alias.unwrap_or_else(|| graph_groups::nickname(&name));
    let address = parameters
        .text("PrimarySmtpAddress")?
        .filter(|address| !address.is_empty());
    let address = address.unwrap_or_else(|| format!("{alias}@{}", context.tenant.domain));
    mailboxes::check_address(context, &address, None)?;
    let rules = context.exchange.rules();
    let mut members = Vec::new();
    for identity in parameters.list("Members")? {
        let id = member(context, &rules, &identity)?;
        if !members.contains(&id) {
            members.push(id);
        }
    }
    let description = parameters.text("Description")?.or(parameters.text("Notes")?);
    let display_name = parameters.text("DisplayName")?.filter(|shown| !shown.is_empty());
    let group = Group {
        id: context.tenant.entropy.uuid(),
        display_name: display_name.unwrap_or_else(|| name.clone()),
        name,
        description,
        alias,
        address: Some(address),
        security,
        members,
        created_at: context.tenant.clock.now(),
    };
    let shown = show(context.tenant, &group);
    context
        .exchange
        .change(|rules| graph_groups::add(rules, group).map_err(Failure::exists))?;
    Ok(Output::one(shown))
}

pub fn list(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    if let Some(identity) = parameters.text("Identity")? {
        let group = recipient::group(context.tenant, &rules, &identity)?;
        if group.address.is_none() {
            return Err(Failure::not_found(&identity));
        }
        return Ok(Output::one(show(context.tenant, group)));
    }
    let kind = parameters.text("RecipientTypeDetails")?;
    let start = parameters.text("Anr")?.map(|text| text.to_lowercase());
    let chosen = rules.groups.iter().filter(|group| {
        group.address.is_some()
            && start
                .as_ref()
                .is_none_or(|start| group.display_name.to_lowercase().starts_with(start))
    });
    let shown = chosen.map(|group| show(context.tenant, group)).filter(|shown| {
        kind.as_deref().is_none_or(|kind| {
            shown["RecipientTypeDetails"]
                .as_str()
                .is_some_and(|own| own.eq_ignore_ascii_case(kind))
        })
    });
    limited(parameters, shown.collect())
}

pub fn change(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    let id = recipient::group(context.tenant, &rules, &parameters.need("Identity")?)?.id;
    let name = parameters.text("Name")?.filter(|name| !name.is_empty());
    let display_name = parameters.text("DisplayName")?;
    let alias = parameters.text("Alias")?;
    let description = parameters.text("Description")?;
    let address = parameters.text("PrimarySmtpAddress")?;
    if let Some(address) = &address {
        mailboxes::check_address(context, address, Some(id))?;
    }
    context.exchange.change(|rules| {
        let taken = name.as_ref().filter(|name| {
            let mut others = rules.groups.iter().filter(|group| group.id != id);
            others.any(|group| group.name.eq_ignore_ascii_case(name))
        });
        if let Some(name) = taken {
            return Err(Failure::exists(format!("The name \"{name}\" is already being used.")));
        }
        for group in rules.groups.iter_mut().filter(|group| group.id == id) {
            group.name = name.clone().unwrap_or_else(|| group.name.clone());
            group.display_name = display_name.clone().unwrap_or_else(|| group.display_name.clone());
            group.alias = alias.clone().unwrap_or_else(|| group.alias.clone());
            group.description = description.clone().or_else(|| group.description.clone());
            group.address = address.clone().or_else(|| group.address.clone());
        }
        Ok(())
    })?;
    Ok(Output::nothing())
}

pub fn remove(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    let id = recipient::group(context.tenant, &rules, &parameters.need("Identity")?)?.id;
    context.exchange.change(|rules| {
        graph_groups::remove(rules, id);
        Ok::<_, Failure>(())
    })?;
    Ok(Output::nothing())
}

fn change_members(
    context: &Context<'_>,
    parameters: &Parameters,
    change: impl FnOnce(&mut Vec<Uuid>) -> Result<(), Failure>,
) -> Outcome {
    let rules = context.exchange.rules();
    let id = recipient::group(context.tenant, &rules, &parameters.need("Identity")?)?.id;
    context.exchange.change(|rules| {
        let group = rules.groups.iter_mut().find(|group| group.id == id);
        let group = group.ok_or_else(|| Failure::not_found(&id.to_string()))?;
        change(&mut group.members)
    })?;
    Ok(Output::nothing())
}

pub fn add_member(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let identity = parameters.need("Member")?;
    let new = member(context, &context.exchange.rules(), &identity)?;
    change_members(context, parameters, |members| {
        if members.contains(&new) {
            return Err(Failure::exists(format!(
                "The recipient \"{identity}\" is already a member of the group."
            )));
        }
        if members.len() >= graph_groups::MAX_MEMBERS {
            return Err(Failure::invalid("The group has too many members."));
        }
        members.push(new);
        Ok(())
    })
}

pub fn remove_member(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let identity = parameters.need("Member")?;
    let old = member(context, &context.exchange.rules(), &identity)?;
    change_members(context, parameters, |members| {
        if !members.contains(&old) {
            return Err(Failure::invalid(format!(
                "The recipient \"{identity}\" isn't a member of the group."
            )));
        }
        members.retain(|known| *known != old);
        Ok(())
    })
}

pub fn replace_members(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    let change = parameters.list_change("Members")?.unwrap_or_default();
    let ids = |identities: &[String]| -> Result<Vec<Uuid>, Failure> {
        identities
            .iter()
            .map(|identity| member(context, &rules, identity))
            .collect()
    };
    let replace = change.replace.as_deref().map(ids).transpose()?;
    let (add, gone) = (ids(&change.add)?, ids(&change.remove)?);
    change_members(context, parameters, |members| {
        if let Some(replace) = replace {
            *members = replace;
        }
        members.retain(|known| !gone.contains(known));
        for new in add {
            if !members.contains(&new) {
                members.push(new);
            }
        }
        Ok(())
    })
}

pub fn members(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    let group = recipient::group(context.tenant, &rules, &parameters.need("Identity")?)?;
    let objects = context.tenant.read();
    let shown = group
        .members
        .iter()
        .filter_map(|id| show_member(context, &objects, &rules, *id));
    limited(parameters, shown.collect())
}

fn show_member(context: &Context<'_>, objects: &Objects, rules: &Rules, id: Uuid) -> Option<Value> {
    match objects.user_by_id(id) {
        Some(user) => Some(mailboxes::show_recipient(context.tenant, user)),
        None => rules.group(id).map(|group| show(context.tenant, group)),
    }
}

/// Whether a group has the address; the directory knows those of users.
pub fn has_address(rules: &Rules, address: &str, except: Option<Uuid>) -> bool {
    rules.groups.iter().any(|group| {
        Some(group.id) != except
            && group
                .address
                .as_ref()
                .is_some_and(|own| own.eq_ignore_ascii_case(address))
    })
}

/// Whether an address is a user's or a group's.
pub fn is_taken(context: &Context<'_>, address: &str, except: Option<Uuid>) -> bool {
    let user = context.tenant.user_by_address(address);
    user.is_some_and(|user| Some(user.id) != except) || has_address(&context.exchange.rules(), address, except)
}
