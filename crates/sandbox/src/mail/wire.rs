//! Header blocks of mails that go over the wire, as bytes.
//!
//! Owns the little that Exchange changes about a mail a client submits as MIME: blind copies and `Auto-Submitted` go,
//! missing headers come, trace headers are put on top. The body is never decoded.

use jiff::Timestamp;

/// One header field: its name and all its bytes including folded lines and line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderField<'a> {
    pub name: &'a [u8],
    pub bytes: &'a [u8],
}

/// Splits a mail into header fields and the rest, which begins with the empty line.
#[must_use]
pub fn split(mail: &[u8]) -> (Vec<HeaderField<'_>>, &[u8]) {
    let mut fields: Vec<HeaderField<'_>> = Vec::new();
    let mut at = 0;
    let mut start = 0;
    while at < mail.len() {
        let end = mail[at..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(mail.len(), |offset| at + offset + 1);
        let line = &mail[at..end];
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        let continues = matches!(line.first(), Some(b' ' | b'\t'));
        if continues && let Some(last) = fields.last_mut() {
            last.bytes = &mail[start..end];
        } else if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            start = at;
            fields.push(HeaderField {
                name: line[..colon].trim_ascii(),
                bytes: line,
            });
        } else {
            break;
        }
        at = end;
    }
    (fields, &mail[at..])
}

/// Headers a client must not bring to the wire.
const STRIPPED: [&[u8]; 6] = [
    b"bcc",
    b"resent-bcc",
    b"auto-submitted",
    b"return-path",
    b"received",
    b"x-ms-exchange-organization-authas",
];

/// A submitted mail as it leaves: stripped, and completed with those of `defaults` (name, value) that it lacks.
#[must_use]
pub fn outgoing(mail: &[u8], defaults: &[(&str, String)]) -> Vec<u8> {
    let (fields, rest) = split(mail);
    let mut out = Vec::with_capacity(mail.len() + 512);
    for (name, value) in defaults {
        if !fields
            .iter()
            .any(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
        {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
    for field in &fields {
        if !STRIPPED
            .iter()
            .any(|stripped| field.name.eq_ignore_ascii_case(stripped))
        {
            out.extend_from_slice(field.bytes);
            if !field.bytes.ends_with(b"\n") {
                out.extend_from_slice(b"\r\n");
            }
        }
    }
    if !rest.starts_with(b"\r\n") && !rest.starts_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(rest);
    out.shrink_to_fit();
    out
}

/// A mail with trace headers on top, as a receiving server writes them.
#[must_use]
pub fn traced(mail: &[u8], mail_from: &str, id: &str, domain: &str, at: Timestamp) -> Vec<u8> {
    let date = rfc2822(at);
    let trace = format!(
        "Received: from mail.{domain} by mail.{domain} with Microsoft SMTP Server id {id};\r\n\t{date}\r\n\
         Received: from mail.{domain} by mail.{domain} with mapi id {id};\r\n\t{date}\r\n\
         Return-Path: <{mail_from}>\r\n"
    );
    let mut out = Vec::with_capacity(trace.len() + mail.len());
    out.extend_from_slice(trace.as_bytes());
    out.extend_from_slice(mail);
    out
}

/// A date as mail headers carry it.
#[must_use]
pub fn rfc2822(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submitted_mail_loses_its_blind_copies_and_keeps_its_body() {
        let mail = b"To: a@x\nBCC: secret@x,\n more@x\nAuto-Submitted: auto-replied\nSubject: s\n\nbody\xff\n";
        let out = outgoing(
            mail,
            &[("Message-ID", "<m@x>".to_owned()), ("Subject", "no".to_owned())],
        );
        assert_eq!(out, b"Message-ID: <m@x>\r\nTo: a@x\nSubject: s\n\nbody\xff\n");
    }

    #[test]
    fn broken_header_blocks_keep_every_byte_of_the_rest() {
        for mail in [
            &b"no header"[..],
            b"",
            b"\r\nbody",
            b"A: 1",
            b"A: 1\r\nbroken line\r\nB: 2\r\n\r\nx",
        ] {
            let (fields, rest) = split(mail);
            let joined: Vec<u8> = fields
                .iter()
                .flat_map(|field| field.bytes.to_vec())
                .chain(rest.to_vec())
                .collect();
            assert_eq!(joined, mail);
        }
    }
}
