//! `-ManagementRoleAssignment` cmdlets: application roles given to applications.
//!
//! Owns names, scopes and the refusal of what cannot be assigned. Assignments to people and role groups are not kept.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::exchange::cmdlets::{Context, Outcome, Output, principals, scopes};
use crate::exchange::failure::Failure;
use crate::exchange::parameters::Parameters;
use crate::exchange::recipient;
use crate::exchange::roles::{self, ApplicationRole, ROLES};
use crate::exchange::rules::{ResourceScope, RoleAssignment, Rules};

/// Assignments of one tenant: a bound, several for each of the allowed applications.
const MAX_ASSIGNMENTS: usize = 50_000;

fn show_role(role: &ApplicationRole) -> Value {
    let name = role.name();
    json!({
        "Name": name,
        "Identity": name,
        "Id": name,
        "Guid": role.id(),
        "RoleType": name.replace([' ', '.', '-'], ""),
        "Description": format!("This role lets an application use {}.", role.permissions.join(", ")),
        "IsRootRole": true,
        "IsEndUserRole": false,
        "Parent": "",
        "IsValid": true,
    })
}

fn show(rules: &Rules, assignment: &RoleAssignment) -> Value {
    let app = rules
        .principals
        .iter()
        .find(|principal| principal.object_id == assignment.principal);
    let (scope_name, _) = principals::scope_shown(rules, assignment.scope);
    let (custom, kind) = match assignment.scope {
        ResourceScope::Organization => (Value::Null, "Organization"),
        ResourceScope::Custom(_) => (json!(scope_name), "CustomRecipientScope"),
        ResourceScope::Unit(_) => (Value::Null, "AdministrativeUnit"),
        ResourceScope::Group(_) => (Value::Null, "Group"),
    };
    json!({
        "Name": assignment.name,
        "Identity": assignment.name,
        "Id": assignment.name,
        "Guid": assignment.id,
        "Role": assignment.role,
        "RoleAssignee": assignment.principal,
        "RoleAssigneeName": app.map_or_else(|| assignment.principal.to_string(), |app| app.display_name.clone()),
        "RoleAssigneeType": "ServicePrincipal",
        "App": assignment.principal,
        "AssignmentMethod": "Direct",
        "EffectiveUserName": "All Apps",
        "CustomResourceScope": custom,
        "RecipientAdministrativeUnitScope": match assignment.scope {
            ResourceScope::Unit(id) => json!(id),
            _ => Value::Null,
        },
        "RecipientGroupScope": match assignment.scope {
            ResourceScope::Group(_) => json!(scope_name),
            _ => Value::Null,
        },
        "RecipientWriteScope": kind,
        "RecipientReadScope": kind,
        "RoleAssignmentDelegationType": "Regular",
        "Enabled": assignment.enabled,
        "WhenCreatedUTC": assignment.created_at.to_string(),
        "IsValid": true,
    })
}

/// The assignment of a name or id.
pub fn find<'a>(rules: &'a Rules, identity: &str) -> Result<&'a RoleAssignment, Failure> {
    let id = identity.trim().parse::<Uuid>().ok();
    let found = rules
        .assignments
        .iter()
        .find(|assignment| assignment.name.eq_ignore_ascii_case(identity.trim()) || Some(assignment.id) == id);
    found.ok_or_else(|| Failure::not_found(identity))
}

/// Adds an assignment; its name is made unique when none was asked for.
pub fn add(rules: &mut Rules, mut new: RoleAssignment, named: bool) -> Result<RoleAssignment, Failure> {
    let taken = |rules: &Rules, name: &str| {
        rules
            .assignments
            .iter()
            .any(|assignment| assignment.name.eq_ignore_ascii_case(name))
    };
    if named && taken(rules, &new.name) {
        return Err(Failure::exists(format!(
            "The role assignment \"{}\" already exists.",
            new.name
        )));
    }
    let same = rules
        .assignments
        .iter()
        .find(|held| held.principal == new.principal && held.role == new.role && held.scope == new.scope);
    if let Some(same) = same {
        return Err(Failure::exists(format!(
            "The role \"{}\" is already assigned to the service principal \"{}\" with the same scope by the role assignment \"{}\".",
            new.role, new.principal, same.name
        )));
    }
    if rules.assignments.len() >= MAX_ASSIGNMENTS {
        return Err(Failure::invalid(format!(
            "The organization can't have more than {MAX_ASSIGNMENTS} role assignments."
        )));
    }
    if !named {
        let stem: String = new.name.chars().take(scopes::MAX_NAME - 6).collect();
        new.name.clone_from(&stem);
        // As many tries as there are assignments always find a free number.
        for number in 1..=rules.assignments.len() {
            if !taken(rules, &new.name) {
                break;
            }
            new.name = format!("{stem}-{number}");
        }
    }
    rules.assignments.push(new.clone());
    Ok(new)
}

/// The scope that the parameters name; none when they name none.
fn scope(context: &Context<'_>, rules: &Rules, parameters: &Parameters) -> Result<Option<ResourceScope>, Failure> {
    let custom = parameters.text("CustomResourceScope")?;
    let unit = parameters.text("RecipientAdministrativeUnitScope")?;
    let group = parameters.text("RecipientGroupScope")?;
    match (custom, unit, group) {
        (None, None, None) => Ok(None),
        (Some(name), None, None) => Ok(Some(ResourceScope::Custom(scopes::find(rules, &name)?.id))),
        (None, Some(unit), None) => {
            let id = unit.parse::<Uuid>().ok();
            let found = rules
                .units
                .iter()
                .find(|known| Some(known.id) == id || known.display_name.eq_ignore_ascii_case(&unit));
            let found = found.ok_or_else(|| Failure::not_found(&unit))?;
            Ok(Some(ResourceScope::Unit(found.id)))
        }
        (None, None, Some(group)) => {
            let found = recipient::group(context.tenant, rules, &group)?;
            Ok(Some(ResourceScope::Group(found.id)))
        }
        _ => Err(Failure::binding(
            "Parameter set cannot be resolved using the specified named parameters.".to_owned(),
        )),
    }
}

pub fn roles(_: &Context<'_>, parameters: &Parameters) -> Outcome {
    if let Some(identity) = parameters.text("Identity")? {
        let found: Vec<Value> = match identity.strip_suffix('*') {
            Some(start) => {
                let start = start.to_lowercase();
                let matching = ROLES
                    .iter()
                    .filter(|role| role.name().to_lowercase().starts_with(&start));
                matching.map(show_role).collect()
            }
            None => roles::find(&identity).map(show_role).into_iter().collect(),
        };
        if found.is_empty() {
            return Err(Failure::not_found(&identity));
        }
        return Ok(Output::many(found));
    }
    let kind = parameters.text("RoleType")?;
    let all = ROLES.iter().map(show_role);
    let chosen = all.filter(|role| {
        kind.as_deref().is_none_or(|kind| {
            role["RoleType"]
                .as_str()
                .is_some_and(|own| own.eq_ignore_ascii_case(kind))
        })
    });
    Ok(Output::many(chosen.collect()))
}

pub fn create(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let role_name = parameters.need("Role")?;
    let role = roles::find(&role_name).ok_or_else(|| {
        Failure::invalid(format!(
            "The role \"{role_name}\" couldn't be found, or it can't be assigned to an application."
        ))
    })?;
    let app = parameters.need("App")?;
    let rules = context.exchange.rules();
    let principal = principals::find(&rules, &app)?.clone();
    let scope = scope(context, &rules, parameters)?.unwrap_or(ResourceScope::Organization);
    let wanted = parameters.text("Name")?.map(|text| scopes::name(&text)).transpose()?;
    let named = wanted.is_some();
    let assignment = RoleAssignment {
        id: context.tenant.entropy.uuid(),
        name: wanted.unwrap_or_else(|| format!("{}-{}", role.name(), principal.object_id)),
        role: role.name(),
        principal: principal.object_id,
        scope,
        enabled: true,
        created_at: context.tenant.clock.now(),
    };
    let added = context.exchange.change(|rules| add(rules, assignment, named))?;
    Ok(Output::one(show(&context.exchange.rules(), &added)))
}

pub fn list(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    if let Some(identity) = parameters.text("Identity")? {
        return find(&rules, &identity).map(|assignment| Output::one(show(&rules, assignment)));
    }
    let role = parameters.text("Role")?;
    let principal = match parameters.text("RoleAssignee")? {
        Some(assignee) => Some(principals::find(&rules, &assignee)?.object_id),
        None => None,
    };
    let scope = match parameters.text("CustomResourceScope")? {
        Some(name) => Some(ResourceScope::Custom(scopes::find(&rules, &name)?.id)),
        None => None,
    };
    let enabled = parameters.flag("Enabled")?;
    let kind = parameters.text("RoleAssigneeType")?;
    if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("ServicePrincipal")) {
        return Ok(Output::nothing());
    }
    let chosen = rules.assignments.iter().filter(|held| {
        role.as_deref().is_none_or(|role| held.role.eq_ignore_ascii_case(role))
            && principal.is_none_or(|principal| held.principal == principal)
            && scope.is_none_or(|scope| held.scope == scope)
            && enabled.is_none_or(|enabled| held.enabled == enabled)
    });
    Ok(Output::many(chosen.map(|held| show(&rules, held)).collect()))
}

pub fn change(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let identity = parameters.need("Identity")?;
    let new_scope = scope(context, &context.exchange.rules(), parameters)?;
    let enabled = parameters.flag("Enabled")?;
    context.exchange.change(|rules| {
        let id = find(rules, &identity)?.id;
        for assignment in rules.assignments.iter_mut().filter(|held| held.id == id) {
            assignment.scope = new_scope.unwrap_or(assignment.scope);
            assignment.enabled = enabled.unwrap_or(assignment.enabled);
        }
        Ok::<_, Failure>(())
    })?;
    Ok(Output::nothing())
}

pub fn remove(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let identity = parameters.need("Identity")?;
    context.exchange.change(|rules| {
        let id = find(rules, &identity)?.id;
        rules.assignments.retain(|held| held.id != id);
        Ok::<_, Failure>(())
    })?;
    Ok(Output::nothing())
}
