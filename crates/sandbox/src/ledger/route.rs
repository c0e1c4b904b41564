//! Which line of the ledger a request belongs to.
//!
//! Owns the shape of paths: after a collection comes an id, which becomes `{id}`, and everything else is a word and
//! stays, so that two operations never share a line. What cannot be a word (long, or with the signs of an address) is
//! an id wherever it stands.

use http::Method;

/// What an entity of Graph may be found in, in lower case: the next segment is an id, unless it is one of
/// [`FUNCTIONS`].
const COLLECTIONS: &[&str] = &[
    "administrativeunits",
    "applications",
    "applicationtemplates",
    "approleassignedto",
    "approleassignments",
    "attachments",
    "attachmentsessions",
    "calendars",
    "childfolders",
    "contactfolders",
    "contacts",
    "customappscopes",
    "deleteditems",
    "devices",
    "directoryobjects",
    "directoryroles",
    "domains",
    "events",
    "extensions",
    "federatedidentitycredentials",
    "groups",
    "licensedetails",
    "mailfolders",
    "mastercategories",
    "memberof",
    "members",
    "messagerules",
    "messages",
    "multivalueextendedproperties",
    "oauth2permissiongrants",
    "organization",
    "owners",
    "roleassignments",
    "roledefinitions",
    "serviceprincipals",
    "singlevalueextendedproperties",
    "subscribedskus",
    "subscriptions",
    "transitivememberof",
    "users",
];

/// Words that stand where an id could: functions and actions on a collection.
const FUNCTIONS: &[&str] = &[
    "createuploadsession",
    "delta",
    "getavailableextensionproperties",
    "getbyids",
    "validateproperties",
];

/// Longest word; Microsoft's own are shorter.
const LONGEST_WORD: usize = 40;
/// Segments of one line.
const MOST_SEGMENTS: usize = 16;

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// HTTP method.
    pub method: String,
    /// The path without ids.
    pub route: String,
    /// The mailbox as the path names it, in lower case.
    pub mailbox: Option<String>,
}

impl Entry {
    /// A Graph request: segments after the edition.
    #[must_use]
    pub fn graph(method: &Method, segments: &[String]) -> Self {
        let mut route = String::new();
        let mut mailbox = None;
        let mut id_next = false;
        for (position, segment) in segments.iter().take(MOST_SEGMENTS).enumerate() {
            let lower = segment.to_lowercase();
            let function =
                lower.starts_with('$') || lower.starts_with("microsoft.graph.") || FUNCTIONS.contains(&lower.as_str());
            let is_id = (id_next && !function) || !could_be_word(&lower);
            route.push('/');
            if is_id {
                route.push_str("{id}");
                if position == 1 && segments[0].eq_ignore_ascii_case("users") {
                    mailbox = Some(lower);
                }
                id_next = false;
            } else {
                id_next = COLLECTIONS.binary_search(&lower.as_str()).is_ok();
                route.push_str(&lower);
            }
        }
        Self {
            method: method.to_string(),
            route,
            mailbox,
        }
    }

    /// A slice of an upload session.
    #[must_use]
    pub fn upload(method: &Method) -> Self {
        Self::plain(method, "/upload-session".to_owned())
    }

    /// A request to Exchange's administration: `/adminapi/{version}/{tenant}/…`.
    #[must_use]
    pub fn exchange(method: &Method, segments: &[String]) -> Self {
        let mut route = "/adminapi".to_owned();
        for (position, segment) in segments.iter().enumerate().skip(1).take(3) {
            route.push('/');
            match position {
                2 => route.push_str("{tenant}"),
                _ => route.push_str(&segment.to_lowercase()),
            }
        }
        Self::plain(method, route)
    }

    /// A request to the identity provider.
    #[must_use]
    pub fn login(method: &Method, segments: &[String]) -> Self {
        let mut route = "/{tenant}".to_owned();
        for segment in segments.iter().skip(1).take(4) {
            route.push('/');
            let lower = segment.to_lowercase();
            route.push_str(if could_be_word(&lower) { &lower } else { "{id}" });
        }
        Self::plain(method, route)
    }

    /// What no line is left for.
    #[must_use]
    pub fn beyond() -> Self {
        Self {
            method: "*".to_owned(),
            route: "/beyond-the-ledger".to_owned(),
            mailbox: None,
        }
    }

    fn plain(method: &Method, route: String) -> Self {
        Self {
            method: method.to_string(),
            route,
            mailbox: None,
        }
    }

    /// Whether it is the envelope of a batch.
    #[must_use]
    pub fn is_batch(&self) -> bool {
        self.route == "/$batch"
    }
}

fn could_be_word(segment: &str) -> bool {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "$.-_".contains(letter);
    let digits = segment.chars().filter(char::is_ascii_digit).count();
    // Object ids are half digits and have dashes; words have neither many digits nor other signs.
    segment.len() <= LONGEST_WORD && segment.chars().all(letters) && !(segment.contains('-') && digits > 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::paths::segments;

    fn route(path: &str) -> String {
        Entry::graph(&Method::GET, &segments(path)).route
    }

    #[test]
    fn the_collections_are_sorted_for_the_search() {
        assert!(COLLECTIONS.is_sorted() && FUNCTIONS.is_sorted());
    }

    #[test]
    fn ids_disappear_and_the_mailbox_stays() {
        let path = segments("/users/Support%40contoso.example/mailFolders/inbox/messages/AAMk=/$value");
        let entry = Entry::graph(&Method::GET, &path);
        assert_eq!(entry.route, "/users/{id}/mailfolders/{id}/messages/{id}/$value");
        assert_eq!(entry.mailbox.as_deref(), Some("support@contoso.example"));
    }

    #[test]
    fn operations_of_a_route_have_lines_of_their_own() {
        for (path, expected) in [
            (
                "/users('a')/mailFolders('inbox')/messages/delta()",
                "/users/{id}/mailfolders/{id}/messages/delta",
            ),
            ("/me/mailFolders/delta", "/me/mailfolders/delta"),
            ("/users/a/messages/$count", "/users/{id}/messages/$count"),
            (
                "/users/a/messages/x/createReplyAll",
                "/users/{id}/messages/{id}/createreplyall",
            ),
            (
                "/users/a/messages/x/neverHeardOf",
                "/users/{id}/messages/{id}/neverheardof",
            ),
            ("/applications(appId='x')/addKey", "/applications/{id}/addkey"),
            ("/applications/x/removeKey", "/applications/{id}/removekey"),
            (
                "/users/a/mailFolders/inbox/messageRules/7",
                "/users/{id}/mailfolders/{id}/messagerules/{id}",
            ),
            (
                "/subscriptions/87d349ed-44d7-43e1-9a83-5f2406dee5bd/reauthorize",
                "/subscriptions/{id}/reauthorize",
            ),
            (
                "/roleManagement/exchange/roleAssignments/x",
                "/rolemanagement/exchange/roleassignments/{id}",
            ),
            (
                "/drives/87d349ed-44d7-43e1-9a83-5f2406dee5bd/items",
                "/drives/{id}/items",
            ),
            ("/me/sendMail", "/me/sendmail"),
            ("/$batch", "/$batch"),
        ] {
            assert_eq!(route(path), expected, "{path}");
        }
    }

    #[test]
    fn a_user_named_like_a_function_is_a_user() {
        let entry = Entry::graph(&Method::GET, &segments("/users/delta@contoso.example/messages"));
        assert_eq!(entry.mailbox.as_deref(), Some("delta@contoso.example"));
        assert_eq!(route("/users/delta"), "/users/delta");
    }
}
