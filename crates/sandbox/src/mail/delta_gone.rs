//! The 410 that ends a delta query whose state is lost.
//!
//! Owns its faces: the code in the spelling that the tenant's switches choose, and the fresh URL in `Location` when
//! they ask for one (contract §2.3).

use http::HeaderValue;
use http::header::LOCATION;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::mail::behaviour::MailBehaviour;
use crate::mail::delta_token::{Asked, Token};
use crate::mail::links;
use crate::mail::message::Seconds;
use crate::mail::refusal;
use crate::mail::routes::Scope;
use crate::odata::error::ODataError;

/// What is delta-queried, as a path below the user: `mailFolders('…')/messages`.
pub fn gone(scope: &Scope<'_>, what: &str, asked: Option<&Asked>, token: u32, highest: u32) -> ODataError {
    let behaviour = scope.service.behaviour();
    let error = refusal::sync_state_lost(&behaviour.gone_code, token, highest);
    if !behaviour.gone_location {
        return error;
    }
    let fresh = format!("{}/delta{}", owner_path(scope, what), query(asked));
    match HeaderValue::from_str(&fresh) {
        Ok(value) => error.with_header(LOCATION, value),
        Err(_) => error,
    }
}

/// `{root}/users('…')/{what}`, or below `me` when the client came that way.
pub fn owner_path(scope: &Scope<'_>, what: &str) -> String {
    let request = scope.request;
    let owner = match request.segments.first() {
        Some(first) if first.eq_ignore_ascii_case("me") => "me".to_owned(),
        _ => format!("users('{}')", links::user_key(request)),
    };
    format!("{}/{owner}/{what}", request.service_root())
}

fn query(asked: Option<&Asked>) -> String {
    let Some(asked) = asked else { return String::new() };
    let top = asked.top.map(|top| top.to_string());
    let order = asked.ordered.then(|| "receivedDateTime desc".to_owned());
    let pairs: Vec<String> = [
        ("$select", &asked.select),
        ("$filter", &asked.filter),
        ("$expand", &asked.expand),
        ("changeType", &asked.change_type),
        ("$orderby", &order),
        ("$top", &top),
    ]
    .into_iter()
    .filter_map(|(name, value)| {
        let value = value.as_deref()?;
        Some(format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
    })
    .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    }
}

/// Whether a token is too old for the tenant's switches.
#[must_use]
pub fn too_old(behaviour: &MailBehaviour, token: &Token, now: Seconds) -> bool {
    behaviour
        .delta_token_life
        .is_some_and(|life| now.saturating_sub(token.made) >= life)
}
