//! One SMTP session (RFC 5321, with SIZE, 8BITMIME, SMTPUTF8, PIPELINING, CHUNKING, STARTTLS and enhanced status
//! codes).
//!
//! Owns the order of commands and their replies. A transaction is forgotten at `RSET`, a new greeting, or after its
//! data. A message is answered with 250 only after it is in the mailbox.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, BufWriter};
use tokio_rustls::TlsAcceptor;

use crate::directory::Directory as _;
use crate::faults::SmtpPhase;
use crate::mail::Arrival;
use crate::smtp::reader::{self, Data, Line};
use crate::smtp::trace::{self, Hop};
use crate::state::Sandbox;

const TOO_LARGE: &str = "552 5.3.4 Message size exceeds fixed maximum message size";
/// Recipients of one message, Exchange Online's maximum.
const MAX_RECIPIENTS: usize = 1000;
/// Patience with a silent client.
const IDLE: Duration = Duration::from_secs(300);
/// Wrong commands after which the session ends.
const MAX_ERRORS: usize = 50;

#[derive(Debug, Default)]
struct Transaction {
    from: Option<String>,
    recipients: Vec<String>,
    /// What BDAT brought so far; none before the first chunk.
    chunks: Option<Vec<u8>>,
}

/// Whether the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    Plain,
    Tls,
}

/// How a conversation ended.
enum End<S> {
    Left,
    /// The client wants TLS on this stream.
    StartTls(S),
}

/// Speaks with one client until it leaves.
///
/// # Errors
/// When the connection fails.
pub async fn run<S>(sandbox: &Sandbox, stream: S, peer: SocketAddr, tls: &TlsAcceptor) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match converse(sandbox, stream, peer, Security::Plain).await? {
        End::Left => Ok(()),
        End::StartTls(stream) => {
            let encrypted = tokio::time::timeout(IDLE, tls.accept(stream)).await??;
            converse(sandbox, encrypted, peer, Security::Tls).await.map(|_| ())
        }
    }
}

async fn converse<S>(sandbox: &Sandbox, stream: S, peer: SocketAddr, security: Security) -> std::io::Result<End<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (input, output) = tokio::io::split(stream);
    let (mut input, mut output) = (BufReader::new(input), BufWriter::new(output));
    let host = format!(
        "{}.mail.protection.outlook.com",
        sandbox.tenant.domain.replace('.', "-")
    );
    if security == Security::Plain {
        if let Some(reply) = sandbox.faults.smtp(SmtpPhase::Connect, "") {
            say(&mut output, &reply).await?;
            return Ok(End::Left);
        }
        let greeting = format!("220 {host} Microsoft ESMTP MAIL Service ready (sandbox)");
        say(&mut output, &greeting).await?;
    }
    let mut helo: Option<String> = None;
    let mut transaction = Transaction::default();
    let mut errors = 0;
    while errors < MAX_ERRORS {
        let Ok(line) = tokio::time::timeout(IDLE, reader::line(&mut input)).await else {
            say(&mut output, "421 4.4.1 Connection timed out").await?;
            return Ok(End::Left);
        };
        let line = match line? {
            Line::Text(line) => line,
            Line::TooLong => {
                errors += 1;
                say(&mut output, "500 5.5.6 Line too long").await?;
                continue;
            }
            Line::Closed => return Ok(End::Left),
        };
        let largest = sandbox.mail.transport().settings().max_message_bytes;
        let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
        if let Some(reply) = ordered(sandbox, verb, argument) {
            say(&mut output, &reply).await?;
            // RFC 5321: after 421 the server closes the connection.
            if reply.starts_with("421") {
                return Ok(End::Left);
            }
            continue;
        }
        let reply = match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" if argument.trim().is_empty() => "501 5.5.4 Invalid domain name".to_owned(),
            "EHLO" => {
                (helo, transaction) = (Some(argument.trim().to_owned()), Transaction::default());
                let start_tls = if security == Security::Plain {
                    "250-STARTTLS\r\n"
                } else {
                    ""
                };
                format!(
                    "250-{host} Hello [{}]\r\n250-SIZE {largest}\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n{start_tls}250-8BITMIME\r\n250-CHUNKING\r\n250 SMTPUTF8",
                    peer.ip()
                )
            }
            "HELO" => {
                (helo, transaction) = (Some(argument.trim().to_owned()), Transaction::default());
                format!("250 {host} Hello [{}]", peer.ip())
            }
            "STARTTLS" if security == Security::Tls => {
                "503 5.5.2 Only one STARTTLS command can be issued per session".to_owned()
            }
            "STARTTLS" if !argument.trim().is_empty() => "501 5.5.4 Invalid arguments".to_owned(),
            "STARTTLS" => {
                say(&mut output, "220 2.0.0 SMTP server ready").await?;
                // What was sent before the handshake is not protected by it, and is forgotten (RFC 3207 §4.2).
                return Ok(End::StartTls(input.into_inner().unsplit(output.into_inner())));
            }
            "MAIL" if helo.is_none() => "503 5.5.2 Send hello first".to_owned(),
            "MAIL" if transaction.from.is_some() => "503 5.5.2 Sender already specified".to_owned(),
            "MAIL" => mail(argument, &mut transaction, largest),
            "RCPT" if transaction.from.is_none() => "503 5.5.2 Need mail command".to_owned(),
            "RCPT" if transaction.chunks.is_some() => "503 5.5.2 Bad sequence of commands".to_owned(),
            "RCPT" => recipient(sandbox, argument, &mut transaction),
            "DATA" if transaction.recipients.is_empty() => "503 5.5.2 Need rcpt command".to_owned(),
            "DATA" if transaction.chunks.is_some() => "503 5.5.2 Bad sequence of commands".to_owned(),
            "DATA" => {
                say(&mut output, "354 Start mail input; end with <CRLF>.<CRLF>").await?;
                let Ok(data) = tokio::time::timeout(IDLE, reader::data(&mut input, largest)).await else {
                    say(&mut output, "421 4.4.1 Connection timed out").await?;
                    return Ok(End::Left);
                };
                let transaction = std::mem::take(&mut transaction);
                match data? {
                    Data::Message(message) => {
                        let helo = helo.as_deref().unwrap_or("unknown");
                        deliver(sandbox, &message, transaction, helo, peer).await
                    }
                    Data::TooLarge => TOO_LARGE.to_owned(),
                    Data::Closed => return Ok(End::Left),
                }
            }
            "BDAT" => {
                let Some((size, is_last)) = chunk_of(argument) else {
                    // How many bytes follow is not known, so the conversation cannot go on.
                    say(&mut output, "501 5.5.4 Invalid arguments: BDAT size [LAST]").await?;
                    return Ok(End::Left);
                };
                let held = transaction.chunks.as_ref().map_or(0, Vec::len);
                let room = largest.saturating_sub(held);
                let Ok(data) = tokio::time::timeout(IDLE, reader::chunk(&mut input, size, room)).await else {
                    say(&mut output, "421 4.4.1 Connection timed out").await?;
                    return Ok(End::Left);
                };
                match data? {
                    Data::Closed => return Ok(End::Left),
                    _ if transaction.recipients.is_empty() => "503 5.5.2 Need rcpt command".to_owned(),
                    Data::TooLarge => {
                        transaction = Transaction::default();
                        TOO_LARGE.to_owned()
                    }
                    Data::Message(chunk) => {
                        transaction.chunks.get_or_insert_default().extend_from_slice(&chunk);
                        if is_last {
                            let mut transaction = std::mem::take(&mut transaction);
                            let message = transaction.chunks.take().unwrap_or_default();
                            let helo = helo.as_deref().unwrap_or("unknown");
                            deliver(sandbox, &message, transaction, helo, peer).await
                        } else {
                            format!("250 2.6.0 CHUNK received OK, {size} octets")
                        }
                    }
                }
            }
            "RSET" => {
                transaction = Transaction::default();
                "250 2.0.0 Resetting".to_owned()
            }
            "NOOP" => "250 2.0.0 OK".to_owned(),
            "VRFY" => "252 2.1.5 Cannot VRFY user".to_owned(),
            "HELP" => "214 2.0.0 EHLO HELO STARTTLS MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT".to_owned(),
            "QUIT" => {
                say(&mut output, "221 2.0.0 Service closing transmission channel").await?;
                return Ok(End::Left);
            }
            "AUTH" | "EXPN" => "502 5.5.1 Command not implemented".to_owned(),
            _ => "500 5.5.1 Unrecognized command".to_owned(),
        };
        if reply.starts_with('5') {
            errors += 1;
        }
        say(&mut output, &reply).await?;
    }
    let farewell = "421 4.7.0 Too many errors on this connection, closing transmission channel";
    say(&mut output, farewell).await?;
    Ok(End::Left)
}

/// `size [LAST]`
fn chunk_of(argument: &str) -> Option<(usize, bool)> {
    let mut words = argument.split_whitespace();
    let size = words.next()?.parse().ok()?;
    let is_last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return None,
    };
    words.next().is_none().then_some((size, is_last))
}

async fn say(output: &mut (impl AsyncWrite + Unpin), reply: &str) -> std::io::Result<()> {
    output.write_all(reply.as_bytes()).await?;
    output.write_all(b"\r\n").await?;
    output.flush().await
}

/// The reply that a test ordered for this command, if one did.
fn ordered(sandbox: &Sandbox, verb: &str, argument: &str) -> Option<String> {
    let phase = match verb.to_ascii_uppercase().as_str() {
        "EHLO" | "HELO" => SmtpPhase::Hello,
        "MAIL" => SmtpPhase::Mail,
        "RCPT" => SmtpPhase::Rcpt,
        "DATA" => SmtpPhase::Data,
        _ => return None,
    };
    sandbox.faults.smtp(phase, argument)
}

/// `FROM:<address> SIZE=n …`
fn mail(argument: &str, transaction: &mut Transaction, largest: usize) -> String {
    let Some((address, parameters)) = path(argument, "FROM:") else {
        return "501 5.5.4 Invalid arguments: MAIL FROM:<address>".to_owned();
    };
    if !address.is_empty() && !address.contains('@') {
        return "501 5.1.7 Invalid address".to_owned();
    }
    for parameter in parameters.split_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" if value.parse::<usize>().is_ok_and(|size| size > largest) => {
                return TOO_LARGE.to_owned();
            }
            "SIZE" | "BODY" | "SMTPUTF8" | "RET" | "ENVID" | "AUTH" => {}
            _ => return format!("555 5.5.4 Unsupported option: {name}"),
        }
    }
    transaction.from = Some(address);
    "250 2.1.0 Sender OK".to_owned()
}

/// `TO:<address> …`
fn recipient(sandbox: &Sandbox, argument: &str, transaction: &mut Transaction) -> String {
    let Some((address, parameters)) = path(argument, "TO:").filter(|(address, _)| address.contains('@')) else {
        return "501 5.1.3 Invalid address: RCPT TO:<address>".to_owned();
    };
    if !parameters.is_empty() {
        return format!("555 5.5.4 Unsupported option: {parameters}");
    }
    if transaction.recipients.len() >= MAX_RECIPIENTS {
        return "452 4.5.3 Too many recipients".to_owned();
    }
    if sandbox.mail.accepts(&address) {
        transaction.recipients.push(address);
        return "250 2.1.5 Recipient OK".to_owned();
    }
    let domain = address.rsplit('@').next().unwrap_or_default();
    let known = sandbox.tenant.is_called(domain) || sandbox.tenant.user_by_address(&address).is_some();
    if known {
        "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)".to_owned()
    } else {
        "550 5.7.64 TenantAttribution; Relay Access Denied".to_owned()
    }
}

/// The address in angle brackets after a keyword, and what follows it. A source route is dropped.
fn path(argument: &str, keyword: &str) -> Option<(String, String)> {
    let argument = argument.trim();
    let start = argument.get(..keyword.len())?;
    if !start.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = argument[keyword.len()..].trim_start();
    let (address, parameters) = match rest.strip_prefix('<') {
        Some(rest) => rest.split_once('>')?,
        None => rest.split_once(' ').unwrap_or((rest, "")),
    };
    let address = if address.starts_with('@') {
        address.split_once(':')?.1
    } else {
        address
    };
    Some((address.trim().to_owned(), parameters.trim().to_owned()))
}

async fn deliver(sandbox: &Sandbox, message: &[u8], transaction: Transaction, helo: &str, peer: SocketAddr) -> String {
    if let Some(reply) = sandbox
        .faults
        .smtp(SmtpPhase::EndOfData, &transaction.recipients.join(" "))
    {
        return reply;
    }
    if let Some(problem) = sandbox.saver.as_ref().and_then(|saver| saver.health().problem()) {
        tracing::warn!(problem, "a mail was refused because it could not be saved");
        return "452 4.3.1 Insufficient system storage".to_owned();
    }
    let from = transaction.from.unwrap_or_default();
    let id = sandbox.entropy.uuid();
    let address = peer.ip().to_string();
    let hop = Hop {
        from: &from,
        helo,
        peer: &address,
        at: sandbox.clock.now(),
        id,
        judgement: sandbox.mail.transport().judge(&from, message),
    };
    let only = match transaction.recipients.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    let traced = trace::add(message, &hop, only);
    match sandbox
        .mail
        .deliver_raw(&transaction.recipients, &from, traced, Arrival::Smtp)
        .await
    {
        Ok(_) => format!("250 2.6.0 <{}> Queued mail for delivery", id.simple()),
        Err(error) => format!("550 5.1.1 {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_brackets() {
        let read = |text| path(text, "FROM:");
        assert_eq!(
            read("FROM:<a@b.example> SIZE=5"),
            Some(("a@b.example".to_owned(), "SIZE=5".to_owned()))
        );
        assert_eq!(
            read("from: a@b.example"),
            Some(("a@b.example".to_owned(), String::new()))
        );
        assert_eq!(read("FROM:<>"), Some((String::new(), String::new())));
        assert_eq!(
            read("FROM:<@relay.example:a@b.example>"),
            Some(("a@b.example".to_owned(), String::new()))
        );
        assert_eq!(read("FROM:<a@b.example"), None);
        assert_eq!(read("TO:<a@b.example>"), None);
    }

    #[test]
    fn a_message_that_announces_too_much_is_refused_at_once() {
        let mut transaction = Transaction::default();
        assert!(mail("FROM:<a@b.example> SIZE=101", &mut transaction, 100).starts_with("552"));
        assert!(transaction.from.is_none());
        assert!(mail("FROM:<a@b.example> SIZE=100 BODY=8BITMIME", &mut transaction, 100).starts_with("250"));
    }
}
