//! The transport against small servers: what is sent, what is refused, and how failures are named.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get};
use bytes::Bytes;
use guichet_net::{BodyLimit, HttpRequest, HttpResponse, NetConfig, ReqwestTransport, Transport};
use guichet_net::{TransportError, TransportErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

const LIMIT: BodyLimit = BodyLimit::bytes(1000);

async fn serve(router: Router) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, tasks)
}

fn request(method: Method, url: &str) -> HttpRequest {
    HttpRequest {
        method,
        url: Url::parse(url).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
    }
}

async fn exchange(method: Method, url: &str) -> Result<HttpResponse, TransportError> {
    ReqwestTransport::new(&NetConfig::default())
        .unwrap()
        .send(request(method, url), LIMIT)
        .await
}

/// Accepts one connection, reads something, writes `answer` and cuts the connection.
async fn cut_after(answer: &'static [u8]) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 1024];
        let _ = socket.read(&mut buffer).await.unwrap();
        socket.write_all(answer).await.unwrap();
    });
    (address, tasks)
}

#[tokio::test]
async fn answers_of_any_status_are_answers() {
    let (address, _server) = serve(Router::new().route("/", any(|| async { (StatusCode::BAD_GATEWAY, "no") }))).await;
    let answer = exchange(Method::GET, &format!("http://{address}/")).await.unwrap();
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.body, "no");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let router = Router::new()
        .route("/from", get(|| async { Redirect::temporary("/to") }))
        .route("/to", get(|| async { "arrived" }));
    let (address, _server) = serve(router).await;
    let answer = exchange(Method::GET, &format!("http://{address}/from")).await.unwrap();
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
}

#[tokio::test]
async fn body_up_to_the_limit_passes_and_one_byte_more_is_refused() {
    let sized = |length: usize| move || async move { vec![b'x'; length] };
    let router = Router::new()
        .route("/fits", get(sized(1000)))
        .route("/over", get(sized(1001)));
    let (address, _server) = serve(router).await;
    let fits = exchange(Method::GET, &format!("http://{address}/fits")).await.unwrap();
    assert_eq!(fits.body.len(), 1000);
    let over = exchange(Method::GET, &format!("http://{address}/over"))
        .await
        .unwrap_err();
    assert_eq!(over.kind, TransportErrorKind::BodyTooLarge);
}

#[tokio::test]
async fn body_without_declared_length_is_bounded_too() {
    let endless = || async {
        let chunk = || Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 400]));
        Body::from_stream(futures::stream::iter((0..100).map(move |_| chunk()))).into_response()
    };
    let (address, _server) = serve(Router::new().route("/", get(endless))).await;
    let error = exchange(Method::GET, &format!("http://{address}/")).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::BodyTooLarge);
}

#[tokio::test]
async fn empty_post_states_its_length() {
    let length = |request: Request| async move {
        let value = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .map(|value| value.to_str().unwrap().to_owned());
        value.unwrap_or_else(|| "absent".to_owned())
    };
    let (address, _server) = serve(Router::new().route("/", any(length))).await;
    let url = format!("http://{address}/");
    assert_eq!(exchange(Method::POST, &url).await.unwrap().body, "0");
    assert_eq!(exchange(Method::GET, &url).await.unwrap().body, "absent");
}

#[tokio::test]
async fn refused_connection_provably_had_no_effect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = exchange(Method::POST, &format!("http://{address}/")).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Connect);
    assert!(!error.may_have_had_effect());
}

#[tokio::test]
async fn unknown_host_provably_had_no_effect() {
    let error = exchange(Method::POST, "http://nowhere.invalid/").await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Dns);
    assert!(!error.may_have_had_effect());
}

#[tokio::test]
async fn cut_after_the_request_may_have_had_effect_and_is_not_repeated() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    let counter = accepted.clone();
    tasks.spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let mut buffer = [0; 1024];
            let _ = socket.read(&mut buffer).await.unwrap();
        }
    });
    let error = exchange(Method::POST, &format!("http://{address}/send"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Closed);
    assert!(error.may_have_had_effect());
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn cut_inside_the_body_is_not_a_short_answer() {
    let (address, _server) = cut_after(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this").await;
    let error = exchange(Method::GET, &format!("http://{address}/")).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Closed);
}

#[tokio::test]
async fn silent_server_is_a_timeout_that_may_have_had_effect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = NetConfig {
        request_timeout: Duration::from_millis(50),
        ..NetConfig::default()
    };
    let client = ReqwestTransport::new(&config).unwrap();
    let outcome = client
        .send(request(Method::POST, &format!("http://{address}/")), LIMIT)
        .await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Timeout);
    assert!(error.may_have_had_effect());
}

#[tokio::test]
async fn query_and_credentials_appear_in_no_text() {
    let error = exchange(Method::GET, "http://user:pass@nowhere.invalid/upload?authtoken=hidden")
        .await
        .unwrap_err();
    let mut sent = request(Method::GET, "http://user:pass@nowhere.invalid/upload?authtoken=hidden");
    let mut bearer = header::HeaderValue::from_static("Bearer hidden");
    bearer.set_sensitive(true);
    sent.headers.insert(header::AUTHORIZATION, bearer);
    sent.body = Bytes::from_static(b"client_secret=hidden");
    let config = NetConfig {
        proxy: Some(Url::parse("http://me:hidden@proxy").unwrap()),
        ..NetConfig::default()
    };
    let text = format!("{error} {error:?} {sent:?} {config:?}");
    assert!(!text.contains("hidden") && !text.contains("pass@"), "{text}");
    assert!(text.contains("nowhere.invalid/upload"), "{text}");
}
