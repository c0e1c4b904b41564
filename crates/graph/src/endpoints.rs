//! Which hosts a tenant lives on, and what tokens for them are called.
//!
//! Owns the two base addresses and the rule for links: a link that an answer gives is followed only
//! on the configured Graph origin, because a token goes with it.

use std::fmt;
use std::sync::Arc;

use url::Url;

use crate::class::Class;
use crate::error::{Error, Result};

/// Graph hosts whose origin is also the name of the resource in a token request. Any other host is
/// a stand-in for the worldwide one. Source: Microsoft's "national cloud deployments".
const CLOUD_HOSTS: &[(&str, &str)] = &[
    ("graph.microsoft.com", "https://outlook.office365.com"),
    ("graph.microsoft.us", "https://outlook.office365.us"),
    ("dod-graph.microsoft.us", "https://outlook-dod.office365.us"),
    ("microsoftgraph.chinacloudapi.cn", "https://outlook.office365.cn"),
];

/// The version of Graph that calls use.
const VERSION: &str = "/v1.0";
/// The version of the few calls that version 1.0 lacks.
const BETA: &str = "/beta";

/// Where the sign-in service and Graph are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Base of the sign-in service, such as `https://login.microsoftonline.com`.
    pub authority: Url,
    /// Base of Graph, such as `https://graph.microsoft.com`, with or without `/v1.0`.
    pub graph: Url,
}

/// What a token is for: the resource of a token request, such as `https://graph.microsoft.com`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Resource(Arc<str>);

impl Resource {
    /// The resource of the given name, without `/.default`.
    pub fn new(name: &str) -> Self {
        Self(name.trim_end_matches('/').into())
    }

    /// The resource's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scope that asks for every application permission granted on the resource.
    pub fn default_scope(&self) -> String {
        format!("{}/.default", self.0)
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({})", self.0)
    }
}

impl Endpoints {
    /// Microsoft Graph of this cloud, as a resource.
    pub fn graph_resource(&self) -> Resource {
        let host = self.cloud_row().0;
        Resource::new(&format!("https://{host}"))
    }

    /// Exchange Online of this cloud, as a resource.
    pub fn exchange_resource(&self) -> Resource {
        Resource::new(self.cloud_row().1)
    }

    /// The token endpoint (v2) of a tenant, by the rule that every cloud follows. Discovery
    /// confirms it.
    pub fn token_endpoint(&self, tenant: &str) -> Result<Url> {
        tenant_url(&self.authority, tenant, "/oauth2/v2.0/token")
    }

    /// Base for [`crate::path::GraphPath::at`].
    pub(crate) fn base(&self) -> String {
        let base = self.graph.as_str().trim_end_matches('/');
        let base = base.strip_suffix(VERSION).unwrap_or(base);
        format!("{base}{VERSION}")
    }

    /// The same for the beta version.
    pub(crate) fn beta_base(&self) -> String {
        let base = self.base();
        format!("{}{BETA}", base.strip_suffix(VERSION).unwrap_or(&base))
    }

    /// A link from an answer or a cursor, if it stays on the Graph origin.
    pub(crate) fn link(&self, operation: &'static str, link: &str) -> Result<Url> {
        let refuse = |why: String| Error::new(Class::Bug, operation, "foreign_link", why);
        let url = Url::parse(link).map_err(|error| refuse(format!("the link is no address: {error}")))?;
        if url.origin() != self.graph.origin() || !url.username().is_empty() || url.password().is_some() {
            let (there, here) = (
                url.origin().ascii_serialization(),
                self.graph.origin().ascii_serialization(),
            );
            return Err(refuse(format!("the link leads to {there}; only {here} is followed")));
        }
        Ok(url)
    }

    fn cloud_row(&self) -> (&'static str, &'static str) {
        let host = self.graph.host_str().unwrap_or_default();
        CLOUD_HOSTS
            .iter()
            .find(|(known, _)| *known == host)
            .copied()
            .unwrap_or(CLOUD_HOSTS[0])
    }
}

/// `{authority}/{tenant}{rest}`; the tenant is an id or a domain name.
pub(crate) fn tenant_url(authority: &Url, tenant: &str, rest: &str) -> Result<Url> {
    let operation = "address the tenant";
    let plain = tenant
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    if tenant.is_empty() || !plain || tenant.starts_with('.') {
        let text = format!("`{tenant}` is neither a tenant id nor a domain name");
        return Err(Error::new(Class::Invalid, operation, "unusable_tenant", text));
    }
    let base = authority.as_str().trim_end_matches('/');
    Url::parse(&format!("{base}/{tenant}{rest}"))
        .map_err(|error| Error::new(Class::Invalid, operation, "unusable_authority", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(graph: &str) -> Endpoints {
        Endpoints {
            authority: Url::parse("https://login.microsoftonline.com").unwrap(),
            graph: Url::parse(graph).unwrap(),
        }
    }

    #[test]
    fn version_is_added_once() {
        for graph in [
            "https://g.example",
            "https://g.example/",
            "https://g.example/v1.0",
            "https://g.example/v1.0/",
        ] {
            assert_eq!(endpoints(graph).base(), "https://g.example/v1.0");
        }
    }

    #[test]
    fn scope_is_that_of_the_cloud_even_where_a_stand_in_listens() {
        let scope = |graph| endpoints(graph).graph_resource().default_scope();
        assert_eq!(
            scope("https://dod-graph.microsoft.us"),
            "https://dod-graph.microsoft.us/.default"
        );
        assert_eq!(scope("https://localhost:8443"), "https://graph.microsoft.com/.default");
        let exchange = endpoints("https://graph.microsoft.us").exchange_resource();
        assert_eq!(exchange.as_str(), "https://outlook.office365.us");
    }

    #[test]
    fn links_stay_on_the_origin() {
        let here = endpoints("https://graph.example:8443");
        assert!(
            here.link("test", "https://graph.example:8443/v1.0/x?$skiptoken=a")
                .is_ok()
        );
        for foreign in [
            "https://graph.example/v1.0/x",
            "http://graph.example:8443/v1.0/x",
            "https://other.example:8443/v1.0/x",
            "https://graph.example:8443@other.example/x",
            "https://user@graph.example:8443/x",
            "/v1.0/x",
        ] {
            assert_eq!(
                here.link("test", foreign).unwrap_err().code,
                "foreign_link",
                "{foreign}"
            );
        }
    }

    #[test]
    fn tenants_cannot_change_the_path() {
        let here = endpoints("https://graph.example");
        assert!(here.token_endpoint("contoso.example").is_ok());
        for tenant in ["", "..", "a/b", "a?b", "a b"] {
            assert!(here.token_endpoint(tenant).is_err(), "{tenant}");
        }
    }
}
