//! The password grant: a name and a password for a token, without a page.
//!
//! Owns the order of the checks. Nobody is asked for consent here, so it must exist already. Security defaults refuse
//! the grant, since it cannot ask for a second factor.

use serde_json::Value;

use crate::entra::clients::{self, Need};
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest};
use crate::entra::sign_in_page;
use crate::entra::tenancy::Tenancy;
use crate::entra::token::{self, SignIn};
use crate::state::Sandbox;

/// `grant_type=password`.
///
/// # Errors
/// The refusal as Entra words it.
pub async fn grant(
    sandbox: &Sandbox,
    request: &LoginRequest,
    tenancy: Tenancy,
    form: &Form,
) -> Result<Value, OAuthError> {
    if matches!(tenancy, Tenancy::Common | Tenancy::Consumers) {
        return Err(OAuthError::tenant_needed());
    }
    let scope = form.need("scope")?;
    let (name, password) = (form.need("username")?, form.need("password")?);
    let client = clients::identify(sandbox, request, form, Need::IfConfidential).await?;
    if sandbox.tenant.policies().security_defaults {
        return Err(OAuthError::security_defaults());
    }
    let user = sign_in_page::signed_in(sandbox, Some(name), Some(password))?;
    token::check_requested(sandbox, &client, scope)?;
    token::user_answer(
        sandbox,
        request,
        form,
        &SignIn {
            client,
            user: user.id,
            nonce: None,
            scope,
        },
    )
}
