//! Client secrets: adding and removing them.
//!
//! Owns `addPassword` and `removePassword` for applications and service principals. The text of a secret is answered
//! once and never listed again. A secret lives two years unless the request says otherwise.

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;
use uuid::Uuid;

use crate::directory::model::Secret;
use crate::directory::policies::Policies;
use crate::directory::tenant::Tenant;
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

/// Life of a secret without an end date.
const DEFAULT_LIFE: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);
/// Characters of a generated secret, within Microsoft's 16 to 64.
const SECRET_LENGTH: usize = 40;
/// Secrets an application may hold; the directory limits the size of the whole object.
pub const MAX_SECRETS: usize = 104;

/// `addPassword`: appends to `secrets` and gives the answer that shows the text.
///
/// # Errors
/// 400 for a malformed body or too many secrets.
pub fn add(
    tenant: &Tenant,
    policies: &Policies,
    request: &GraphRequest,
    secrets: &mut Vec<Secret>,
) -> Result<GraphResponse, ODataError> {
    let secret = parse(tenant, policies, request)?;
    check_policies(policies, &secret)?;
    if secrets.len() >= MAX_SECRETS {
        return Err(ODataError::new(
            StatusCode::BAD_REQUEST,
            "Directory_QuotaExceeded",
            "The application has reached the limit of credentials: remove old ones first.",
        ));
    }
    let mut answer = secret.entity_with_text();
    let context = format!(
        "{}/$metadata#microsoft.graph.passwordCredential",
        request.service_root()
    );
    answer["@odata.context"] = context.into();
    secrets.push(secret);
    Ok(GraphResponse::json(StatusCode::OK, &answer))
}

/// The tenant's own rules for secrets.
fn check_policies(policies: &Policies, secret: &Secret) -> Result<(), ODataError> {
    if !policies.secrets_allowed {
        return Err(ODataError::new(
            StatusCode::BAD_REQUEST,
            "CredentialTypeNotAllowedAsPerAppPolicy",
            "Credential type is not allowed as per assigned policy.",
        ));
    }
    let longest = policies
        .secret_max_days
        .map(|days| SignedDuration::from_hours(i64::from(days) * 24));
    if longest.is_some_and(|longest| secret.end.duration_since(secret.start) > longest) {
        return Err(ODataError::new(
            StatusCode::BAD_REQUEST,
            "CredentialInvalidLifetimeAsPerAppPolicy",
            "Credential lifetime exceeds the max value allowed as per assigned policy.",
        ));
    }
    Ok(())
}

/// `removePassword`.
///
/// # Errors
/// 400 when no secret has the id.
pub fn remove(request: &GraphRequest, secrets: &mut Vec<Secret>) -> Result<GraphResponse, ODataError> {
    if request.method != Method::POST {
        return Err(ODataError::method_not_allowed());
    }
    let body = request.json_body()?;
    let key_id = member(&body, "keyId")
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<Uuid>().ok());
    let key_id = key_id.ok_or_else(|| ODataError::directory_bad_request("Invalid value specified for 'keyId'."))?;
    let before = secrets.len();
    secrets.retain(|secret| secret.key_id != key_id);
    if secrets.len() == before {
        return Err(ODataError::directory_bad_request(
            "No password credential found with keyId.",
        ));
    }
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}

/// A member of a JSON object, its name compared without case.
#[must_use]
pub fn member<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    body.as_object()?
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn parse(tenant: &Tenant, policies: &Policies, request: &GraphRequest) -> Result<Secret, ODataError> {
    if request.method != Method::POST {
        return Err(ODataError::method_not_allowed());
    }
    let body = request.json_body()?;
    let credential = member(&body, "passwordCredential").cloned().unwrap_or(Value::Null);
    let now = tenant.clock.now();
    let start = date(&credential, "startDateTime")?.unwrap_or(now);
    let end = match date(&credential, "endDateTime")? {
        Some(end) => end,
        None => start.checked_add(DEFAULT_LIFE).unwrap_or(Timestamp::MAX),
    };
    if end <= start {
        return Err(ODataError::directory_bad_request(
            "Credential lifetime is invalid: endDateTime must be later than startDateTime.",
        ));
    }
    let display_name = member(&credential, "displayName")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let lag = i64::try_from(policies.replication_lag_seconds).unwrap_or(i64::MAX);
    let lag = SignedDuration::from_secs(lag);
    let text = SecretString::from(tenant.entropy.secret(SECRET_LENGTH));
    Ok(Secret {
        key_id: tenant.entropy.uuid(),
        display_name,
        start,
        end,
        known_from: now.checked_add(lag).unwrap_or(Timestamp::MAX),
        text,
    })
}

/// A member of a credential that is a date, if it is there.
///
/// # Errors
/// 400 when it is no date.
pub fn date(credential: &Value, name: &str) -> Result<Option<Timestamp>, ODataError> {
    match member(credential, name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let parsed = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
            let refusal = || {
                ODataError::bad_request(format!(
                    "Cannot convert the literal '{value}' of '{name}' to a date and time."
                ))
            };
            parsed.map(Some).ok_or_else(refusal)
        }
    }
}
