//! Discovery documents and key sets.
//!
//! Owns what clients read before they sign in. Every endpoint address starts with the host the client used, so that a
//! client stays on the sandbox; the issuer of version 1 is Microsoft's constant.

use serde_json::{Value, json};

use crate::directory::tenant::Tenant;
use crate::entra::form::LoginRequest;
use crate::entra::tenancy::Tenancy;
use crate::entra::userinfo;
use crate::state::Sandbox;

/// Hosts that are the same login service, per cloud: the first is where clients go.
const CLOUDS: [&[&str]; 5] = [
    &[
        "login.microsoftonline.com",
        "login.windows.net",
        "login.microsoft.com",
        "sts.windows.net",
    ],
    &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
    &["login.microsoftonline.de"],
    &["login.microsoftonline.us", "login.usgovcloudapi.net"],
    &["login-us.microsoftonline.com"],
];

/// Whether Microsoft's login service answers under this host name, in any cloud.
#[must_use]
pub fn is_login_host(host: &str) -> bool {
    CLOUDS.iter().any(|cloud| cloud.contains(&host))
}

/// `/{tenant}/v2.0/.well-known/openid-configuration`.
#[must_use]
pub fn version_two(tenant: &Tenant, tenancy: Tenancy, base: &str) -> Value {
    let name = tenancy.canonical(tenant);
    json!({
        "token_endpoint": format!("{base}/{name}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/{name}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("{base}/{}/v2.0", tenancy.issuer_id(tenant)),
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": userinfo::address(base),
        "authorization_endpoint": format!("{base}/{name}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{base}/{name}/oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{base}/{name}/oauth2/v2.0/logout"),
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host",
            "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash",
            "c_hash", "email",
        ],
        "kerberos_endpoint": format!("{base}/{name}/kerberos"),
        "tenant_region_scope": match tenancy { Tenancy::Own => Some("EU"), _ => None },
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    })
}

/// `/{tenant}/.well-known/openid-configuration`.
#[must_use]
pub fn version_one(tenant: &Tenant, tenancy: Tenancy, base: &str) -> Value {
    let name = tenancy.canonical(tenant);
    json!({
        "token_endpoint": format!("{base}/{name}/oauth2/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/{name}/discovery/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
        "scopes_supported": ["openid"],
        "issuer": format!("https://sts.windows.net/{}/", tenancy.issuer_id(tenant)),
        "microsoft_multi_refresh_token": true,
        "authorization_endpoint": format!("{base}/{name}/oauth2/authorize"),
        "device_authorization_endpoint": format!("{base}/{name}/oauth2/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{base}/{name}/oauth2/logout"),
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host",
            "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "email", "given_name", "family_name", "nickname",
        ],
        "check_session_iframe": format!("{base}/{name}/oauth2/checksession"),
        "userinfo_endpoint": format!("{base}/{name}/openid/userinfo"),
        "kerberos_endpoint": format!("{base}/{name}/kerberos"),
        "tenant_region_scope": match tenancy { Tenancy::Own => Some("EU"), _ => None },
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    })
}

/// `/{tenant}/discovery/v2.0/keys`, and without `/v2.0` for version 1, whose keys name no issuer.
#[must_use]
pub fn keys(sandbox: &Sandbox, tenancy: Tenancy, base: &str, version_two: bool) -> Value {
    let issuer = version_two.then(|| format!("{base}/{}/v2.0", tenancy.issuer_id(&sandbox.tenant)));
    json!({"keys": [sandbox.entra.key.jwk(issuer.as_deref())]})
}

/// `/common/discovery/instance`: `None` for an authority that is neither Microsoft's nor ours.
#[must_use]
pub fn instance(request: &LoginRequest) -> Option<Value> {
    let endpoint = request
        .query
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization_endpoint"))?;
    let endpoint = url::Url::parse(&endpoint.1).ok()?;
    let host = endpoint.host_str()?;
    let own = url::Url::parse(&request.base_url).ok()?;
    let is_own = own.host_str() == Some(host) || matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if !is_own && !CLOUDS.iter().any(|cloud| cloud.contains(&host)) {
        return None;
    }
    let tenant = endpoint
        .path_segments()?
        .find(|segment| !segment.is_empty())
        .unwrap_or("common");
    let mut metadata: Vec<Value> = CLOUDS
        .iter()
        .map(|aliases| {
            let preferred_cache = if aliases.len() > 2 { aliases[1] } else { aliases[0] };
            json!({"preferred_network": aliases[0], "preferred_cache": preferred_cache, "aliases": aliases})
        })
        .collect();
    if is_own && !CLOUDS.iter().any(|cloud| cloud.contains(&host)) {
        let port = own.port().map_or_else(String::new, |port| format!(":{port}"));
        let network = format!("{}{port}", own.host_str().unwrap_or(host));
        let mut aliases = vec![network.clone()];
        if network != host {
            aliases.push(host.to_owned());
        }
        metadata.push(json!({"preferred_network": network, "preferred_cache": network, "aliases": aliases}));
    }
    Some(json!({
        "tenant_discovery_endpoint":
            format!("{}/{tenant}/v2.0/.well-known/openid-configuration", request.base_url),
        "api-version": "1.1",
        "metadata": metadata,
    }))
}
