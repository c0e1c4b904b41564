//! What listens at the notification address: a server that answers a validation, or misbehaves.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use url::Url;

/// A running endpoint.
pub(crate) struct Endpoint {
    pub url: Url,
    /// A sign-in page stands before it.
    pub guarded: Arc<AtomicBool>,
    /// It takes the request and never answers.
    pub silent: Arc<AtomicBool>,
    /// Ends with the endpoint.
    _serving: JoinSet<()>,
}

impl Endpoint {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (guarded, silent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let modes = (guarded.clone(), silent.clone());
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, modes.0.load(Ordering::SeqCst), modes.1.load(Ordering::SeqCst)).await;
            }
        });
        Self {
            url: format!("http://{address}/notifications/graph").parse().unwrap(),
            guarded,
            silent,
            _serving: serving,
        }
    }
}

async fn serve(mut stream: TcpStream, guarded: bool, silent: bool) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).await.is_ok() {
        head.push(byte[0]);
    }
    if silent {
        // Until the client gives up.
        let _ = stream.read(&mut byte).await;
        return;
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap();
    let target = Url::parse(&format!("http://localhost{target}")).unwrap();
    let token = target
        .query_pairs()
        .find(|(name, _)| name == "validationToken")
        .unwrap()
        .1;
    let (kind, body) = if guarded {
        ("text/html", "<title>Sign in</title>".to_owned())
    } else {
        ("text/plain", token.into_owned())
    };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}
