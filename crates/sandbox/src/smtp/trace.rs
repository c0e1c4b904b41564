//! The trace headers a receiving server adds.
//!
//! Owns `Return-Path`, `Received`, and what the filter says of the sender. They stand before the message, whose own
//! bytes stay as they are.

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use crate::mail::transport::verdicts::Judgement;

/// How a message came.
#[derive(Debug, Clone)]
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
    /// What the filter thinks of it.
    pub judgement: Judgement,
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
    ) + &judged(hop);
    let mut traced = Vec::with_capacity(trace.len() + message.len());
    traced.extend_from_slice(trace.as_bytes());
    traced.extend_from_slice(message);
    traced.into()
}

/// The filter's headers, as Exchange Online Protection writes them.
fn judged(hop: &Hop<'_>) -> String {
    let Judgement {
        scl,
        spf,
        dkim,
        dmarc,
        author_domain,
    } = &hop.judgement;
    let peer = plain(hop.peer);
    let sender = match hop.from.rsplit_once('@') {
        Some((_, domain)) => plain(domain),
        None => plain(hop.helo),
    };
    let author = plain(author_domain);
    let mut first = spf.chars();
    let received: String = first
        .next()
        .map(|letter| letter.to_ascii_uppercase())
        .into_iter()
        .chain(first)
        .collect();
    let signed = match dkim.as_str() {
        "none" => "dkim=none (message not signed) header.d=none".to_owned(),
        "pass" => format!("dkim=pass (signature was verified) header.d={author}"),
        other => format!("dkim={other} header.d={author}"),
    };
    let whole = match dmarc.as_str() {
        "fail" => "compauth=fail reason=000",
        "pass" | "bestguesspass" => "compauth=pass reason=100",
        _ => "compauth=pass reason=109",
    };
    let verdict = if *scl >= 5 { "SPM" } else { "NSPM" };
    format!(
        "Received-SPF: {received} (protection.outlook.com: domain of {sender})\r\n receiver=protection.outlook.com; client-ip={peer}; helo={};\r\n\
         Authentication-Results: spf={spf} (sender IP is {peer})\r\n smtp.mailfrom={sender}; {signed};\r\n dmarc={dmarc} action=none header.from={author};{whole}\r\n\
         X-MS-Exchange-Organization-SCL: {scl}\r\n\
         X-MS-Exchange-Organization-AuthAs: Anonymous\r\n\
         X-Forefront-Antispam-Report: CIP:{peer};CTRY:;LANG:en;SCL:{scl};SRV:;IPV:NLI;SFV:{verdict};DIR:INB;\r\n",
        plain(hop.helo),
    )
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
            judgement: Judgement {
                scl: 6,
                spf: "softfail".to_owned(),
                dkim: "none".to_owned(),
                dmarc: "fail".to_owned(),
                author_domain: "b.example\r\nX: y".to_owned(),
            },
        };
        let traced = add(b"Subject: \xff\r\n\r\n", &hop, Some("c@contoso.example"));
        assert!(traced.starts_with(b"Return-Path: <a@b.example>\r\nReceived: from xBcc: y ([192.0.2.1])\r\n"));
        let text = String::from_utf8_lossy(&traced);
        assert!(
            text.contains(" Thu, 01 Jan 1970 00:00:00 +0000\r\nReceived-SPF: Softfail ("),
            "{text}"
        );
        assert!(
            text.contains(
                "header.from=b.exampleX: y;compauth=fail reason=000\r\nX-MS-Exchange-Organization-SCL: 6\r\n"
            ),
            "{text}"
        );
        assert!(traced.ends_with(b";SFV:SPM;DIR:INB;\r\nSubject: \xff\r\n\r\n"));
    }
}
