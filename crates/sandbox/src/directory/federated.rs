//! `/applications/{id}/federatedIdentityCredentials`: outside issuers an application trusts to speak for it.
//!
//! Owns the records and their rules: at most [`MAX_CREDENTIALS`] per application, issuer and subject unique together,
//! one audience, a name that never changes. Values are kept exactly as given, since assertions are matched exactly.

use http::header::LOCATION;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::directory::credentials::member;
use crate::directory::tenant::Tenant;
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse, alternate_key};

/// Records an application may hold.
pub const MAX_CREDENTIALS: usize = 20;
/// Longest issuer, subject, audience and description.
const MAX_TEXT: usize = 600;
/// Longest name.
const MAX_NAME: usize = 120;

/// One trusted issuer and subject.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FederatedCredential {
    /// Id by which it is addressed.
    pub id: Uuid,
    /// Name by which it is addressed as well.
    pub name: String,
    /// `iss` of assertions.
    pub issuer: String,
    /// `sub` of assertions.
    pub subject: String,
    /// `aud` of assertions.
    pub audience: String,
    /// For people.
    pub description: Option<String>,
}

impl FederatedCredential {
    /// As Graph shows it.
    #[must_use]
    pub fn entity(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "issuer": self.issuer,
            "subject": self.subject,
            "description": self.description,
            "audiences": [self.audience],
        })
    }
}

/// Adds a record (POST).
///
/// # Errors
/// 400 for a value that is not acceptable, 409 for one that exists.
pub fn create(
    tenant: &Tenant,
    request: &GraphRequest,
    application: Uuid,
    held: &mut Vec<FederatedCredential>,
) -> Result<GraphResponse, ODataError> {
    let body = request.json_body()?;
    known_members(&body)?;
    let name = needed(&body, "name")?;
    let url_friendly = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let starts_well = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    if name.len() > MAX_NAME || !starts_well || !name.chars().all(url_friendly) {
        return Err(invalid("name"));
    }
    let new = FederatedCredential {
        id: tenant.entropy.uuid(),
        name: name.to_owned(),
        issuer: issuer(needed(&body, "issuer")?)?,
        subject: text(needed(&body, "subject")?, "subject")?,
        audience: audience(&body)?.ok_or_else(|| missing("audiences"))?,
        description: description(&body)?,
    };
    if held.len() >= MAX_CREDENTIALS {
        return Err(ODataError::new(
            StatusCode::BAD_REQUEST,
            "Request_BadRequest",
            format!("An application can have at most {MAX_CREDENTIALS} federated identity credentials."),
        ));
    }
    unique(held, &new)?;
    let mut answer = new.entity();
    let root = request.service_root();
    let path = format!("applications/{application}/federatedIdentityCredentials/{}", new.id);
    answer["@odata.context"] =
        format!("{root}/$metadata#applications('{application}')/federatedIdentityCredentials/$entity").into();
    held.push(new);
    Ok(GraphResponse::json(StatusCode::CREATED, &answer).with_header(LOCATION, &format!("{root}/{path}")))
}

/// Changes or removes one record (PATCH, DELETE).
///
/// # Errors
/// 404 for an unknown record, 400 for a value that is not acceptable, 409 for one that exists.
pub fn change(
    request: &GraphRequest,
    key: &str,
    held: &mut Vec<FederatedCredential>,
) -> Result<GraphResponse, ODataError> {
    let position = position(held, key)?;
    match request.method {
        Method::DELETE => {
            held.remove(position);
        }
        Method::PATCH => {
            let body = request.json_body()?;
            known_members(&body)?;
            let mut changed = held[position].clone();
            if member(&body, "name").is_some_and(|name| name.as_str() != Some(&changed.name)) {
                return Err(ODataError::directory_bad_request(
                    "Property 'name' of a federated identity credential cannot be changed.",
                ));
            }
            if member(&body, "issuer").is_some() {
                changed.issuer = issuer(needed(&body, "issuer")?)?;
            }
            if member(&body, "subject").is_some() {
                changed.subject = text(needed(&body, "subject")?, "subject")?;
            }
            if let Some(audience) = audience(&body)? {
                changed.audience = audience;
            }
            if member(&body, "description").is_some() {
                changed.description = description(&body)?;
            }
            unique(held, &changed)?;
            held[position] = changed;
        }
        _ => return Err(ODataError::method_not_allowed()),
    }
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}

/// Where a record stands: by id, by name, or by `(name='…')`.
///
/// # Errors
/// 404.
pub fn position(held: &[FederatedCredential], key: &str) -> Result<usize, ODataError> {
    let by_name = alternate_key(key, "name");
    let wanted = by_name.as_deref().unwrap_or(key);
    let id = wanted.parse::<Uuid>().ok();
    held.iter()
        .position(|known| Some(known.id) == id || known.name == wanted)
        .ok_or_else(|| ODataError::directory_not_found(wanted))
}

fn unique(held: &[FederatedCredential], new: &FederatedCredential) -> Result<(), ODataError> {
    let others = || held.iter().filter(|known| known.id != new.id);
    let what = if others().any(|known| known.name == new.name) {
        format!("FederatedIdentityCredential with name {} already exists.", new.name)
    } else if others().any(|known| known.issuer == new.issuer && known.subject == new.subject) {
        "FederatedIdentityCredential with the same issuer and subject already exists.".to_owned()
    } else {
        return Ok(());
    };
    Err(ODataError::new(
        StatusCode::CONFLICT,
        "Request_MultipleObjectsWithSameKeyValue",
        what,
    ))
}

fn known_members(body: &Value) -> Result<(), ODataError> {
    let known = ["id", "name", "issuer", "subject", "audiences", "description"];
    for (name, value) in body.as_object().into_iter().flatten() {
        if name.contains('@') || known.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            continue;
        }
        if name.eq_ignore_ascii_case("claimsMatchingExpression") {
            if value.is_null() {
                continue;
            }
            return Err(ODataError::unsupported("claimsMatchingExpression"));
        }
        return Err(ODataError::directory_bad_request(format!("Invalid property '{name}'.")));
    }
    Ok(())
}

fn needed<'a>(body: &'a Value, name: &str) -> Result<&'a str, ODataError> {
    let value = member(body, name).and_then(Value::as_str);
    value.filter(|value| !value.is_empty()).ok_or_else(|| missing(name))
}

fn text(value: &str, name: &str) -> Result<String, ODataError> {
    if value.chars().count() > MAX_TEXT {
        return Err(invalid(name));
    }
    Ok(value.to_owned())
}

fn issuer(value: &str) -> Result<String, ODataError> {
    let web = url::Url::parse(value)
        .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.query().is_none() && url.fragment().is_none());
    if web {
        text(value, "issuer")
    } else {
        Err(invalid("issuer"))
    }
}

fn audience(body: &Value) -> Result<Option<String>, ODataError> {
    let Some(list) = member(body, "audiences") else {
        return Ok(None);
    };
    match list.as_array().map(Vec::as_slice) {
        Some([Value::String(one)]) if !one.is_empty() => Ok(Some(text(one, "audiences")?)),
        _ => Err(invalid("audiences")),
    }
}

fn description(body: &Value) -> Result<Option<String>, ODataError> {
    match member(body, "description") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(value)) => Ok(Some(text(value, "description")?)),
        Some(_) => Err(invalid("description")),
    }
}

fn missing(name: &str) -> ODataError {
    ODataError::directory_bad_request(format!(
        "A value is required for property '{name}' of resource 'FederatedIdentityCredential'."
    ))
}

fn invalid(name: &str) -> ODataError {
    ODataError::directory_bad_request(format!(
        "Invalid value specified for property '{name}' of resource 'FederatedIdentityCredential'."
    ))
}
