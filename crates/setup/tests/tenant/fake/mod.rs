//! A tenant in memory: the sign-in service, the directory and the folders of mailboxes, as far as
//! connecting needs them, behind the transport port. It can be cut off at any request, before or
//! after the request has its effect, and it can lag behind its own changes.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use bytes::Bytes;
use guichet_graph::Time;
use guichet_net::{BodyLimit, HttpRequest, HttpResponse, Transport, TransportError, TransportErrorKind};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

mod directory;
mod exchange;
mod mailboxes;
mod sign_in;

use crate::world::TestTime;

pub const TENANT: &str = "8d5b1f4e-3c55-4e5a-9f2a-2b8f0a1c7e10";
pub const DOMAIN: &str = "contoso.example";
pub const ADMINISTRATOR: &str = "0f0f0f0f-1111-4222-8333-444444444444";
pub const ADMINISTRATOR_SECRET: &str = "administrator~secret";
pub const AUTHORITY: &str = "https://login.contoso.example";
const GRAPH_APP: &str = "00000003-0000-0000-c000-000000000000";
const GRAPH_PRINCIPAL: &str = "aaaaaaaa-0000-4000-8000-000000000001";

/// Where a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The request never leaves.
    Before(usize),
    /// The request has its effect, and its answer is lost.
    After(usize),
}

/// How long news takes, counted in questions that still get the old answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lag {
    pub directory: u32,
    pub secret: u32,
    pub consent: u32,
    pub mailbox: u32,
}

#[derive(Debug, Default)]
pub struct State {
    pub applications: Vec<Value>,
    pub principals: Vec<Value>,
    pub assignments: Vec<Value>,
    pub grants: Vec<Value>,
    pub users: Vec<Value>,
    /// Management scopes and role assignments of Exchange.
    pub app_scopes: Vec<Value>,
    pub exchange_assignments: Vec<Value>,
    /// Secret values by key id: what a token request must present.
    secrets: HashMap<String, (String, u32)>,
    /// What a mailbox answers instead of its folders, by user principal name.
    pub mailbox_errors: HashMap<String, (u16, &'static str, &'static str)>,
    /// Display names of folders besides the inbox, in every mailbox.
    pub folders: Vec<&'static str>,
    /// What the token endpoint answers an application with.
    pub token_error: Option<(u16, u32)>,
    /// What the sign-in service answers everything with.
    pub authority_error: Option<(u16, &'static str)>,
    pub authority_fault: Option<TransportErrorKind>,
    pub graph_fault: Option<TransportErrorKind>,
    /// Tenant id in the discovery document and of the organisation, where not the usual one.
    pub issuer_tenant: Option<&'static str>,
    pub organization: Option<&'static str>,
    pub clock_offset_seconds: i64,
    /// What the administrator may not do: beginning of the path after the version.
    pub forbidden: Option<&'static str>,
    pub password_error: Option<&'static str>,
    pub extra_roles: Vec<&'static str>,
    pub lag: Lag,
    hidden: HashMap<String, u32>,
    consent_lag: u32,
    mailbox_lag: u32,
    pub cut: Option<Cut>,
    pub requests: usize,
    ids: u32,
}

pub struct FakeTenant {
    state: Mutex<State>,
    time: Arc<TestTime>,
}

/// Tests look for secrets in debug output, and the tenant knows all of them.
impl fmt::Debug for FakeTenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeTenant")
    }
}

/// Status and body.
type Answer = (u16, Value);

#[async_trait]
impl Transport for FakeTenant {
    async fn send(&self, request: HttpRequest, _: BodyLimit) -> Result<HttpResponse, TransportError> {
        let (kind, answer) = {
            let mut state = self.state();
            state.requests += 1;
            let number = state.requests;
            let dead = match state.cut {
                Some(Cut::Before(at)) => number >= at,
                Some(Cut::After(at)) => number > at,
                None => false,
            };
            let at_authority = request.url.host_str() == Some("login.contoso.example");
            let fault = if at_authority {
                state.authority_fault
            } else {
                state.graph_fault
            };
            if dead {
                (Some(TransportErrorKind::Connect), None)
            } else if fault.is_some() {
                (fault, None)
            } else {
                let answer = self.answer(&mut state, &request, at_authority);
                let lost = state.cut == Some(Cut::After(number));
                (lost.then_some(TransportErrorKind::Closed), Some(answer))
            }
        };
        match (kind, answer) {
            (None, Some((status, body))) => Ok(self.response(status, &body)),
            (kind, _) => {
                let kind = kind.unwrap_or(TransportErrorKind::Closed);
                Err(TransportError::new(kind, &request.url, "injected"))
            }
        }
    }
}

impl FakeTenant {
    pub fn new(time: Arc<TestTime>) -> Self {
        let state = State {
            principals: vec![json!({ "id": GRAPH_PRINCIPAL, "appId": GRAPH_APP, "displayName": "Microsoft Graph" })],
            users: ["support", "sales", "billing"]
                .iter()
                .enumerate()
                .map(|(number, name)| {
                    json!({
                        "id": format!("bbbbbbbb-0000-4000-8000-00000000000{number}"),
                        "displayName": name,
                        "userPrincipalName": format!("{name}@{DOMAIN}"),
                        "mail": format!("{name}@{DOMAIN}"),
                    })
                })
                .collect(),
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            time,
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn response(&self, status: u16, body: &Value) -> HttpResponse {
        let offset = self.state().clock_offset_seconds;
        let date = self.time.now() + jiff::SignedDuration::from_secs(offset);
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, HeaderValue::from_str(&date).unwrap());
        headers.insert(
            "request-id",
            HeaderValue::from_static("cccccccc-0000-4000-8000-000000000001"),
        );
        let body = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        HttpResponse {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body,
        }
    }

    fn answer(&self, state: &mut State, request: &HttpRequest, at_authority: bool) -> Answer {
        let segments: Vec<String> = request.url.path_segments().unwrap().map(decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if at_authority {
            return match state.authority_error {
                Some((status, body)) => (status, serde_json::from_str(body).unwrap_or_else(|_| json!(body))),
                None => self.sign_in(state, request, &segments),
            };
        }
        let claims = request
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ").map(sign_in::claims))
            .unwrap_or_default();
        let is_administrator = claims["appid"] == ADMINISTRATOR;
        match segments.as_slice() {
            ["v1.0", "users", user, "mailFolders", rest @ ..] => self.folder(state, &claims, user, rest),
            ["beta", "roleManagement", "exchange", path @ ..] if is_administrator => {
                if state
                    .forbidden
                    .is_some_and(|prefix| prefix.starts_with("roleManagement"))
                {
                    return error(403, "Authorization_RequestDenied", "Insufficient privileges.");
                }
                let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
                self.exchange_roles(state, &request.method, path, &body)
            }
            ["v1.0", path @ ..] if is_administrator => {
                let forbidden = state.forbidden.is_some_and(|prefix| path.join("/").starts_with(prefix));
                if forbidden && request.method != Method::GET {
                    return error(
                        403,
                        "Authorization_RequestDenied",
                        "Insufficient privileges to complete the operation.",
                    );
                }
                let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
                let filter = request.url.query_pairs().find(|(name, _)| name == "$filter");
                let filter = filter.map(|(_, value)| value.into_owned()).unwrap_or_default();
                self.directory(state, &request.method, path, &filter, &body)
            }
            _ => error(401, "InvalidAuthenticationToken", "Access token is empty."),
        }
    }
}

pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
    (status, json!({ "error": { "code": code, "message": message } }))
}

fn decode(text: &str) -> String {
    let pair = format!("x={}", text.replace('+', "%2B"));
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
    pairs.next().unwrap().1.into_owned()
}

pub(super) fn find_user(state: &State, id_or_name: &str) -> Option<Value> {
    let is = |user: &&Value| user["id"] == id_or_name || user["userPrincipalName"] == id_or_name;
    state.users.iter().find(is).cloned()
}

pub(super) fn new_id(state: &mut State) -> String {
    state.ids += 1;
    format!("dddddddd-0000-4000-8000-{:012}", state.ids)
}
