//! The page for people.
//!
//! Owns its three files, which are part of the program. They load nothing from elsewhere, and their policy would not
//! let them.

use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

pub async fn html() -> Response {
    file("text/html; charset=utf-8", include_str!("page/index.html"))
}

pub async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("page/style.css"))
}

pub async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("page/page.js"))
}

fn file(content_type: &'static str, content: &'static str) -> Response {
    (
        [(CONTENT_TYPE, content_type), (CONTENT_SECURITY_POLICY, POLICY)],
        content,
    )
        .into_response()
}
