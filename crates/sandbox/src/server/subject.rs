//! Whom a Graph request is about.
//!
//! Owns the reading of the first path segments for faults, throttling and the ledger. It decides nothing about rights.

use uuid::Uuid;

use crate::auth::{Caller, CallerKind};
use crate::directory::users::DIRECTORY_CHILDREN;
use crate::directory::{Directory as _, UserRef};
use crate::state::Sandbox;
use crate::throttle::{Area, Work};

/// The user that a path names, if there is one; segments after the edition.
#[must_use]
pub fn user(sandbox: &Sandbox, segments: &[String], caller: Option<&Caller>) -> Option<UserRef> {
    let id = match segments {
        [first, id, ..] if first.eq_ignore_ascii_case("users") => id.clone(),
        [first, ..] if first.eq_ignore_ascii_case("me") => caller?.user_id?.to_string(),
        _ => return None,
    };
    sandbox.tenant.user(&id)
}

/// All names of the mailbox that a path names, in lower case; the path's own word when there is no such user.
#[must_use]
pub fn mailbox_names(sandbox: &Sandbox, segments: &[String], caller: Option<&Caller>) -> Vec<String> {
    if let Some(user) = user(sandbox, segments, caller) {
        let mail = user.mail.map(|mail| mail.to_lowercase());
        let names = [user.id.to_string(), user.user_principal_name.to_lowercase()];
        return names.into_iter().chain(mail).collect();
    }
    match segments {
        [first, id, ..] if first.eq_ignore_ascii_case("users") => vec![id.to_lowercase()],
        _ => Vec::new(),
    }
}

/// What a request uses, for the throttle.
#[must_use]
pub fn work(
    sandbox: &Sandbox,
    caller: &Caller,
    method: &http::Method,
    segments: &[String],
    query: &[(String, String)],
    bytes: usize,
) -> Work {
    let first = segments
        .first()
        .map(|first| first.to_ascii_lowercase())
        .unwrap_or_default();
    let area = match first.as_str() {
        "users" | "me" => {
            let child = segments.get(if first == "users" { 2 } else { 1 });
            let directory =
                child.is_none_or(|child| DIRECTORY_CHILDREN.iter().any(|known| known.eq_ignore_ascii_case(child)));
            match user(sandbox, segments, Some(caller)) {
                _ if directory => Area::Identity,
                Some(user) => Area::Mailbox(user.id),
                None => Area::Other,
            }
        }
        "subscriptions" => Area::Subscriptions,
        "$batch" => Area::Batch,
        "applications"
        | "serviceprincipals"
        | "oauth2permissiongrants"
        | "organization"
        | "domains"
        | "subscribedskus"
        | "directoryroles"
        | "groups"
        | "directoryobjects" => Area::Identity,
        _ => Area::Other,
    };
    Work::measure(area, method, segments, query, bytes)
}

/// Client id of a caller with a token.
#[must_use]
pub fn application(caller: &Caller) -> Option<Uuid> {
    (caller.kind != CallerKind::Anonymous).then_some(caller.app_id)
}
