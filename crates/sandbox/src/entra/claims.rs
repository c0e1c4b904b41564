//! The content of tokens.
//!
//! Owns the claims of application, user and identity tokens (§1.5 of the contract). Version 1 tokens carry Microsoft's
//! constant issuer whatever host the client used; identity tokens carry the issuer that discovery names. `iat` and
//! `nbf` lie five minutes back, so that a client whose clock is late can use the token at once.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::{Uuid, uuid};

use crate::directory::model::{ServicePrincipal, User};
use crate::directory::tenant::Tenant;
use crate::entra::clients::Client;
use crate::entra::scope::{Resource, TokenVersion};

/// How long an access token is good for, in seconds, as the token answer says it.
const EXPIRES_IN: i64 = 3599;
/// The same for clients that can be told that a token is void.
const LONG_EXPIRES_IN: i64 = 86_399;
/// How far `iat` and `nbf` lie back, in seconds.
const BACK_DATED: i64 = 300;
/// Directory role every principal has when it has no other.
const DEFAULT_WIDS: Uuid = uuid!("b79fbf4d-3ef9-4689-8143-76b194e85509");
/// What app-only tokens carry in the same place.
const APPLICATION_WIDS: Uuid = uuid!("0997a1d0-0d1d-4acb-b408-d5ca73121e90");

/// How long a client's access tokens are good for, in seconds.
#[must_use]
pub fn expires_in(client: &Client) -> i64 {
    if client.long_lived { LONG_EXPIRES_IN } else { EXPIRES_IN }
}

/// An access token of an application. `roles` is absent when nothing is granted.
#[must_use]
pub fn application(
    tenant: &Tenant,
    client: &Client,
    principal: &ServicePrincipal,
    resource: &Resource,
    roles: &[String],
) -> Value {
    let mut claims = base(tenant, client, resource);
    claims.insert("oid".to_owned(), principal.id.to_string().into());
    claims.insert("sub".to_owned(), principal.id.to_string().into());
    if !roles.is_empty() {
        claims.insert("roles".to_owned(), roles.into());
    }
    if resource.version == TokenVersion::V1 {
        // An optional claim: only Microsoft's own resources ask for it.
        claims.insert("idtyp".to_owned(), "app".into());
        let mut wids = principal.roles.clone();
        wids.push(APPLICATION_WIDS);
        claims.insert("wids".to_owned(), json!(wids));
    }
    Value::Object(claims)
}

/// An access token for a signed-in user.
#[must_use]
pub fn delegated(tenant: &Tenant, client: &Client, user: &User, resource: &Resource, scopes: &[String]) -> Value {
    let mut claims = base(tenant, client, resource);
    let sub = pairwise(&[user.id, client.app_id]);
    let further = json!({
        "acct": 0,
        "acr": "1",
        "amr": ["pwd"],
        "idtyp": "user",
        "ipaddr": "127.0.0.1",
        "name": user.display_name,
        "oid": user.id,
        "scp": scopes.join(" "),
        "sub": sub,
        "unique_name": user.user_principal_name,
        "upn": user.user_principal_name,
        "wids": wids(user),
    });
    if let Value::Object(further) = further {
        claims.extend(further);
    }
    Value::Object(claims)
}

/// An identity token; `issuer` is the one that discovery names.
#[must_use]
pub fn identity(tenant: &Tenant, client: &Client, user: &User, issuer: &str, nonce: Option<&str>) -> Value {
    let (issued, expires) = life(tenant.clock.now(), EXPIRES_IN);
    let mut claims = json!({
        "aud": client.app_id,
        "iss": issuer,
        "iat": issued,
        "nbf": issued,
        "exp": expires,
        "aio": aio(tenant),
        "email": user.mail,
        "name": user.display_name,
        "oid": user.id,
        "preferred_username": user.user_principal_name,
        "rh": rh(tenant, client.app_id),
        "sub": identity_subject(tenant, client.app_id, user.id),
        "tid": tenant.id,
        "uti": uti(tenant),
        "ver": "2.0",
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    if user.mail.is_none()
        && let Value::Object(claims) = &mut claims
    {
        claims.remove("email");
    }
    claims
}

/// Who a person is to a client, in identity tokens and at the address of user information.
#[must_use]
pub fn identity_subject(tenant: &Tenant, client: Uuid, user: Uuid) -> String {
    pairwise(&[user, client, tenant.id])
}

/// `client_info` for clients that ask for it.
#[must_use]
pub fn client_info(tenant: &Tenant, user: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(json!({"uid": user, "utid": tenant.id}).to_string())
}

fn base(tenant: &Tenant, client: &Client, resource: &Resource) -> Map<String, Value> {
    let (issued, expires) = life(tenant.clock.now(), expires_in(client));
    let mut claims = json!({
        "aud": resource.audience,
        "iat": issued,
        "nbf": issued,
        "exp": expires,
        "aio": aio(tenant),
        "rh": rh(tenant, resource.app_id),
        "tid": tenant.id,
        "uti": uti(tenant),
    });
    let issuer = format!("https://sts.windows.net/{}/", tenant.id);
    let further = match resource.version {
        TokenVersion::V1 => json!({
            "iss": issuer,
            "app_displayname": client.name,
            "appid": client.app_id,
            "appidacr": client.proof.as_str(),
            "idp": issuer,
            "tenant_region_scope": "EU",
            "ver": "1.0",
            "xms_tcdt": tenant.created_at.as_second(),
        }),
        TokenVersion::V2 => json!({
            "iss": format!("https://login.microsoftonline.com/{}/v2.0", tenant.id),
            "azp": client.app_id,
            "azpacr": client.proof.as_str(),
            "ver": "2.0",
        }),
    };
    let mut object = Map::new();
    for part in [claims.take(), further] {
        if let Value::Object(part) = part {
            object.extend(part);
        }
    }
    if client.long_lived {
        object.insert("xms_cc".to_owned(), json!(["CP1"]));
    }
    object
}

fn life(now: Timestamp, seconds: i64) -> (i64, i64) {
    let now = now.as_second();
    (now - BACK_DATED, now + seconds + 1)
}

fn wids(user: &User) -> Vec<Uuid> {
    let mut wids = user.roles.clone();
    wids.push(DEFAULT_WIDS);
    wids
}

fn aio(tenant: &Tenant) -> String {
    let mut bytes = [0_u8; 24];
    tenant.entropy.fill(&mut bytes);
    STANDARD.encode(bytes)
}

fn uti(tenant: &Tenant) -> String {
    let mut bytes = [0_u8; 16];
    tenant.entropy.fill(&mut bytes);
    bytes[..8].copy_from_slice(&tenant.clock.tick().to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The number in a token's `uti`, which grows with every token that is given out; 0 when there is none.
#[must_use]
pub fn number(uti: &str) -> u64 {
    let bytes = URL_SAFE_NO_PAD.decode(uti).unwrap_or_default();
    bytes.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

fn rh(tenant: &Tenant, resource: Uuid) -> String {
    let mut bytes = Vec::from(tenant.id.into_bytes());
    bytes.extend(resource.into_bytes());
    format!("0.{}.", URL_SAFE_NO_PAD.encode(bytes))
}

/// A stable subject that differs per client, as `subject_types_supported: pairwise` promises.
fn pairwise(parts: &[Uuid]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(context.finish())
}
