//! Redirect URIs: what may be registered, and which platform an address belongs to.
//!
//! Owns the rules of the registration (§6 of the contract): `http` for loopback names only, no fragment, no IPv6
//! loopback, at most [`MAX_URIS`] of them; and the matching: exact, except that the port of a loopback address does not
//! count. A URI that matches nothing is never redirected to.

use serde_json::{Map, Value};
use url::{Host, Url};

use crate::directory::model::Application;
use crate::odata::error::ODataError;

/// URIs of one application.
const MAX_URIS: usize = 256;
/// URIs of an application that admits personal accounts.
const MAX_URIS_PERSONAL: usize = 100;
/// Longest URI.
const MAX_LENGTH: usize = 256;

/// The kind of program behind a redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// A server, which keeps a credential.
    Web,
    /// A desktop or mobile program, which cannot keep one.
    Public,
    /// A page that redeems codes from a browser.
    SinglePage,
}

const PLATFORMS: [(&str, Platform); 3] = [
    ("web", Platform::Web),
    ("publicClient", Platform::Public),
    ("spa", Platform::SinglePage),
];

/// Checks the redirect URIs in an application's document.
///
/// # Errors
/// 400 for a URI that may not be registered, or too many.
pub fn check(document: &Map<String, Value>) -> Result<(), ODataError> {
    let mut count = 0;
    for (name, platform) in PLATFORMS {
        let listed = document.get(name).and_then(|platform| platform.get("redirectUris"));
        let Some(listed) = listed.filter(|listed| !listed.is_null()) else {
            continue;
        };
        let refused = |uri: &Value| {
            ODataError::directory_bad_request(format!(
                "Invalid value {uri} specified for property '{name}.redirectUris': use https, or http for localhost; no fragment and no wildcard."
            ))
        };
        let Value::Array(uris) = listed else {
            return Err(refused(listed));
        };
        for uri in uris {
            if !uri.as_str().is_some_and(|uri| may_be_registered(uri, platform)) {
                return Err(refused(uri));
            }
        }
        count += uris.len();
    }
    let audience = document.get("signInAudience").and_then(Value::as_str);
    let personal = audience.is_some_and(|audience| audience.contains("Personal"));
    let limit = if personal { MAX_URIS_PERSONAL } else { MAX_URIS };
    if count > limit {
        return Err(ODataError::directory_bad_request(format!(
            "An application can have at most {limit} redirect URIs."
        )));
    }
    Ok(())
}

/// The platform that registered an address, if one did.
#[must_use]
pub fn platform_of(application: &Application, uri: &str) -> Option<Platform> {
    let registers = |name: &str| {
        let listed = application
            .document
            .get(name)
            .and_then(|platform| platform.get("redirectUris"));
        let mut uris = listed
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        uris.any(|registered| matches(registered, uri))
    };
    PLATFORMS
        .into_iter()
        .find(|(name, _)| registers(name))
        .map(|(_, platform)| platform)
}

/// Whether `given` is the registered address.
#[must_use]
pub fn matches(registered: &str, given: &str) -> bool {
    if registered == given {
        return true;
    }
    let (Ok(mut registered), Ok(mut given)) = (Url::parse(registered), Url::parse(given)) else {
        return false;
    };
    if !is_loopback(&registered) || !is_loopback(&given) {
        return false;
    }
    registered.set_port(None).is_ok() && given.set_port(None).is_ok() && registered == given
}

/// Whether an address leads to a program on the person's own machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1"))
}

fn may_be_registered(uri: &str, platform: Platform) -> bool {
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    if uri.len() > MAX_LENGTH || url.fragment().is_some() || uri.contains('*') {
        return false;
    }
    if matches!(url.host(), Some(Host::Ipv6(_))) {
        return false;
    }
    match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        "javascript" | "data" | "file" | "vbscript" => false,
        _ => platform == Platform::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document(platform: &str, uri: &str) -> Map<String, Value> {
        let mut document = Map::new();
        document.insert(platform.to_owned(), json!({"redirectUris": [uri]}));
        document
    }

    #[test]
    fn http_is_for_loopback_names_only() {
        for good in [
            "https://app.contoso.example/back",
            "http://localhost:3000/back",
            "http://127.0.0.1/back",
        ] {
            assert!(check(&document("web", good)).is_ok(), "{good}");
        }
        for bad in [
            "http://app.contoso.example/back",
            "http://[::1]/back",
            "https://app.contoso.example/#x",
            "https://*.contoso.example/",
            "app.contoso.example",
            "myapp://auth",
            "javascript:alert(1)",
        ] {
            assert!(check(&document("web", bad)).is_err(), "{bad}");
        }
        assert!(check(&document("publicClient", "myapp://auth")).is_ok());
    }

    #[test]
    fn there_is_a_limit_that_personal_accounts_lower() {
        let uris: Vec<String> = (0..101)
            .map(|number| format!("https://contoso.example/{number}"))
            .collect();
        let mut many = Map::new();
        many.insert("web".to_owned(), json!({ "redirectUris": uris }));
        assert!(check(&many).is_ok());
        many.insert("signInAudience".to_owned(), "AzureADandPersonalMicrosoftAccount".into());
        assert!(check(&many).is_err());
    }

    #[test]
    fn only_the_port_of_a_loopback_address_is_free() {
        assert!(matches("http://localhost/back", "http://localhost:49152/back"));
        assert!(matches("http://localhost", "http://localhost:49152"));
        assert!(!matches("http://localhost/back", "http://localhost:49152/other"));
        assert!(!matches("http://localhost/back", "http://127.0.0.1/back"));
        assert!(!matches("https://contoso.example/a", "https://contoso.example:8443/a"));
        assert!(!matches("https://contoso.example/a", "https://contoso.example/A"));
    }
}
