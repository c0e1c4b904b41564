//! The on-behalf-of grant: an interface that was called for a user calls another one for the same user.
//!
//! Owns the check of the presented token: ours, still good, for the client that presents it, and a user's.

use serde_json::Value;
use uuid::Uuid;

use crate::directory::tenant::Tenant;
use crate::entra::clients::{self, Client, Need};
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest};
use crate::entra::jwt::Jwt;
use crate::entra::token::{self, SignIn};
use crate::state::Sandbox;

/// `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`.
///
/// # Errors
/// The refusal as Entra words it.
pub async fn grant(sandbox: &Sandbox, request: &LoginRequest, form: &Form) -> Result<Value, OAuthError> {
    let assertion = form.need("assertion")?;
    if form.need("requested_token_use")? != "on_behalf_of" {
        return Err(OAuthError::missing_parameter("requested_token_use"));
    }
    let scope = form.need("scope")?;
    let client = clients::identify(sandbox, request, form, Need::Always).await?;
    let user = user_of(sandbox, &client, assertion)?;
    token::user_answer(
        sandbox,
        request,
        form,
        &SignIn {
            client,
            user,
            nonce: None,
            scope,
        },
    )
}

fn user_of(sandbox: &Sandbox, client: &Client, assertion: &str) -> Result<Uuid, OAuthError> {
    let token = Jwt::parse(assertion)
        .ok_or_else(|| OAuthError::malformed_assertion("It must have three base64url parts separated by dots."))?;
    let (input, signature) = token.signed_parts();
    if !sandbox.entra.key.verifies(input, signature) {
        return Err(OAuthError::unsigned_assertion());
    }
    let now = sandbox.clock.now();
    token
        .check_times(now)
        .map_err(|times| OAuthError::untimely_assertion(now, times))?;
    let audience = token.claim("aud").unwrap_or_default();
    if !is_named(&sandbox.tenant, client.app_id, audience) {
        return Err(OAuthError::foreign_assertion(audience, client.app_id));
    }
    let user = token.claim("oid").and_then(|id| id.parse().ok());
    match (token.claim("idtyp"), user) {
        (Some("user"), Some(user)) => Ok(user),
        _ => Err(OAuthError::assertion_without_user(client.app_id)),
    }
}

fn is_named(tenant: &Tenant, app_id: Uuid, audience: &str) -> bool {
    let own = audience.strip_prefix("api://").unwrap_or(audience);
    if own.parse().is_ok_and(|id: Uuid| id == app_id) {
        return true;
    }
    let objects = tenant.read();
    let uris = objects
        .application_of(app_id)
        .and_then(|application| application.document.get("identifierUris")?.as_array());
    uris.is_some_and(|uris| uris.iter().any(|uri| uri.as_str() == Some(audience)))
}
