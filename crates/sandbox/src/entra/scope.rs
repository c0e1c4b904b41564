//! What a client asks for: one resource and permissions on it.
//!
//! Owns the reading of `scope`. Accepts every spelling seen from clients: `https://graph.microsoft.com/.default`, with
//! a doubled slash, the resource's application id, and `https://localhost[:port]`, which clients derive from the
//! sandbox's own address and which means Microsoft Graph. All scopes of one request belong to one resource.

use url::Url;
use uuid::Uuid;

use crate::directory::permissions::{EXCHANGE_APP_ID, GRAPH_APP_ID};
use crate::directory::tenant::Objects;
use crate::entra::error::OAuthError;

/// Scopes about the sign-in itself.
const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// The resource a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Application id of the resource.
    pub app_id: Uuid,
    /// Object id of its service principal.
    pub principal_id: Uuid,
    /// `aud` of the token.
    pub audience: String,
    /// As the client spelled it, without the trailing slash; empty when implied.
    pub spelling: String,
    /// Which kind of token the resource wants.
    pub version: TokenVersion,
}

/// Version of access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenVersion {
    /// `ver` 1.0, as Microsoft's own resources want it.
    V1,
    /// `ver` 2.0.
    V2,
}

/// A parsed delegated request.
#[derive(Debug, Clone)]
pub struct Requested {
    /// The resource.
    pub resource: Resource,
    /// Permission names; empty with `static_consent`.
    pub permissions: Vec<String>,
    /// `.default`: whatever is already granted.
    pub static_consent: bool,
    /// Which of `openid profile email offline_access` were asked for.
    pub openid: Vec<&'static str>,
    /// The scope words as sent, without the OpenID ones.
    pub words: Vec<String>,
}

impl Requested {
    /// Whether an OpenID scope was asked for.
    #[must_use]
    pub fn asks(&self, openid: &str) -> bool {
        self.openid.contains(&openid)
    }
}

/// Reads the scope of a client-credentials request: exactly one resource with `/.default`.
///
/// # Errors
/// AADSTS70011, 1002012, 700022, 700023, 28002 or 500011.
pub fn application_scope(objects: &Objects, tenant: Uuid, scope: &str) -> Result<Resource, OAuthError> {
    let words: Vec<&str> = scope.split_whitespace().filter(|word| !is_openid(word)).collect();
    let word = match words.as_slice() {
        [] => return Err(OAuthError::no_resource(scope)),
        [word] => *word,
        [first, ..]
            if words.iter().all(|word| word.ends_with(".default")) && words.iter().any(|word| word != first) =>
        {
            return Err(OAuthError::several_resources(scope));
        }
        words if words.iter().any(|word| word.ends_with(".default")) => {
            return Err(OAuthError::default_with_others(scope));
        }
        _ => return Err(OAuthError::scope_without_default(scope)),
    };
    let Some(name) = default_of(word) else {
        return Err(OAuthError::scope_without_default(scope));
    };
    resource(objects, tenant, name, word)
}

/// Reads the scope of a delegated request.
///
/// # Errors
/// AADSTS70011, 700022, 28002 or 500011.
pub fn delegated_scope(objects: &Objects, tenant: Uuid, scope: &str) -> Result<Requested, OAuthError> {
    let mut found: Option<Resource> = None;
    let mut permissions = Vec::new();
    let mut static_consent = false;
    let mut words = Vec::new();
    let openid = OPENID
        .into_iter()
        .filter(|known| scope.split_whitespace().any(|word| word.eq_ignore_ascii_case(known)));
    let openid: Vec<&'static str> = openid.collect();
    for word in scope.split_whitespace().filter(|word| !is_openid(word)) {
        words.push(word.to_owned());
        let (name, permission) = match default_of(word) {
            Some(name) => (name, None),
            None => match word.rsplit_once('/') {
                Some((name, permission)) => (name.trim_end_matches('/'), Some(permission)),
                None => ("", Some(word)),
            },
        };
        let resource = resource(objects, tenant, name, word)?;
        match &found {
            Some(other) if other.app_id != resource.app_id => return Err(OAuthError::several_resources(scope)),
            Some(_) => {}
            None => found = Some(resource),
        }
        match permission {
            Some(permission) => permissions.push(permission.to_owned()),
            None => static_consent = true,
        }
    }
    if static_consent && !permissions.is_empty() {
        return Err(OAuthError::default_with_others(scope));
    }
    let resource = match found {
        Some(resource) => resource,
        None => resource(objects, tenant, "", scope)?,
    };
    Ok(Requested {
        resource,
        permissions,
        static_consent,
        openid,
        words,
    })
}

/// Whether a word is about the sign-in itself.
#[must_use]
pub fn is_openid(word: &str) -> bool {
    OPENID.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// The resource part of `{resource}/.default`; Graph is implied by a bare `.default`.
fn default_of(word: &str) -> Option<&str> {
    let name = word.strip_suffix(".default")?;
    if name.is_empty() {
        return Some("");
    }
    name.strip_suffix('/').map(|name| name.trim_end_matches('/'))
}

fn resource(objects: &Objects, tenant: Uuid, name: &str, word: &str) -> Result<Resource, OAuthError> {
    let found = |app_id: Uuid, audience: &str, version| {
        let principal = objects.service_principal_of(app_id)?;
        let (audience, spelling) = (audience.to_owned(), name.to_owned());
        Some(Resource {
            app_id,
            principal_id: principal.id,
            audience,
            spelling,
            version,
        })
    };
    let unknown = || OAuthError::unknown_resource(name, &tenant.to_string());
    if name.is_empty() || is_graph(name) {
        return found(GRAPH_APP_ID, "https://graph.microsoft.com", TokenVersion::V1).ok_or_else(unknown);
    }
    if is_exchange(name) {
        return found(EXCHANGE_APP_ID, "https://outlook.office365.com", TokenVersion::V1).ok_or_else(unknown);
    }
    let id = name.strip_prefix("api://").unwrap_or(name).parse::<Uuid>().ok();
    if let Some(app_id) = id {
        let audience = match app_id {
            GRAPH_APP_ID | EXCHANGE_APP_ID => app_id.to_string(),
            _ => name.trim_start_matches("api://").to_owned(),
        };
        return found(app_id, &audience, version_of(objects, app_id)).ok_or_else(unknown);
    }
    let by_uri = objects.applications.iter().find(|application| {
        let uris = application
            .document
            .get("identifierUris")
            .and_then(serde_json::Value::as_array);
        uris.is_some_and(|uris| uris.iter().any(|uri| uri.as_str() == Some(name)))
    });
    if let Some(application) = by_uri {
        let version = version_of(objects, application.app_id);
        let audience = match version {
            TokenVersion::V1 => name.to_owned(),
            TokenVersion::V2 => application.app_id.to_string(),
        };
        return found(application.app_id, &audience, version).ok_or_else(unknown);
    }
    if Url::parse(name).is_ok() {
        Err(unknown())
    } else {
        Err(OAuthError::invalid_scope(word))
    }
}

fn version_of(objects: &Objects, app_id: Uuid) -> TokenVersion {
    let application = objects.application_of(app_id);
    let wanted =
        application.and_then(|application| application.document.get("api")?["requestedAccessTokenVersion"].as_u64());
    if wanted == Some(2) {
        TokenVersion::V2
    } else {
        TokenVersion::V1
    }
}

fn host_of(name: &str) -> Option<String> {
    let url = Url::parse(name).ok()?;
    let bare = url.path().trim_matches('/').is_empty();
    if bare && matches!(url.scheme(), "https" | "http") {
        url.host_str().map(str::to_owned)
    } else {
        None
    }
}

fn is_graph(name: &str) -> bool {
    host_of(name).is_some_and(|host| {
        matches!(
            host.as_str(),
            "graph.microsoft.com"
                | "graph.microsoft.us"
                | "dod-graph.microsoft.us"
                | "microsoftgraph.chinacloudapi.cn"
                | "graph.microsoft.de"
                | "localhost"
                | "127.0.0.1"
                | "[::1]"
        )
    })
}

fn is_exchange(name: &str) -> bool {
    host_of(name).is_some_and(|host| {
        matches!(
            host.as_str(),
            "outlook.office365.com" | "outlook.office.com" | "outlook.office365.us" | "ps.outlook.com"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_graph_is_graph() {
        for name in [
            "https://graph.microsoft.com",
            "https://localhost",
            "https://localhost:8443",
            "http://127.0.0.1:1",
        ] {
            assert!(is_graph(name), "{name}");
        }
        for name in [
            "https://graph.microsoft.com/x",
            "https://example.com",
            "graph.microsoft.com",
        ] {
            assert!(!is_graph(name), "{name}");
        }
    }

    #[test]
    fn default_is_recognised_with_one_or_two_slashes() {
        assert_eq!(
            default_of("https://graph.microsoft.com/.default"),
            Some("https://graph.microsoft.com")
        );
        assert_eq!(
            default_of("https://graph.microsoft.com//.default"),
            Some("https://graph.microsoft.com")
        );
        assert_eq!(default_of(".default"), Some(""));
        assert_eq!(default_of("https://graph.microsoft.com/Mail.Read"), None);
    }
}
