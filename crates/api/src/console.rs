//! The console: the single-page app if it was built into the program, else a plain page that does the
//! same work with less comfort.
//!
//! Serves files only. The pages hold no data: they ask the API with the key that the user enters.

use std::borrow::Cow;

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, header};
use rust_embed::RustEmbed;

use crate::{
    problem::{Code, Problem},
    state::ApiState,
};

/// The built app. Absent in a checkout where it was not built; the plain page takes its place.
#[derive(RustEmbed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct App;

/// The plain page: path below `/assets/`, and content.
const PLAIN: [(&str, &str); 5] = [
    ("plain.css", include_str!("console/plain.css")),
    ("plain.js", include_str!("console/plain.js")),
    ("plain-api.js", include_str!("console/plain-api.js")),
    ("plain-text.js", include_str!("console/plain-text.js")),
    ("plain-view.js", include_str!("console/plain-view.js")),
];
const PLAIN_PAGE: &str = include_str!("console/plain.html");

/// Scripts, styles and connections of our own origin only. Style attributes are allowed because mail is
/// shown with its own; images come from the mail itself (`data:`), never from elsewhere.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: \
     blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);
/// Files of the app carry a digest of their content in their names.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// The routes of the console; they are no part of the documented API.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new().route("/", get(page)).route("/assets/{*path}", get(asset))
}

async fn page() -> Response {
    match App::get("index.html") {
        Some(file) => answer("index.html", file.data, ASK_AGAIN),
        None => answer("index.html", Cow::Borrowed(PLAIN_PAGE.as_bytes()), ASK_AGAIN),
    }
}

async fn asset(Path(path): Path<String>) -> Result<Response, Problem> {
    if let Some((name, content)) = PLAIN.iter().find(|(name, _)| *name == path) {
        return Ok(answer(name, Cow::Borrowed(content.as_bytes()), ASK_AGAIN));
    }
    match App::get(&format!("assets/{path}")) {
        Some(file) => Ok(answer(&path, file.data, FOR_EVER)),
        None => Err(Problem::new(Code::RouteUnknown, "the console has no such file")),
    }
}

fn answer(name: &str, content: Cow<'static, [u8]>, caching: HeaderValue) -> Response {
    let mut response = match content {
        Cow::Borrowed(bytes) => bytes.into_response(),
        Cow::Owned(bytes) => bytes.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::CACHE_CONTROL, caching);
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/vnd.microsoft.icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;
    use http::StatusCode;

    #[tokio::test]
    async fn page_is_served_without_a_key_under_a_strict_policy() {
        let fixture = Fixture::new().await;
        let answer = fixture.anonymous(http::Method::GET, "/").await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::OK, "text/html; charset=utf-8")
        );
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self';") && !policy.contains("unsafe-eval"),
            "{policy}"
        );
    }

    #[tokio::test]
    async fn every_file_that_the_plain_page_names_is_served() {
        let fixture = Fixture::new().await;
        let mut named = 0;
        for source in [PLAIN_PAGE]
            .into_iter()
            .chain(PLAIN.iter().map(|(_, content)| *content))
        {
            for part in source
                .split(['"', '\''])
                .filter(|part| part.starts_with("/assets/") || part.starts_with("./plain"))
            {
                named += 1;
                let path = part.replace("./", "/assets/");
                assert_eq!(
                    fixture.anonymous(http::Method::GET, &path).await.status,
                    StatusCode::OK,
                    "{path}"
                );
            }
        }
        assert!(named >= PLAIN.len(), "{named} files named");
    }

    #[test]
    fn plain_page_loads_nothing_from_elsewhere_and_runs_nothing_inline() {
        for source in [PLAIN_PAGE]
            .into_iter()
            .chain(PLAIN.iter().map(|(_, content)| *content))
        {
            assert!(!source.contains("http://") && !source.contains("https://"));
            assert!(!source.contains("innerHTML") && !source.contains("eval("));
        }
        assert!(!PLAIN_PAGE.contains("<style") && !PLAIN_PAGE.contains(" style="));
        assert!(!PLAIN_PAGE.contains("onclick") && !PLAIN_PAGE.contains("<script>"));
    }

    #[tokio::test]
    async fn paths_outside_the_app_are_refused() {
        let fixture = Fixture::new().await;
        for path in [
            "/assets/none.js",
            "/assets/../Cargo.toml",
            "/assets/..%2f..%2fCargo.toml",
            "/assets/%2fetc%2fpasswd",
        ] {
            let answer = fixture.anonymous(http::Method::GET, path).await;
            answer.is_problem(StatusCode::NOT_FOUND, "route-unknown");
        }
    }
}
