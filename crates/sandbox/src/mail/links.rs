//! URLs inside answers: `@odata.context`, next links, locations.
//!
//! Owns their spelling. Every absolute URL starts with the host the client used, so that a client behind any name or
//! port finds its way back.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::server::paths::GraphRequest;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'=')
    .remove(b'$');
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b',')
    .remove(b'(')
    .remove(b')')
    .remove(b'/')
    .remove(b':');

/// A key as it stands in parentheses of a context: `users('support%40contoso.example')`.
#[must_use]
pub fn key(text: &str) -> String {
    utf8_percent_encode(text, KEY).to_string()
}

/// The user as the request addressed it: the segment after `users`, or the caller's own id for `/me`.
#[must_use]
pub fn user_key(request: &GraphRequest) -> String {
    match request.segments.first() {
        Some(first) if first.eq_ignore_ascii_case("users") => {
            key(request.segments.get(1).map(String::as_str).unwrap_or_default())
        }
        _ => request.caller.user_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// `{root}/$metadata#users('…')/{rest}`.
#[must_use]
pub fn context(request: &GraphRequest, rest: &str) -> String {
    format!(
        "{}/$metadata#users('{}')/{rest}",
        request.service_root(),
        user_key(request)
    )
}

/// `{root}/users('…')/{rest}` for a Location header.
#[must_use]
pub fn location(request: &GraphRequest, rest: &str) -> String {
    format!("{}/users('{}')/{rest}", request.service_root(), user_key(request))
}

/// The request's own URL with other query pairs.
#[must_use]
pub fn same_path(request: &GraphRequest, pairs: &[(String, String)]) -> String {
    let path: Vec<String> = request
        .segments
        .iter()
        .map(|segment| utf8_percent_encode(segment, SEGMENT).to_string())
        .collect();
    let query: Vec<String> = pairs
        .iter()
        .map(|(name, value)| {
            format!(
                "{}={}",
                utf8_percent_encode(name, QUERY),
                utf8_percent_encode(value, QUERY)
            )
        })
        .collect();
    format!("{}/{}?{}", request.service_root(), path.join("/"), query.join("&"))
}

/// The next page of a listing: the same query that goes on at `$skip` or `$skiptoken`.
#[must_use]
pub fn next_page(request: &GraphRequest, option: &str, value: &str) -> String {
    let mut pairs: Vec<(String, String)> = request
        .query
        .iter()
        .filter(|(name, _)| {
            let name = name.trim_start_matches('$');
            !name.eq_ignore_ascii_case("skip") && !name.eq_ignore_ascii_case("skiptoken")
        })
        .cloned()
        .collect();
    pairs.push((option.to_owned(), value.to_owned()));
    same_path(request, &pairs)
}
