//! `/oidc/userinfo`: who the signed-in person is, for clients of OpenID Connect.
//!
//! Owns the address, which belongs to Graph's host and has no edition, and the answer. Its `sub` is the one of the
//! identity token for the same client, as OpenID Connect demands.

use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

use crate::auth::{self, CallerKind};
use crate::entra::claims;
use crate::entra::discovery::is_login_host;
use crate::odata::error::ODataError;
use crate::server::paths::GraphResponse;
use crate::state::Sandbox;

/// The host where Graph answers while the login service answers under names of its own.
const GRAPH: &str = "https://graph.microsoft.com";

/// Where discovery says it is: beside the document, unless that came from a host of the login service.
#[must_use]
pub fn address(base: &str) -> String {
    let host = url::Url::parse(base)
        .ok()
        .and_then(|url| Some(url.host_str()?.to_owned()));
    let root = if host.is_some_and(|host| is_login_host(&host)) {
        GRAPH
    } else {
        base
    };
    format!("{root}/oidc/userinfo")
}

/// Whether a path is this one.
#[must_use]
pub fn is(path: &[String]) -> bool {
    matches!(path, [first, second] if first.eq_ignore_ascii_case("oidc") && second.eq_ignore_ascii_case("userinfo"))
}

/// Answers GET and POST.
///
/// # Errors
/// 401 without a token; 403 for an application, and for a person who was not asked for `openid`.
pub fn answer(sandbox: &Sandbox, method: &Method, headers: &HeaderMap) -> Result<GraphResponse, ODataError> {
    if !matches!(*method, Method::GET | Method::POST) {
        return Err(ODataError::method_not_allowed());
    }
    let caller = auth::caller(sandbox, headers)?;
    let tenant = &sandbox.tenant;
    let user = caller
        .user_id
        .filter(|_| caller.kind == CallerKind::Delegated && caller.may(&["openid"]))
        .and_then(|id| tenant.read().user_by_id(id).cloned())
        .ok_or_else(ODataError::directory_denied)?;
    let mut document = json!({
        "sub": claims::identity_subject(tenant, caller.app_id, user.id),
        "name": user.display_name,
        "picture": format!("{GRAPH}/v1.0/me/photo/$value"),
    });
    if let Some(mail) = &user.mail {
        document["email"] = mail.as_str().into();
    }
    Ok(GraphResponse::json(StatusCode::OK, &document))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stays_on_the_host_of_the_client() {
        assert_eq!(
            address("https://localhost:8443"),
            "https://localhost:8443/oidc/userinfo"
        );
        assert_eq!(
            address("https://login.microsoftonline.com"),
            "https://graph.microsoft.com/oidc/userinfo"
        );
    }
}
