//! Signed and encrypted mail is marked as what it is, and its content is shown where it can be.

use guichet_mime::{Deviation, ParsedMail, Protection, Scheme, parse};
use proptest::{collection::vec, prelude::*, sample::select};

fn mail(kind: &str, body: &str) -> ParsedMail {
    let raw = format!(
        "From: ada@fabrikam.example\r\nMessage-ID: <1@fabrikam.example>\r\nDate: Tue, 4 Mar 2025 11:00:00 +0100\r\n\
         Content-Type: {kind}\r\n\r\n{body}"
    );
    parse(raw.as_bytes())
}

fn names(mail: &ParsedMail) -> Vec<&str> {
    mail.attachments.iter().map(|a| a.name.as_str()).collect()
}

const SIGNED: Protection = Protection {
    signed: Some(Scheme::Smime),
    encrypted: None,
};

/// A CMS message with signed content, every length given in two bytes.
fn signed_data(content: &[u8]) -> Vec<u8> {
    fn element(kind: u8, content: &[u8]) -> Vec<u8> {
        [&[kind, 0x82], &(content.len() as u16).to_be_bytes()[..], content].concat()
    }
    let octets = element(0xa0, &element(0x04, content));
    let enclosed = element(0x30, &[element(0x06, &[0x2a]), octets].concat());
    let signed = element(0x30, &[element(0x02, &[1]), element(0x31, &[]), enclosed].concat());
    let kind = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    element(0x30, &[element(0x06, &kind), element(0xa0, &signed)].concat())
}

fn wrapped(content: &[u8]) -> Vec<u8> {
    let head =
        b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    [head, signed_data(content).as_slice()].concat()
}

#[test]
fn clear_signatures_are_marked_and_their_text_is_shown() {
    for (protocol, name, scheme) in [
        ("application/pkcs7-signature", "smime.p7s", Scheme::Smime),
        ("application/x-pkcs7-signature", "smime.p7s", Scheme::Smime),
        ("application/pgp-signature", "signature.asc", Scheme::Pgp),
    ] {
        let body =
            format!("--sigb\r\n\r\nHello\r\n--sigb\r\nContent-Type: {protocol}; name={name}\r\n\r\nx\r\n--sigb--\r\n");
        let mail = mail(
            &format!("multipart/signed; protocol=\"{protocol}\"; micalg=sha-256; boundary=sigb"),
            &body,
        );
        assert_eq!(
            (mail.text.as_str(), names(&mail)),
            ("Hello\n", vec![name]),
            "{protocol}"
        );
        assert_eq!(
            (mail.protection.signed, mail.protection.encrypted),
            (Some(scheme), None),
            "{protocol}"
        );
    }
}

#[test]
fn layers_are_unwrapped_up_to_the_bound() {
    let inner = b"Content-Type: text/plain\r\n\r\nHello".to_vec();
    let three = (0..3).fold(inner.clone(), |content, _| wrapped(&content));
    let mail = parse(&three);
    assert_eq!(
        (mail.text.as_str(), mail.attachments.len(), mail.protection),
        ("Hello\n", 0, SIGNED)
    );
    let many = (0..50).fold(inner, |content, _| wrapped(&content));
    let mail = parse(&many);
    assert_eq!((mail.attachments.len(), mail.protection), (1, SIGNED));
    assert!(mail.deviations.contains(&Deviation::NestedTooDeep));
}

#[test]
fn a_signed_part_beside_others_stays_attached() {
    let inner = "AAAA";
    let body = format!(
        "--mixb\r\n\r\nHello\r\n--mixb\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n\r\n{inner}\r\n--mixb--\r\n"
    );
    let mail = mail("multipart/mixed; boundary=mixb", &body);
    assert_eq!((names(&mail), mail.protection), (vec!["smime.p7m"], SIGNED));
}

#[test]
fn damaged_data_is_attached_and_a_deviation() {
    let mail = mail(
        "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
        "no CMS",
    );
    assert_eq!((names(&mail), mail.protection), (vec!["smime.p7m"], SIGNED));
    assert!(mail.deviations.contains(&Deviation::InvalidSignedData));
}

#[test]
fn pgp_is_kept_and_marked() {
    let body = "--pgpb\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--pgpb\r\nContent-Type: application/octet-stream; \
                name=encrypted.asc\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n--pgpb--\r\n";
    let mime = mail(
        "multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=pgpb",
        body,
    );
    assert_eq!((mime.protection.encrypted, names(&mime).len()), (Some(Scheme::Pgp), 2));
    let text = mail(
        "text/plain",
        "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n-----END PGP MESSAGE-----\r\n",
    );
    assert_eq!(
        (text.protection.encrypted, text.protection.signed),
        (Some(Scheme::Pgp), None)
    );
    assert!(text.text.contains("hQEM"));
    let signed = mail(
        "text/plain",
        "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nHello\r\n",
    );
    assert_eq!(
        (signed.protection.encrypted, signed.protection.signed),
        (None, Some(Scheme::Pgp))
    );
}

#[test]
fn ordinary_mail_is_not_protected() {
    for body in ["Hello", "> -----BEGIN PGP MESSAGE-----\r\n"] {
        assert_eq!(mail("text/plain", body).protection, Protection::default());
    }
    let other = mail("multipart/signed; boundary=sigb", "--sigb\r\n\r\nHello\r\n--sigb--\r\n");
    assert_eq!(other.protection, Protection::default());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_signed_data_is_read(pieces in vec(prop_oneof![
        select(vec![&b"\x30\x80"[..], b"\x30\x82\x01\x00", b"\xa0\x80", b"\x24\x80", b"\x04\x03abc", b"\0\0", b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
            b"\x02\x01\x01", b"\x31\0", b"\x06\x01\x2a", b"\x84\xff\xff\xff\xff", b"\x1f", b"\x04\x84\x7f\xff\xff\xff"]).prop_map(<[u8]>::to_vec),
        vec(any::<u8>(), 0..6),
    ], 0..30)) {
        let raw = [&b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n"[..], &pieces.concat()].concat();
        let mail = parse(&raw);
        prop_assert!(mail.attachments.len() <= 2);
    }

    #[test]
    fn what_is_signed_is_shown(text in "[a-z]{1,20}( [a-z]{1,20}){0,20}") {
        let mail = parse(&wrapped(format!("Content-Type: text/plain\r\n\r\n{text}").as_bytes()));
        prop_assert_eq!(mail.text.trim_end(), text);
    }
}
