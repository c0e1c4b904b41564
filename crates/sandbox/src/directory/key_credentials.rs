//! Certificates by which an application proves who it is.
//!
//! Owns `keyCredentials`, `addKey` and `removeKey` for applications and service principals. The first certificate
//! comes by PATCH, which replaces the list; later ones by `addKey` with a proof that a registered, valid certificate
//! signed. Only public keys are ever stored: a private key or a password is refused.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD};
use http::{Method, StatusCode};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::directory::credentials::{MAX_SECRETS, date, member};
use crate::directory::model::time;
use crate::directory::tenant::Tenant;
use crate::entra::jwt::{self, Jwt, PublicKey};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

/// Audience of a proof: the directory itself.
const PROOF_AUDIENCE: &str = "00000002-0000-0000-c000-000000000000";
/// Longest life of a proof, in seconds.
const PROOF_LIFE: f64 = 600.0;
/// Base64 with or without its padding, as clients send it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A registered certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyCredential {
    /// Id by which it is removed.
    pub key_id: Uuid,
    /// Name given by the administrator.
    pub display_name: Option<String>,
    /// Valid from.
    pub start: Timestamp,
    /// Valid until.
    pub end: Timestamp,
    identifier: String,
    #[serde(with = "crate::persist::encoding::base64")]
    certificate: Vec<u8>,
    #[serde(with = "crate::persist::encoding::base64")]
    public: Vec<u8>,
}

impl KeyCredential {
    /// Whether a token's header means this certificate: `x5t#S256`, else `x5t`, else `kid`.
    #[must_use]
    pub fn is_named_by(&self, token: &Jwt) -> bool {
        let encoded = |hash: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash);
        let sha1 = jwt::sha1(&self.certificate);
        if let Some(thumbprint) = token.header("x5t#S256") {
            return thumbprint.trim_end_matches('=') == encoded(&jwt::sha256(&self.certificate));
        }
        if let Some(thumbprint) = token.header("x5t") {
            return thumbprint.trim_end_matches('=') == encoded(&sha1);
        }
        token.header("kid").is_some_and(|kid| {
            kid == encoded(&sha1) || kid.eq_ignore_ascii_case(&jwt::hex(&sha1)) || kid == self.key_id.to_string()
        })
    }

    /// Whether this certificate's key signed the token.
    #[must_use]
    pub fn signed(&self, token: &Jwt) -> bool {
        token.signed_by(&PublicKey::Der(&self.public))
    }

    /// Whether the certificate may be used at this moment.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.start <= now && now < self.end
    }

    /// As Graph shows it; the key itself only where it was selected.
    #[must_use]
    pub fn entity(&self, with_key: bool) -> Value {
        json!({
            "customKeyIdentifier": self.identifier,
            "displayName": self.display_name,
            "endDateTime": time(self.end),
            "key": with_key.then(|| STANDARD.encode(&self.certificate)),
            "keyId": self.key_id,
            "startDateTime": time(self.start),
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
        })
    }
}

/// Replaces the listed keys in `entity` by ones with content, when the request selects them.
pub fn reveal(request: &GraphRequest, keys: &[KeyCredential], entity: &mut Value) {
    let selected = request.query.iter().any(|(name, value)| {
        name.trim_start_matches('$').eq_ignore_ascii_case("select")
            && value
                .split(',')
                .any(|name| name.trim().eq_ignore_ascii_case("keyCredentials"))
    });
    if selected {
        entity["keyCredentials"] = keys.iter().map(|key| key.entity(true)).collect();
    }
}

/// Takes `keyCredentials` out of a body that creates or changes an object.
#[must_use]
pub fn take(body: &mut Value) -> Option<Value> {
    let members = body.as_object_mut()?;
    let name = members
        .keys()
        .find(|name| name.eq_ignore_ascii_case("keyCredentials"))
        .cloned()?;
    members.remove(&name)
}

/// The list that replaces `present`. An entry without a key keeps the registered one with its `keyId`.
///
/// # Errors
/// 400 for something that is not a list of certificates.
pub fn replaced(tenant: &Tenant, present: &[KeyCredential], list: &Value) -> Result<Vec<KeyCredential>, ODataError> {
    let Value::Array(list) = list else {
        return Err(invalid("a list of key credentials is expected"));
    };
    if list.len() > MAX_SECRETS {
        return Err(too_many());
    }
    let mut keys = Vec::with_capacity(list.len());
    for entry in list {
        let has_key = member(entry, "key").is_some_and(|key| !key.is_null());
        let kept = present.iter().find(|key| Some(key.key_id) == id_of(entry));
        keys.push(match kept {
            Some(kept) if !has_key => kept.clone(),
            _ => parse(tenant, entry)?,
        });
    }
    Ok(keys)
}

/// `addKey`: appends a certificate, its answer shows it without the key.
///
/// # Errors
/// 401 for a proof that does not hold, 400 for a malformed certificate.
pub fn add(
    tenant: &Tenant,
    request: &GraphRequest,
    object: Uuid,
    keys: &mut Vec<KeyCredential>,
) -> Result<GraphResponse, ODataError> {
    let body = proven_body(tenant, request, object, keys)?;
    if member(&body, "passwordCredential").is_some_and(|password| !password.is_null()) {
        return Err(ODataError::unsupported("private keys in addKey"));
    }
    let credential = member(&body, "keyCredential").ok_or_else(|| invalid("keyCredential is missing"))?;
    let key = parse(tenant, credential)?;
    if keys.len() >= MAX_SECRETS {
        return Err(too_many());
    }
    let mut answer = key.entity(false);
    answer["@odata.context"] = format!("{}/$metadata#microsoft.graph.keyCredential", request.service_root()).into();
    keys.push(key);
    Ok(GraphResponse::json(StatusCode::OK, &answer))
}

/// `removeKey`.
///
/// # Errors
/// 401 for a proof that does not hold, 400 when no certificate has the id.
pub fn remove(
    tenant: &Tenant,
    request: &GraphRequest,
    object: Uuid,
    keys: &mut Vec<KeyCredential>,
) -> Result<GraphResponse, ODataError> {
    let body = proven_body(tenant, request, object, keys)?;
    let key_id = id_of(&body).ok_or_else(|| invalid("keyId is not a GUID"))?;
    let position = keys.iter().position(|key| key.key_id == key_id);
    let position = position.ok_or_else(|| ODataError::directory_bad_request("No key credential found with keyId."))?;
    keys.remove(position);
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}

/// The body of a request whose `proof` a registered, valid certificate signed for this object.
fn proven_body(
    tenant: &Tenant,
    request: &GraphRequest,
    object: Uuid,
    keys: &[KeyCredential],
) -> Result<Value, ODataError> {
    if request.method != Method::POST {
        return Err(ODataError::method_not_allowed());
    }
    let body = request.json_body()?;
    let proof = member(&body, "proof").and_then(Value::as_str);
    let token = proof.and_then(Jwt::parse).ok_or_else(|| unproven("it is no token"))?;
    let now = tenant.clock.now();
    let mut named = keys
        .iter()
        .filter(|key| key.is_named_by(&token) && key.is_valid_at(now));
    if !named.any(|key| key.signed(&token)) {
        return Err(unproven("no valid certificate of the object signed it"));
    }
    if !token.audiences().contains(&PROOF_AUDIENCE) {
        return Err(unproven("its audience is not the directory"));
    }
    if token.claim("iss").and_then(|iss| iss.parse().ok()) != Some(object) {
        return Err(unproven("its issuer is not the object's id"));
    }
    let life = token.seconds("exp").zip(token.seconds("nbf"));
    if life.is_none_or(|(exp, nbf)| exp - nbf > PROOF_LIFE) || token.check_times(now).is_err() {
        return Err(unproven("it must be valid now and for at most ten minutes"));
    }
    Ok(body)
}

fn parse(tenant: &Tenant, entry: &Value) -> Result<KeyCredential, ODataError> {
    let text = |name: &str| member(entry, name).and_then(Value::as_str);
    for (name, supported) in [("type", "AsymmetricX509Cert"), ("usage", "Verify")] {
        match text(name) {
            Some(value) if value.eq_ignore_ascii_case(supported) => {}
            Some(value) => return Err(ODataError::unsupported(format!("key credentials of {name} {value}"))),
            None => return Err(invalid(&format!("{name} is missing"))),
        }
    }
    let key = text("key").ok_or_else(|| invalid("key is missing"))?;
    let key: String = key.split_whitespace().collect();
    let bytes = LENIENT.decode(key).map_err(|_| invalid("key is not base64"))?;
    // Some tools send the text of the PEM file in place of the certificate's bytes.
    let certificate = match bytes.starts_with(b"-----BEGIN") {
        true => CertificateDer::from_pem_slice(&bytes)
            .map_err(|_| invalid("key holds no certificate"))?
            .to_vec(),
        false => bytes,
    };
    let Ok((rest, parsed)) = X509Certificate::from_der(&certificate) else {
        return Err(invalid("key holds no certificate"));
    };
    let is_rsa = matches!(
        parsed.public_key().parsed(),
        Ok(x509_parser::public_key::PublicKey::RSA(_))
    );
    if !rest.is_empty() || !is_rsa {
        return Err(invalid("key must hold one certificate with an RSA key"));
    }
    let bound = |second: i64| Timestamp::from_second(second).map_err(|_| invalid("the certificate's dates"));
    let from = bound(parsed.validity().not_before.timestamp())?;
    let until = bound(parsed.validity().not_after.timestamp())?;
    let start = date(entry, "startDateTime")?.unwrap_or(from);
    let end = date(entry, "endDateTime")?.unwrap_or(until);
    if end > until || end <= start || end <= tenant.clock.now() {
        return Err(ODataError::new(
            StatusCode::BAD_REQUEST,
            "KeyCredentialsInvalidEndDate",
            "Key credential end date is invalid.",
        ));
    }
    let public = parsed.public_key().subject_public_key.data.to_vec();
    let identifier = text("customKeyIdentifier").map_or_else(|| jwt::hex(&jwt::sha1(&certificate)), str::to_owned);
    Ok(KeyCredential {
        key_id: id_of(entry).unwrap_or_else(|| tenant.entropy.uuid()),
        display_name: text("displayName").map(str::to_owned),
        start,
        end,
        identifier,
        certificate,
        public,
    })
}

fn id_of(entry: &Value) -> Option<Uuid> {
    member(entry, "keyId")?.as_str()?.parse().ok()
}

fn invalid(reason: &str) -> ODataError {
    ODataError::directory_bad_request(format!("Invalid value specified for a key credential: {reason}."))
}

fn too_many() -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        "Directory_QuotaExceeded",
        "The application has reached the limit of credentials: remove old ones first.",
    )
}

fn unproven(reason: &str) -> ODataError {
    ODataError::new(
        StatusCode::UNAUTHORIZED,
        "Authentication_MissingOrMalformed",
        format!("Access Token missing or malformed. The proof of possession does not hold: {reason}."),
    )
}
