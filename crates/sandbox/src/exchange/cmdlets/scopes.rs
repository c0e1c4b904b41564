//! `-ManagementScope` cmdlets: named sets of recipients.
//!
//! Owns unique names and the rule that a scope in use is not removed.

use serde_json::{Value, json};

use crate::exchange::cmdlets::{Context, Outcome, Output};
use crate::exchange::failure::Failure;
use crate::exchange::parameters::Parameters;
use crate::exchange::restriction::Restriction;
use crate::exchange::rules::{ManagementScope, ResourceScope, Rules};

/// Scopes of one tenant: a bound, far above what administrators make.
const MAX_SCOPES: usize = 10_000;
/// Longest name.
pub const MAX_NAME: usize = 64;

pub fn show(scope: &ManagementScope) -> Value {
    json!({
        "Name": scope.name,
        "Identity": scope.name,
        "Id": scope.name,
        "Guid": scope.id,
        "DistinguishedName": format!("CN={},CN=Scopes,CN=RBAC,CN=Configuration", scope.name),
        "ScopeRestrictionType": "RecipientScope",
        "Exclusive": scope.exclusive,
        "RecipientRoot": "",
        "RecipientFilter": scope.filter.text(),
        "ServerFilter": "",
        "DatabaseFilter": "",
        "WhenCreatedUTC": scope.created_at.to_string(),
        "IsValid": true,
    })
}

/// The scope of a name or id.
pub fn find<'a>(rules: &'a Rules, identity: &str) -> Result<&'a ManagementScope, Failure> {
    let id = identity.trim().parse::<uuid::Uuid>().ok();
    let found = rules
        .scopes
        .iter()
        .find(|scope| scope.name.eq_ignore_ascii_case(identity.trim()) || Some(scope.id) == id);
    found.ok_or_else(|| Failure::not_found(identity))
}

/// Reads a filter, or refuses it as Exchange does.
pub fn filter(text: &str) -> Result<Restriction, Failure> {
    Restriction::parse(text).map_err(|reason| {
        Failure::binding(format!(
            "Cannot bind parameter 'RecipientRestrictionFilter' to the target. Exception setting \"RecipientRestrictionFilter\": \"Invalid filter syntax: {reason}. Filter: {text}\""
        ))
    })
}

/// A name that may be given.
pub fn name(text: &str) -> Result<String, Failure> {
    if text.is_empty() || text.chars().count() > MAX_NAME {
        return Err(Failure::binding(format!(
            "The property value is invalid. The value can't be empty or exceed the maximum length of {MAX_NAME} characters. Property Name: Name"
        )));
    }
    Ok(text.to_owned())
}

/// Adds a scope.
pub fn add(rules: &mut Rules, scope: ManagementScope) -> Result<(), Failure> {
    if rules
        .scopes
        .iter()
        .any(|known| known.name.eq_ignore_ascii_case(&scope.name))
    {
        return Err(Failure::exists(format!(
            "The management scope \"{}\" already exists.",
            scope.name
        )));
    }
    if rules.scopes.len() >= MAX_SCOPES {
        return Err(Failure::invalid(format!(
            "The organization can't have more than {MAX_SCOPES} management scopes."
        )));
    }
    rules.scopes.push(scope);
    Ok(())
}

/// Removes a scope that nothing uses.
pub fn take_out(rules: &mut Rules, identity: &str) -> Result<(), Failure> {
    let scope = find(rules, identity)?;
    let (id, name) = (scope.id, scope.name.clone());
    let used = ResourceScope::Custom(id);
    if let Some(user) = rules.assignments.iter().find(|assignment| assignment.scope == used) {
        return Err(Failure::invalid(format!(
            "The management scope \"{name}\" can't be removed because it's in use by the role assignment \"{}\".",
            user.name
        )));
    }
    rules.scopes.retain(|scope| scope.id != id);
    Ok(())
}

pub fn create(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let text = parameters.need("RecipientRestrictionFilter")?;
    let scope = ManagementScope {
        id: context.tenant.entropy.uuid(),
        name: name(&parameters.need("Name")?)?,
        filter: filter(&text)?,
        exclusive: parameters.flag("Exclusive")?.unwrap_or(false),
        created_at: context.tenant.clock.now(),
    };
    let shown = show(&scope);
    context.exchange.change(|rules| add(rules, scope))?;
    Ok(Output::one(shown))
}

pub fn list(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    if let Some(identity) = parameters.text("Identity")? {
        return find(&rules, &identity).map(|scope| Output::one(show(scope)));
    }
    let (exclusive, orphan) = (parameters.flag("Exclusive")?, parameters.flag("Orphan")? == Some(true));
    let used = |scope: &ManagementScope| {
        let used = ResourceScope::Custom(scope.id);
        rules.assignments.iter().any(|assignment| assignment.scope == used)
    };
    let chosen = rules
        .scopes
        .iter()
        .filter(|scope| exclusive.is_none_or(|wanted| wanted == scope.exclusive) && !(orphan && used(scope)));
    Ok(Output::many(chosen.map(show).collect()))
}

pub fn change(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let identity = parameters.need("Identity")?;
    let new_name = parameters.text("Name")?.map(|text| name(&text)).transpose()?;
    let text = parameters.text("RecipientRestrictionFilter")?;
    let new_filter = text.map(|text| filter(&text)).transpose()?;
    context.exchange.change(|rules| {
        let id = find(rules, &identity)?.id;
        let taken = new_name.as_ref().filter(|name| {
            let mut others = rules.scopes.iter().filter(|scope| scope.id != id);
            others.any(|scope| scope.name.eq_ignore_ascii_case(name))
        });
        if let Some(name) = taken {
            return Err(Failure::exists(format!(
                "The management scope \"{name}\" already exists."
            )));
        }
        for scope in rules.scopes.iter_mut().filter(|scope| scope.id == id) {
            if let Some(name) = new_name.clone() {
                scope.name = name;
            }
            if let Some(filter) = new_filter.clone() {
                scope.filter = filter;
            }
        }
        Ok(())
    })?;
    Ok(Output::nothing())
}

pub fn remove(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let identity = parameters.need("Identity")?;
    context.exchange.change(|rules| take_out(rules, &identity))?;
    Ok(Output::nothing())
}
