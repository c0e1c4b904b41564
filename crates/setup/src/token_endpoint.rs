//! The token endpoint as people paste it.
//!
//! Owns the reading of every form in which portals, scripts and other products show it. Never decides which endpoint
//! is right: discovery does.

use url::Url;

/// Hosts that issue the same tokens and stand in issuers and old documents.
const ISSUERS: [&str; 2] = ["sts.windows.net", "sts.chinacloudapi.cn"];

/// What an endpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pasted {
    /// Host of the sign-in service; `None` for a tenant alone.
    pub host: Option<String>,
    /// Directory (tenant) id or domain.
    pub tenant: String,
}

impl Pasted {
    /// Reads an endpoint (`https://login.microsoftonline.com/TENANT/oauth2/v2.0/token`), version 1 of it, the
    /// authorization endpoint, the discovery document, an issuer, the same without `https://`, in quotes, or the tenant
    /// alone. `None` if no tenant is in it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches(['"', '\'', '<', '>']).trim();
        if text.is_empty() || text.contains(char::is_whitespace) {
            return None;
        }
        if !text.contains('/') {
            return Some(Self {
                host: None,
                tenant: text.to_owned(),
            });
        }
        let url = if text.contains("://") {
            Url::parse(text)
        } else {
            Url::parse(&format!("https://{text}"))
        };
        let url = url.ok()?;
        let tenant = url.path_segments()?.find(|segment| !segment.is_empty())?;
        Some(Self {
            host: Some(url.host_str()?.to_owned()),
            tenant: tenant.to_owned(),
        })
    }

    /// Whether it is of this sign-in service, as far as its host tells.
    pub fn is_of(&self, authority: &Url) -> bool {
        let Some(host) = &self.host else {
            return true;
        };
        let cloud = |host: &str| crate::Cloud::of_authority(host);
        let ours = authority.host_str().unwrap_or_default();
        host.eq_ignore_ascii_case(ours)
            || cloud(ours).is_some_and(|ours| cloud(host) == Some(ours) || ISSUERS.contains(&host.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "8a1c0d5e-0000-4000-8000-000000000001";

    #[test]
    fn every_form_that_people_paste_names_the_tenant() {
        for text in [
            "https://login.microsoftonline.com/T/oauth2/v2.0/token",
            " https://login.microsoftonline.com/T/oauth2/v2.0/token/ \n",
            "\"https://login.microsoftonline.com/T/oauth2/token\"",
            "https://login.microsoftonline.com/T/oauth2/v2.0/authorize",
            "https://login.microsoftonline.com/T/v2.0/.well-known/openid-configuration",
            "https://login.microsoftonline.com/T/v2.0",
            "https://login.microsoftonline.com//T/",
            "login.microsoftonline.com/T",
            "https://login.windows.net/T/oauth2/token",
            "https://sts.windows.net/T/",
            "T",
        ] {
            let pasted = Pasted::parse(&text.replace('T', TENANT)).expect(text);
            assert_eq!(pasted.tenant, TENANT, "{text}");
            let global = "https://login.microsoftonline.com".parse().expect("an address");
            assert!(pasted.is_of(&global), "{text}");
        }
    }

    #[test]
    fn what_names_no_tenant_is_none_and_another_cloud_is_another() {
        for text in ["", "  ", "https://", "https://login.microsoftonline.com/", "a b"] {
            assert_eq!(Pasted::parse(text), None, "{text}");
        }
        let china = Pasted::parse("https://login.partner.microsoftonline.cn/T/oauth2/v2.0/token").expect("a form");
        assert!(!china.is_of(&"https://login.microsoftonline.com".parse().expect("an address")));
        let foreign = Pasted::parse("https://login.evil.example/T/oauth2/v2.0/token").expect("a form");
        assert!(!foreign.is_of(&"https://login.microsoftonline.com".parse().expect("an address")));
    }
}
