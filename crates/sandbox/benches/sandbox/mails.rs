//! Mails for the measurements: plain and HTML in turn, 8 kB on average, all different.
//!
//! Owns their text. The same number always gives the same mail.

use std::fmt::Write as _;

/// Smallest mail, without its headers.
const SMALLEST: usize = 1_000;
/// Step and number of sizes: evenly spread, 8 kB on average with headers.
const STEP: usize = 990;
const SIZES: usize = 14;

/// The mail with this number.
pub fn mail(number: usize) -> Vec<u8> {
    let length = SMALLEST + (number * 5 % SIZES) * STEP;
    let customer = number % 997;
    let mut mail = format!(
        "Received: from mx.fabrikam.example (10.0.0.1) by mail.contoso.example with SMTP; Tue, 3 Jun 2025 10:00:00 +0000\r\n\
         From: Customer {customer} <customer{customer}@fabrikam.example>\r\n\
         To: Support <support@contoso.example>\r\n\
         Subject: Question {number} about the order of last week\r\n\
         Date: Tue, 3 Jun 2025 10:00:00 +0000\r\n\
         Message-ID: <{number}.question@fabrikam.example>\r\n\
         MIME-Version: 1.0\r\n"
    );
    let html = number.is_multiple_of(2);
    let kind = if html { "html" } else { "plain" };
    let _ = write!(mail, "Content-Type: text/{kind}; charset=utf-8\r\n\r\n");
    if html {
        mail.push_str("<html><body>\r\n");
    }
    let end = mail.len() + length;
    let mut line = 0;
    while mail.len() < end {
        line += 1;
        let _ = if html {
            write!(
                mail,
                "<p style=\"margin:0\">Line {line} of <b>question {number}</b>: where is it &amp; when does it come?</p>\r\n"
            )
        } else {
            write!(
                mail,
                "Line {line} of question {number}: where is the parcel, and when does it come to us?\r\n"
            )
        };
    }
    if html {
        mail.push_str("</body></html>\r\n");
    }
    mail.into_bytes()
}
