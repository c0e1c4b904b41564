//! A proxy that leads every tunnel to the sandbox.
//!
//! Owns the `CONNECT` listener: whatever host a client names, it reaches the sandbox's own TLS interface, so that
//! programs with Microsoft's host names built in can be tested with `HTTPS_PROXY` alone. It opens no connection to
//! anywhere else and forwards no plain request. At most [`MAX_TUNNELS`] run at once; further connections wait.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Tunnels at once: far above one program's connection pool.
const MAX_TUNNELS: usize = 1000;
/// Longest request head.
const MAX_HEAD: usize = 16 * 1024;
/// How long a client may take to say where it wants to go.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// What a request head asks for.
#[derive(Debug, PartialEq, Eq)]
enum Head {
    Connect,
    Other,
    Malformed,
}

/// Accepts connections until the sandbox stops and tunnels each to `to`.
pub async fn serve(listener: TcpListener, to: SocketAddr, stop: CancellationToken) {
    let to = reachable(to);
    let room = Arc::new(Semaphore::new(MAX_TUNNELS));
    let mut tunnels = JoinSet::new();
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = Arc::clone(&room).acquire_owned() => permit,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        while tunnels.try_join_next().is_some() {}
        match (accepted, permit) {
            (Ok((stream, _)), Ok(permit)) => {
                tunnels.spawn(async move {
                    if let Err(error) = tunnel(stream, to).await {
                        tracing::debug!(%error, "a tunnel ended early");
                    }
                    drop(permit);
                });
            }
            (Err(error), _) => tracing::warn!(%error, "a proxy connection could not be accepted"),
            (Ok(_), Err(_)) => break,
        }
    }
    tunnels.shutdown().await;
}

/// An address that is listened on everywhere is reached over loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn tunnel(mut client: TcpStream, to: SocketAddr) -> io::Result<()> {
    let read = tokio::time::timeout(HEAD_TIMEOUT, read_head(&mut client)).await;
    let (head, early) = read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    match judge(&head) {
        Head::Connect => {}
        Head::Other => {
            return refuse(&mut client, "405 Method Not Allowed", "this proxy only accepts CONNECT").await;
        }
        Head::Malformed => return refuse(&mut client, "400 Bad Request", "not an HTTP request").await,
    }
    let mut server = TcpStream::connect(to).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    server.write_all(&early).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// The request head, and what the client sent after it without waiting.
async fn read_head(client: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut head = Vec::new();
    loop {
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            let early = head.split_off(end + 4);
            return Ok((head, early));
        }
        if head.len() >= MAX_HEAD {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut piece = [0_u8; 2048];
        let count = client.read(&mut piece).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&piece[..count]);
    }
}

fn judge(head: &[u8]) -> Head {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let Ok(line) = std::str::from_utf8(line) else {
        return Head::Malformed;
    };
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Head::Malformed;
    };
    let names_a_port = || {
        let port = target
            .rsplit_once(':')
            .map(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        port.unwrap_or(false)
    };
    match method {
        _ if !version.starts_with("HTTP/1.") => Head::Malformed,
        "CONNECT" if names_a_port() => Head::Connect,
        "CONNECT" => Head::Malformed,
        _ => Head::Other,
    }
}

async fn refuse(client: &mut TcpStream, status: &str, reason: &str) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 {status}\r\nAllow: CONNECT\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{reason}",
        reason.len()
    );
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_connect_request_opens_a_tunnel() {
        assert_eq!(
            judge(b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\n\r\n"),
            Head::Connect
        );
        assert_eq!(judge(b"GET http://graph.microsoft.com/ HTTP/1.1\r\n\r\n"), Head::Other);
        for bad in [
            &b"CONNECT graph.microsoft.com HTTP/1.1\r\n"[..],
            b"CONNECT",
            b"",
            b"\xff x HTTP/1.1",
        ] {
            assert_eq!(judge(bad), Head::Malformed);
        }
    }

    #[test]
    fn an_address_everywhere_is_reached_over_loopback() {
        let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8443));
        assert_eq!(reachable(everywhere).to_string(), "127.0.0.1:8443");
    }
}
