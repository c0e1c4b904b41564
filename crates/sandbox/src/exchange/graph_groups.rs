//! `/groups`: groups as Microsoft Graph shows them, and `memberOf`.
//!
//! Owns reading all groups and writing plain security groups. Graph refuses to write mail-enabled groups, which belong
//! to Exchange's cmdlets. State is Exchange's, so that scopes and policies see the same members.

use http::header::LOCATION;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::directory::authority;
use crate::directory::credentials::member;
use crate::directory::listing::{self, Kind};
use crate::directory::model::time;
use crate::directory::tenant::{MAX_OBJECTS, Tenant};
use crate::exchange::Exchange;
use crate::exchange::rules::{Group, Rules};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

/// Members of one group: a bound, as large as the tenant.
pub const MAX_MEMBERS: usize = MAX_OBJECTS;

/// Reading groups and their members.
const READ: &[&str] = &[
    "Group.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Making and changing groups.
const WRITE: &[&str] = &["Group.ReadWrite.All", "Directory.ReadWrite.All"];
/// Making groups only.
const CREATE: &[&str] = &["Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All"];
/// Changing members.
const WRITE_MEMBERS: &[&str] = &[
    "GroupMember.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];

const KIND: Kind = Kind {
    context: "groups",
    type_name: "microsoft.graph.group",
    defaults: None,
};
const OBJECTS: Kind = Kind {
    context: "directoryObjects",
    type_name: "microsoft.graph.directoryObject",
    defaults: None,
};

/// A mail nickname made of a name.
#[must_use]
pub fn nickname(name: &str) -> String {
    let nickname: String = name
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_'))
        .collect();
    if nickname.is_empty() {
        "group".to_owned()
    } else {
        nickname
    }
}

/// Adds a group whose name, alias and address are free.
///
/// # Errors
/// What is taken.
pub fn add(rules: &mut Rules, group: Group) -> Result<(), String> {
    let taken = |known: &&Group| {
        known.name.eq_ignore_ascii_case(&group.name)
            || (group.address.is_some() && known.alias.eq_ignore_ascii_case(&group.alias))
    };
    if let Some(known) = rules.groups.iter().find(taken) {
        return Err(format!("The name \"{}\" is already being used.", known.name));
    }
    if rules.groups.len() >= MAX_OBJECTS {
        return Err("The directory object quota limit for the Tenant has been exceeded.".to_owned());
    }
    rules.groups.push(group);
    Ok(())
}

/// Removes a group, also as a member of others.
pub fn remove(rules: &mut Rules, id: Uuid) {
    rules.groups.retain(|group| group.id != id);
    for group in &mut rules.groups {
        group.members.retain(|member| *member != id);
    }
}

fn entity(group: &Group) -> Value {
    json!({
        "id": group.id,
        "deletedDateTime": null,
        "classification": null,
        "createdDateTime": time(group.created_at),
        "description": group.description,
        "displayName": group.display_name,
        "expirationDateTime": null,
        "groupTypes": [],
        "isAssignableToRole": null,
        "mail": group.address,
        "mailEnabled": group.address.is_some(),
        "mailNickname": group.alias,
        "membershipRule": null,
        "membershipRuleProcessingState": null,
        "onPremisesSyncEnabled": null,
        "preferredDataLocation": null,
        "preferredLanguage": null,
        "proxyAddresses": group.address.iter().map(|address| format!("SMTP:{address}")).collect::<Vec<_>>(),
        "renewedDateTime": time(group.created_at),
        "securityEnabled": group.security,
        "theme": null,
        "visibility": null,
    })
}

fn typed(mut entity: Value) -> Value {
    entity["@odata.type"] = "#microsoft.graph.group".into();
    entity
}

/// `/groups/<segments>`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn handle(exchange: &Exchange, request: &GraphRequest, segments: &[String]) -> Result<GraphResponse, ODataError> {
    let tenant = &exchange.tenant;
    match segments {
        [] if request.method == Method::POST => create(exchange, request),
        [] => {
            authority::may_read(&request.caller, READ)?;
            let entities: Vec<Value> = exchange.rules().groups.iter().map(entity).collect();
            listing::collection(request, KIND, entities.into_iter())
        }
        [count] if count.eq_ignore_ascii_case("$count") => {
            authority::may_read(&request.caller, READ)?;
            let entities: Vec<Value> = exchange.rules().groups.iter().map(entity).collect();
            listing::collection(request, KIND, entities.into_iter())
        }
        [id] => one(exchange, request, id),
        [id, what] | [id, what, _] if is_members(what) && request.method == Method::GET => {
            authority::may_read(&request.caller, READ)?;
            if segments.get(2).is_some_and(|last| !last.eq_ignore_ascii_case("$count")) {
                return Err(ODataError::unsupported("casting or addressing single members"));
            }
            let rules = exchange.rules();
            let group = find(&rules, id)?;
            let ids = match what.eq_ignore_ascii_case("members") {
                true => group.members.clone(),
                false => transitive(&rules, group),
            };
            let entities = members(tenant, &rules, &ids);
            listing::collection(request, OBJECTS, entities.into_iter())
        }
        [id, what, reference] if what.eq_ignore_ascii_case("members") && reference == "$ref" => {
            if request.method != Method::POST {
                return Err(ODataError::method_not_allowed());
            }
            let new = referenced(tenant, &exchange.rules(), &request.json_body()?)?;
            change_members(exchange, request, id, |members| {
                if members.contains(&new) {
                    return Err(ODataError::directory_bad_request(
                        "One or more added object references already exist for the following modified properties: 'members'.",
                    ));
                }
                members.push(new);
                Ok(())
            })
        }
        [id, what, old, reference] if what.eq_ignore_ascii_case("members") && reference == "$ref" => {
            if request.method != Method::DELETE {
                return Err(ODataError::method_not_allowed());
            }
            let gone = old.parse::<Uuid>().ok();
            change_members(exchange, request, id, |members| {
                let before = members.len();
                members.retain(|member| Some(*member) != gone);
                if members.len() == before {
                    return Err(ODataError::directory_not_found(old));
                }
                Ok(())
            })
        }
        [_, other, ..] => Err(ODataError::unsupported(format!("{other} of groups"))),
    }
}

fn is_members(segment: &str) -> bool {
    segment.eq_ignore_ascii_case("members") || segment.eq_ignore_ascii_case("transitiveMembers")
}

fn find<'a>(rules: &'a Rules, id: &str) -> Result<&'a Group, ODataError> {
    let group = id.parse::<Uuid>().ok().and_then(|id| rules.group(id));
    group.ok_or_else(|| ODataError::directory_not_found(id))
}

fn members(tenant: &Tenant, rules: &Rules, ids: &[Uuid]) -> Vec<Value> {
    let mut entities = tenant.read().directory_objects(ids);
    entities.extend(
        ids.iter()
            .filter_map(|id| rules.group(*id))
            .map(|group| typed(entity(group))),
    );
    entities
}

/// Members of members; groups may contain each other.
fn transitive(rules: &Rules, group: &Group) -> Vec<Uuid> {
    let mut found = group.members.clone();
    let mut next = 0;
    while let Some(id) = found.get(next).copied() {
        next += 1;
        for member in rules.group(id).into_iter().flat_map(|group| &group.members) {
            if !found.contains(member) && *member != group.id {
                found.push(*member);
            }
        }
    }
    found
}

fn one(exchange: &Exchange, request: &GraphRequest, id: &str) -> Result<GraphResponse, ODataError> {
    match request.method {
        Method::GET => {
            authority::may_read(&request.caller, READ)?;
            let rules = exchange.rules();
            listing::entity(request, StatusCode::OK, KIND, &entity(find(&rules, id)?))
        }
        Method::PATCH => {
            authority::may_write(&exchange.tenant, &request.caller, WRITE)?;
            let body = request.json_body()?;
            let known = ["displayName", "description"];
            let other =
                body.as_object().into_iter().flatten().find(|(name, _)| {
                    !name.contains('@') && !known.iter().any(|known| known.eq_ignore_ascii_case(name))
                });
            if let Some((name, _)) = other {
                return Err(ODataError::unsupported(format!("changing {name} of groups")));
            }
            let text = |name: &str| member(&body, name).and_then(Value::as_str).map(str::to_owned);
            let (display_name, description) = (text("displayName"), text("description"));
            exchange.change(|rules| {
                let group = writable(rules, id)?;
                group.display_name = display_name.unwrap_or_else(|| group.display_name.clone());
                group.description = description.or_else(|| group.description.clone());
                Ok::<_, ODataError>(())
            })?;
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        Method::DELETE => {
            authority::may_write(&exchange.tenant, &request.caller, WRITE)?;
            exchange.change(|rules| {
                let id = writable(rules, id)?.id;
                remove(rules, id);
                Ok::<_, ODataError>(())
            })?;
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(ODataError::method_not_allowed()),
    }
}

/// The group, if Graph may write it.
fn writable<'a>(rules: &'a mut Rules, id: &str) -> Result<&'a mut Group, ODataError> {
    let wanted = find(rules, id)?.id;
    let group = rules.groups.iter_mut().find(|group| group.id == wanted);
    let group = group.ok_or_else(|| ODataError::directory_not_found(id))?;
    if group.address.is_some() {
        return Err(ODataError::directory_bad_request(
            "Cannot Update a mail-enabled security groups and or distribution list.",
        ));
    }
    Ok(group)
}

fn change_members(
    exchange: &Exchange,
    request: &GraphRequest,
    id: &str,
    change: impl FnOnce(&mut Vec<Uuid>) -> Result<(), ODataError>,
) -> Result<GraphResponse, ODataError> {
    authority::may_write(&exchange.tenant, &request.caller, WRITE_MEMBERS)?;
    exchange.change(|rules| change(&mut writable(rules, id)?.members))?;
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}

/// The object that `@odata.id` names by its last segment.
fn referenced(tenant: &Tenant, rules: &Rules, body: &Value) -> Result<Uuid, ODataError> {
    let link = member(body, "@odata.id").and_then(Value::as_str);
    let link =
        link.ok_or_else(|| ODataError::directory_bad_request("A value is required for property '@odata.id'."))?;
    let last = link.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let known = |id: &Uuid| {
        let objects = tenant.read();
        objects.user_by_id(*id).is_some() || objects.service_principal(*id).is_some() || rules.group(*id).is_some()
    };
    let id = last.parse::<Uuid>().ok().filter(known);
    id.ok_or_else(|| ODataError::directory_not_found(last))
}

fn create(exchange: &Exchange, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    authority::may_write(&exchange.tenant, &request.caller, CREATE)?;
    let body = request.json_body()?;
    let known = [
        "displayName",
        "description",
        "mailEnabled",
        "mailNickname",
        "securityEnabled",
        "groupTypes",
    ];
    let other = body
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, _)| !name.contains('@') && !known.iter().any(|known| known.eq_ignore_ascii_case(name)));
    if let Some((name, _)) = other {
        return Err(ODataError::unsupported(format!("{name} of new groups")));
    }
    let required = |name: &str| {
        member(&body, name).filter(|value| !value.is_null()).ok_or_else(|| {
            ODataError::directory_bad_request(format!(
                "A value is required for property '{name}' of resource 'Group'."
            ))
        })
    };
    let text = |name: &str| {
        let value = required(name)?.as_str().filter(|text| !text.is_empty());
        value.map(str::to_owned).ok_or_else(|| {
            ODataError::directory_bad_request(format!(
                "Invalid value specified for property '{name}' of resource 'Group'."
            ))
        })
    };
    let (display_name, alias) = (text("displayName")?, text("mailNickname")?);
    let types = member(&body, "groupTypes").and_then(Value::as_array);
    if types.is_some_and(|types| !types.is_empty()) {
        return Err(ODataError::unsupported("Microsoft 365 and dynamic groups"));
    }
    if required("mailEnabled")? != &Value::Bool(false) || required("securityEnabled")? != &Value::Bool(true) {
        return Err(ODataError::directory_bad_request(
            "The service does not currently support writing of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.",
        ));
    }
    let id = exchange.tenant.entropy.uuid();
    let group = Group {
        id,
        // Names of plain groups need not be unique in Entra; Exchange's are.
        name: format!("{display_name}_{}", id.simple()),
        display_name,
        description: member(&body, "description").and_then(Value::as_str).map(str::to_owned),
        alias,
        address: None,
        security: true,
        members: Vec::new(),
        created_at: exchange.tenant.clock.now(),
    };
    let entity = entity(&group);
    exchange.change(|rules| add(rules, group).map_err(ODataError::directory_bad_request))?;
    let location = format!("{}/groups/{id}", request.service_root());
    Ok(listing::entity(request, StatusCode::CREATED, KIND, &entity)?.with_header(LOCATION, &location))
}

/// Groups with this direct member, as `memberOf` lists them.
#[must_use]
pub fn groups_of(exchange: &Exchange, member: Uuid) -> Vec<Value> {
    let rules = exchange.rules();
    let own = rules.groups.iter().filter(|group| group.members.contains(&member));
    own.map(|group| typed(entity(group))).collect()
}
