//! What every request passes: the bound on work in flight, the request id, the end of a panic, counting,
//! and the security headers.

use std::panic::AssertUnwindSafe;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use guichet_domain::uuid_v7;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tokio::sync::Semaphore;

use crate::{
    problem::{Code, Problem},
    state::{ApiState, MAX_IN_FLIGHT, MAX_NOTIFICATIONS_AT_ONCE},
};

/// Nothing that we answer may load anything, be framed, or run, unless a handler says so.
const NOTHING_ALLOWED: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost layer.
pub(crate) async fn pass(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let method = known_method(request.method());
    let route = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().to_owned(),
        // Unknown paths share one label: their number is the client's to choose.
        None => "unmatched".to_owned(),
    };
    let id = uuid_v7(state.parts.clock.as_ref(), state.parts.entropy.as_ref()).to_string();
    let share = share(&state, request.uri().path());
    let permit = share.map(|(semaphore, _)| semaphore.try_acquire()).transpose();
    let mut response = match permit {
        Ok(_permit) => match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(_) => {
                // The panic's text was printed by the panic hook.
                tracing::error!(method, route, request_id = id, "a handler panicked");
                Problem::internal().into_response()
            }
        },
        Err(_) => {
            let bound = share.map_or(0, |(_, bound)| bound);
            let detail = format!("{bound} requests of this kind are being worked on");
            Problem::new(Code::Overloaded, detail).into_response()
        }
    };
    let status = response.status().as_u16();
    state.metrics.count_request(method, &route, status);
    tracing::debug!(method, route, status, request_id = id, "answered");
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    secure(response.headers_mut());
    response
}

/// The bound that a request counts against, with its size; none for the question whether the process
/// lives, which must be answered above all when everything else is refused.
fn share<'a>(state: &'a ApiState, path: &str) -> Option<(&'a Semaphore, usize)> {
    match path {
        "/healthz" => None,
        path if path.starts_with("/notifications/") => Some((&state.notifications, MAX_NOTIFICATIONS_AT_ONCE)),
        _ => Some((&state.in_flight, MAX_IN_FLIGHT)),
    }
}

/// Adds what is missing. `Strict-Transport-Security` is left to the proxy or the operator: it binds every
/// port and service of the host name, not only ours.
fn secure(headers: &mut HeaderMap) {
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(NOTHING_ALLOWED);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn known_method(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    match KNOWN.iter().position(|known| known == method) {
        Some(0) => "GET",
        Some(1) => "HEAD",
        Some(2) => "POST",
        Some(3) => "PUT",
        Some(4) => "PATCH",
        Some(5) => "DELETE",
        Some(6) => "OPTIONS",
        _ => "other",
    }
}

/// For paths that no route has.
pub(crate) async fn unknown_route(request: Request) -> Problem {
    Problem::new(
        Code::RouteUnknown,
        format!("there is no route `{}`", shortened(request.uri().path())),
    )
}

/// For methods that a route does not have.
pub(crate) async fn unknown_method(request: Request) -> Problem {
    let path = shortened(request.uri().path());
    Problem::new(
        Code::MethodNotAllowed,
        format!("`{path}` has no method {}", known_method(request.method())),
    )
}

/// Enough of a path to recognise it.
fn shortened(path: &str) -> String {
    const SHOWN: usize = 200;
    if path.chars().count() <= SHOWN {
        return path.to_owned();
    }
    path.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;
    use http::StatusCode;

    #[tokio::test]
    async fn unknown_routes_and_methods_are_problems() {
        let fixture = Fixture::new().await;
        fixture
            .get("/v2/conversations")
            .await
            .is_problem(StatusCode::NOT_FOUND, "route-unknown");
        fixture
            .get("/v1/nothing")
            .await
            .is_problem(StatusCode::NOT_FOUND, "route-unknown");
        let answer = fixture.send(Method::DELETE, "/v1/conversations", &[], "").await;
        answer.is_problem(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed");
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }

    #[tokio::test]
    async fn every_answer_carries_the_security_headers_and_its_id() {
        let fixture = Fixture::new().await;
        let mut ids = std::collections::HashSet::new();
        for path in [
            "/",
            "/healthz",
            "/v1/conversations",
            "/no/such/route",
            "/metrics",
            "/assets/plain.js",
        ] {
            let answer = fixture.get(path).await;
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert!(
                answer
                    .header("content-security-policy")
                    .starts_with("default-src 'none'"),
                "{path}"
            );
            assert!(
                ids.insert(answer.header("x-request-id").to_owned()),
                "{path} repeats a request id"
            );
        }
    }

    #[tokio::test]
    async fn panic_ends_in_a_problem_that_tells_nothing() {
        use axum::{Router, body::Body, middleware::from_fn_with_state, routing::get};
        use tower::ServiceExt;
        async fn broken() -> &'static str {
            panic!("a secret of the implementation")
        }
        let fixture = Fixture::new().await;
        let app: Router = Router::new()
            .route("/", get(broken))
            .layer(from_fn_with_state(fixture.state.clone(), pass));
        let response = app
            .oneshot(Request::get("/").body(Body::empty()).expect("request"))
            .await
            .expect("answer");
        let answer = crate::testing::Answer::read(response).await;
        answer.is_problem(StatusCode::INTERNAL_SERVER_ERROR, "internal");
        assert!(!answer.text().contains("secret"));
    }

    #[tokio::test]
    async fn requests_beyond_the_bound_are_refused_at_once() {
        let fixture = Fixture::new().await;
        let every = u32::try_from(MAX_IN_FLIGHT).expect("small");
        let held = fixture.state.in_flight.acquire_many(every).await.expect("open");
        let answer = fixture.get("/v1/totals").await;
        answer.is_problem(StatusCode::SERVICE_UNAVAILABLE, "overloaded");
        assert!(!answer.header("retry-after").is_empty());
        drop(held);
        assert_eq!(fixture.get("/v1/totals").await.status, StatusCode::OK);
    }

    #[tokio::test]
    async fn flood_of_notifications_leaves_clients_and_health_alone() {
        let fixture = Fixture::new().await;
        let every = u32::try_from(MAX_NOTIFICATIONS_AT_ONCE).expect("small");
        let _held = fixture.state.notifications.acquire_many(every).await.expect("open");
        assert_eq!(fixture.get("/v1/totals").await.status, StatusCode::OK);
        let _busy = fixture
            .state
            .in_flight
            .acquire_many(u32::try_from(MAX_IN_FLIGHT).expect("small"))
            .await;
        assert_eq!(fixture.get("/healthz").await.status, StatusCode::OK);
    }
}
