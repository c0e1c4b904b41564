//! The token endpoint: which grant, and the answer for a signed-in user.
//!
//! Owns the dispatch by `grant_type`, consent, and the form of delegated answers. A delegated access token carries
//! every permission that is granted to the client for the user, not only those asked for, as Entra's do.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::directory::model::{Grant, User};
use crate::directory::permissions::{self, Consent};
use crate::directory::tenant::Objects;
use crate::entra::clients::{Client, WELL_KNOWN};
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest};
use crate::entra::scope::{self, Requested, Resource};
use crate::entra::tenancy::Tenancy;
use crate::entra::{
    authorization_code, claims, client_credentials, device_code, on_behalf_of, password, refresh, repeats,
};
use crate::state::Sandbox;

/// `POST /{tenant}/oauth2/v2.0/token`.
///
/// # Errors
/// The refusal as Entra words it.
pub async fn answer(sandbox: &Sandbox, request: &LoginRequest, tenancy: Tenancy) -> Result<Value, OAuthError> {
    if request.method != http::Method::POST {
        return Err(OAuthError::only_post(request.method.as_str()));
    }
    let form = Form::parse(request)?;
    let grant_type = form.need("grant_type")?;
    if !grant_type.ends_with("device_code") {
        repeats::count(sandbox, request, &form)?;
    }
    match grant_type {
        "client_credentials" => client_credentials::grant(sandbox, request, tenancy, &form).await,
        // Some clients use the short form of the name.
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => {
            device_code::grant(sandbox, request, &form).await
        }
        "refresh_token" => refresh::grant(sandbox, request, &form).await,
        "authorization_code" => authorization_code::grant(sandbox, request, &form).await,
        "password" => password::grant(sandbox, request, tenancy, &form).await,
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => on_behalf_of::grant(sandbox, request, &form).await,
        other => Err(OAuthError::unsupported_grant(other)),
    }
}

/// A finished sign-in.
#[derive(Debug)]
pub struct SignIn<'a> {
    /// For whom the token is.
    pub client: Client,
    /// Who signed in.
    pub user: Uuid,
    /// What was asked for.
    pub scope: &'a str,
    /// The client's word that the identity token repeats, if it gave one.
    pub nonce: Option<&'a str>,
}

/// The answer with access token and, where asked for, refresh token, identity token and client info.
///
/// # Errors
/// The refusal as Entra words it.
pub fn user_answer(
    sandbox: &Sandbox,
    request: &LoginRequest,
    form: &Form,
    sign_in: &SignIn<'_>,
) -> Result<Value, OAuthError> {
    let tenant = &sandbox.tenant;
    let client = &sign_in.client;
    let (requested, user, scopes) = {
        let objects = tenant.read();
        let requested = scope::delegated_scope(&objects, tenant.id, sign_in.scope)?;
        let user = objects
            .user_by_id(sign_in.user)
            .cloned()
            .ok_or_else(OAuthError::invalid_grant)?;
        if objects.policies.blocks(client.app_id, Some(user.id)) {
            return Err(OAuthError::conditional_access(tenant.id));
        }
        let scopes = granted(&objects, client, &requested.resource, user.id, tenant.clock.now());
        (requested, user, scopes)
    };
    if !user.account_enabled {
        return Err(OAuthError::disabled_user());
    }
    let lacking = requested
        .permissions
        .iter()
        .any(|wanted| !scopes.iter().any(|held| held.eq_ignore_ascii_case(wanted)));
    if lacking {
        return Err(OAuthError::consent_required(client.app_id, &client.name));
    }
    let mut in_token = scopes.clone();
    in_token.extend(
        requested
            .openid
            .iter()
            .filter(|word| **word != "offline_access")
            .map(|word| (*word).to_owned()),
    );
    let claims = claims::delegated(tenant, client, &user, &requested.resource, &in_token);
    let mut answer = json!({
        "token_type": "Bearer",
        "scope": scope_text(&requested, &scopes),
        "expires_in": claims::expires_in(client),
        "ext_expires_in": claims::expires_in(client),
        "access_token": sandbox.entra.key.sign(&claims, claims["ver"] == "1.0"),
    });
    if requested.asks("offline_access") {
        let token = sandbox
            .entra
            .refresh_tokens
            .issue(sandbox, client.app_id, user.id, sign_in.scope);
        answer["refresh_token"] = token.into();
    }
    if requested.asks("openid") {
        let issuer = format!("{}/{}/v2.0", request.base_url, tenant.id);
        let claims = claims::identity(tenant, client, &user, &issuer, sign_in.nonce);
        answer["id_token"] = sandbox.entra.key.sign(&claims, false).into();
    }
    if form.get("client_info") == Some("1") {
        answer["client_info"] = claims::client_info(tenant, user.id).into();
    }
    Ok(answer)
}

/// The `scope` of the answer: words in the client's own spelling, so that its cache finds them again.
fn scope_text(requested: &Requested, scopes: &[String]) -> String {
    let spelling = &requested.resource.spelling;
    let prefix = if spelling.is_empty() {
        String::new()
    } else {
        format!("{spelling}/")
    };
    let mut words: Vec<String> = requested
        .openid
        .iter()
        .filter(|word| **word != "offline_access")
        .map(|word| (*word).to_owned())
        .collect();
    words.extend(scopes.iter().map(|scope| format!("{prefix}{scope}")));
    for word in &requested.words {
        if !words.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            words.push(word.clone());
        }
    }
    words.join(" ")
}

/// Permissions that the client already holds for the user.
fn granted(objects: &Objects, client: &Client, resource: &Resource, user: Uuid, now: Timestamp) -> Vec<String> {
    let mut scopes = match client
        .principal_id
        .or_else(|| Some(objects.service_principal_of(client.app_id)?.id))
    {
        Some(principal) => objects.scopes(principal, resource.principal_id, user, now),
        None => Vec::new(),
    };
    for scope in pre_authorized(client, resource) {
        if !scopes.iter().any(|held| held.eq_ignore_ascii_case(scope)) {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}

fn pre_authorized(client: &Client, resource: &Resource) -> impl Iterator<Item = &'static str> {
    let known = WELL_KNOWN.iter().find(|known| known.app_id == client.app_id);
    let lists = known.into_iter().flat_map(|known| known.pre_authorized);
    let app_id = resource.app_id;
    lists
        .filter(move |(resource, _)| *resource == app_id)
        .flat_map(|(_, names)| names.split(' '))
}

/// Refuses permissions that the resource does not publish.
///
/// # Errors
/// AADSTS650053.
pub fn check_published(client: &Client, requested: &Requested) -> Result<(), OAuthError> {
    let app_id = requested.resource.app_id;
    if permissions::published_by(app_id).is_empty() || app_id != permissions::GRAPH_APP_ID {
        return Ok(());
    }
    let unknown = requested
        .permissions
        .iter()
        .find(|name| permissions::scope_by_value(app_id, name).is_none());
    match unknown {
        Some(name) => Err(OAuthError::unknown_permission(name, app_id, &client.name)),
        None => Ok(()),
    }
}

/// Judges what a client asks for before anybody signs in: published permissions, and resources it is registered for.
///
/// # Errors
/// What [`check_published`] refuses, AADSTS650057 and 65005.
pub fn check_requested(sandbox: &Sandbox, client: &Client, scope: &str) -> Result<(), OAuthError> {
    let tenant = &sandbox.tenant;
    let objects = tenant.read();
    let requested = scope::delegated_scope(&objects, tenant.id, scope)?;
    check_published(client, &requested)?;
    if !requested.static_consent || !client.registered {
        return Ok(());
    }
    let listed: Vec<Uuid> = objects
        .application_of(client.app_id)
        .and_then(|application| application.document.get("requiredResourceAccess")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["resourceAppId"].as_str()?.parse().ok())
        .collect();
    if let Some(missing) = listed.iter().find(|id| objects.service_principal_of(**id).is_none()) {
        let resource = missing.to_string();
        return Err(OAuthError::misconfigured_application(
            client.app_id,
            &client.name,
            &resource,
        ));
    }
    let resource = &requested.resource;
    let holds = objects
        .grants
        .iter()
        .any(|grant| Some(grant.client_id) == client.principal_id && grant.resource_id == resource.principal_id);
    // An application may ask for itself, which no registration lists.
    if holds || resource.app_id == client.app_id || listed.contains(&resource.app_id) {
        return Ok(());
    }
    let names: Vec<String> = listed.iter().map(Uuid::to_string).collect();
    Err(OAuthError::resource_not_listed(
        client.app_id,
        &client.name,
        &resource.spelling,
        resource.app_id,
        &names.join(", "),
    ))
}

/// For whom a consent holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentFor {
    /// The person who gives it.
    Person,
    /// Everybody; only an administrator gives it.
    Organization,
}

/// Records the consent a person gives by signing in.
///
/// An administrator may consent to everything, another user to what users may consent to.
///
/// # Errors
/// AADSTS90094 when only an administrator could consent.
pub fn consent(
    sandbox: &Sandbox,
    client: &Client,
    user: &User,
    scope: &str,
    whom: ConsentFor,
) -> Result<(), OAuthError> {
    let tenant = &sandbox.tenant;
    let (requested, missing) = {
        let objects = tenant.read();
        let requested = scope::delegated_scope(&objects, tenant.id, scope)?;
        let held = granted(&objects, client, &requested.resource, user.id, tenant.clock.now());
        let mut wanted = requested.permissions.clone();
        if requested.static_consent {
            wanted.extend(registered_scopes(&objects, client, requested.resource.app_id));
        }
        wanted.retain(|wanted| !held.iter().any(|held| held.eq_ignore_ascii_case(wanted)));
        (requested, wanted)
    };
    if missing.is_empty() {
        return Ok(());
    }
    let admin_only = |name: &&String| {
        permissions::scope_by_value(requested.resource.app_id, name)
            .is_some_and(|scope| scope.consent == Consent::Admin)
    };
    let refused: Vec<&str> = missing.iter().filter(admin_only).map(String::as_str).collect();
    if !refused.is_empty() && !user.is_administrator() {
        return Err(OAuthError::admin_consent_required(&refused.join(", ")));
    }
    let client_id = tenant.ensure_service_principal(client.app_id, &client.name, tenant.id);
    let resource_id = requested.resource.principal_id;
    let principal_id = match whom {
        ConsentFor::Person => Some(user.id),
        ConsentFor::Organization => None,
    };
    let id = tenant.link_id();
    let mut objects = tenant.write();
    let own = objects.grants.iter_mut().find(|grant| {
        grant.client_id == client_id && grant.resource_id == resource_id && grant.principal_id == principal_id
    });
    match own {
        Some(grant) => grant.scope = format!("{} {}", grant.scope, missing.join(" ")),
        None => objects.grants.push(Grant {
            id,
            client_id,
            principal_id,
            resource_id,
            scope: missing.join(" "),
        }),
    }
    Ok(())
}

/// Delegated permissions that a registration lists for a resource: what `.default` asks consent for.
fn registered_scopes(objects: &Objects, client: &Client, resource: Uuid) -> Vec<String> {
    let application = objects.application_of(client.app_id);
    let required = application.and_then(|application| application.document.get("requiredResourceAccess")?.as_array());
    let resource_text = resource.to_string();
    let entries = required
        .into_iter()
        .flatten()
        .filter(|entry| entry["resourceAppId"] == resource_text.as_str());
    let accesses = entries.filter_map(|entry| entry["resourceAccess"].as_array()).flatten();
    let ids = accesses
        .filter(|access| access["type"] == "Scope")
        .filter_map(|access| access["id"].as_str()?.parse().ok());
    let named = ids.filter_map(|id| permissions::scope_by_id(resource, id).map(|scope| scope.value.to_owned()));
    named.collect()
}
