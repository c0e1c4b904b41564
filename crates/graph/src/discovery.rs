//! OpenID discovery: the endpoints of a tenant, from the sign-in service itself.
//!
//! Owns the reading and the checks of the document. Invariant: every endpoint that credentials are
//! later sent to lies on the authority's own origin, and the issuer is that authority for one
//! concrete tenant.

use bytes::Bytes;
use guichet_net::{BodyLimit, HttpRequest, Transport};
use http::header::{ACCEPT, HeaderValue};
use http::{HeaderMap, Method};
use serde::Deserialize;
use url::Url;

use crate::class::Class;
use crate::endpoints::tenant_url;
use crate::error::{Error, Result};
use crate::token::error_from_entra;

const OPERATION: &str = "discover tenant";

/// The document is about two kilobytes.
const ANSWER_LIMIT: BodyLimit = BodyLimit::bytes(256 * 1024);

/// What a tenant's sign-in service says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OpenIdConfiguration {
    /// Issuer of the tenant's tokens (version 2), `…/{tenant id}/v2.0`.
    pub issuer: Url,
    /// Where a browser signs in.
    pub authorization_endpoint: Url,
    /// Where tokens come from.
    pub token_endpoint: Url,
    /// Where a device sign-in starts.
    #[serde(default)]
    pub device_authorization_endpoint: Option<Url>,
    /// Keys that sign ID tokens.
    pub jwks_uri: Url,
    /// Host name of this cloud's Graph, where told.
    #[serde(default)]
    pub msgraph_host: Option<String>,
    /// Name of this cloud's sign-in host, where told.
    #[serde(default)]
    pub cloud_instance_name: Option<String>,
    /// Region of the tenant, such as `EU`, where told.
    #[serde(default)]
    pub tenant_region_scope: Option<String>,
}

impl OpenIdConfiguration {
    /// The tenant id, from the issuer.
    pub fn tenant_id(&self) -> &str {
        self.issuer
            .path()
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default()
    }
}

/// Reads the endpoints of a tenant, given by id or domain name.
///
/// # Errors
/// `Invalid` with `AADSTS90002` for an unknown tenant and with `issuer_mismatch` when the document
/// speaks for another authority or tenant; otherwise the transport's failure. One attempt is made.
pub async fn discover(transport: &dyn Transport, authority: &Url, tenant: &str) -> Result<OpenIdConfiguration> {
    let url = tenant_url(authority, tenant, "/v2.0/.well-known/openid-configuration")?;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let request = HttpRequest {
        method: Method::GET,
        url: url.clone(),
        headers,
        body: Bytes::new(),
    };
    let sent = transport.send(request, ANSWER_LIMIT).await;
    let answer = sent.map_err(|error| Error::from_transport(OPERATION, false, error))?;
    if !answer.status.is_success() {
        return Err(error_from_entra(OPERATION, &url, &answer, None));
    }
    let found: OpenIdConfiguration = serde_json::from_slice(&answer.body)
        .map_err(|error| Error::unreadable(OPERATION, false, &url, &error).with_status(answer.status.as_u16()))?;
    check(&found, authority, tenant)
        .map_err(|why| Error::new(Class::Invalid, OPERATION, "issuer_mismatch", why).with_url(&url))?;
    Ok(found)
}

fn check(found: &OpenIdConfiguration, authority: &Url, tenant: &str) -> std::result::Result<(), String> {
    let here = authority.origin();
    let endpoints = [
        ("issuer", Some(&found.issuer)),
        ("authorization_endpoint", Some(&found.authorization_endpoint)),
        ("token_endpoint", Some(&found.token_endpoint)),
        (
            "device_authorization_endpoint",
            found.device_authorization_endpoint.as_ref(),
        ),
    ];
    for (name, url) in endpoints {
        if let Some(url) = url.filter(|url| url.origin() != here) {
            let there = url.origin().ascii_serialization();
            return Err(format!(
                "its {name} is on {there}, not on {}",
                here.ascii_serialization()
            ));
        }
    }
    let id = found.tenant_id();
    if !is_guid(id) || found.issuer.path().trim_end_matches('/') != format!("/{id}/v2.0") {
        return Err(format!("its issuer `{}` names no single tenant", found.issuer));
    }
    if is_guid(tenant) && !tenant.eq_ignore_ascii_case(id) {
        return Err(format!("it is the document of tenant {id}"));
    }
    Ok(())
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| {
            if matches!(index, 8 | 13 | 18 | 23) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}
