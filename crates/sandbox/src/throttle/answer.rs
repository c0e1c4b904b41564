//! What a refused request is told (contract §4).
//!
//! Owns the bodies and headers of 429: Graph's own, Outlook's and the directory's. Every one carries `Retry-After` in
//! whole seconds.

use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde_json::json;
use uuid::Uuid;

use crate::odata::error::{ODataError, Stamp};
use crate::server::paths::GraphResponse;

/// From this share of the limit on answers say how much is used.
const WORTH_TELLING: f64 = 0.8;

/// Which limit of a mailbox was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// Requests at a time.
    MailboxConcurrency,
    /// Requests.
    RequestCount,
    /// Bytes sent.
    IncomingBytes,
}

impl Excess {
    fn as_str(self) -> &'static str {
        match self {
            Self::MailboxConcurrency => "MailboxConcurrency",
            Self::RequestCount => "RequestCount",
            Self::IncomingBytes => "IncomingBytes",
        }
    }
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    kind: Kind,
    retry_after: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Generic,
    Outlook(Excess),
    Identity(&'static str),
}

impl Refusal {
    /// Graph's own.
    #[must_use]
    pub fn generic(retry_after: u64) -> Self {
        Self {
            kind: Kind::Generic,
            retry_after,
        }
    }

    /// Outlook's.
    #[must_use]
    pub fn outlook(excess: Excess, retry_after: u64) -> Self {
        Self {
            kind: Kind::Outlook(excess),
            retry_after,
        }
    }

    /// The directory's, with the reason of `x-ms-throttle-information`.
    #[must_use]
    pub fn identity(retry_after: u64, reason: &'static str) -> Self {
        Self {
            kind: Kind::Identity(reason),
            retry_after,
        }
    }

    /// The answer. `writing` says whether the request was one that changes something.
    #[must_use]
    pub fn render(&self, stamp: &Stamp, application: Uuid, tenant: Uuid, writing: bool) -> GraphResponse {
        let mut response = match &self.kind {
            Kind::Outlook(excess) => ODataError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "ApplicationThrottled",
                format!("Application is over its {} limit.", excess.as_str()),
            )
            .render(stamp),
            Kind::Generic | Kind::Identity(_) => GraphResponse::json(
                StatusCode::TOO_MANY_REQUESTS,
                &json!({"error": {
                    "code": "TooManyRequests",
                    "message": "Please retry again later.",
                    "innerError": {
                        "code": "429",
                        "date": stamp.at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                        "message": "Please retry after",
                        "request-id": stamp.request_id,
                        "client-request-id": stamp.client_request_id,
                        "status": "429",
                    },
                }}),
            ),
        };
        response.headers.insert(RETRY_AFTER, self.retry_after.into());
        if let Kind::Identity(reason) = self.kind {
            let access = if writing { "Write" } else { "ReadWrite" };
            let scope = format!("Tenant_Application/{access}/{application}/{tenant}");
            insert(&mut response.headers, "x-ms-throttle-scope", &scope);
            insert(&mut response.headers, "x-ms-throttle-information", reason);
        }
        response
    }
}

/// What a directory request cost and how much is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceUnits {
    /// Price of this request.
    pub cost: u32,
    /// Units used within the window.
    pub used: u64,
    /// Units there are.
    pub limit: u64,
}

impl ResourceUnits {
    /// Adds the headers that directory answers carry.
    pub fn tell(&self, headers: &mut HeaderMap) {
        insert(headers, "x-ms-resource-unit", &self.cost.to_string());
        let share = self.used as f64 / self.limit.max(1) as f64;
        if share >= WORTH_TELLING {
            insert(headers, "x-ms-throttle-limit-percentage", &format!("{share:.1}"));
        }
    }
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
