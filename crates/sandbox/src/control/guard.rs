//! Who may talk to the control interface: programs on this machine, and the page it serves itself.
//!
//! Owns the defence against web pages in a browser on the same machine. The interface has no passwords, so a name that
//! another site points at this machine (DNS rebinding) and requests that another site sends (cross-site requests) are
//! refused. Programs send neither `Origin` nor `Sec-Fetch-Site` and pass.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use http::{HeaderMap, Method, Uri};

use crate::control::answers::Refusal;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Names besides `localhost` and addresses under which the interface may be called.
pub type Names = Arc<[String]>;

/// Refuses requests of foreign pages.
pub async fn check(State(names): State<Names>, request: Request, next: Next) -> Response {
    if let Err(text) = judge(&names, request.method(), request.uri(), request.headers()) {
        return Refusal::forbidden(text).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("cross-origin-resource-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

fn judge(names: &[String], method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), String> {
    let given = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(http::uri::Authority::as_str).or(given);
    let host = host.unwrap_or_default().to_ascii_lowercase();
    if !is_ours(&host, names) {
        return Err(format!(
            "the control interface is not called '{host}': use its address or localhost, or start with --control-host"
        ));
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return Err("a page of another site sent this request".to_owned());
    }
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    match origin {
        Some(origin) if !origin.eq_ignore_ascii_case(&format!("http://{host}")) => {
            Err(format!("a page of {origin} sent this request"))
        }
        _ => Ok(()),
    }
}

/// An address has no name that another site could claim.
fn is_ours(host: &str, names: &[String]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    name == "localhost"
        || name.ends_with(".localhost")
        || bare.parse::<IpAddr>().is_ok()
        || names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(method: &Method, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        judge(&["sandbox".to_owned()], method, &Uri::from_static("/clock"), &map).is_ok()
    }

    #[test]
    fn programs_and_the_own_page_pass() {
        for headers in [
            &[("host", "127.0.0.1:8480")][..],
            &[("host", "localhost:8480")],
            &[("host", "[::1]:8480")],
            &[("host", "10.0.0.7:8480")],
            &[("host", "SANDBOX:8480")],
            &[
                ("host", "localhost:1"),
                ("origin", "http://localhost:1"),
                ("sec-fetch-site", "same-origin"),
            ],
            &[("host", "localhost:1"), ("sec-fetch-site", "none")],
        ] {
            assert!(judged(&Method::POST, headers), "{headers:?}");
            assert!(judged(&Method::GET, headers), "{headers:?}");
        }
    }

    #[test]
    fn a_foreign_name_is_refused_even_for_reading() {
        for host in [
            "evil.example:8480",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
        ] {
            assert!(!judged(&Method::GET, &[("host", host)]), "{host}");
        }
        assert!(!judged(&Method::GET, &[]));
    }

    #[test]
    fn requests_of_foreign_pages_are_refused() {
        for headers in [
            &[("host", "localhost:1"), ("origin", "https://evil.example")][..],
            &[("host", "localhost:1"), ("origin", "null")],
            &[("host", "localhost:1"), ("origin", "http://localhost:2")],
            &[("host", "localhost:1"), ("sec-fetch-site", "cross-site")],
            &[("host", "localhost:1"), ("sec-fetch-site", "same-site")],
        ] {
            assert!(!judged(&Method::POST, headers), "{headers:?}");
        }
    }
}
