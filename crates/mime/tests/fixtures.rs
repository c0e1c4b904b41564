//! The project's own mails, each read as a person would read it.

use std::path::Path;

use guichet_mime::{Deviation, ParsedMail, Scheme, html_to_text, parse, sanitise};

fn fixture(name: &str) -> ParsedMail {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/mail")
        .join(name);
    parse(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn names(mail: &ParsedMail) -> Vec<&str> {
    mail.attachments
        .iter()
        .map(|attachment| attachment.name.as_str())
        .collect()
}

#[test]
fn flowed_text_is_joined_and_quotes_stay() {
    let mail = fixture("01-plain.eml");
    assert_eq!(mail.from[0].name, "Fabrikam, Orders");
    assert_eq!(
        mail.date.map(|date| date.to_string()).as_deref(),
        Some("2025-06-02T08:14:00Z")
    );
    assert!(
        mail.text
            .contains("The tracking page https://fabrikam.example/track/4711 shows no change since Thursday.")
    );
    assert!(
        mail.text
            .contains("\n> Your order leaves our warehouse on Wednesday.\n")
    );
    assert_eq!((mail.deviations, mail.html), (vec![], None));
}

#[test]
fn alternatives_inline_image_and_attachment_are_told_apart() {
    let mail = fixture("02-alternative-inline-image.eml");
    assert_eq!(mail.subject, "Question about invoice 2025-06 – wrong VAT?");
    assert!(mail.text.starts_with("Hello,\n\nthe invoice shows 20\u{a0}% VAT"));
    assert_eq!(names(&mail), ["table.png", "Rechnung März.pdf"]);
    assert_eq!([mail.attachments[0].inline, mail.attachments[1].inline], [true, false]);
    assert_eq!(
        mail.attachments[0].content_id.as_deref(),
        Some("table@fabrikam.example")
    );
    assert!(mail.attachments[0].bytes.starts_with(b"\x89PNG") && mail.attachments[1].bytes.starts_with(b"%PDF"));
    let clean = sanitise(mail.html.as_deref().unwrap_or_default());
    assert_eq!(clean.remote_images, 1);
    assert!(clean.html.contains("src=\"cid:table@fabrikam.example\""));
    assert!(!clean.html.contains("track()") && !clean.html.contains(" src=\"http"));
    assert_eq!(mail.deviations, []);
}

#[test]
fn legacy_charsets_are_read() {
    let japanese = fixture("03-iso-2022-jp.eml");
    assert_eq!(
        (japanese.subject.as_str(), japanese.from[0].name.as_str()),
        ("配送について", "ファブリカム受付")
    );
    assert!(japanese.text.contains("配送の件でお問い合わせします。"));
    let russian = fixture("04-windows-1251.eml");
    assert_eq!(
        (russian.subject.as_str(), russian.from[0].name.as_str()),
        ("Вопрос по счёту", "Отдел заказов")
    );
    assert!(russian.text.contains("Счёт за май пришёл дважды."));
}

#[test]
fn broken_base64_is_decoded_as_far_as_it_goes() {
    let mail = fixture("05-broken-base64.eml");
    assert_eq!(names(&mail), ["scan 0815.pdf"]);
    assert!(mail.attachments[0].bytes.starts_with(b"%PDF-1.4\n% page\n") && mail.attachments[0].bytes.len() > 200);
    assert!(
        mail.deviations
            .contains(&Deviation::InvalidTransferEncoding { label: "base64".into() })
    );
    assert!(mail.deviations.contains(&Deviation::TruncatedMultipart));
}

#[test]
fn text_without_headers_is_a_mail_all_the_same() {
    let mail = fixture("06-no-headers.eml");
    assert!(mail.text.starts_with("Could somebody please call me back"));
    assert!(mail.headers.is_empty() && mail.message_id.is_none());
    for deviation in [
        Deviation::NoHeaders,
        Deviation::MissingFrom,
        Deviation::MissingMessageId,
        Deviation::MissingDate,
    ] {
        assert!(mail.deviations.contains(&deviation), "{deviation}");
    }
}

#[test]
fn nested_message_is_one_eml_under_its_subject() {
    let mail = fixture("07-nested-message.eml");
    assert_eq!(names(&mail), ["Complaint about the delivery.eml"]);
    assert_eq!(mail.attachments[0].content_type, "message/rfc822");
    assert_eq!(mail.text, "This belongs to you.\n");
    let nested = parse(&mail.attachments[0].bytes);
    assert_eq!(nested.message_id.as_deref(), Some("complaint-1@fabrikam.example"));
    assert_eq!(names(&nested), ["boxes.csv"]);
}

#[test]
fn mails_may_share_a_message_id_and_name_their_parent_in_prose() {
    let (first, second) = (
        fixture("08-shared-message-id-first.eml"),
        fixture("09-shared-message-id-second.eml"),
    );
    assert_eq!(first.message_id, second.message_id);
    assert_ne!(first.text, second.text);
    assert_eq!(first.in_reply_to, ["forward-1@contoso.example"]);
}

#[test]
fn winmail_dat_with_nothing_to_unpack_is_kept_as_it_is() {
    let mail = fixture("10-winmail-dat.eml");
    assert_eq!(names(&mail), ["winmail.dat"]);
    assert!(mail.attachments[0].bytes.starts_with(&[0x78, 0x9f, 0x3e, 0x22]));
    assert_eq!(mail.text, "The minutes are attached. Café at ten.\n");
}

#[test]
fn winmail_dat_gives_its_body_and_files() {
    let mail = fixture("14-winmail-dat-with-files.eml");
    assert_eq!(names(&mail), ["Pläne für Juli.pdf", "plan.png"]);
    assert_eq!(mail.attachments[0].content_type, "application/pdf");
    assert!(mail.attachments[0].bytes.starts_with(b"%PDF") && mail.attachments[1].bytes.starts_with(b"\x89PNG"));
    assert_eq!([mail.attachments[0].inline, mail.attachments[1].inline], [false, true]);
    assert_eq!(mail.text, "Die Pläne für Juli liegen bei.\n");
    assert!(mail.html.unwrap_or_default().contains("cid:plan@fabrikam.example"));
    assert_eq!(mail.deviations, []);
}

#[test]
fn signed_data_is_unwrapped_and_marked() {
    let mail = fixture("15-smime-signed-data.eml");
    assert_eq!(
        (mail.subject.as_str(), mail.text.as_str()),
        ("Order 4711", "Die Bestellung 4711 ist bestätigt.\n")
    );
    assert_eq!(names(&mail), ["order.pdf"]);
    assert_eq!(
        (mail.protection.signed, mail.protection.encrypted),
        (Some(Scheme::Smime), None)
    );
    assert_eq!(mail.deviations, []);
}

#[test]
fn enveloped_data_stays_attached_and_is_marked() {
    let mail = fixture("16-smime-enveloped-data.eml");
    assert_eq!((names(&mail), mail.text.as_str()), (vec!["smime.p7m"], ""));
    assert_eq!(
        (mail.protection.signed, mail.protection.encrypted),
        (None, Some(Scheme::Smime))
    );
}

#[test]
fn html_alone_gives_text_and_safe_html() {
    let mail = fixture("11-html-only.eml");
    assert!(
        mail.text
            .contains("- New opening hours\n- The shop <https://fabrikam.example/shop?week=24&from=mail> is open")
    );
    let clean = sanitise(mail.html.as_deref().unwrap_or_default()).html;
    for banned in [
        "javascript",
        "onclick",
        "url(",
        "background",
        "<form",
        "<iframe",
        "<input",
    ] {
        assert!(!clean.contains(banned), "{banned}");
    }
    assert!(clean.contains("href=\"https://fabrikam.example/shop?week=24&amp;from=mail\""));
    assert!(html_to_text(&clean).contains("Unsubscribe"));
}

#[test]
fn mail_with_many_faults_keeps_all_it_has() {
    let mail = fixture("12-truncated-multipart.eml");
    assert_eq!(mail.subject, "Re: Delivery 4711 has not arrived");
    assert_eq!(mail.message_id.as_deref(), Some("delivery-4711.3@fabrikam.example"));
    assert_eq!(
        mail.references,
        ["delivery-4711.1@fabrikam.example", "delivery-4711.2@contoso.example"]
    );
    let to: Vec<&str> = mail.to.iter().map(|person| person.address.as_str()).collect();
    assert_eq!(
        to,
        ["support@contoso.example", "a@contoso.example", "b@contoso.example"]
    );
    assert_eq!(mail.text, "It has arrived now, thank you.\n");
    assert_eq!(names(&mail), ["photo of the box.png"]);
    let codes: Vec<&str> = mail.deviations.iter().map(Deviation::as_str).collect();
    assert_eq!(
        codes,
        [
            "truncated_multipart",
            "duplicate_header",
            "invalid_date",
            "unknown_charset"
        ]
    );
}

#[test]
fn marks_of_machines_are_among_the_headers() {
    let mail = fixture("13-out-of-office.eml");
    assert!(
        mail.headers
            .contains(&("Auto-Submitted".to_owned(), "auto-replied".to_owned()))
    );
    assert_eq!(
        (mail.content_type.as_str(), mail.report_type.as_str()),
        ("text/plain", "")
    );
}
