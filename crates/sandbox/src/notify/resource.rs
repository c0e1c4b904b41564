//! The `resource` of a subscription.
//!
//! Owns the spellings `users/{id}/messages`, `users/{id}/mailFolders('inbox')/messages` and the same below `me`, with
//! keys in parentheses or as segments. Anything else is refused: a subscription that never fires helps nobody.

use crate::odata::error::ODataError;
use crate::server::paths;

/// What a subscription watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Id or user principal name; `None` for `me`.
    pub user: Option<String>,
    /// Folder id or well-known name; `None` for the whole mailbox.
    pub folder: Option<String>,
}

/// Reads a resource.
pub fn parse(text: &str) -> Result<Resource, ODataError> {
    if text.contains('?') {
        return Err(ODataError::unsupported("query options in a subscription's resource"));
    }
    let path = text.strip_prefix("https://graph.microsoft.com").unwrap_or(text);
    let segments = paths::segments(path);
    let segments: Vec<&str> = match segments.first().map(String::as_str) {
        Some("v1.0" | "beta") => segments[1..].iter().map(String::as_str).collect(),
        _ => segments.iter().map(String::as_str).collect(),
    };
    let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let (user, rest) = match lower.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["users", _, ..] => (Some(segments[1].to_owned()), 2),
        ["me", ..] => (None, 1),
        // Relative to the signed-in user, as O365-style clients write it.
        ["mailfolders" | "messages", ..] => (None, 0),
        _ => return Err(unsupported(text)),
    };
    let folder = match lower[rest..].iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["messages"] => None,
        ["mailfolders", _, "messages"] => Some(segments[rest + 1].to_owned()),
        _ => return Err(unsupported(text)),
    };
    Ok(Resource { user, folder })
}

fn unsupported(text: &str) -> ODataError {
    ODataError::new(
        http::StatusCode::BAD_REQUEST,
        "InvalidRequest",
        format!(
            "Unsupported resource '{text}': subscribe to users/{{id}}/messages or users/{{id}}/mailFolders('{{id}}')/messages."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_spelling_is_read() {
        let inbox = |user: Option<&str>| Resource {
            user: user.map(str::to_owned),
            folder: Some("Inbox".to_owned()),
        };
        assert_eq!(parse("me/mailFolders('Inbox')/messages").unwrap(), inbox(None));
        assert_eq!(parse("/me/mailfolders/Inbox/messages").unwrap(), inbox(None));
        assert_eq!(
            parse("Users/u@x/mailFolders('Inbox')/messages").unwrap(),
            inbox(Some("u@x"))
        );
        assert_eq!(
            parse("/v1.0/users('a')/mailFolders('Inbox')/Messages").unwrap(),
            inbox(Some("a"))
        );
        assert_eq!(
            parse("users/a/messages").unwrap(),
            Resource {
                user: Some("a".to_owned()),
                folder: None
            }
        );
        for bad in [
            "",
            "users",
            "users/a",
            "users/a/events",
            "users/a/mailFolders/inbox",
            "teams/x/messages",
            "users/a/messages?$filter=isRead eq false",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
