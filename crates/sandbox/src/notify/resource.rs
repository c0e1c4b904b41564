//! The `resource` of a subscription.
//!
//! Owns the spellings `users/{id}/messages`, `users/{id}/mailFolders('inbox')/messages` and the same below `me`, with
//! keys in parentheses or as segments, and the query options behind them. What Microsoft has and the sandbox has not
//! is a 501; anything else is refused: a subscription that never fires helps nobody.

use http::StatusCode;

use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;
use crate::server::paths;

/// What a subscription watches.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Id or user principal name; `None` for `me`.
    pub user: Option<String>,
    /// Folder id or well-known name; `None` for the whole mailbox.
    pub folder: Option<String>,
    /// `$filter`, `$select` and `$expand`.
    pub options: QueryOptions,
    /// The options in one spelling, to tell equal resources.
    pub query: String,
}

/// First words of resources that Microsoft lets clients subscribe to and the sandbox does not have.
const OTHER_ROOTS: &[&str] = &[
    "admin",
    "appcatalogs",
    "chats",
    "communications",
    "copilot",
    "drive",
    "drives",
    "groups",
    "identityprotection",
    "print",
    "reports",
    "security",
    "sites",
    "solutions",
    "teams",
];
/// The same below a user.
const OTHER_BELOW_USER: &[&str] = &[
    "calendar",
    "calendars",
    "calendarview",
    "chats",
    "contactfolders",
    "contacts",
    "drive",
    "drives",
    "events",
    "joinedteams",
    "onlinemeetings",
    "presence",
    "todo",
];

/// Reads a resource.
pub fn parse(text: &str) -> Result<Resource, ODataError> {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let path = path.strip_prefix("https://graph.microsoft.com").unwrap_or(path);
    let segments = paths::segments(path);
    let segments: Vec<&str> = match segments.first().map(String::as_str) {
        Some("v1.0" | "beta") => segments[1..].iter().map(String::as_str).collect(),
        _ => segments.iter().map(String::as_str).collect(),
    };
    let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let words: Vec<&str> = lower.iter().map(String::as_str).collect();
    let (user, rest) = match words[..] {
        ["users", _, ..] => (Some(segments[1].to_owned()), 2),
        ["me", ..] => (None, 1),
        // Relative to the signed-in user, as O365-style clients write it.
        ["mailfolders" | "messages", ..] => (None, 0),
        ["users"] => return Err(ODataError::unsupported("subscriptions to users")),
        [root, ..] if OTHER_ROOTS.contains(&root) => return Err(elsewhere(root)),
        _ => return Err(unknown(text)),
    };
    let folder = match &words[rest..] {
        ["messages"] => None,
        ["mailfolders", _, nested @ .., "messages"] if is_nested(nested) => {
            Some(segments[segments.len() - 2].to_owned())
        }
        [other, ..] if OTHER_BELOW_USER.contains(other) => return Err(elsewhere(other)),
        _ => return Err(unknown(text)),
    };
    let (options, query) = options(query)?;
    Ok(Resource {
        user,
        folder,
        options,
        query,
    })
}

/// `childFolders/{id}` any number of times.
fn is_nested(words: &[&str]) -> bool {
    words.len().is_multiple_of(2) && words.iter().step_by(2).all(|word| *word == "childfolders")
}

fn options(query: &str) -> Result<(QueryOptions, String), ODataError> {
    let pairs = paths::query_pairs(query);
    let options = QueryOptions::parse(&pairs)?;
    options.only(&[])?;
    let refused = [
        ("$top", options.top.is_some()),
        ("$skip", options.skip.is_some()),
        ("$orderby", !options.order_by.is_empty()),
        ("$count", options.count),
        ("$search", options.search.is_some()),
        ("$skiptoken", options.skip_token.is_some()),
        ("$deltatoken", options.delta_token.is_some()),
    ];
    if let Some((name, _)) = refused.iter().find(|(_, given)| *given) {
        return Err(invalid(format!(
            "The query option '{name}' is not supported in the resource of a subscription."
        )));
    }
    if let Some(expand) = options.expand.iter().find(|expand| !is_extended(&expand.property)) {
        return Err(invalid(format!(
            "The expansion of '{}' is not supported in the resource of a subscription.",
            expand.property
        )));
    }
    let mut same: Vec<String> = pairs
        .iter()
        .map(|(name, value)| {
            let name = name.trim_start_matches('$').to_ascii_lowercase();
            format!("{name}={}", value.split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .collect();
    same.sort_unstable();
    Ok((options, same.join("&")))
}

fn is_extended(property: &str) -> bool {
    ["singleValueExtendedProperties", "multiValueExtendedProperties"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(property))
}

fn invalid(message: String) -> ODataError {
    ODataError::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
}

fn elsewhere(word: &str) -> ODataError {
    ODataError::unsupported(format_args!("subscriptions to '{word}'"))
}

fn unknown(text: &str) -> ODataError {
    invalid(format!(
        "Unsupported resource '{text}': subscribe to users/{{id}}/messages or users/{{id}}/mailFolders('{{id}}')/messages."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> (Option<String>, Option<String>) {
        let resource = parse(text).unwrap();
        (resource.user, resource.folder)
    }

    #[test]
    fn every_documented_spelling_is_read() {
        let inbox = |user: Option<&str>| (user.map(str::to_owned), Some("Inbox".to_owned()));
        assert_eq!(path("me/mailFolders('Inbox')/messages"), inbox(None));
        assert_eq!(path("/me/mailfolders/Inbox/messages"), inbox(None));
        assert_eq!(path("/mailFolders('Inbox')/messages"), inbox(None));
        assert_eq!(path("Users/u@x/mailFolders('Inbox')/messages"), inbox(Some("u@x")));
        assert_eq!(path("/v1.0/users('a')/mailFolders('Inbox')/Messages"), inbox(Some("a")));
        assert_eq!(
            path("users/a/mailFolders/b/childFolders/Inbox/messages"),
            inbox(Some("a"))
        );
        assert_eq!(
            path("https://graph.microsoft.com/v1.0/users/a/messages"),
            (Some("a".to_owned()), None)
        );
        assert_eq!(
            path("users/a/messages?$select=subject,id&$filter=isRead eq false"),
            (Some("a".to_owned()), None)
        );
    }

    #[test]
    fn other_resources_are_refused_by_name() {
        for (bad, status) in [
            ("", 400),
            ("users", 501),
            ("users/a", 400),
            ("users/a/events", 501),
            ("me/contacts", 501),
            ("users/a/mailFolders/inbox", 400),
            ("users/a/mailFolders", 400),
            ("users/a/messages/b", 400),
            ("users/a/mailFolders/b/nonsense/c/messages", 400),
            ("teams/x/messages", 501),
            ("sites/root", 501),
            ("users/a/messages?$top=3", 400),
            ("users/a/messages?$filter=isRead eq", 400),
            ("users/a/messages?$expand=attachments", 400),
            ("users/a/messages?$search=\"x\"", 400),
        ] {
            assert_eq!(parse(bad).unwrap_err().status.as_u16(), status, "{bad}");
        }
    }

    #[test]
    fn equal_queries_compare_equal_however_they_are_ordered() {
        let query = |text: &str| parse(text).unwrap().query;
        assert_eq!(
            query("me/messages?$filter=isRead eq false&$select=id"),
            query("me/messages?select=id&$Filter=isRead  eq false")
        );
        assert_ne!(query("me/messages?$select=id"), query("me/messages"));
    }
}
