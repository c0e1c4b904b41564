//! The mails that customers write.
//!
//! Owns their bytes. They are written to be awkward: bytes that are no UTF-8, lines without CRLF, long headers, so
//! that whatever touches them on the way is seen.

use bytes::Bytes;
use jiff::Timestamp;

use crate::dice::Dice;

/// Where a mail stands in the exchange of a customer.
#[derive(Debug)]
pub struct Place<'a> {
    pub customer: &'a str,
    pub mailbox: &'a str,
    pub thread: usize,
    /// From 0.
    pub number: usize,
    pub at: Timestamp,
}

/// The Message-ID of a customer's mail, without brackets.
pub fn message_id(thread: usize, number: usize) -> String {
    format!("t{thread}.n{number}@outside.example")
}

/// The bytes of a mail.
pub fn compose(dice: &Dice, place: &Place<'_>) -> Bytes {
    let Place {
        customer,
        mailbox,
        thread,
        number,
        at,
    } = place;
    let mut head = format!(
        "From: Customer {thread} <{customer}>\r\nTo: {mailbox}\r\nSubject: Question {thread}\r\nDate: {}\r\n\
         Message-ID: <{}>\r\nMIME-Version: 1.0\r\n",
        at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        message_id(*thread, *number)
    );
    if *number > 0 {
        let earlier: Vec<String> = (0..*number).map(|n| format!("<{}>", message_id(*thread, n))).collect();
        head.push_str(&format!(
            "In-Reply-To: <{}>\r\nReferences: {}\r\n",
            message_id(*thread, number - 1),
            earlier.join("\r\n ")
        ));
    }
    let mut bytes = head.into_bytes();
    let mut noise = vec![0; usize::try_from(dice.between(0, 400)).unwrap_or(0)];
    guichet_domain::ports::Entropy::fill(dice, &mut noise);
    noise.retain(|byte| *byte >= 0xA0 || byte.is_ascii_alphanumeric());
    if dice.chance(2_000) {
        bytes.extend_from_slice(b"Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n");
        bytes.extend_from_slice(b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nSee what is attached.\r\n");
        bytes.extend_from_slice(
            b"--b1\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=notes.bin\r\n\r\n",
        );
        bytes.extend_from_slice(&noise);
        bytes.extend_from_slice(b"\r\n--b1--\r\n");
    } else {
        bytes.extend_from_slice(b"Content-Type: text/plain; charset=iso-8859-1\r\n");
        bytes.extend_from_slice(b"Content-Transfer-Encoding: 8bit\r\n\r\nDr\xf4le de question.\nA bare line end.\r\n");
        bytes.extend_from_slice(&noise);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.into()
}
