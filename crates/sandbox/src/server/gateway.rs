//! The one handler behind every listener: from an HTTP request to a service and back.
//!
//! Owns the choice between Graph, upload addresses, Exchange's administration and the identity provider, the bound on
//! request bodies, faults and the ledger. A request over the bound is refused before any of its content is looked at.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use crate::auth::{self, Caller};
use crate::entra::error::Trace;
use crate::entra::form::{self, LoginRequest, correlation_id};
use crate::entra::{routes, userinfo};
use crate::exchange::admin::{self, AdminRequest};
use crate::faults::{Asked, Effect};
use crate::ledger::{self, Entry};
use crate::odata::error::{ODataError, Stamp};
use crate::server::connection::Switch;
use crate::server::dispatch::{self, MAX_LATENCY};
use crate::server::headers::{self, Scheme};
use crate::server::paths::{ApiVersion, GraphRequest, GraphResponse, query_pairs, segments};
use crate::server::subject;
use crate::state::Sandbox;

/// Largest Graph request, as Microsoft documents it.
const MAX_GRAPH_BODY: usize = 4 * 1024 * 1024;
/// Largest slice of an upload session; clients' own slices are a few megabytes.
const MAX_UPLOAD_BODY: usize = 64 * 1024 * 1024;
/// Largest form.
const MAX_LOGIN_BODY: usize = 256 * 1024;

/// What a listener serves.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The tenant.
    pub sandbox: Arc<Sandbox>,
    /// How the listener is reached.
    pub scheme: Scheme,
}

/// Which service a path belongs to.
enum Service {
    Graph(ApiVersion),
    Upload,
    ExchangeAdmin,
    UserInfo,
    Login,
}

/// Answers every request.
pub async fn handle(
    State(gateway): State<Gateway>,
    Extension(switch): Extension<Switch>,
    request: Request,
) -> Response {
    let sandbox = &gateway.sandbox;
    let (parts, body) = request.into_parts();
    let path = segments(parts.uri.path());
    let stamp = headers::stamp(sandbox, &parts.headers);
    let service = service_of(&path);
    let is_login = matches!(service, Service::Login);
    let limit = match service {
        Service::Graph(_) => MAX_GRAPH_BODY,
        Service::Upload => MAX_UPLOAD_BODY,
        Service::ExchangeAdmin => MAX_GRAPH_BODY,
        Service::Login | Service::UserInfo => MAX_LOGIN_BODY,
    };
    let body = axum::body::to_bytes(body, limit).await;
    let sent = body.as_ref().map_or(limit, Bytes::len);
    let entry = match service {
        Service::Graph(_) => Entry::graph(&parts.method, &path[1..]),
        Service::UserInfo => Entry::graph(&parts.method, &path),
        Service::Upload => Entry::upload(&parts.method),
        Service::ExchangeAdmin => Entry::exchange(&parts.method, &path),
        Service::Login => Entry::login(&parts.method, &path),
    };
    let caller = match service {
        Service::Graph(_) => Some(auth::caller(sandbox, &parts.headers)),
        Service::Upload | Service::UserInfo | Service::ExchangeAdmin | Service::Login => None,
    };
    let known = caller.as_ref().and_then(|caller| caller.as_ref().ok());
    let application = match (&body, known) {
        (_, Some(caller)) => subject::application(caller),
        (Ok(body), None) if is_login => form::client_of(&parts.headers, body),
        _ => None,
    };
    let shown = display_path(&path);
    let verdict = sandbox.faults.judge(
        &Asked {
            method: &parts.method,
            path: &shown,
            raw_query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            application,
            mailbox: &|| match service {
                Service::Graph(_) => subject::mailbox_names(sandbox, &path[1..], known),
                Service::Upload | Service::UserInfo | Service::ExchangeAdmin | Service::Login => Vec::new(),
            },
        },
        false,
    );
    let entry = sandbox.ledger.begin(ledger::Asked {
        entry,
        path: shown,
        bytes: sent,
        application,
        at: stamp.at,
        in_batch: false,
    });
    if let Some(wait) = verdict.latency {
        sandbox.clock.pause(wait.min(MAX_LATENCY)).await;
    }
    if matches!(verdict.effect, Some(Effect::CutBefore)) {
        entry.end(None, 0);
        switch.cut();
        return Response::new(Body::empty());
    }
    let date = stamp.at.checked_add(sandbox.clock.date_skew()).unwrap_or(stamp.at);
    let Ok(body) = body else {
        let refused = too_large(&stamp);
        entry.end(Some(refused.status), refused.body.len());
        return finish(refused, &stamp, date, is_login, Body::from);
    };
    let serve = Box::pin(guarded(&gateway, service, path, parts, body, caller, &stamp));
    let response = match &verdict.effect {
        None | Some(Effect::CutBefore | Effect::CutAfter) => serve.await,
        Some(Effect::Status(fault)) => {
            if fault.after_effect {
                serve.await;
            }
            match is_login {
                true => fault.login_response(),
                false => fault.graph_response(&stamp),
            }
        }
        Some(Effect::Revoke(revocation)) => dispatch::revoke(sandbox, application, *revocation, &stamp).render(&stamp),
        Some(Effect::Spoil(spoiling)) => {
            let answer = match spoiling.after_effect {
                true => serve.await,
                false => GraphResponse::empty(StatusCode::OK),
            };
            spoiling.content(answer)
        }
    };
    entry.end(Some(response.status), response.body.len());
    match verdict.effect {
        Some(Effect::CutAfter) => {
            switch.cut();
            Response::new(Body::empty())
        }
        Some(Effect::Spoil(spoiling)) => finish(response, &stamp, date, is_login, |bytes| spoiling.body(bytes)),
        _ => finish(response, &stamp, date, is_login, Body::from),
    }
}

fn service_of(path: &[String]) -> Service {
    match path {
        [version, ..] if version.eq_ignore_ascii_case("v1.0") => Service::Graph(ApiVersion::V1),
        [version, ..] if version.eq_ignore_ascii_case("beta") => Service::Graph(ApiVersion::Beta),
        [api, version, ..] if api.eq_ignore_ascii_case("api") && version.eq_ignore_ascii_case("v2.0") => {
            Service::Upload
        }
        [first, ..] if first.eq_ignore_ascii_case("adminapi") => Service::ExchangeAdmin,
        path if userinfo::is(path) => Service::UserInfo,
        _ => Service::Login,
    }
}

fn display_path(path: &[String]) -> String {
    format!("/{}", path.join("/"))
}

/// Serves what the data directory allows: no change that cannot be saved, no answer from bytes that cannot be read.
async fn guarded(
    gateway: &Gateway,
    service: Service,
    path: Vec<String>,
    parts: Parts,
    body: Bytes,
    caller: Option<Result<Caller, ODataError>>,
    stamp: &Stamp,
) -> GraphResponse {
    let Some(health) = gateway.sandbox.saver.as_ref().map(|saver| Arc::clone(saver.health())) else {
        return serve(gateway, service, path, parts, body, caller, stamp).await;
    };
    let refused = |problem: String| {
        let status = StatusCode::INSUFFICIENT_STORAGE;
        ODataError::new(status, "ErrorInsufficientStorage", problem).render(stamp)
    };
    if !matches!(service, Service::Login)
        && !parts.method.is_safe()
        && let Some(problem) = health.problem()
    {
        return refused(format!(
            "The sandbox accepts no change, because it cannot be saved: {problem}."
        ));
    }
    let failed_before = health.failed_reads();
    let response = serve(gateway, service, path, parts, body, caller, stamp).await;
    if health.failed_reads() != failed_before {
        return refused("The sandbox cannot read mails in its data directory; its log says which file.".to_owned());
    }
    response
}

async fn serve(
    gateway: &Gateway,
    service: Service,
    mut path: Vec<String>,
    parts: Parts,
    body: Bytes,
    caller: Option<Result<Caller, ODataError>>,
    stamp: &Stamp,
) -> GraphResponse {
    let sandbox = &gateway.sandbox;
    let base_url = headers::base_url(gateway.scheme, &parts.uri, &parts.headers);
    let (version, skip, caller) = match service {
        Service::Login => return login(sandbox, path, parts, body, base_url, stamp).await,
        Service::ExchangeAdmin => {
            let request = AdminRequest {
                method: &parts.method,
                segments: path.get(1..).unwrap_or_default(),
                raw_query: parts.uri.query().unwrap_or_default(),
                headers: &parts.headers,
                body: &body,
                base_url: &base_url,
                stamp,
            };
            return admin::answer(sandbox, &request);
        }
        Service::UserInfo => {
            let answer = userinfo::answer(sandbox, &parts.method, &parts.headers);
            return answer.unwrap_or_else(|error| error.render(stamp));
        }
        Service::Upload => (ApiVersion::V1, 2, Ok(Caller::anonymous())),
        Service::Graph(version) => (version, 1, caller.unwrap_or_else(|| Ok(Caller::anonymous()))),
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(refusal) => return refusal.render(stamp),
    };
    path.drain(..skip);
    let raw_query = parts.uri.query().unwrap_or_default().to_owned();
    let request = GraphRequest {
        method: parts.method,
        version,
        segments: path,
        query: query_pairs(&raw_query),
        raw_query,
        headers: parts.headers,
        body,
        base_url,
        caller,
        stamp: stamp.clone(),
    };
    if skip == 2 {
        return dispatch::upload(sandbox, &request).await;
    }
    dispatch::admitted(sandbox, &request).await
}

async fn login(
    sandbox: &Sandbox,
    path: Vec<String>,
    parts: Parts,
    body: Bytes,
    base_url: String,
    stamp: &Stamp,
) -> GraphResponse {
    let query = query_pairs(parts.uri.query().unwrap_or_default());
    let correlation_id = correlation_id(&parts.headers, &query).unwrap_or_else(|| sandbox.entropy.uuid());
    let trace = Trace {
        at: stamp.at,
        trace_id: stamp.request_id,
        correlation_id,
    };
    let first = path.first().cloned().unwrap_or_default();
    let request = LoginRequest {
        method: parts.method,
        segments: path,
        query,
        headers: parts.headers,
        body,
        base_url,
        trace,
    };
    match routes::handle(sandbox, &request).await {
        Some(response) => response,
        // Graph's own answer to an address without an edition.
        None => ODataError::bad_request(format!("Invalid version: {first}")).render(stamp),
    }
}

fn too_large(stamp: &Stamp) -> GraphResponse {
    let error = ODataError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestEntityTooLarge",
        "The maximum request length supported is 4MB.",
    );
    error.render(stamp)
}

fn finish(
    response: GraphResponse,
    stamp: &Stamp,
    date: Timestamp,
    is_login: bool,
    wire: impl FnOnce(Bytes) -> Body,
) -> Response {
    let GraphResponse {
        status,
        headers: mut fields,
        body,
    } = response;
    if !is_login {
        headers::complete(&mut fields, stamp);
    }
    let (name, value) = headers::date(date);
    fields.insert(name, value);
    let mut answer = Response::new(wire(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = fields;
    without_body(&mut answer);
    answer
}

/// 204 and 304 have no content and therefore no content type.
fn without_body(answer: &mut Response) {
    if matches!(answer.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        let headers: &mut HeaderMap = answer.headers_mut();
        headers.remove(http::header::CONTENT_TYPE);
    }
}
