//! `mailFolders/inbox/messageRules`: list, read, create, change and delete inbox rules.
//!
//! Owns which requests are refused: a rule needs a name, a sequence and an action, and its folders exist. Ids are never
//! reused. Rules are kept in order of their sequence; equal ones in order of creation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderValue, LOCATION};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::mail::fields::Fields;
use crate::mail::ids::FolderKey;
use crate::mail::links;
use crate::mail::mailbox::Mailbox;
use crate::mail::message_input::one_line;
use crate::mail::refusal;
use crate::mail::routes::Scope;
use crate::mail::rules::{MessageRule, actions, predicates};
use crate::mail::well_known::WellKnown;
use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;
use crate::server::paths::GraphResponse;

/// Rules of one mailbox. Exchange's own bound is 256 kB of rules.
const MAX_RULES: usize = 500;
/// Bytes of one rule, as Exchange bounds all of a mailbox.
const MAX_RULE_BYTES: usize = 256 * 1024;

const WRITABLE: [&str; 7] = [
    "displayName",
    "sequence",
    "isEnabled",
    "isReadOnly",
    "conditions",
    "exceptions",
    "actions",
];

/// Answers `messageRules/<words>` of a folder; `segments` are the same words as written.
pub fn route(
    scope: &Scope<'_>,
    folder: FolderKey,
    segments: &[String],
    words: &[&str],
) -> Result<GraphResponse, ODataError> {
    if folder != scope.read(|mailbox| mailbox.well_known(WellKnown::Inbox)) {
        return Err(ODataError::new(
            StatusCode::BAD_REQUEST,
            "ErrorInvalidRequest",
            "Rules exist for the Inbox folder only.",
        ));
    }
    let method = &scope.request.method;
    match words {
        [] if method == Method::GET => list(scope),
        [] if method == Method::POST => create(scope),
        [] => Err(ODataError::method_not_allowed()),
        ["$count"] if method == Method::GET => Ok(GraphResponse::bytes(
            StatusCode::OK,
            HeaderValue::from_static("text/plain"),
            scope.read(|mailbox| mailbox.delivery.rules.len()).to_string().into(),
        )),
        [_] if method == Method::GET => get(scope, &segments[0]),
        [_] if method == Method::PATCH => update(scope, &segments[0]),
        [_] if method == Method::DELETE => delete(scope, &segments[0]),
        [_] => Err(ODataError::method_not_allowed()),
        [_, ..] => Err(ODataError::unknown_segment(&segments[1])),
    }
}

fn context(scope: &Scope<'_>, rest: &str) -> String {
    links::context(scope.request, &format!("mailFolders('inbox')/messageRules{rest}"))
}

fn list(scope: &Scope<'_>) -> Result<GraphResponse, ODataError> {
    let options = options(scope)?;
    let mut rules: Vec<Value> = scope.read(|mailbox| mailbox.delivery.rules.iter().map(MessageRule::entity).collect());
    if let Some(filter) = &options.filter {
        let mut kept = Vec::new();
        for rule in rules {
            if filter.matches(&rule)? {
                kept.push(rule);
            }
        }
        rules = kept;
    }
    let total = rules.len();
    let rules: Vec<Value> = rules
        .into_iter()
        .skip(options.skip.unwrap_or(0))
        .take(options.top.unwrap_or(MAX_RULES))
        .map(|rule| selected(rule, &options))
        .collect::<Result<_, _>>()?;
    let mut body = json!({"@odata.context": context(scope, ""), "value": rules});
    if options.count {
        body["@odata.count"] = total.into();
    }
    Ok(GraphResponse::json(StatusCode::OK, &body))
}

fn options(scope: &Scope<'_>) -> Result<QueryOptions, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&[])?;
    if options.search.is_some() || !options.expand.is_empty() || !options.order_by.is_empty() {
        return Err(ODataError::unsupported(
            "$search, $expand and $orderby of message rules",
        ));
    }
    Ok(options)
}

fn selected(mut rule: Value, options: &QueryOptions) -> Result<Value, ODataError> {
    const NAMES: [&str; 9] = [
        "id",
        "displayName",
        "sequence",
        "isEnabled",
        "isReadOnly",
        "hasError",
        "conditions",
        "exceptions",
        "actions",
    ];
    if let (Some(select), Some(members)) = (&options.select, rule.as_object_mut()) {
        for name in select {
            if name != "*" && !NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                return Err(refusal::unknown_name(name, "messageRule"));
            }
        }
        let is_wanted = |member: &str| {
            member == "id"
                || select
                    .iter()
                    .any(|name| name == "*" || name.eq_ignore_ascii_case(member))
        };
        members.retain(|member, _| is_wanted(member));
    }
    Ok(rule)
}

fn single(scope: &Scope<'_>, status: StatusCode, rule: &MessageRule) -> Result<GraphResponse, ODataError> {
    let mut body = selected(rule.entity(), &options(scope)?)?;
    body["@odata.context"] = context(scope, "/$entity").into();
    Ok(GraphResponse::json(status, &body))
}

fn position(mailbox: &Mailbox, id: &str) -> Result<usize, ODataError> {
    let found = mailbox.delivery.rules.iter().position(|rule| rule.id == id);
    found.ok_or_else(refusal::item_not_found)
}

fn get(scope: &Scope<'_>, id: &str) -> Result<GraphResponse, ODataError> {
    let rule = scope.read(|mailbox| position(mailbox, id).map(|at| mailbox.delivery.rules[at].clone()))?;
    single(scope, StatusCode::OK, &rule)
}

fn create(scope: &Scope<'_>) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let fields = Fields::of(&body)?;
    fields.required_text("displayName")?;
    for name in ["sequence", "actions"] {
        if fields.get(name).is_none() {
            return Err(ODataError::bad_request(format!("The property '{name}' is required.")));
        }
    }
    let mut random = [0_u8; 4];
    let rule = scope.write(|mailbox| {
        if mailbox.delivery.rules.len() >= MAX_RULES {
            return Err(over_quota());
        }
        let id = loop {
            scope.service.entropy.fill(&mut random);
            let id = STANDARD.encode([&[1, 0, 0, 0], &random[..]].concat());
            if position(mailbox, &id).is_err() && !id.contains('/') {
                break id;
            }
        };
        let mut rule = MessageRule {
            id,
            display_name: String::new(),
            sequence: 0,
            is_enabled: true,
            is_read_only: false,
            has_error: false,
            conditions: Map::new(),
            exceptions: Map::new(),
            actions: Map::new(),
        };
        apply(mailbox, &mut rule, fields)?;
        keep(mailbox, rule.clone());
        Ok(rule)
    })?;
    let place = links::location(
        scope.request,
        &format!("mailFolders('inbox')/messageRules('{}')", links::key(&rule.id)),
    );
    let response = single(scope, StatusCode::CREATED, &rule)?;
    Ok(response.with_header(LOCATION, &place))
}

fn update(scope: &Scope<'_>, id: &str) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let fields = Fields::of(&body)?;
    let rule = scope.write(|mailbox| {
        let at = position(mailbox, id)?;
        let mut rule = mailbox.delivery.rules[at].clone();
        let unlocks = fields.boolean("isReadOnly")? == Some(false);
        if rule.is_read_only && !unlocks {
            return Err(read_only());
        }
        apply(mailbox, &mut rule, fields)?;
        mailbox.delivery.rules.remove(at);
        keep(mailbox, rule.clone());
        Ok(rule)
    })?;
    single(scope, StatusCode::OK, &rule)
}

fn delete(scope: &Scope<'_>, id: &str) -> Result<GraphResponse, ODataError> {
    scope.write(|mailbox| {
        let at = position(mailbox, id)?;
        if mailbox.delivery.rules[at].is_read_only {
            return Err(read_only());
        }
        mailbox.delivery.rules.remove(at);
        Ok(())
    })?;
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}

/// Writes what the client sent into a rule; a complex property is replaced as a whole.
fn apply(mailbox: &Mailbox, rule: &mut MessageRule, fields: Fields<'_>) -> Result<(), ODataError> {
    for name in fields.names() {
        let is_read_only = ["id", "hasError"].iter().any(|known| known.eq_ignore_ascii_case(name));
        if !is_read_only && !WRITABLE.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(refusal::unknown_property(name, "messageRule"));
        }
    }
    if fields.get("displayName").is_some() {
        rule.display_name = one_line(fields.required_text("displayName")?);
    }
    if let Some(value) = fields.get("sequence") {
        rule.sequence = value
            .as_i64()
            .and_then(|number| i32::try_from(number).ok())
            .filter(|number| *number >= 0)
            .ok_or_else(|| refusal::bad_property("sequence", "a whole number that is not negative"))?;
    }
    rule.is_enabled = fields.boolean("isEnabled")?.unwrap_or(rule.is_enabled);
    rule.is_read_only = fields.boolean("isReadOnly")?.unwrap_or(rule.is_read_only);
    if let Some(conditions) = fields.object("conditions")? {
        rule.conditions = predicates::read(conditions)?;
    }
    if let Some(exceptions) = fields.object("exceptions")? {
        rule.exceptions = predicates::read(exceptions)?;
    }
    if let Some(new) = fields.object("actions")? {
        rule.actions = actions::read(new)?;
        rule.has_error = false;
        if rule.actions.is_empty() {
            return Err(ODataError::bad_request("The property 'actions' names no action."));
        }
        for name in ["moveToFolder", "copyToFolder"] {
            if let Some(folder) = rule.actions.get(name).and_then(Value::as_str) {
                mailbox.resolve_folder(folder)?;
            }
        }
    }
    if rule.entity().to_string().len() > MAX_RULE_BYTES {
        return Err(over_quota());
    }
    Ok(())
}

/// Puts a rule where its sequence says.
fn keep(mailbox: &mut Mailbox, rule: MessageRule) {
    let rules = &mut mailbox.delivery.rules;
    let at = rules.partition_point(|other| other.sequence <= rule.sequence);
    rules.insert(at, rule);
}

fn read_only() -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        "ErrorInvalidOperation",
        "The rule is read-only and cannot be changed or deleted.",
    )
}

fn over_quota() -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        "ErrorRulesOverQuota",
        "The rules of the mailbox exceed their quota.",
    )
}
