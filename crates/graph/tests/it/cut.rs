//! Real connections: what goes over the wire, and what happens when it is cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{OriginalUri, Request};
use guichet_graph::{Endpoints, GraphClient, ReplyDraft, RetryPolicy};
use guichet_net::{NetConfig, ReqwestTransport};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

use crate::scripted::fixed_token;
use crate::virtual_time::{NoEntropy, VirtualTime};

fn client(listener: &TcpListener) -> GraphClient {
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    GraphClient::new(
        Arc::new(ReqwestTransport::new(&NetConfig::default()).unwrap()),
        fixed_token(),
        Endpoints {
            authority: base.clone(),
            graph: base,
        },
        RetryPolicy::default(),
        Arc::new(VirtualTime::new()),
        Arc::new(NoEntropy),
    )
}

/// Reads a request from every connection and cuts it.
async fn cutter() -> (GraphClient, Arc<AtomicUsize>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let graph = client(&listener);
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await;
        }
    });
    (graph, connections, tasks)
}

#[tokio::test]
async fn reply_that_is_cut_off_is_sent_once_and_reported_as_open() {
    let (graph, connections, _server) = cutter().await;
    let error = graph.create_reply("u", "m", &ReplyDraft::default()).await.unwrap_err();
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    assert!(error.may_have_had_effect && error.is_retry());
    let error = graph.send_draft("u", "m").await.unwrap_err();
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    assert!(error.may_have_had_effect);
}

#[tokio::test]
async fn read_that_is_cut_off_is_repeated() {
    let (graph, connections, _server) = cutter().await;
    let error = graph.folder("u", "inbox").await.unwrap_err();
    assert_eq!(connections.load(Ordering::SeqCst), 4);
    assert!(!error.may_have_had_effect);
}

#[tokio::test]
async fn ids_reach_the_server_encoded_exactly_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let graph = client(&listener);
    let mut tasks = JoinSet::new();
    let echo = |OriginalUri(uri): OriginalUri, _request: Request| async move { format!(r#"{{"id":"{uri}"}}"#) };
    tasks.spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await.unwrap() });
    let message = graph
        .message("support@contoso.example", "A/b+c=d%2F?#", &["id", "isDraft"])
        .await
        .unwrap();
    assert_eq!(
        message.id,
        "/v1.0/users/support%40contoso.example/messages/A%2Fb%2Bc%3Dd%252F%3F%23?$select=id,isDraft"
    );
}
