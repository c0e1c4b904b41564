//! `-ServicePrincipal` cmdlets: Exchange's pointers to Entra's service principals, and what they are authorised to.
//!
//! Owns the rule that a pointer names an existing principal of Entra by its object id and application id. The test
//! reads the newest rules, whatever is cached.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::exchange::cmdlets::{Context, Outcome, Output, limited};
use crate::exchange::decision;
use crate::exchange::failure::Failure;
use crate::exchange::parameters::Parameters;
use crate::exchange::recipient;
use crate::exchange::roles;
use crate::exchange::rules::{AppPrincipal, ResourceScope, Rules};

/// Applications of one tenant (contract §7).
const MAX_PRINCIPALS: usize = 10_000;

fn show(principal: &AppPrincipal) -> Value {
    json!({
        "DisplayName": principal.display_name,
        "ObjectId": principal.object_id,
        "AppId": principal.app_id,
        "Sid": format!("S-1-5-21-{}", principal.object_id.as_u128() % 4_294_967_296),
        "Identity": principal.object_id,
        "Id": principal.object_id,
        "Name": principal.object_id,
        "Guid": principal.object_id,
        "IsValid": true,
    })
}

/// The pointer of an identity: object id, application id or display name.
pub fn find<'a>(rules: &'a Rules, identity: &str) -> Result<&'a AppPrincipal, Failure> {
    let id = identity.trim().parse::<Uuid>().ok();
    let by_id = rules
        .principals
        .iter()
        .find(|principal| Some(principal.object_id) == id || Some(principal.app_id) == id);
    if let Some(found) = by_id {
        return Ok(found);
    }
    let mut named = rules
        .principals
        .iter()
        .filter(|principal| principal.display_name.eq_ignore_ascii_case(identity.trim()));
    match (named.next(), named.next()) {
        (Some(found), None) => Ok(found),
        (None, _) => Err(Failure::not_found(identity)),
        _ => Err(Failure::ambiguous(identity)),
    }
}

pub fn create(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let app_id = parameters.guid("AppId")?.unwrap_or_default();
    let object_id = match (parameters.guid("ObjectId")?, parameters.guid("ServiceId")?) {
        (Some(id), None) | (None, Some(id)) => id,
        (None, None) => {
            return Err(Failure::binding(
                "Cannot process command because of one or more missing mandatory parameters: ObjectId.".to_owned(),
            ));
        }
        (Some(_), Some(_)) => {
            return Err(Failure::binding(
                "Parameter set cannot be resolved using the specified named parameters.".to_owned(),
            ));
        }
    };
    let entra_name = {
        let objects = context.tenant.read();
        let principal = objects.service_principal(object_id);
        let principal = principal.filter(|principal| principal.app_id == app_id);
        principal.map(|principal| principal.display_name().to_owned())
    };
    let entra_name = entra_name.ok_or_else(|| {
        Failure::invalid(format!(
            "The service principal with AppId '{app_id}' and ObjectId '{object_id}' doesn't exist in Microsoft Entra ID. Use the object id of the enterprise application, not of the application registration."
        ))
    })?;
    let display_name = parameters.text("DisplayName")?.filter(|name| !name.is_empty());
    let principal = AppPrincipal {
        object_id,
        app_id,
        display_name: display_name.unwrap_or(entra_name),
    };
    let shown = show(&principal);
    context.exchange.change(|rules| {
        let taken = rules
            .principals
            .iter()
            .any(|known| known.object_id == object_id || known.app_id == app_id);
        if taken {
            return Err(Failure::exists(format!(
                "The service principal with AppId '{app_id}' already exists."
            )));
        }
        if rules.principals.len() >= MAX_PRINCIPALS {
            return Err(Failure::invalid(format!(
                "The organization can't have more than {MAX_PRINCIPALS} service principals."
            )));
        }
        rules.principals.push(principal);
        Ok(())
    })?;
    Ok(Output::one(shown))
}

pub fn list(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    match parameters.text("Identity")? {
        Some(identity) => find(&rules, &identity).map(|principal| Output::one(show(principal))),
        None => limited(parameters, rules.principals.iter().map(show).collect()),
    }
}

pub fn change(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let identity = parameters.need("Identity")?;
    let display_name = parameters.text("DisplayName")?;
    context.exchange.change(|rules| {
        let id = find(rules, &identity)?.object_id;
        for principal in rules
            .principals
            .iter_mut()
            .filter(|principal| principal.object_id == id)
        {
            if let Some(name) = &display_name {
                principal.display_name.clone_from(name);
            }
        }
        Ok::<_, Failure>(())
    })?;
    Ok(Output::nothing())
}

pub fn remove(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let identity = parameters.need("Identity")?;
    context.exchange.change(|rules| {
        let id = find(rules, &identity)?.object_id;
        rules.principals.retain(|principal| principal.object_id != id);
        rules.assignments.retain(|assignment| assignment.principal != id);
        Ok::<_, Failure>(())
    })?;
    Ok(Output::nothing())
}

/// The name and kind of a scope as administrators see them.
pub fn scope_shown(rules: &Rules, scope: ResourceScope) -> (String, &'static str) {
    match scope {
        ResourceScope::Organization => ("Organization".to_owned(), "Organization"),
        ResourceScope::Custom(id) => (
            rules
                .scope(id)
                .map_or_else(|| id.to_string(), |scope| scope.name.clone()),
            "CustomRecipientScope",
        ),
        ResourceScope::Unit(id) => (
            rules
                .unit(id)
                .map_or_else(|| id.to_string(), |unit| unit.display_name.clone()),
            "AdministrativeUnit",
        ),
        ResourceScope::Group(id) => (
            rules
                .group(id)
                .map_or_else(|| id.to_string(), |group| group.name.clone()),
            "Group",
        ),
    }
}

pub fn test(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    let principal = find(&rules, &parameters.need("Identity")?)?.object_id;
    let objects = context.tenant.read();
    let resource = match parameters.text("Resource")? {
        Some(identity) => Some(recipient::mailbox(context.tenant, &objects, &identity)?),
        None => None,
    };
    let held = rules
        .assignments
        .iter()
        .filter(|assignment| assignment.principal == principal && assignment.enabled);
    let rows = held.map(|assignment| {
        let permissions = roles::find(&assignment.role).map_or(&[][..], |role| role.permissions);
        let (scope, kind) = scope_shown(&rules, assignment.scope);
        let in_scope = match resource {
            None => json!("Not Run"),
            Some(mailbox) => json!(decision::is_in_scope(
                context.tenant,
                &objects,
                &rules,
                assignment.scope,
                mailbox
            )),
        };
        json!({
            "RoleName": assignment.role,
            "GrantedPermissions": permissions.join(", "),
            "AllowedResourceScope": scope,
            "ScopeType": kind,
            "InScope": in_scope,
        })
    });
    Ok(Output::many(rows.collect()))
}
