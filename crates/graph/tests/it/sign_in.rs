//! Tokens of the application: one flight, memory, renewal, refusals.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::post;
use guichet_graph::{Class, ClientCredential, ClientCredentials, Endpoints, Resource, TokenSource};
use guichet_net::{NetConfig, ReqwestTransport, TransportErrorKind};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

use crate::scripted::{Outcome, Script, client_with, endpoints, graph_error, json};
use crate::virtual_time::VirtualTime;

const SECRET: &str = "p@ss&word=+%";

fn resource() -> Resource {
    endpoints().graph_resource()
}

fn granted(token: &str, seconds: u64) -> Outcome {
    json(
        200,
        &json!({ "token_type": "Bearer", "expires_in": seconds, "access_token": token }),
    )
}

fn refused(status: u16, code: u32) -> Outcome {
    let text = format!("AADSTS{code}: refused.\r\nTrace ID: t\r\nCorrelation ID: c\r\nTimestamp: 2026-03-01 12:00:00Z");
    json(
        status,
        &json!({ "error": "invalid_client", "error_description": text, "error_codes": [code] }),
    )
}

fn source(script: &Arc<Script>) -> (Arc<ClientCredentials>, Arc<VirtualTime>) {
    let time = Arc::new(VirtualTime::new());
    let endpoint = endpoints().token_endpoint("contoso.example").unwrap();
    let credential = ClientCredential::Secret(SECRET.into());
    (
        Arc::new(ClientCredentials::new(
            script.clone(),
            time.clone(),
            endpoint,
            "app",
            credential,
        )),
        time,
    )
}

async fn text(source: &ClientCredentials) -> String {
    use secrecy::ExposeSecret;
    source
        .token(resource())
        .await
        .unwrap()
        .secret()
        .expose_secret()
        .to_owned()
}

#[tokio::test]
async fn hundred_concurrent_callers_cause_one_request() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    let answer = move |request: Request| async move {
        let body = axum::body::to_bytes(request.into_body(), 10_000).await.unwrap();
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
        let field = |name: &str| {
            fields
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
                .unwrap()
        };
        assert_eq!(field("grant_type"), "client_credentials");
        assert_eq!(field("client_id"), "app");
        assert_eq!(field("client_secret"), SECRET);
        assert_eq!(field("scope"), "https://graph.microsoft.com/.default");
        counter.fetch_add(1, Ordering::SeqCst);
        // Long enough for every caller to arrive meanwhile; the verdict does not depend on it.
        tokio::task::yield_now().await;
        r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"t"}"#
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    let router = Router::new().route("/contoso.example/oauth2/v2.0/token", post(answer));
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });

    let here = Endpoints {
        authority: Url::parse(&base).unwrap(),
        graph: Url::parse(&base).unwrap(),
    };
    let source = Arc::new(ClientCredentials::new(
        Arc::new(ReqwestTransport::new(&NetConfig::default()).unwrap()),
        Arc::new(VirtualTime::new()),
        here.token_endpoint("contoso.example").unwrap(),
        "app",
        ClientCredential::Secret(SECRET.into()),
    ));
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (source, resource) = (source.clone(), here.graph_resource());
        callers.spawn(async move { source.token(resource).await.unwrap().expires_at() });
    }
    let expiries = callers.join_all().await;
    assert_eq!(expiries.len(), 100);
    assert_eq!(requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn concurrent_callers_share_one_refusal() {
    let script = Script::new([refused(401, 7_000_215)]);
    let (source, _time) = source(&script);
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let source = source.clone();
        callers.spawn(async move { source.token(resource()).await.unwrap_err() });
    }
    for error in callers.join_all().await {
        assert_eq!(
            (error.class, error.code.as_str()),
            (Class::Reauthorise, "AADSTS7000215")
        );
        assert_eq!((error.status, error.request_id.as_deref()), (Some(401), Some("t")));
    }
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn refusal_is_forgotten_after_seconds() {
    let script = Script::new([refused(401, 7_000_215), granted("mended", 3599)]);
    let (source, time) = source(&script);
    source.token(resource()).await.unwrap_err();
    time.advance(Duration::from_secs(6));
    assert_eq!(text(&source).await, "mended");
}

#[tokio::test]
async fn token_is_kept_until_five_minutes_before_its_expiry() {
    let script = Script::new([granted("first", 3600), granted("second", 3600)]);
    let (source, time) = source(&script);
    assert_eq!(text(&source).await, "first");
    time.advance(Duration::from_secs(3299));
    assert_eq!(text(&source).await, "first");
    time.advance(Duration::from_secs(1));
    assert_eq!(text(&source).await, "second");
}

#[tokio::test]
async fn short_lived_token_is_still_kept_for_half_its_life() {
    let script = Script::new([granted("first", 60), granted("second", 60)]);
    let (source, time) = source(&script);
    assert_eq!(text(&source).await, "first");
    time.advance(Duration::from_secs(29));
    assert_eq!(text(&source).await, "first");
    time.advance(Duration::from_secs(1));
    assert_eq!(text(&source).await, "second");
}

#[tokio::test]
async fn old_token_serves_while_the_sign_in_service_is_away() {
    let away = (0..4).map(|_| Outcome::Failure(TransportErrorKind::Connect));
    let script = Script::new([granted("old", 3600)].into_iter().chain(away));
    let (source, time) = source(&script);
    text(&source).await;
    time.advance(Duration::from_secs(3400));
    assert_eq!(text(&source).await, "old");
    time.advance(Duration::from_secs(1));
    assert_eq!(
        text(&source).await,
        "old",
        "and the failure is not asked for again at once"
    );
    assert_eq!(script.remaining(), 0);
}

#[tokio::test]
async fn expires_in_may_be_text() {
    let script = Script::new([json(200, &json!({ "expires_in": "3599", "access_token": "t" }))]);
    let (source, _time) = source(&script);
    let token = source.token(resource()).await.unwrap();
    assert_eq!(token.expires_at(), "2026-03-01T12:59:59Z".parse().unwrap());
}

#[tokio::test]
async fn plain_429_of_the_sign_in_service_is_waited_for() {
    let busy = Outcome::Answer(429, Vec::new(), "Too Many Requests".into()).header("retry-after", "20");
    let script = Script::new([busy, granted("t", 3599)]);
    let (source, time) = source(&script);
    text(&source).await;
    assert_eq!(time.slept_ms(), [20_000]);
}

#[tokio::test]
async fn refused_cached_token_is_renewed_once_and_the_call_repeated_once() {
    let unauthorised = || graph_error(401, "InvalidAuthenticationToken");
    let folder = json(200, &json!({ "id": "f" }));
    let script = Script::new([granted("first", 3600), unauthorised(), granted("second", 3600), folder]);
    let (tokens, _time) = source(&script);
    let (graph, time) = client_with(&script, tokens);
    graph.folder("u", "inbox").await.unwrap();
    let sent: Vec<_> = script
        .asked()
        .iter()
        .filter_map(|r| r.headers.get("authorization").cloned())
        .collect();
    assert_eq!(sent, ["Bearer first", "Bearer second"]);
    assert!(time.slept_ms().is_empty());
}

#[tokio::test]
async fn fresh_token_that_is_refused_too_ends_the_call() {
    let unauthorised = || graph_error(401, "InvalidAuthenticationToken");
    let script = Script::new([granted("a", 3600), unauthorised(), granted("b", 3600), unauthorised()]);
    let (tokens, _time) = source(&script);
    let (graph, _time) = client_with(&script, tokens);
    let error = graph.send_draft("u", "m").await.unwrap_err();
    assert_eq!(error.class, Class::Reauthorise);
    assert!(!error.may_have_had_effect);
    assert_eq!(script.remaining(), 0);
}

#[tokio::test]
async fn second_report_of_the_same_refused_token_does_not_discard_its_successor() {
    let script = Script::new([granted("first", 3600), granted("second", 3600)]);
    let (source, _time) = source(&script);
    let first = source.token(resource()).await.unwrap();
    source.invalidate(&resource(), &first);
    assert_eq!(text(&source).await, "second");
    source.invalidate(&resource(), &first);
    assert_eq!(text(&source).await, "second");
}

#[tokio::test]
async fn secret_and_token_are_absent_from_debug_output() {
    let script = Script::new([granted("hidden-token", 3600), refused(401, 7_000_222)]);
    let (source, time) = source(&script);
    let token = source.token(resource()).await.unwrap();
    time.advance(Duration::from_secs(7200));
    let error = source.token(resource()).await.unwrap_err();
    let (graph, _time) = client_with(&script, source.clone());
    let shown = format!("{source:?} {token:?} {error:?} {error} {graph:?} {:?}", script.asked());
    assert!(
        !shown.contains("hidden-token") && !shown.contains("p@ss") && !shown.contains("p%40ss"),
        "{shown}"
    );
}
