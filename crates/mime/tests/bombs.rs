//! Mails made to exhaust a reader: each is read to the end within the written bounds.
//!
//! Each test would run for minutes, or overflow the stack, if a bound were missing; the verdict is
//! about results, not time.

use guichet_mime::{
    Deviation,
    bounds::{MAX_DEPTH, MAX_HEADER_VALUE, MAX_HEADERS, MAX_HTML, MAX_PARTS, MAX_TEXT},
    parse, sanitise,
};

#[test]
fn hundred_thousand_boundaries() {
    let mut raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    raw.extend(b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n".repeat(100_000));
    let mail = parse(&raw);
    assert!(mail.attachments.len() <= MAX_PARTS);
    assert!(mail.deviations.contains(&Deviation::TooManyParts));
    let kept: usize = mail.attachments.iter().map(|a| a.bytes.len()).sum();
    assert!(kept > 3_000_000, "the rest is kept as one attachment");
}

#[test]
fn nested_messages_are_one_attachment_however_deep() {
    for depth in [1_000, 200_000] {
        let mail = parse(&b"Content-Type: message/rfc822\r\n\r\n".repeat(depth));
        assert_eq!(mail.attachments.len(), 1);
        assert!(mail.attachments[0].name.ends_with(".eml"));
    }
}

#[test]
fn nested_base64_messages_are_not_unwrapped() {
    let mut raw = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
    raw.extend(b"Q29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMg==\r\n".repeat(50_000));
    assert_eq!(parse(&raw).attachments.len(), 1);
}

#[test]
fn multiparts_in_multiparts_are_bounded() {
    let mut raw = Vec::new();
    for level in 0..50_000 {
        raw.extend(format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n").into_bytes());
    }
    raw.extend(b"\r\nthe end\r\n");
    let mail = parse(&raw);
    assert!(mail.deviations.contains(&Deviation::NestedTooDeep));
    assert_eq!(mail.attachments.len(), 1);
    assert!(mail.attachments[0].bytes.ends_with(b"the end\r\n"));
    const { assert!(MAX_DEPTH < 100, "views are read recursively") };
}

#[test]
fn multiparts_whose_boundary_never_comes_do_not_search_for_it() {
    let mut raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    for part in 0..MAX_PARTS {
        raw.extend(
            format!(
                "--b\r\nContent-Type: multipart/mixed; boundary=never{part}\r\n\r\n{}\r\n",
                "x".repeat(500)
            )
            .into_bytes(),
        );
    }
    let mail = parse(&raw);
    assert!(mail.deviations.contains(&Deviation::MissingBoundary));
    assert_eq!(
        mail.text.matches('x').count(),
        500 * (MAX_PARTS - 1),
        "what they hold is text"
    );
}

#[test]
fn headers_are_bounded_in_number_and_length() {
    let mut raw = b"Subject: ".to_vec();
    raw.extend(b"=?utf-8?Q?a?= ".repeat(100_000));
    raw.extend(b"\r\nTo: ");
    raw.extend(b"a@b.example, ".repeat(100_000));
    raw.extend(b"\r\nReferences: ");
    raw.extend(b"<a@b> ".repeat(200_000));
    raw.extend(b"\r\n");
    raw.extend(b"X: y\r\n".repeat(100_000));
    raw.extend(b"\r\nbody");
    let mail = parse(&raw);
    assert_eq!(mail.headers.len(), MAX_HEADERS);
    assert!(mail.subject.len() <= MAX_HEADER_VALUE && mail.subject.starts_with("aaaa"));
    assert_eq!(mail.references, ["a@b"]);
    assert_eq!(mail.text, "body\n");
    assert!(mail.deviations.contains(&Deviation::TooManyHeaders));
    assert!(
        mail.deviations
            .contains(&Deviation::HeaderTooLong { name: "to".into() })
    );
}

#[test]
fn brackets_comments_and_quotes_in_headers_are_cheap() {
    for filler in [
        "(",
        "\"",
        "<",
        "\\",
        "=?",
        "=?a?b?",
        "=?utf-8?B?!",
        "a,",
        ":;",
        "*0*=",
        ";x*",
        "%",
        "'",
        "[",
        "<a",
    ] {
        for header in [
            "From",
            "To",
            "Content-Type",
            "Content-Disposition",
            "Date",
            "References",
            "Subject",
            "Message-ID",
        ] {
            let mut raw = format!("{header}: x/y; ").into_bytes();
            raw.extend(filler.as_bytes().repeat(MAX_HEADER_VALUE / filler.len()));
            raw.extend(b"\r\n\r\nbody");
            let mail = parse(&raw);
            assert_eq!(mail.headers.len(), 1);
        }
    }
}

#[test]
fn shown_text_is_bounded_and_the_whole_is_attached() {
    let mut raw = b"Content-Type: text/plain\r\n\r\n".to_vec();
    raw.extend(b"0123456789\r\n".repeat(MAX_TEXT / 10));
    let mail = parse(&raw);
    assert!(mail.text.len() <= MAX_TEXT + 1);
    assert_eq!(mail.attachments.len(), 1);
    assert_eq!(mail.attachments[0].bytes.len(), 12 * (MAX_TEXT / 10));
    assert!(mail.deviations.contains(&Deviation::TextTooLong));
}

#[test]
fn html_is_bounded() {
    let mut raw = b"Content-Type: text/html\r\n\r\n".to_vec();
    raw.extend(b"<p>0123456789</p>\r\n".repeat(MAX_HTML / 16));
    let mail = parse(&raw);
    let html = mail.html.unwrap_or_default();
    assert!(html.len() <= MAX_HTML);
    assert!(!sanitise(&html[..2_000_000]).html.is_empty());
}

#[test]
fn nothing_and_garbage_are_empty_mails_with_deviations() {
    let empty = parse(b"");
    assert!(empty.text.is_empty() && empty.attachments.is_empty() && empty.headers.is_empty());
    for deviation in [
        Deviation::Empty,
        Deviation::NoHeaders,
        Deviation::MissingFrom,
        Deviation::MissingMessageId,
        Deviation::MissingDate,
    ] {
        assert!(empty.deviations.contains(&deviation), "{deviation}");
    }
    let garbage = parse(&[0xff, 0x00, 0xfe, b'\n', 0x80, b':', 0x00]);
    assert!(garbage.deviations.contains(&Deviation::NoHeaders) && garbage.deviations.contains(&Deviation::NulBytes));
    assert!(!garbage.text.contains('\0'));
}
