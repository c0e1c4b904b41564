//! `$batch`: several requests in one (contract §2.7).
//!
//! Owns the envelope: at most twenty, unique ids, no nesting, `dependsOn` in one of the documented patterns; each request runs through the same
//! dispatch as a request by itself, so faults and permissions apply one by one. At most four run at a time, as
//! Outlook does for one mailbox.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::odata::error::ODataError;
use crate::server::paths::{ApiVersion, GraphRequest, GraphResponse, query_pairs, segments};
use crate::state::Sandbox;

/// Requests per batch.
const MAX_REQUESTS: usize = 20;
/// Requests that run at a time.
const PARALLEL: usize = 4;

struct Item {
    id: String,
    depends_on: Vec<String>,
    request: GraphRequest,
}

/// Answers `POST /$batch`.
pub async fn handle(sandbox: &Arc<Sandbox>, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    if request.method != Method::POST {
        return Err(ODataError::method_not_allowed());
    }
    let body = request.json_body()?;
    let mut waiting = read(request, &body)?;
    let mut done: HashMap<String, StatusCode> = HashMap::new();
    let mut responses: Vec<Value> = Vec::new();
    while !waiting.is_empty() {
        let (ready, later): (Vec<Item>, Vec<Item>) = waiting
            .into_iter()
            .partition(|item| item.depends_on.iter().all(|id| done.contains_key(id)));
        if ready.is_empty() {
            return Err(ODataError::bad_request(
                "The requests of the batch depend on each other in a circle.",
            ));
        }
        let running: Vec<Running> = ready
            .into_iter()
            .map(|item| {
                let failed = item
                    .depends_on
                    .iter()
                    .any(|id| done.get(id).is_none_or(|status| !status.is_success()));
                run(sandbox.clone(), item, failed)
            })
            .collect();
        let answers: Vec<(String, GraphResponse)> = stream::iter(running).buffer_unordered(PARALLEL).collect().await;
        for (id, response) in answers {
            responses.push(shown(&id, &response));
            done.insert(id.to_ascii_lowercase(), response.status);
        }
        waiting = later;
    }
    Ok(GraphResponse::json(StatusCode::OK, &json!({"responses": responses})))
}

type Running = BoxFuture<'static, (String, GraphResponse)>;

/// One request of the batch; not run when one that it depends on failed.
fn run(sandbox: Arc<Sandbox>, item: Item, dependency_failed: bool) -> Running {
    Box::pin(async move {
        if dependency_failed {
            let error = ODataError::new(
                StatusCode::FAILED_DEPENDENCY,
                "FailedDependency",
                "A request that this one depends on failed.",
            );
            return (item.id, error.render(&item.request.stamp));
        }
        let response = crate::server::dispatch::graph(&sandbox, item.request).await;
        (item.id, response)
    })
}

fn read(outer: &GraphRequest, body: &Value) -> Result<Vec<Item>, ODataError> {
    let list = body.get("requests").and_then(Value::as_array).ok_or_else(|| {
        ODataError::bad_request("Invalid batch payload format: the property 'requests' must be a collection.")
    })?;
    if list.is_empty() || list.len() > MAX_REQUESTS {
        return Err(ODataError::bad_request(format!(
            "A batch holds 1 to {MAX_REQUESTS} requests."
        )));
    }
    let mut seen = HashSet::new();
    let mut items = Vec::new();
    for entry in list {
        let item = read_item(outer, entry)?;
        if !seen.insert(item.id.to_ascii_lowercase()) {
            return Err(ODataError::bad_request("The ids of a batch must be unique."));
        }
        items.push(item);
    }
    for item in &items {
        if let Some(unknown) = item.depends_on.iter().find(|id| !seen.contains(*id)) {
            return Err(ODataError::bad_request(format!(
                "The request '{}' depends on '{unknown}', which is not in the batch.",
                item.id
            )));
        }
    }
    check_pattern(&items)?;
    Ok(items)
}

/// The documented patterns: nobody depends on anybody (parallel), each request on the one before it (serial), or all
/// that depend on anything on the same one request.
fn check_pattern(items: &[Item]) -> Result<(), ODataError> {
    let mut dependent = items.iter().filter(|item| !item.depends_on.is_empty());
    let same = match dependent.next() {
        None => return Ok(()),
        Some(first) => first.depends_on.len() == 1 && dependent.all(|item| item.depends_on == first.depends_on),
    };
    let own = |item: &Item| item.id.to_ascii_lowercase();
    let circular = items.iter().any(|item| item.depends_on.contains(&own(item)));
    let serial = items.first().is_some_and(|item| item.depends_on.is_empty())
        && items.windows(2).all(|pair| pair[1].depends_on == [own(&pair[0])]);
    if (same || serial) && !circular {
        return Ok(());
    }
    Err(ODataError::bad_request(
        "Invalid batch payload format: the requests must all be independent, each depend on the one before it, or all depend on the same request.",
    ))
}

fn read_item(outer: &GraphRequest, entry: &Value) -> Result<Item, ODataError> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let id = text("id")
        .filter(|id| !id.is_empty())
        .ok_or_else(|| ODataError::bad_request("Each request of a batch needs an 'id'."))?;
    let bad = |what: &str| ODataError::bad_request(format!("The request '{id}' of the batch has no valid '{what}'."));
    let method = text("method")
        .and_then(|method| method.to_ascii_uppercase().parse::<Method>().ok())
        .ok_or_else(|| bad("method"))?;
    let url = text("url").filter(|url| !is_absolute(url)).ok_or_else(|| bad("url"))?;
    let (path, raw_query) = url.split_once('?').unwrap_or((url, ""));
    let mut parts = segments(path);
    let version = match parts.first().map(String::as_str) {
        Some("v1.0") => Some(ApiVersion::V1),
        Some("beta") => Some(ApiVersion::Beta),
        _ => None,
    };
    if version.is_some() {
        parts.remove(0);
    }
    if parts.first().is_some_and(|first| first.eq_ignore_ascii_case("$batch")) {
        return Err(ODataError::bad_request("A batch cannot hold a batch."));
    }
    let headers = headers(outer, entry)?;
    let body = match entry.get("body") {
        None | Some(Value::Null) => bytes::Bytes::new(),
        Some(_) if !headers.contains_key(CONTENT_TYPE) => {
            return Err(ODataError::bad_request(format!(
                "The request '{id}' of the batch has a body but no Content-Type header."
            )));
        }
        Some(Value::String(text)) => text_body(text, &headers).ok_or_else(|| bad("body"))?,
        Some(json) => serde_json::to_vec(json).map_err(|_| bad("body"))?.into(),
    };
    let depends_on = match entry.get("dependsOn") {
        None | Some(Value::Null) => Vec::new(),
        Some(list) => list
            .as_array()
            .and_then(|list| list.iter().map(|id| id.as_str().map(str::to_ascii_lowercase)).collect())
            .ok_or_else(|| bad("dependsOn"))?,
    };
    Ok(Item {
        id: id.to_owned(),
        depends_on,
        request: GraphRequest {
            method,
            version: version.unwrap_or(outer.version),
            segments: parts,
            raw_query: raw_query.to_owned(),
            query: query_pairs(raw_query),
            headers,
            body,
            base_url: outer.base_url.clone(),
            caller: outer.caller.clone(),
            stamp: outer.stamp.clone(),
        },
    })
}

fn is_absolute(url: &str) -> bool {
    let path = url.split('?').next().unwrap_or(url);
    path.contains("://") || path.starts_with("//")
}

/// A body that is a text: JSON and text stand for themselves (mail as MIME is base64 text already), anything else is
/// base64 of its bytes.
fn text_body(text: &str, headers: &HeaderMap) -> Option<bytes::Bytes> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    if kind.contains("json") {
        // A JSON text that holds a document is that document; SDKs send bodies either way.
        return Some(text.to_owned().into());
    }
    if kind.trim_start().starts_with("text/") {
        return Some(text.to_owned().into());
    }
    let plain: String = text
        .chars()
        .filter(|character| !character.is_whitespace() && *character != '=')
        .map(|character| match character {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    STANDARD_NO_PAD.decode(plain).ok().map(bytes::Bytes::from)
}

fn headers(outer: &GraphRequest, entry: &Value) -> Result<HeaderMap, ODataError> {
    let mut headers = HeaderMap::new();
    for name in [http::header::AUTHORIZATION, http::header::HOST] {
        if let Some(value) = outer.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    for (name, value) in entry.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let name = name.parse::<HeaderName>();
        let value = value.as_str().map(HeaderValue::from_str);
        let (Ok(name), Some(Ok(value))) = (name, value) else {
            return Err(ODataError::bad_request("A header of a batch request is not valid."));
        };
        headers.append(name, value);
    }
    Ok(headers)
}

fn shown(id: &str, response: &GraphResponse) -> Value {
    let mut headers = Map::new();
    for (name, value) in &response.headers {
        if let Ok(value) = value.to_str() {
            headers.insert(canonical(name.as_str()), value.into());
        }
    }
    let mut json = json!({"id": id, "status": response.status.as_u16(), "headers": headers});
    if !response.body.is_empty() {
        let is_json = response
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
        let document = if is_json {
            serde_json::from_slice(&response.body).ok()
        } else {
            None
        };
        json["body"] = document.unwrap_or_else(|| STANDARD.encode(&response.body).into());
    }
    json
}

/// `content-type` as `Content-Type`: clients look headers of batch items up by that spelling.
fn canonical(name: &str) -> String {
    name.split('-')
        .map(|part| {
            let mut letters = part.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
                .unwrap_or_default()
        })
        .collect::<Vec<_>>()
        .join("-")
}
