//! Which answer belongs to which login path.
//!
//! Owns the paths below `https://{login}/` and the headers every answer of the token endpoint has. Path words are
//! compared without case.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL, EXPIRES, HeaderName, HeaderValue, ORIGIN, PRAGMA, RETRY_AFTER,
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::entra::error::OAuthError;
use crate::entra::form::{self, Form, LoginRequest, Presented};
use crate::entra::tenancy::Tenancy;
use crate::entra::{admin_consent, authorize, device_code, discovery, sign_in_page, token};
use crate::server::paths::GraphResponse;
use crate::state::Sandbox;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Answers a login path; `None` when the path is none.
#[must_use]
pub async fn handle(sandbox: &Sandbox, request: &LoginRequest) -> Option<GraphResponse> {
    let lower: Vec<String> = request
        .segments
        .iter()
        .map(|segment| segment.to_ascii_lowercase())
        .collect();
    let words: Vec<&str> = lower.iter().map(String::as_str).collect();
    let response = match words.as_slice() {
        ["devicelogin"] | [_, "oauth2", "deviceauth"] => sign_in_page::answer(sandbox, request),
        [_, "discovery", "instance"] => instance(request),
        ["common", "userrealm", _] => user_realm(sandbox, request),
        [_, "oauth2", "v2.0", "authorize"] => authorize::answer(sandbox, request),
        [_, "adminconsent"] | [_, "v2.0", "adminconsent"] => admin_consent::answer(sandbox, request),
        [_, "oauth2", "v2.0", "token"] | [_, "oauth2", "token"] => token_endpoint(sandbox, request).await,
        [_, rest @ ..] => endpoint(sandbox, request, rest)?,
        [] => return None,
    };
    Some(finished(response, request))
}

async fn token_endpoint(sandbox: &Sandbox, request: &LoginRequest) -> GraphResponse {
    let from_page = request.headers.contains_key(ORIGIN);
    let requested = request
        .headers
        .get(ACCESS_CONTROL_REQUEST_HEADERS)
        .and_then(|value| value.to_str().ok());
    let requested = requested.unwrap_or("content-type");
    let mut response = if from_page && request.method == Method::OPTIONS {
        GraphResponse::empty(StatusCode::NO_CONTENT)
            .with_header(ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS")
            .with_header(ACCESS_CONTROL_ALLOW_HEADERS, requested)
    } else {
        if let Some(wait) = throttled(sandbox, request) {
            return too_many(wait);
        }
        let result = match Tenancy::parse(&sandbox.tenant, &request.segments[0]) {
            Ok(tenancy) => token::answer(sandbox, request, tenancy).await,
            Err(error) if error.code() == 90_038 && presents_credential(request) => {
                Err(OAuthError::confidential_client_across_clouds())
            }
            Err(error) => Err(error),
        };
        answered(result, request)
    };
    if from_page {
        response
            .headers
            .insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

/// Seconds to wait when the client asks for tokens too often.
fn throttled(sandbox: &Sandbox, request: &LoginRequest) -> Option<u64> {
    let client = form::client_of(&request.headers, &request.body)?;
    sandbox.throttle.sign_in(client, sandbox.clock.now())
}

fn too_many(wait: u64) -> GraphResponse {
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    let mut response = GraphResponse::bytes(StatusCode::TOO_MANY_REQUESTS, text, "Too Many Requests".into());
    response.headers.insert(RETRY_AFTER, wait.into());
    response
}

fn presents_credential(request: &LoginRequest) -> bool {
    let presented = Form::parse(request).and_then(|form| Presented::read(request, &form));
    presented.is_ok_and(|presented| presented.secret.is_some() || presented.assertion.is_some())
}

fn answered(result: Result<Value, OAuthError>, request: &LoginRequest) -> GraphResponse {
    match result {
        Ok(document) => json_answer(StatusCode::OK, &document),
        Err(error) => json_answer(error.status(), &error.document(&request.trace)),
    }
}

fn endpoint(sandbox: &Sandbox, request: &LoginRequest, words: &[&str]) -> Option<GraphResponse> {
    type Answer = fn(&Sandbox, &LoginRequest, Tenancy) -> Result<Value, OAuthError>;
    let answer: Answer = match words {
        ["oauth2", "v2.0", "devicecode"] => |sandbox, request, tenancy| {
            if request.method != Method::POST {
                return Err(OAuthError::only_post(request.method.as_str()));
            }
            device_code::start(sandbox, request, tenancy, &Form::parse(request)?)
        },
        ["v2.0", ".well-known", "openid-configuration"] => {
            |sandbox, request, tenancy| Ok(discovery::version_two(&sandbox.tenant, tenancy, &request.base_url))
        }
        [".well-known", "openid-configuration"] => {
            |sandbox, request, tenancy| Ok(discovery::version_one(&sandbox.tenant, tenancy, &request.base_url))
        }
        ["discovery", "v2.0", "keys"] => {
            |sandbox, request, tenancy| Ok(discovery::keys(sandbox, tenancy, &request.base_url, true))
        }
        ["discovery", "keys"] => {
            |sandbox, request, tenancy| Ok(discovery::keys(sandbox, tenancy, &request.base_url, false))
        }
        ["oauth2", ..] | ["v2.0", ..] => return Some(unsupported(words)),
        _ => return None,
    };
    let is_document = !words.contains(&"oauth2");
    let result =
        Tenancy::parse(&sandbox.tenant, &request.segments[0]).and_then(|tenancy| answer(sandbox, request, tenancy));
    let mut response = answered(result, request);
    if is_document && response.status == StatusCode::OK {
        response
            .headers
            .insert(CACHE_CONTROL, HeaderValue::from_static("max-age=86400, private"));
        response
            .headers
            .insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    Some(response)
}

fn unsupported(words: &[&str]) -> GraphResponse {
    let text = format!("the sandbox does not support the endpoint {}", words.join("/"));
    json_answer(
        StatusCode::NOT_IMPLEMENTED,
        &json!({"error": "unsupported", "error_description": text}),
    )
}

fn instance(request: &LoginRequest) -> GraphResponse {
    match discovery::instance(request) {
        Some(document) => json_answer(StatusCode::OK, &document),
        None => {
            let document = json!({
                "error": "invalid_instance",
                "error_description": format!(
                    "AADSTS50049: Unknown or invalid instance. Trace ID: {} Correlation ID: {}",
                    request.trace.trace_id, request.trace.correlation_id,
                ),
                "error_codes": [50_049],
                "trace_id": request.trace.trace_id,
                "correlation_id": request.trace.correlation_id,
            });
            json_answer(StatusCode::BAD_REQUEST, &document)
        }
    }
}

fn user_realm(sandbox: &Sandbox, request: &LoginRequest) -> GraphResponse {
    let login = request.segments.last().map_or("", String::as_str);
    let domain = login.split('@').nth(1).unwrap_or_default();
    let kind = if sandbox.tenant.is_called(domain) {
        "Managed"
    } else {
        "Unknown"
    };
    let document = json!({
        "ver": "1.0",
        "account_type": kind,
        "domain_name": domain,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    });
    json_answer(StatusCode::OK, &document)
}

fn json_answer(status: StatusCode, document: &Value) -> GraphResponse {
    let mut response = GraphResponse::json(status, document);
    response.headers.insert(http::header::CONTENT_TYPE, JSON);
    response
}

fn finished(mut response: GraphResponse, request: &LoginRequest) -> GraphResponse {
    let headers = &mut response.headers;
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store, no-cache"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(EXPIRES, HeaderValue::from_static("-1"));
    let mut add = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    add("x-ms-request-id", request.trace.trace_id.to_string());
    add("client-request-id", request.trace.correlation_id.to_string());
    add("x-ms-ests-server", "2.1.0.0 - SANDBOX".to_owned());
    add("x-ms-clitelem", "1,0,0,,".to_owned());
    response
}
