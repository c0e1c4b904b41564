//! The smallest HTTP/1.1 client that can keep up: one connection, one request at a time, no parsing beyond lengths.
//!
//! Owns framing. It refuses what it does not understand instead of guessing.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes read at once.
const READ: usize = 256 * 1024;

/// A kept-alive connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
    chunk: Vec<u8>,
}

/// An answer; its body lies in the connection until the next request.
#[derive(Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Connection {
    /// Connects to `host:port` of a base URL.
    pub async fn open(base: &str) -> Self {
        let host = base.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket option");
        Self {
            stream,
            host,
            buffer: Vec::with_capacity(READ),
            chunk: vec![0; READ],
        }
    }

    /// Sends a request and reads the whole answer. `head` holds further header lines, each with its end.
    pub async fn send(&mut self, method: &str, path: &str, head: &str, body: &[u8]) -> Answer<'_> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n{head}\r\n",
            self.host,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).await.expect("the request is taken");
        self.buffer.clear();
        let end = loop {
            let from = self.buffer.len().saturating_sub(3);
            self.more().await;
            if let Some(at) = self.buffer[from..].windows(4).position(|four| four == b"\r\n\r\n") {
                break from + at + 4;
            }
        };
        let headers = std::str::from_utf8(&self.buffer[..end]).expect("headers are text");
        let status = headers.get(9..12).and_then(|text| text.parse().ok()).expect("a status");
        let length = headers
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, value)| value.trim().parse::<usize>().expect("a length"));
        while self.buffer.len() < end + length {
            self.more().await;
        }
        Answer {
            status,
            body: &self.buffer[end..end + length],
        }
    }

    async fn more(&mut self) {
        let read = self.stream.read(&mut self.chunk).await.expect("an answer");
        assert_ne!(read, 0, "the connection ended early");
        self.buffer.extend_from_slice(&self.chunk[..read]);
    }
}
