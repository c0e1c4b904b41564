//! `delta` of directory collections: what changed since a state the client was given.
//!
//! Owns walks and states. A state remembers a digest of every object, so a change is found whoever made it; a walk
//! holds the answer of one round while its pages are read. Both are bounded: what was given out longest ago is
//! forgotten, and its token is answered with 410, as the directory does with tokens past their life.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::directory::listing::Kind;
use crate::directory::tenant::Tenant;
use crate::entra::jwt;
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

/// States and walks remembered at once.
const MAX_STATES: usize = 256;
/// Objects of one page.
const PAGE: usize = 200;
/// Characters of a token.
const TOKEN_LENGTH: usize = 43;

/// States and walks given out.
#[derive(Debug, Default)]
pub struct Deltas(Mutex<VecDeque<(String, Held)>>);

#[derive(Debug, Clone)]
enum Held {
    /// Digest of every object, and what the client selected.
    State(State),
    /// What is left of a round, and the state at its end.
    Walk(Vec<Value>, State),
}

#[derive(Debug, Clone)]
struct State {
    collection: &'static str,
    select: Vec<String>,
    digests: BTreeMap<String, [u8; 8]>,
}

/// `GET /{collection}/delta`; `is_deleted` says of a missing object whether it could be restored.
///
/// # Errors
/// 400 for an option delta does not have, 410 for a forgotten token.
pub fn answer(
    tenant: &Tenant,
    request: &GraphRequest,
    kind: Kind,
    entities: &[Value],
    can_be_restored: impl Fn(&str) -> bool,
) -> Result<GraphResponse, ODataError> {
    if request.method != Method::GET {
        return Err(ODataError::method_not_allowed());
    }
    let mut select = Vec::new();
    let mut token = None;
    for (name, value) in &request.query {
        match name.trim_start_matches('$').to_ascii_lowercase().as_str() {
            "select" => select = value.split(',').map(|name| name.trim().to_owned()).collect(),
            "skiptoken" | "deltatoken" => token = Some(value.as_str()),
            _ if !name.starts_with('$') => {}
            "filter" => return Err(ODataError::unsupported("$filter on delta of the directory")),
            other => {
                return Err(ODataError::directory_bad_request(format!(
                    "The query option '${other}' is not supported by delta."
                )));
            }
        }
    }
    for name in &select {
        let known = entities.first().is_none_or(|first| member(first, name).is_some());
        if !known {
            return Err(ODataError::bad_request(format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{}'.",
                kind.type_name
            )));
        }
    }
    let digests = entities.iter().map(|entity| (id_of(entity), digest(entity))).collect();
    let (pending, state) = match token {
        None => {
            let state = State {
                collection: kind.context,
                select,
                digests,
            };
            (
                entities.iter().map(|entity| shown(entity, &state.select)).collect(),
                state,
            )
        }
        Some(latest) if latest.eq_ignore_ascii_case("latest") => {
            let state = State {
                collection: kind.context,
                select,
                digests,
            };
            (Vec::new(), state)
        }
        Some(token) => match tenant
            .deltas
            .find(token)
            .filter(|held| held.collection() == kind.context)
        {
            None => return Err(gone(request)),
            Some(Held::Walk(pending, state)) => (pending, state),
            Some(Held::State(old)) => (changes(&old, entities, can_be_restored), State { digests, ..old }),
        },
    };
    let mut pending = pending;
    let rest = pending.split_off(pending.len().min(PAGE));
    let (name, parameter, held) = if rest.is_empty() {
        ("@odata.deltaLink", "$deltatoken", Held::State(state))
    } else {
        ("@odata.nextLink", "$skiptoken", Held::Walk(rest, state))
    };
    let token = tenant.entropy.secret(TOKEN_LENGTH);
    tenant.deltas.keep(token.clone(), held);
    let root = request.service_root();
    let mut document = Map::new();
    document.insert(
        "@odata.context".to_owned(),
        format!("{root}/$metadata#{}", kind.context).into(),
    );
    document.insert(
        name.to_owned(),
        format!("{root}/{}/delta?{parameter}={token}", kind.context).into(),
    );
    document.insert("value".to_owned(), Value::Array(pending));
    Ok(GraphResponse::json(StatusCode::OK, &Value::Object(document)))
}

impl Held {
    fn collection(&self) -> &'static str {
        match self {
            Self::State(state) | Self::Walk(_, state) => state.collection,
        }
    }
}

impl Deltas {
    fn find(&self, token: &str) -> Option<Held> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().find(|(own, _)| own == token).map(|(_, held)| held.clone())
    }

    fn keep(&self, token: String, held: Held) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_STATES {
            all.pop_front();
        }
        all.push_back((token, held));
    }
}

fn changes(old: &State, entities: &[Value], can_be_restored: impl Fn(&str) -> bool) -> Vec<Value> {
    let mut changes: Vec<Value> = entities
        .iter()
        .filter(|entity| old.digests.get(&id_of(entity)) != Some(&digest(entity)))
        .map(|entity| shown(entity, &old.select))
        .collect();
    let present: std::collections::HashSet<String> = entities.iter().map(id_of).collect();
    for id in old.digests.keys().filter(|id| !present.contains(*id)) {
        // "changed": it waits among the deleted items; "deleted": it is gone for good.
        let reason = if can_be_restored(id) { "changed" } else { "deleted" };
        changes.push(json!({"id": id, "@removed": {"reason": reason}}));
    }
    changes
}

fn shown(entity: &Value, select: &[String]) -> Value {
    let Value::Object(all) = entity else {
        return entity.clone();
    };
    let wanted = |name: &str| {
        select.is_empty() || name == "id" || select.iter().any(|selected| selected.eq_ignore_ascii_case(name))
    };
    Value::Object(
        all.iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

fn member<'a>(entity: &'a Value, name: &str) -> Option<&'a Value> {
    entity
        .as_object()?
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn id_of(entity: &Value) -> String {
    entity["id"].as_str().unwrap_or_default().to_owned()
}

fn digest(entity: &Value) -> [u8; 8] {
    let hash = jwt::sha256(entity.to_string().as_bytes());
    let mut short = [0; 8];
    for (to, from) in short.iter_mut().zip(hash.iter()) {
        *to = *from;
    }
    short
}

fn gone(request: &GraphRequest) -> ODataError {
    let fresh = format!("{}/{}?$deltatoken=", request.service_root(), request.segments.join("/"));
    let error = ODataError::new(
        StatusCode::GONE,
        "syncStateNotFound",
        "The specified delta token is expired or unknown: start again without one.",
    );
    match http::HeaderValue::from_str(&fresh) {
        Ok(location) => error.with_header(http::header::LOCATION, location),
        Err(_) => error,
    }
}
