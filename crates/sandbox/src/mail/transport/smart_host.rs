//! SMTP out: handing mail for the outside to a configured server.
//!
//! Owns the connection and the reading of replies. It knows no MX records and no TLS: the server is meant to be a
//! test's own, on the loopback. Each recipient gets the server's own answer: when it refuses one of several, they are
//! sent one by one.

use std::error::Error as _;
use std::time::Duration;

use lettre::address::Envelope as SmtpEnvelope;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use crate::mail::transport::HOST;
use crate::mail::transport::envelope::{Envelope, Failure};

/// How long the server may take for one command.
const PATIENCE: Duration = Duration::from_secs(30);

/// The server that takes all mail for the outside.
#[derive(Debug)]
pub struct SmartHost {
    name: String,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl SmartHost {
    /// A server by `host:port`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a server: give one like 127.0.0.1:2525");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(wrong());
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .timeout(Some(PATIENCE))
            .hello_name(ClientId::Domain(HOST.to_owned()))
            .build();
        Ok(Self {
            name: host.to_owned(),
            transport,
        })
    }

    /// Hands a mail over; says for each recipient what the server said.
    pub async fn send(&self, envelope: &Envelope) -> Vec<(String, Result<(), Failure>)> {
        let bytes = with_crlf(&envelope.bytes);
        let together = self.attempt(&envelope.mail_from, &envelope.recipients, &bytes).await;
        if together.is_ok()
            || envelope.recipients.len() == 1
            || matches!(&together, Err(failure) if failure.remote.is_none())
        {
            return envelope
                .recipients
                .iter()
                .map(|address| (address.clone(), together.clone()))
                .collect();
        }
        let mut results = Vec::new();
        for address in &envelope.recipients {
            let result = self
                .attempt(&envelope.mail_from, std::slice::from_ref(address), &bytes)
                .await;
            results.push((address.clone(), result));
        }
        results
    }

    async fn attempt(&self, from: &str, to: &[String], bytes: &[u8]) -> Result<(), Failure> {
        let address = |text: &str| {
            text.parse::<Address>().map_err(|_| {
                Failure::own(
                    550,
                    "5.1.3",
                    format!("STOREDRV.Submit; invalid recipient address {text}"),
                )
            })
        };
        let sender = (!from.is_empty()).then(|| address(from)).transpose()?;
        let recipients = to.iter().map(|to| address(to)).collect::<Result<Vec<_>, _>>()?;
        let envelope = SmtpEnvelope::new(sender, recipients)
            .map_err(|_| Failure::own(550, "5.1.3", "STOREDRV.Submit; no recipient"))?;
        match self.transport.send_raw(&envelope, bytes).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// What an error of the client means for the mail. Without a reply of the server there is no remote server.
    fn failure(&self, error: &SmtpError) -> Failure {
        let said = error.source().map(ToString::to_string).unwrap_or_default();
        if let Some(code) = error.status() {
            let code = code.to_string().parse().unwrap_or(550);
            return reply(code, &said, &self.name);
        }
        if error.is_client() {
            return Failure::own(550, "5.6.7", format!("SMTPSEND.ClientError; {said}"));
        }
        if error.is_timeout() {
            return Failure::own(451, "4.4.317", "Cannot connect to remote server [Message=Timeout]");
        }
        Failure::own(451, "4.4.316", format!("Connection refused [Message={said}]"))
    }
}

/// A server's reply in its parts.
fn reply(code: u16, said: &str, remote: &str) -> Failure {
    let said = said.replace(['\r', '\n'], " ");
    let (first, rest) = said.split_once(' ').unwrap_or((said.as_str(), ""));
    let numbers: Vec<&str> = first.split('.').collect();
    let is_status = numbers.len() == 3
        && numbers.iter().all(|number| number.parse::<u16>().is_ok())
        && numbers[0] == (code / 100).to_string();
    let (status, text) = if is_status {
        (first.to_owned(), rest.trim().to_owned())
    } else {
        (format!("{}.0.0", code / 100), said.trim().to_owned())
    };
    Failure {
        code,
        status,
        text,
        remote: Some(remote.to_owned()),
    }
}

/// The mail with proper line ends: a bare line feed must not leave a server (RFC 5321 §2.3.8).
fn with_crlf(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len() + mail.len() / 32);
    let mut before = 0_u8;
    for byte in mail {
        if *byte == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(*byte);
        before = *byte;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_taken_apart() {
        let with = reply(550, "5.7.1 no\r\nrelay", "mx");
        assert_eq!((with.status.as_str(), with.text.as_str()), ("5.7.1", "no  relay"));
        let without = reply(452, "try later", "mx");
        assert_eq!((without.status.as_str(), without.text.as_str()), ("4.0.0", "try later"));
        let odd = reply(550, "4.2.1 odd", "mx");
        assert_eq!(odd.status, "5.0.0");
    }

    #[test]
    fn line_ends_are_completed() {
        assert_eq!(with_crlf(b"a\nb\r\nc\r\n\n"), b"a\r\nb\r\nc\r\n\r\n");
    }

    #[test]
    fn servers_have_a_host_and_a_port() {
        for wrong in ["", "localhost", "localhost:port", ":25", "a b:25"] {
            assert!(SmartHost::parse(wrong).is_err(), "{wrong}");
        }
    }
}
