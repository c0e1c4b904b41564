//! Errors as RFC 9457 problem documents.
//!
//! `type` is the relative reference `/problems/<code>`: stable, the same on every installation, and it
//! resolves on the server that sent it. Clients compare `type`; `title` and `detail` are for people and may
//! change. Never carries mail content, secrets or paths of this machine.

use axum::response::{IntoResponse, Response};
use guichet_store::Error as StoreError;
use http::{HeaderValue, StatusCode, header};
use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

/// Media type of a problem document.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";
/// Seconds after which a client may ask again when we were too busy or not ready.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Kind of a problem. Part of the public API: codes are added, never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Unauthenticated,
    RouteUnknown,
    MethodNotAllowed,
    NotFound,
    InvalidParameter,
    InvalidBody,
    UnsupportedMediaType,
    BodyTooLarge,
    BodyTooSlow,
    IdempotencyKeyMissing,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    ReplyInvalid,
    AttachmentTooLarge,
    NothingToAnswer,
    MailboxNotFollowed,
    FindingsUnavailable,
    MalformedNotification,
    Overloaded,
    NotReady,
    StoreUnavailable,
    BlobUnavailable,
    Internal,
}

/// What a code stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meaning {
    pub slug: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    /// What the client can do.
    pub advice: &'static str,
}

const fn meaning(slug: &'static str, status: StatusCode, title: &'static str, advice: &'static str) -> Meaning {
    Meaning {
        slug,
        status,
        title,
        advice,
    }
}

impl Code {
    pub const ALL: [Self; 23] = [
        Self::Unauthenticated,
        Self::RouteUnknown,
        Self::MethodNotAllowed,
        Self::NotFound,
        Self::InvalidParameter,
        Self::InvalidBody,
        Self::UnsupportedMediaType,
        Self::BodyTooLarge,
        Self::BodyTooSlow,
        Self::IdempotencyKeyMissing,
        Self::IdempotencyKeyInvalid,
        Self::IdempotencyKeyReused,
        Self::ReplyInvalid,
        Self::AttachmentTooLarge,
        Self::NothingToAnswer,
        Self::MailboxNotFollowed,
        Self::FindingsUnavailable,
        Self::MalformedNotification,
        Self::Overloaded,
        Self::NotReady,
        Self::StoreUnavailable,
        Self::BlobUnavailable,
        Self::Internal,
    ];

    #[rustfmt::skip]
    pub const fn meaning(self) -> Meaning {
        use StatusCode as S;
        match self {
            Self::Unauthenticated => meaning("unauthenticated", S::UNAUTHORIZED, "a valid API key is required",
                "Send `Authorization: Bearer gk_…` with a key made by `guichet key create`."),
            Self::RouteUnknown => meaning("route-unknown", S::NOT_FOUND, "there is no such route",
                "Compare the path with /v1/openapi.json."),
            Self::MethodNotAllowed => meaning("method-not-allowed", S::METHOD_NOT_ALLOWED, "the route has no such method",
                "Use a method that the Allow header lists."),
            Self::NotFound => meaning("not-found", S::NOT_FOUND, "there is no such thing",
                "Check the id; it may belong to another installation."),
            Self::InvalidParameter => meaning("invalid-parameter", S::BAD_REQUEST, "a parameter is wrong",
                "Correct the parameter that the detail names."),
            Self::InvalidBody => meaning("invalid-body", S::BAD_REQUEST, "the request body is wrong",
                "Correct the field that the detail names."),
            Self::UnsupportedMediaType => meaning("unsupported-media-type", S::UNSUPPORTED_MEDIA_TYPE,
                "the body must be JSON", "Send `Content-Type: application/json`."),
            Self::BodyTooLarge => meaning("body-too-large", S::PAYLOAD_TOO_LARGE, "the request body is too large",
                "Send less; the detail names the limit in bytes."),
            Self::BodyTooSlow => meaning("body-too-slow", S::REQUEST_TIMEOUT, "the request body did not arrive in time",
                "Send the request again; the detail names the limit in seconds."),
            Self::IdempotencyKeyMissing => meaning("idempotency-key-missing", S::BAD_REQUEST,
                "the Idempotency-Key header is missing",
                "Draw a random key for each reply and send it with every attempt of that reply."),
            Self::IdempotencyKeyInvalid => meaning("idempotency-key-invalid", S::BAD_REQUEST,
                "the Idempotency-Key header is wrong", "Use 1 to 128 visible ASCII characters, once."),
            Self::IdempotencyKeyReused => meaning("idempotency-key-reused", S::CONFLICT,
                "the idempotency key belongs to another request", "Draw a new key for a new reply."),
            Self::ReplyInvalid => meaning("reply-invalid", S::UNPROCESSABLE_ENTITY, "the reply can't be sent like this",
                "Correct the field that the detail names."),
            Self::AttachmentTooLarge => meaning("attachment-too-large", S::PAYLOAD_TOO_LARGE,
                "an attachment is too large", "Make it smaller or send a link; the detail names the limit in bytes."),
            Self::NothingToAnswer => meaning("nothing-to-answer", S::UNPROCESSABLE_ENTITY,
                "the conversation has no mail to answer", "Answer a conversation that holds a mail of the customer."),
            Self::MailboxNotFollowed => meaning("mailbox-not-followed", S::CONFLICT, "the mailbox is not followed now",
                "Enable the mailbox, or wait until the engine has started."),
            Self::FindingsUnavailable => meaning("findings-unavailable", S::NOT_FOUND,
                "this server can't check the set-up", "Run `guichet doctor` on the machine."),
            Self::MalformedNotification => meaning("malformed-notification", S::BAD_REQUEST,
                "the body is no change notification", "This address is for Microsoft Graph only."),
            Self::Overloaded => meaning("overloaded", S::SERVICE_UNAVAILABLE, "too many requests at once",
                "Try again after the time in Retry-After."),
            Self::NotReady => meaning("not-ready", S::SERVICE_UNAVAILABLE, "the service is not ready",
                "Wait; the log and `guichet doctor` name the cause."),
            Self::StoreUnavailable => meaning("store-unavailable", S::SERVICE_UNAVAILABLE,
                "the database is not available", "Try again after the time in Retry-After; nothing was lost."),
            Self::BlobUnavailable => meaning("blob-unavailable", S::INTERNAL_SERVER_ERROR,
                "stored bytes are missing or damaged", "An operator has to restore them from a backup."),
            Self::Internal => meaning("internal", S::INTERNAL_SERVER_ERROR, "something went wrong in Guichet",
                "The log holds the cause under the X-Request-Id of this answer."),
        }
    }

    /// The stable value of `type`.
    pub fn reference(self) -> String {
        format!("/problems/{}", self.meaning().slug)
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.meaning().slug == slug)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.reference())
    }
}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Stable kind of the problem, a relative reference."))
            .enum_values(Some(Self::ALL.map(Self::reference)))
            .into()
    }
}

impl ToSchema for Code {
    fn name() -> std::borrow::Cow<'static, str> {
        "ProblemType".into()
    }
}

/// An error as the client sees it (RFC 9457, `application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Kind of the problem.
    #[serde(rename = "type")]
    #[schema(rename = "type")]
    pub code: Code,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened in this case, and how to correct it.
    pub detail: String,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let Meaning { status, title, .. } = code.meaning();
        Self {
            code,
            title,
            status: status.as_u16(),
            detail: detail.into(),
        }
    }

    /// A resource that does not exist: `what` is its kind, `id` what was asked for.
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("there is no {what} `{id}`"))
    }

    /// A defect. The cause goes to the log, not to the client.
    pub fn internal() -> Self {
        Self::new(
            Code::Internal,
            "the request could not be finished; the cause is in the log of the server",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.meaning().status;
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"guichet\""),
                );
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            _ => {}
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::MissingBlob { .. } | StoreError::CorruptBlob { .. } => {
                tracing::error!(%error, "stored bytes can't be read");
                Self::new(Code::BlobUnavailable, error.to_string())
            }
            StoreError::Busy { .. } | StoreError::InUse { .. } | StoreError::DiskFull { .. } | StoreError::Closed => {
                tracing::warn!(%error, "the store is not available");
                Self::new(
                    Code::StoreUnavailable,
                    "the database can't take the request now; nothing was changed",
                )
            }
            _ => {
                tracing::error!(%error, "the store failed");
                Self::internal()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_found_by_their_slug() {
        for code in Code::ALL {
            assert_eq!(Code::from_slug(code.meaning().slug), Some(code));
        }
        assert_eq!(Code::from_slug("no-such-code"), None);
    }

    #[test]
    fn document_has_the_members_of_rfc_9457() {
        let problem = Problem::new(Code::NotFound, "there is no conversation `x`");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "/problems/not-found", "title": "there is no such thing", "status": 404,
                "detail": "there is no conversation `x`",
            })
        );
    }

    #[test]
    fn store_errors_tell_no_path_of_this_machine() {
        let error = StoreError::DiskFull {
            path: "/secret/place/guichet.db".into(),
        };
        let problem = Problem::from(error);
        assert_eq!((problem.code, problem.status), (Code::StoreUnavailable, 503));
        assert!(!problem.detail.contains("/secret"));
    }
}
