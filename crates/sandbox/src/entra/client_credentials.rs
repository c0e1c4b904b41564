//! The client-credentials grant: a token for the application itself.
//!
//! Owns the order of the checks: tenant, client, credential, scope. A missing application permission is not an error
//! here: the token is issued without `roles` and Graph refuses it later.

use serde_json::{Value, json};

use crate::entra::claims;
use crate::entra::clients::{self, Need};
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest, Presented};
use crate::entra::scope;
use crate::entra::tenancy::Tenancy;
use crate::state::Sandbox;

/// Answers one request.
///
/// # Errors
/// The refusal as Entra words it.
pub async fn grant(
    sandbox: &Sandbox,
    request: &LoginRequest,
    tenancy: Tenancy,
    form: &Form,
) -> Result<Value, OAuthError> {
    match tenancy {
        Tenancy::Own => {}
        Tenancy::Common | Tenancy::Consumers => return Err(OAuthError::tenant_needed()),
        Tenancy::Organizations => return Err(OAuthError::tenant_unidentified()),
    }
    Presented::read(request, form)?;
    let tenant = &sandbox.tenant;
    let asked = asked(request, form)?;
    let client = clients::identify(sandbox, request, form, Need::Always).await?;
    let claims = {
        let objects = tenant.read();
        if objects.policies.blocks(client.app_id, None) {
            return Err(OAuthError::conditional_access(tenant.id));
        }
        let resource = scope::application_scope(&objects, tenant.id, &asked)?;
        let missing = || OAuthError::unknown_application(&client.app_id.to_string(), &tenant.display_name);
        let principal = client.principal_id.and_then(|id| objects.service_principal(id));
        let principal = principal.ok_or_else(missing)?;
        let roles = objects.roles(principal.id, resource.principal_id, tenant.clock.now());
        claims::application(tenant, &client, principal, &resource, &roles)
    };
    let access_token = sandbox.entra.key.sign(&claims, claims["ver"] == "1.0");
    if is_version_two(request) {
        return Ok(json!({
            "token_type": "Bearer",
            "expires_in": claims::expires_in(&client),
            "ext_expires_in": claims::expires_in(&client),
            "access_token": access_token,
        }));
    }
    // The older endpoint writes numbers as text and names the resource.
    let expires_in = claims::expires_in(&client).to_string();
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": expires_in,
        "ext_expires_in": expires_in,
        "expires_on": claims["exp"].to_string(),
        "not_before": claims["nbf"].to_string(),
        "resource": claims["aud"],
        "access_token": access_token,
    }))
}

fn is_version_two(request: &LoginRequest) -> bool {
    request
        .segments
        .iter()
        .any(|segment| segment.eq_ignore_ascii_case("v2.0"))
}

/// The scope, or what stands for it at the older endpoint.
fn asked(request: &LoginRequest, form: &Form) -> Result<String, OAuthError> {
    match (is_version_two(request), form.get("resource")) {
        (true, Some(_)) if form.get("scope").is_none() => Err(OAuthError::resource_not_supported()),
        (true, _) => form.need("scope").map(str::to_owned),
        (false, Some(resource)) => Ok(format!("{}/.default", resource.trim_end_matches('/'))),
        (false, None) => Err(OAuthError::required_field("resource")),
    }
}
