//! The loopback address to which a browser comes back after a sign-in.
//!
//! Owns one listener on 127.0.0.1 for the time of one sign-in. Never answers anybody but this
//! machine, never keeps what it read, and ignores whatever does not carry the sign-in's state.
//! Bounds: sixteen kilobytes and ten seconds for a request, five minutes for the whole.

use std::{io::IsTerminal as _, time::Duration};

use async_trait::async_trait;
use guichet_setup::{Browser, Language, catalogue};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::Command,
    time::timeout,
};
use url::{Url, form_urlencoded};

use crate::failure::{Exit, Failure};

const PATIENCE: Duration = Duration::from_secs(5 * 60);
const REQUEST_WITHIN: Duration = Duration::from_secs(10);
const MAX_REQUEST: usize = 16 * 1024;

/// Waits for the browser.
#[derive(Debug)]
pub(crate) struct Loopback {
    listener: TcpListener,
    port: u16,
    language: Language,
}

impl Loopback {
    /// Listens on a free port.
    pub(crate) async fn listen(language: Language) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            let title = format!("no port of 127.0.0.1 can be listened on: {error}");
            Failure::new(Exit::Local, title, "sign in with --sign-in device-code")
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Self {
            listener,
            port,
            language,
        })
    }

    async fn wait(&self, state: &str) -> String {
        loop {
            // A connection that fails is one that the browser gave up.
            let Ok((mut stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(Some(target)) = timeout(REQUEST_WITHIN, target(&mut stream)).await else {
                continue;
            };
            let query = target.strip_prefix("/?").filter(|query| carries(query, state));
            let (status, text) = match query {
                Some(_) => ("200 OK", catalogue::browser_returned(self.language)),
                None => ("404 Not Found", "404"),
            };
            _ = timeout(REQUEST_WITHIN, answer(&mut stream, status, text)).await;
            if let Some(query) = query {
                return query.to_owned();
            }
        }
    }
}

#[async_trait]
impl Browser for Loopback {
    fn redirect_uri(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    async fn visit(&self, address: &Url, state: &str) -> Option<String> {
        eprintln!("{}", catalogue::browser_open(self.language));
        eprintln!("  address  {address}");
        // Only where a person sits in front of it; without a browser the address is there to copy.
        if std::io::stderr().is_terminal() {
            let mut opener = Command::new("xdg-open");
            opener.arg(address.as_str());
            opener.stdin(std::process::Stdio::null());
            opener.stdout(std::process::Stdio::null());
            opener.stderr(std::process::Stdio::null());
            _ = opener.spawn();
        }
        timeout(PATIENCE, self.wait(state)).await.ok()
    }
}

fn carries(query: &str, state: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "state" && value == state)
}

/// What a GET request asks for; `None` for anything else. Reads to the end of the head.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut chunk = [0; 2048];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let read = stream.read(&mut chunk).await.ok()?;
        if read == 0 || head.len() + read > MAX_REQUEST {
            return None;
        }
        head.extend_from_slice(&chunk[..read]);
    }
    let text = std::str::from_utf8(&head).ok()?;
    let mut words = text.lines().next()?.split(' ');
    (words.next() == Some("GET")).then(|| words.next().map(str::to_owned))?
}

async fn answer(stream: &mut TcpStream, status: &str, text: &str) -> std::io::Result<()> {
    let page = format!("<!doctype html><meta charset=\"utf-8\"><title>Guichet</title><p>{text}</p>\n");
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n",
        page.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(page.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(port: u16, target: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn only_the_answer_with_the_state_ends_the_wait() {
        let loopback = Loopback::listen(Language::French).await.unwrap();
        let port = loopback.port;
        let visitor = async {
            assert!(get(port, "/favicon.ico").await.starts_with("HTTP/1.1 404"));
            assert!(get(port, "/?code=stolen&state=other").await.starts_with("HTTP/1.1 404"));
            let page = get(port, "/?code=c&state=ours").await;
            assert!(page.starts_with("HTTP/1.1 200"), "{page}");
            assert!(page.contains(catalogue::browser_returned(Language::French)), "{page}");
        };
        let (query, ()) = tokio::join!(loopback.wait("ours"), visitor);
        assert_eq!(query, "code=c&state=ours");
    }
}
