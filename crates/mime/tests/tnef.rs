//! What is in TNEF is shown and attached; damage costs nothing but itself.

use guichet_mime::{Deviation, ParsedMail, parse};
use proptest::{collection::vec, prelude::*, sample::select};

const MESSAGE: u8 = 1;
const ATTACHMENT: u8 = 2;

fn attribute(level: u8, number: u16, data: &[u8]) -> Vec<u8> {
    let mut out = vec![level];
    out.extend(number.to_le_bytes());
    out.extend([6, 0]);
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    out.extend(sum.to_le_bytes());
    out
}

/// A property of variable length.
fn property(number: u16, kind: u16, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(kind.to_le_bytes());
    out.extend(number.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn properties(list: &[Vec<u8>]) -> Vec<u8> {
    let mut out = (list.len() as u32).to_le_bytes().to_vec();
    out.extend(list.concat());
    out
}

fn stream(attributes: &[Vec<u8>]) -> Vec<u8> {
    [&[0x78, 0x9f, 0x3e, 0x22, 1, 0], attributes.concat().as_slice()].concat()
}

fn file(name: &str, data: &[u8]) -> Vec<u8> {
    [
        attribute(ATTACHMENT, 0x9002, &[1, 0]),
        attribute(ATTACHMENT, 0x8010, format!("{name}\0").as_bytes()),
        attribute(ATTACHMENT, 0x800f, data),
    ]
    .concat()
}

fn note() -> Vec<u8> {
    attribute(MESSAGE, 0x8008, b"IPM.Microsoft Mail.Note\0")
}

/// A mail with a text and a part in TNEF.
fn raw(text: &str, tnef: &[u8]) -> Vec<u8> {
    let head = format!(
        "From: a@b.example\r\nMessage-ID: <1@b.example>\r\nDate: Tue, 4 Mar 2025 11:00:00 +0100\r\nContent-Type: multipart/mixed; \
         boundary=tnefb\r\n\r\n--tnefb\r\n\r\n{text}\r\n--tnefb\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n\
         Content-Transfer-Encoding: binary\r\n\r\n"
    );
    [head.as_bytes(), tnef, b"\r\n--tnefb--\r\n"].concat()
}

fn mail(text: &str, tnef: &[u8]) -> ParsedMail {
    parse(&raw(text, tnef))
}

fn names(mail: &ParsedMail) -> Vec<&str> {
    mail.attachments.iter().map(|a| a.name.as_str()).collect()
}

#[test]
fn files_stand_in_the_place_of_the_stream() {
    let mail = mail(
        "Hello",
        &stream(&[note(), file("../a.pdf", b"%PDF"), file("b.txt", b"text")]),
    );
    assert_eq!(names(&mail), ["a.pdf", "b.txt"]);
    assert_eq!(mail.attachments[1].content_type, "text/plain");
    assert_eq!(
        (&*mail.attachments[0].bytes, mail.text.as_str()),
        (&b"%PDF"[..], "Hello\n")
    );
    assert!(!mail.deviations.contains(&Deviation::InvalidTnef));
}

#[test]
fn long_names_win_and_missing_ones_are_made() {
    let long = attribute(
        ATTACHMENT,
        0x9005,
        &properties(&[property(
            0x3707,
            0x1f,
            &"日本語.pdf\0"
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>(),
        )]),
    );
    let nameless = [
        attribute(ATTACHMENT, 0x9002, &[1, 0]),
        attribute(ATTACHMENT, 0x800f, b"x"),
    ]
    .concat();
    let mail = mail("Hello", &stream(&[note(), file("NIHONG~1.PDF", b"x"), long, nameless]));
    assert_eq!(names(&mail), ["日本語.pdf", "part-2.bin"]);
}

#[test]
fn body_is_shown_where_the_mail_has_no_other() {
    let html = attribute(
        MESSAGE,
        0x9003,
        &properties(&[property(0x1013, 0x102, b"<p>From TNEF</p>")]),
    );
    let alone = mail("  ", &stream(&[note(), html.clone()]));
    assert_eq!(
        (alone.text.as_str(), alone.html.as_deref()),
        ("From TNEF\n", Some("<p>From TNEF</p>"))
    );
    assert!(alone.attachments.is_empty() && alone.text_from_html);
    let beside = mail("Hello", &stream(&[note(), html]));
    assert_eq!((beside.text.as_str(), beside.html), ("Hello\n", None));
}

#[test]
fn text_in_the_code_page_and_rtf_are_bodies_as_well() {
    let page = attribute(MESSAGE, 0x9007, &[0xe3, 0x04, 0, 0, 0, 0, 0, 0]); // 1251
    let text = attribute(MESSAGE, 0x800c, b"\xd1\xf7\xb8\xf2\r\n\0");
    assert_eq!(mail("", &stream(&[page, note(), text])).text, "Счёт\n");
    let rtf = [&[0; 8][..], b"MELA", &[0; 4], b"{\\rtf1 From RTF\\par}"].concat();
    let rtf = attribute(MESSAGE, 0x9003, &properties(&[property(0x1009, 0x102, &rtf)]));
    assert_eq!(mail("", &stream(&[note(), rtf])).text, "From RTF\n");
}

#[test]
fn what_is_more_than_mail_stays_attached_as_well() {
    let request = attribute(MESSAGE, 0x8008, b"IPM.Microsoft Schedule.MtgReq\0");
    let mail = mail("Hello", &stream(&[request, file("a.txt", b"x")]));
    assert_eq!(names(&mail), ["a.txt", "winmail.dat"]);
}

#[test]
fn a_message_inside_is_one_attachment() {
    let inner = [&[0; 16][..], &stream(&[note()])].concat();
    let object = attribute(ATTACHMENT, 0x9005, &properties(&[property(0x3701, 0x0d, &inner)]));
    let title = attribute(ATTACHMENT, 0x8010, b"Complaint\0");
    let begin = attribute(ATTACHMENT, 0x9002, &[1, 0]);
    let mail = mail("Hello", &stream(&[note(), begin, title, object]));
    assert_eq!(
        (names(&mail), mail.attachments[0].content_type.as_str()),
        (vec!["Complaint.dat"], "application/ms-tnef")
    );
}

#[test]
fn damage_keeps_what_was_read_and_the_whole() {
    let sound = stream(&[note(), file("a.txt", b"x"), file("b.txt", b"y")]);
    let mut wrong_sum = sound.clone();
    *wrong_sum.last_mut().unwrap() ^= 0xff;
    for (tnef, expected) in [
        (&sound[..sound.len() - 30], vec!["a.txt", "winmail.dat"]),
        (&wrong_sum, vec!["a.txt", "b.txt", "winmail.dat"]),
        (&b"no TNEF at all"[..], vec!["winmail.dat"]),
    ] {
        let mail = mail("Hello", tnef);
        assert_eq!(names(&mail), expected);
        assert!(mail.deviations.contains(&Deviation::InvalidTnef));
    }
}

#[test]
fn files_are_bounded_in_number() {
    let files = file("a", b"x").repeat(20_000);
    let mail = mail("Hello", &stream(&[note(), files]));
    assert!(mail.attachments.len() <= guichet_mime::bounds::MAX_PARTS + 1);
    assert_eq!(mail.attachments.last().map(|a| a.name.as_str()), Some("winmail.dat"));
}

/// Attributes and properties with anything in them.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || vec(any::<u8>(), 0..60);
    let kinds = select(vec![
        2_u16, 3, 0xb, 0xd, 0x1e, 0x1f, 0x40, 0x48, 0x102, 0x1002, 0x1003, 0x101e, 0x1102, 0x77,
    ]);
    let numbers = select(vec![
        0x1000_u16, 0x1009, 0x1013, 0x3701, 0x3704, 0x3707, 0x370e, 0x3712, 0x3fde, 0x8001, 0x001a,
    ]);
    let property = (numbers, kinds, bytes()).prop_map(|(number, kind, data)| property(number, kind, &data));
    let attributes = select(vec![0x8008_u16, 0x800c, 0x9007, 0x9002, 0x8010, 0x800f, 0x8004]);
    prop_oneof![
        bytes(),
        (1..3_u8, attributes, bytes()).prop_map(|(level, number, data)| attribute(level, number, &data)),
        (select(vec![0x9003_u16, 0x9005]), vec(property, 0..6)).prop_map(|(number, list)| attribute(
            1,
            number,
            &properties(&list)
        )),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_stream_is_read_and_what_is_damaged_is_kept(pieces in vec(garbage(), 0..12), cut in any::<prop::sample::Index>()) {
        let mut tnef = stream(&pieces);
        tnef.truncate(tnef.len() - cut.index(tnef.len()) / 4);
        let raw = raw(" ", &tnef);
        let mail = parse(&raw);
        prop_assert!(!mail.text.contains(['\0', '\r']));
        prop_assert!(!mail.html.as_deref().unwrap_or_default().contains('\0'));
        let damaged = mail.deviations.contains(&Deviation::InvalidTnef);
        prop_assert!(!damaged || mail.attachments.iter().any(|a| a.name == "winmail.dat"));
        let attached: usize = mail.attachments.iter().map(|a| a.bytes.len()).sum();
        prop_assert!(attached <= 2 * raw.len());
        for attachment in &mail.attachments {
            prop_assert!(!attachment.name.is_empty() && !attachment.name.contains(|c: char| c.is_control()));
            prop_assert!(!attachment.content_type.contains(|c: char| c.is_control() || c == ' '));
        }
    }

    #[test]
    fn any_rtf_is_read(pieces in vec(select(vec![
        "{", "}", "\\", "\\rtf1", "\\fromhtml1 ", "\\htmlrtf ", "\\htmlrtf0 ", "{\\*\\htmltag64 <p>}", "\\u-10179?", "\\u20320?", "\\'e4", "\\uc3 ",
        "\\bin5 ", "\\par\n", "text", "\\ansicpg932 ", "\\*", "\\fonttbl ", "\\'", "-", "\\u",
    ]), 0..60)) {
        let rtf = [&[0; 8][..], b"MELA", &[0; 4], pieces.concat().as_bytes()].concat();
        let rtf = attribute(MESSAGE, 0x9003, &properties(&[property(0x1009, 0x102, &rtf)]));
        let mail = mail("", &stream(&[note(), rtf]));
        prop_assert!(!mail.text.contains(['\0', '\r']));
        prop_assert!(!mail.deviations.contains(&Deviation::InvalidTnef));
    }

    #[test]
    fn any_compressed_rtf_is_expanded(content in vec(any::<u8>(), 0..200)) {
        let rtf = [&[0; 8][..], b"LZFu", &[0; 4], &content].concat();
        let rtf = attribute(MESSAGE, 0x9003, &properties(&[property(0x1009, 0x102, &rtf)]));
        let mail = mail("", &stream(&[note(), rtf]));
        prop_assert!(mail.text.len() < 17 * 200);
    }
}
