//! The trace headers a receiving server adds.
//!
//! Owns `Return-Path` and `Received`. They stand before the message, whose own bytes stay as they are.

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

/// How a message came.
#[derive(Debug, Clone, Copy)]
pub struct Hop<'a> {
    /// Envelope sender; empty for a bounce.
    pub from: &'a str,
    /// How the sending server called itself.
    pub helo: &'a str,
    /// Its address.
    pub peer: &'a str,
    /// When.
    pub at: Timestamp,
    /// Id of the transaction.
    pub id: Uuid,
}

/// The message with its trace. `recipient` is named when there is only one, so that none learns of another.
#[must_use]
pub fn add(message: &[u8], hop: &Hop<'_>, recipient: Option<&str>) -> Bytes {
    let date = hop.at.strftime("%a, %d %b %Y %H:%M:%S +0000");
    let recipient = recipient.map_or_else(String::new, |recipient| format!(" for <{}>", plain(recipient)));
    let trace = format!(
        "Return-Path: <{}>\r\nReceived: from {} ([{}])\r\n by sandbox.mail.protection.outlook.com with ESMTP id {}{recipient};\r\n {date}\r\n",
        plain(hop.from),
        plain(hop.helo),
        plain(hop.peer),
        hop.id.simple(),
    );
    let mut traced = Vec::with_capacity(trace.len() + message.len());
    traced.extend_from_slice(trace.as_bytes());
    traced.extend_from_slice(message);
    traced.into()
}

/// What a client said must not break out of its header.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_follows_its_trace_unchanged() {
        let hop = Hop {
            from: "a@b.example",
            helo: "x\r\nBcc: y",
            peer: "192.0.2.1",
            at: Timestamp::UNIX_EPOCH,
            id: Uuid::nil(),
        };
        let traced = add(b"Subject: \xff\r\n\r\n", &hop, Some("c@contoso.example"));
        assert!(traced.starts_with(b"Return-Path: <a@b.example>\r\nReceived: from xBcc: y ([192.0.2.1])\r\n"));
        assert!(traced.ends_with(b" Thu, 01 Jan 1970 00:00:00 +0000\r\nSubject: \xff\r\n\r\n"));
    }
}
