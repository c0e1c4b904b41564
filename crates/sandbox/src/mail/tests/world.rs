//! A small tenant for tests: a frozen clock, three mailboxes, and a client that speaks in paths.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::auth::{Caller, CallerKind};
use crate::clock::SandboxClock;
use crate::directory::{Directory, UserRef};
use crate::entropy::Entropy;
use crate::mail::MailService;
use crate::mail::transport::DeliveredTo;
use crate::notify::{NotifySettings, Signer};
use crate::odata::error::Stamp;
use crate::server::paths::{ApiVersion, GraphRequest, GraphResponse, query_pairs, segments};

pub const SUPPORT: &str = "support@contoso.example";
pub const SALES: &str = "sales@contoso.example";
pub const UNLICENSED: &str = "unlicensed@contoso.example";
const HOST: &str = "https://graph.test:8443";

#[derive(Debug)]
struct People(Vec<UserRef>);

impl Directory for People {
    fn user(&self, id_or_upn: &str) -> Option<UserRef> {
        self.0
            .iter()
            .find(|user| user.id.to_string() == id_or_upn || user.user_principal_name.eq_ignore_ascii_case(id_or_upn))
            .cloned()
    }
    fn user_by_address(&self, address: &str) -> Option<UserRef> {
        self.0
            .iter()
            .find(|user| {
                user.mail
                    .as_deref()
                    .is_some_and(|mail| mail.eq_ignore_ascii_case(address))
            })
            .cloned()
    }
    fn tenant_id(&self) -> Uuid {
        Uuid::from_u128(0x7e)
    }
    fn accepts_domain(&self, domain: &str) -> bool {
        domain.eq_ignore_ascii_case("contoso.example")
    }
    fn mail_domain(&self) -> String {
        "contoso.example".to_owned()
    }
}

/// Shows claims in place of a signed token.
#[derive(Debug)]
struct Unsigned;

impl Signer for Unsigned {
    fn sign(&self, claims: &Value) -> String {
        claims.to_string()
    }
}

/// The tenant and its usual client.
pub struct World {
    pub service: MailService,
    pub clock: Arc<SandboxClock>,
    pub caller: Caller,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
    people: Vec<UserRef>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub json: Value,
    pub bytes: Bytes,
}

impl Reply {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    #[track_caller]
    pub fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap()
    }

    #[track_caller]
    pub fn text(&self, name: &str) -> &str {
        self.json[name]
            .as_str()
            .unwrap_or_else(|| panic!("no text {name} in {}", self.json))
    }

    #[track_caller]
    pub fn list(&self) -> &Vec<Value> {
        self.json["value"].as_array().unwrap()
    }

    /// The values of one property over a list.
    #[track_caller]
    pub fn each(&self, name: &str) -> Vec<String> {
        self.list()
            .iter()
            .map(|item| item[name].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

impl World {
    pub fn new() -> Self {
        Self::with_notifications(Vec::new())
    }

    pub fn with_notifications(trusted_pem: Vec<Vec<u8>>) -> Self {
        let people: Vec<UserRef> = [SUPPORT, SALES, UNLICENSED]
            .iter()
            .zip(1..)
            .map(|(address, number)| UserRef {
                id: Uuid::from_u128(0x1000 + number),
                user_principal_name: (*address).to_owned(),
                display_name: format!("Team {number}"),
                mail: Some((*address).to_owned()),
            })
            .collect();
        let clock = Arc::new(SandboxClock::frozen_at("2026-03-01T10:00:00Z".parse().unwrap()));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let settings = NotifySettings {
            plain_http: true,
            trusted_pem,
            latency: Duration::ZERO,
            tasks: tasks.clone(),
            stop: stop.clone(),
            receiver: None,
            signer: Arc::new(Unsigned),
        };
        let service = MailService::new(
            clock.clone(),
            Arc::new(Entropy::seeded(7)),
            Arc::new(People(people.clone())),
            settings,
        );
        for user in &people[..2] {
            service.create_mailbox(user.id, user.mail.as_deref().unwrap(), &user.display_name);
        }
        let mut caller = Caller::anonymous();
        caller.kind = CallerKind::App;
        caller.app_id = Uuid::from_u128(0xa);
        caller.roles = ["Mail.ReadWrite", "Mail.Send", "MailboxSettings.ReadWrite"]
            .map(str::to_owned)
            .to_vec();
        Self {
            service,
            clock,
            caller,
            tasks,
            stop,
            people,
        }
    }

    /// Sends a request; `path` begins with `/users`, `/me`, `/subscriptions` or `/api`, or is an absolute URL.
    pub async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Bytes) -> Reply {
        let path = path.strip_prefix(HOST).unwrap_or(path);
        let path = path.strip_prefix("/v1.0").unwrap_or(path);
        let (path, raw_query) = path.split_once('?').unwrap_or((path, ""));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let stamp = Stamp {
            at: self.clock.now(),
            request_id: Uuid::from_u128(9),
            client_request_id: "c".to_owned(),
        };
        let request = GraphRequest {
            method: method.parse::<Method>().unwrap(),
            version: ApiVersion::V1,
            segments: segments(path),
            raw_query: raw_query.to_owned(),
            query: query_pairs(raw_query),
            headers: map,
            body,
            base_url: HOST.to_owned(),
            caller: self.caller.clone(),
            stamp: stamp.clone(),
        };
        let outcome = self.dispatch(&request).await;
        let GraphResponse { status, headers, body } = outcome.unwrap_or_else(|error| error.render(&stamp));
        Reply {
            status,
            headers,
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
            bytes: body,
        }
    }

    async fn dispatch(&self, request: &GraphRequest) -> Result<GraphResponse, crate::odata::error::ODataError> {
        let parts = &request.segments;
        match parts[0].to_ascii_lowercase().as_str() {
            "subscriptions" => self.service.handle_subscriptions(request, &parts[1..]).await,
            "api" => self.service.handle_upload(request, &parts[2..]).await,
            "me" => {
                let id = request.caller.user_id.expect("a signed-in caller");
                let user = self.people.iter().find(|user| user.id == id).unwrap();
                self.service.handle(request, user, &parts[1..]).await
            }
            _ => {
                let wanted = &parts[1];
                let user = self
                    .people
                    .iter()
                    .find(|user| user.user_principal_name == *wanted || user.id.to_string() == *wanted)
                    .unwrap();
                self.service.handle(request, user, &parts[2..]).await
            }
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[], Bytes::new()).await
    }

    /// With immutable ids.
    pub async fn get_immutable(&self, path: &str) -> Reply {
        self.call("GET", path, &[("Prefer", "IdType=\"ImmutableId\"")], Bytes::new())
            .await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(
            "POST",
            path,
            &[("Content-Type", "application/json")],
            body.to_string().into(),
        )
        .await
    }

    pub async fn post_immutable(&self, path: &str, body: Value) -> Reply {
        let headers = [
            ("Content-Type", "application/json"),
            ("Prefer", "IdType=\"ImmutableId\""),
        ];
        self.call("POST", path, &headers, body.to_string().into()).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call(
            "PATCH",
            path,
            &[("Content-Type", "application/json")],
            body.to_string().into(),
        )
        .await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, &[], Bytes::new()).await
    }

    /// Puts a mail into support's inbox.
    pub async fn inject(&self, mime: impl Into<Bytes>) -> DeliveredTo {
        self.service.deliver_into(SUPPORT, None, mime.into()).await.unwrap()
    }

    /// Puts `count` small mails into support's inbox, a minute apart.
    pub async fn inject_many(&self, count: usize) -> Vec<DeliveredTo> {
        let mut delivered = Vec::new();
        for number in 0..count {
            delivered.push(
                self.inject(mail(&format!("mail {number}"), &format!("{number}@fabrikam.example")))
                    .await,
            );
            self.clock.advance(Duration::from_secs(60));
        }
        delivered
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Signs the user in with delegated permissions.
    pub fn sign_in(&mut self, address: &str, scopes: &[&str]) {
        let user = self
            .people
            .iter()
            .find(|user| user.user_principal_name == address)
            .unwrap();
        self.caller.kind = CallerKind::Delegated;
        self.caller.user_id = Some(user.id);
        self.caller.roles.clear();
        self.caller.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }
}

/// A small mail.
pub fn mail(subject: &str, id: &str) -> Bytes {
    format!(
        "From: Ada <ada@fabrikam.example>\r\nTo: {SUPPORT}\r\nSubject: {subject}\r\nMessage-ID: <{id}>\r\n\
         Date: Sun, 01 Mar 2026 09:59:00 +0000\r\n\r\nBody of {subject}\r\n"
    )
    .into()
}

/// A recipient as JSON.
pub fn to(address: &str) -> Value {
    json!({"emailAddress": {"address": address}})
}

/// Path of support's mailbox.
pub fn support(rest: &str) -> String {
    format!("/users/{SUPPORT}/{rest}")
}

/// A directory of the test data: below `GUICHET_CORPUS` (which names the data or the corpus in it), else beside the
/// repository; says so when it is absent.
pub fn test_data(inside: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GUICHET_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let short = inside.strip_prefix("corpus/").unwrap_or(inside);
    let found = [root.join(inside), root.join(short), root.join("..").join(inside)]
        .into_iter()
        .find(|path| path.is_dir());
    if found.is_none() {
        eprintln!("skipped: no {inside} below {}; set GUICHET_CORPUS", root.display());
    }
    found
}
