//! New text, signature and history of mails as the programs of many people write them.
//!
//! One table of what the programs put before a quote, in eight languages; the forms below say how each
//! program lays out its text and its HTML.

use guichet_mime::{ParsedMail, PartKind, parse, sanitise};

struct Language {
    name: &'static str,
    gmail: &'static str,
    apple: &'static str,
    thunderbird: &'static str,
    yahoo: &'static str,
    /// From, Sent, To, Subject.
    labels: [&'static str; 4],
    original: &'static str,
    forwarded: &'static str,
    device: &'static str,
}

#[rustfmt::skip] // one phrase a line
const LANGUAGES: [Language; 8] = [
    Language {
        name: "en",
        gmail: "On Tue, Mar 4, 2025 at 10:12 AM Support Contoso <support@contoso.example> wrote:",
        apple: "On 4 Mar 2025, at 10:12, Support Contoso <support@contoso.example> wrote:",
        thunderbird: "On 3/4/25 10:12, Support Contoso wrote:",
        yahoo: "On Tuesday, March 4, 2025 at 10:12:00 AM GMT+1, Support Contoso <support@contoso.example> wrote:",
        labels: ["From", "Sent", "To", "Subject"],
        original: "Original Message", forwarded: "Forwarded message", device: "Sent from my iPhone",
    },
    Language {
        name: "fr",
        gmail: "Le mar. 4 mars 2025 à 10:12, Support Contoso <support@contoso.example> a écrit :",
        apple: "Le 4 mars 2025 à 10:12, Support Contoso <support@contoso.example> a écrit :",
        thunderbird: "Le 04/03/2025 à 10:12, Support Contoso a écrit :",
        yahoo: "Le mardi 4 mars 2025 à 10:12:00 UTC+1, Support Contoso <support@contoso.example> a écrit :",
        labels: ["De", "Envoyé", "À", "Objet"],
        original: "Message d'origine", forwarded: "Message transféré", device: "Envoyé de mon iPhone",
    },
    Language {
        name: "de",
        gmail: "Am Di., 4. März 2025 um 10:12 Uhr schrieb Support Contoso <support@contoso.example>:",
        apple: "Am 04.03.2025 um 10:12 schrieb Support Contoso <support@contoso.example>:",
        thunderbird: "Am 04.03.25 um 10:12 schrieb Support Contoso:",
        yahoo: "Am Dienstag, 4. März 2025 um 10:12:00 MEZ hat Support Contoso <support@contoso.example> Folgendes geschrieben:",
        labels: ["Von", "Gesendet", "An", "Betreff"],
        original: "Ursprüngliche Nachricht", forwarded: "Weitergeleitete Nachricht", device: "Von meinem iPhone gesendet",
    },
    Language {
        name: "es",
        gmail: "El mar, 4 mar 2025 a las 10:12, Support Contoso (<support@contoso.example>) escribió:",
        apple: "El 4 mar 2025, a las 10:12, Support Contoso <support@contoso.example> escribió:",
        thunderbird: "El 4/3/25 a las 10:12, Support Contoso escribió:",
        yahoo: "El martes, 4 de marzo de 2025, 10:12:00 CET, Support Contoso <support@contoso.example> escribió:",
        labels: ["De", "Enviado el", "Para", "Asunto"],
        original: "Mensaje original", forwarded: "Mensaje reenviado", device: "Enviado desde mi iPhone",
    },
    Language {
        name: "it",
        gmail: "Il giorno mar 4 mar 2025 alle ore 10:12 Support Contoso <support@contoso.example> ha scritto:",
        apple: "Il giorno 4 mar 2025, alle ore 10:12, Support Contoso <support@contoso.example> ha scritto:",
        thunderbird: "Il 04/03/2025 10:12, Support Contoso ha scritto:",
        yahoo: "Il martedì 4 marzo 2025 alle ore 10:12:00 CET, Support Contoso <support@contoso.example> ha scritto:",
        labels: ["Da", "Inviato", "A", "Oggetto"],
        original: "Messaggio originale", forwarded: "Messaggio inoltrato", device: "Inviato da iPhone",
    },
    Language {
        name: "nl",
        gmail: "Op di 4 mrt 2025 om 10:12 schreef Support Contoso <support@contoso.example>:",
        apple: "Op 4 mrt 2025, om 10:12 heeft Support Contoso <support@contoso.example> het volgende geschreven:",
        thunderbird: "Op 04-03-2025 om 10:12 schreef Support Contoso:",
        yahoo: "Op dinsdag 4 maart 2025 om 10:12:00 CET schreef Support Contoso <support@contoso.example>:",
        labels: ["Van", "Verzonden", "Aan", "Onderwerp"],
        original: "Oorspronkelijk bericht", forwarded: "Doorgestuurd bericht", device: "Verstuurd vanaf mijn iPhone",
    },
    Language {
        name: "pt",
        gmail: "Em ter., 4 de mar. de 2025 às 10:12, Support Contoso <support@contoso.example> escreveu:",
        apple: "No dia 4 de mar. de 2025, às 10:12, Support Contoso <support@contoso.example> escreveu:",
        thunderbird: "Em 04/03/2025 10:12, Support Contoso escreveu:",
        yahoo: "Em terça-feira, 4 de março de 2025 às 10:12:00 GMT, Support Contoso <support@contoso.example> escreveu:",
        labels: ["De", "Enviada em", "Para", "Assunto"],
        original: "Mensagem original", forwarded: "Mensagem encaminhada", device: "Enviado do meu iPhone",
    },
    Language {
        name: "ja",
        gmail: "2025年3月4日(火) 10:12 Support Contoso <support@contoso.example>:",
        apple: "2025/03/04 10:12、Support Contoso <support@contoso.example>のメール：",
        thunderbird: "2025/03/04 10:12、Support Contoso のメール:",
        yahoo: "2025年3月4日火曜日 10:12:00 JST、Support Contoso <support@contoso.example>さんが書きました:",
        labels: ["差出人", "送信日時", "宛先", "件名"],
        original: "元のメッセージ", forwarded: "転送されたメッセージ", device: "iPhoneから送信",
    },
];

const NEW: &str = "NEW one.\n\nNEW two.";
const OLD: [&str; 3] = ["OLD one.", "OLD two.", "OLD three."];

fn header_block(language: &Language, end: &str) -> String {
    let [from, sent, to, subject] = language.labels;
    format!(
        "{from}: Support Contoso <support@contoso.example>{end}{sent}: 4.3.2025 10:12{end}{to}: Ada <ada@fabrikam.example>{end}\
         {subject}: Parcel 4711{end}"
    )
}

fn quoted(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("> {line}\n>\n")).collect()
}

/// An attribution as it is broken at 76 characters.
fn broken(attribution: &str) -> String {
    match attribution.find('<').filter(|_| attribution.len() > 76) {
        Some(at) => format!("{}\n{}", &attribution[..=at].trim_end(), &attribution[at + 1..]),
        None => attribution.to_owned(),
    }
}

/// Answers as text: program, text.
fn texts(language: &Language) -> Vec<(&'static str, String)> {
    let old = OLD.join("\n\n");
    let rule = "_".repeat(32);
    let original = language.original;
    let block = header_block(language, "\n");
    vec![
        ("Outlook", format!("{NEW}\n\n-----{original}-----\n{block}\n{old}\n")),
        ("Outlook on the web", format!("{NEW}\n\n{rule}\n{block}\n{old}\n")),
        (
            "Outlook mobile",
            format!("{NEW}\n\n{rule}\n{block}\n{old}\n\n{rule}\n{block}\n{old}\n"),
        ),
        ("Outlook's HTML as text", format!("{NEW}\n\n{block}\n{old}\n")),
        (
            "Samsung",
            format!("{NEW}\n\n-------- {original} --------\n{block}\n{old}\n"),
        ),
        (
            "Gmail",
            format!("{NEW}\n\n{}\n\n{}\n", broken(language.gmail), quoted(&OLD)),
        ),
        (
            "Apple Mail",
            format!("{NEW}\n\n> {}\n> \n{}", language.apple, quoted(&OLD)),
        ),
        (
            "Apple Mail on a phone",
            format!("{NEW}\n\n{}\n\n{}", language.apple, quoted(&OLD)),
        ),
        (
            "Thunderbird",
            format!("{NEW}\n\n{}\n{}", language.thunderbird, quoted(&OLD)),
        ),
        ("Yahoo", format!("{NEW}\n\n    {}  \n \n {old}\n", language.yahoo)),
    ]
}

/// Answers as HTML: program, HTML.
fn htmls(language: &Language) -> Vec<(&'static str, String)> {
    let new = "<div>NEW one.</div><div><br></div><div>NEW two.</div>";
    let old: String = OLD.iter().map(|line| format!("<p>{line}</p>")).collect();
    let block = header_block(language, "<br>").replace("<support@contoso.example>", "&lt;support@contoso.example&gt;");
    let escaped = |text: &str| text.replace('<', "&lt;").replace('>', "&gt;");
    let (gmail, apple) = (escaped(language.gmail), escaped(language.apple));
    let (thunderbird, yahoo) = (escaped(language.thunderbird), escaped(language.yahoo));
    vec![
        (
            "Outlook",
            format!(
                "<div class=WordSection1><p class=MsoNormal>NEW one.</p><p class=MsoNormal>NEW two.<o:p></o:p></p><p class=MsoNormal>&nbsp;</p>\
             <div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal>{block}</p></div></div>{old}</div>"
            ),
        ),
        (
            "Outlook on the web",
            format!(
                "<body><div class=\"elementToProof\">{new}</div><div id=\"appendonsend\"></div><hr style=\"display:inline-block;width:98%\">\
             <div id=\"divRplyFwdMsg\" dir=\"ltr\"><font face=\"Calibri\">{block}</font></div><div>{old}</div></body>"
            ),
        ),
        (
            "Outlook mobile",
            format!(
                "{new}<div id=\"ms-outlook-mobile-signature\">Outlook</div><div id=\"mail-editor-reference-message-container\"><hr>\
             <div>{block}</div>{old}</div>"
            ),
        ),
        (
            "Outlook on the Mac",
            format!("{new}<span id=\"OLK_SRC_BODY_SECTION\"><div>{block}</div>{old}</span>"),
        ),
        (
            "Gmail",
            format!(
                "<div dir=\"ltr\">{new}</div><br><div class=\"gmail_quote gmail_quote_container\"><div dir=\"ltr\" class=\"gmail_attr\">{gmail}<br></div>\
             <blockquote class=\"gmail_quote\" style=\"margin:0px 0px 0px 0.8ex\">{old}</blockquote></div>"
            ),
        ),
        (
            "Apple Mail",
            format!(
                "<body>{new}<br><div><br><blockquote type=\"cite\"><div>{apple}</div><br><div>{old}</div></blockquote></div></body>"
            ),
        ),
        (
            "Apple Mail on a phone",
            format!(
                "{new}<div dir=\"ltr\"><br><blockquote type=\"cite\">{apple}<br><br></blockquote></div><blockquote type=\"cite\">{old}</blockquote>"
            ),
        ),
        (
            "Thunderbird",
            format!(
                "<p>NEW one.</p><p>NEW two.</p><div class=\"moz-cite-prefix\">{thunderbird}<br></div><blockquote type=\"cite\" cite=\"mid:1@x\">{old}</blockquote>"
            ),
        ),
        (
            "Yahoo",
            format!(
                "<div class=\"ydp1f2e3d4cyahoo-style-wrap\">{new}<br></div><div id=\"ydp1f2e3d4cyahoo_quoted_1\" class=\"ydp1f2e3d4cyahoo_quoted\">\
             <div>{yahoo}</div><div><br></div><div>{old}</div></div>"
            ),
        ),
        (
            "a program without marks",
            format!("{new}<div>{thunderbird}</div><blockquote style=\"border-left:1px solid\">{old}</blockquote>"),
        ),
    ]
}

fn mail(subject: &str, kind: &str, body: &str) -> ParsedMail {
    let raw = format!(
        "From: ada@fabrikam.example\r\nTo: support@contoso.example\r\nSubject: {subject}\r\nMessage-ID: <2@fabrikam.example>\r\n\
         In-Reply-To: <1@contoso.example>\r\nDate: Tue, 4 Mar 2025 11:00:00 +0100\r\nMIME-Version: 1.0\r\n\
         Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}",
        body.replace('\n', "\r\n")
    );
    parse(raw.as_bytes())
}

/// The text of each kind: new, signature, quoted.
fn divided(text: &str, parts: &[guichet_mime::Part]) -> [String; 3] {
    let mut out = [const { String::new() }; 3];
    let mut at = 0;
    for part in parts {
        let index = match part.kind {
            PartKind::New => 0,
            PartKind::Signature => 1,
            PartKind::Quoted => 2,
        };
        out[index].push_str(&text[at..at + part.length]);
        at += part.length;
    }
    assert_eq!(at, text.len());
    out
}

fn of_text(mail: &ParsedMail) -> [String; 3] {
    divided(&mail.text, &mail.text_parts())
}

fn of_html(mail: &ParsedMail) -> [String; 3] {
    let html = sanitise(mail.html.as_deref().unwrap_or_default()).html;
    divided(&html, &mail.html_parts(&html))
}

#[test]
fn texts_of_all_programs_are_divided_in_all_languages() {
    for language in &LANGUAGES {
        for (program, text) in texts(language) {
            let [new, signature, quoted] = of_text(&mail("Re: Parcel", "text/plain", &text));
            let name = format!("{program} ({}):\n{text}\nquoted:\n{quoted}", language.name);
            assert_eq!(new.trim(), NEW, "{name}");
            assert_eq!(signature, "", "{name}");
            assert!(OLD.iter().all(|line| quoted.contains(line)), "{name}");
        }
    }
}

#[test]
fn html_of_all_programs_is_divided_in_all_languages() {
    for language in &LANGUAGES {
        for (program, html) in htmls(language) {
            let mail = mail("Re: Parcel", "text/html", &html);
            let [new, _, quoted] = of_html(&mail);
            let name = format!("{program} ({}):\n{html}\nnew:\n{new}\nquoted:\n{quoted}", language.name);
            assert!(new.contains("NEW one.") && new.contains("NEW two."), "{name}");
            assert!(!new.contains("OLD") && !new.contains("contoso"), "{name}");
            assert!(OLD.iter().all(|line| quoted.contains(line)), "{name}");
        }
    }
}

#[test]
fn text_derived_from_html_is_divided_as_well() {
    for language in &LANGUAGES {
        for (program, html) in htmls(language) {
            let mail = mail("Re: Parcel", "text/html", &html);
            let [new, ..] = of_text(&mail);
            let name = format!("{program} ({}):\n{}", language.name, mail.text);
            assert!(new.contains("NEW one.") && new.contains("NEW two."), "{name}");
            // A quote that only the HTML tells apart from an indentation stays in sight.
            let vague = program.starts_with("Apple");
            assert!(vague || !new.contains("OLD"), "{name}");
        }
    }
}

#[test]
fn forwarded_mail_is_content() {
    for language in &LANGUAGES {
        let (old, block) = (OLD.join("\n"), header_block(language, "\n"));
        for text in [
            format!("{NEW}\n\n---------- {} ---------\n{block}\n{old}", language.forwarded),
            format!("{NEW}\n\n{}:\n\n{block}\n{old}", language.forwarded),
        ] {
            let [new, _, quoted] = of_text(&mail("Re: Parcel", "text/plain", &text));
            assert_eq!((new.trim(), quoted.as_str()), (text.trim(), ""), "{}", language.name);
        }
    }
    for subject in [
        "FW: x",
        "Fwd: x",
        "TR: x",
        "WG: x",
        "RV: x",
        "I: x",
        "Doorst: x",
        "ENC: x",
        "転送: x",
    ] {
        for (program, text) in texts(&LANGUAGES[0]) {
            let [new, _, quoted] = of_text(&mail(subject, "text/plain", &text));
            assert!(new.contains("OLD three.") && quoted.is_empty(), "{subject} {program}");
        }
        for (program, html) in htmls(&LANGUAGES[0]) {
            let [new, signature, quoted] = of_html(&mail(subject, "text/html", &html));
            assert!(
                (new + &signature).contains("OLD three.") && quoted.is_empty(),
                "{subject} {program}"
            );
        }
    }
}

#[test]
fn gmails_forward_is_content_although_it_stands_in_its_quote() {
    let html = "<div dir=ltr>NEW</div><div class=gmail_quote><div class=gmail_attr>---------- Forwarded message ---------<br>From: Ada \
                &lt;a@b.example&gt;<br>Date: 4 Mar 2025<br>Subject: x<br></div><p>OLD</p></div>";
    let [new, _, quoted] = of_html(&mail("Re: x", "text/html", html));
    assert!(new.contains("OLD") && quoted.is_empty());
}

#[test]
fn signatures_are_told_apart_on_both_sides_of_the_history() {
    for language in &LANGUAGES {
        let quote = format!("{}\n{}", language.thunderbird, quoted(&OLD));
        for signature in [
            language.device,
            "-- \nAda Lovelace\nFabrikam",
            "Get Outlook for iOS<https://contoso.example/o>",
        ] {
            for text in [
                format!("{NEW}\n\n{signature}\n\n{quote}"),
                format!("{NEW}\n\n{quote}\n{signature}\n"),
            ] {
                let [new, found, quoted] = of_text(&mail("Re: x", "text/plain", &text));
                assert_eq!(
                    (new.trim(), found.trim()),
                    (NEW, signature),
                    "{}:\n{text}",
                    language.name
                );
                assert!(quoted.contains("OLD one."), "{text}");
            }
        }
    }
}

#[test]
fn signatures_that_html_marks_are_told_apart() {
    for signature in [
        "<div class=\"gmail_signature\" data-smartmail=\"gmail_signature\"><div>SIGN</div></div>",
        "<div id=\"Signature\"><p>SIGN</p></div>",
        "<div class=\"moz-signature\">-- <br>SIGN</div>",
        "<div id=\"AppleMailSignature\" dir=\"ltr\">SIGN</div>",
    ] {
        let [new, found, _] = of_html(&mail("x", "text/html", &format!("<p>NEW</p><br>{signature}")));
        assert!(
            new.contains("NEW") && !new.contains("SIGN") && found.contains("SIGN"),
            "{signature}: {new}"
        );
    }
}

#[test]
fn answers_between_quoted_lines_are_new_with_what_they_answer() {
    let text = "Hello,\n\nOn 3/4/25 10:12, Support wrote:\n> Which size?\n\nNEW large.\n\n> Which colour?\n\nNEW red.\n\n> OLD rest\n> of it\n";
    let [new, _, quoted] = of_text(&mail("Re: x", "text/plain", text));
    assert!(new.contains("NEW large.") && new.contains("NEW red.") && new.contains("Which colour?"));
    assert_eq!(quoted, "> OLD rest\n> of it\n");

    let html = "<div class=gmail_quote><div class=gmail_attr>On 4 Mar 2025 at 10:12 Support &lt;s@c.example&gt; wrote:</div><blockquote \
                class=gmail_quote>Which size?</blockquote><div>NEW large.</div><blockquote class=gmail_quote>Which colour?</blockquote>\
                <div>NEW red.</div><blockquote class=gmail_quote>OLD</blockquote></div>";
    let [new, _, quoted] = of_html(&mail("Re: x", "text/html", html));
    assert!(new.contains("NEW large.") && new.contains("NEW red.") && new.contains("Which colour?"));
    assert!(quoted.contains("OLD") && !quoted.contains("NEW"));
}

#[test]
fn answer_below_the_quote_is_new_and_a_long_quote_above_it_is_not() {
    let text = format!(
        "{}\n{}\nNEW answer.\n",
        LANGUAGES[0].thunderbird,
        quoted(&[OLD, OLD].concat())
    );
    let [new, _, quoted] = of_text(&mail("Re: x", "text/plain", &text));
    assert_eq!(new, "NEW answer.\n");
    assert!(quoted.contains("OLD three."));
    let [new, _, quoted] = of_text(&mail(
        "Re: x",
        "text/plain",
        "Ada wrote:\n> Which size?\n\nNEW large.\n",
    ));
    assert!(new.contains("Which size?") && quoted.is_empty());
}

#[test]
fn flowed_quotes_are_history() {
    let text = "NEW one \ngoes on.\n\nAda wrote:\n> OLD one \n> goes on.\n>> OLD two\n\n-- \nAda\n";
    let [new, signature, quoted] = of_text(&mail("Re: x", "text/plain; format=flowed", text));
    assert_eq!(
        (new.as_str(), signature.as_str()),
        ("NEW one goes on.\n\n", "-- \nAda\n")
    );
    assert!(quoted.contains("> OLD one goes on.\n>> OLD two"));
}

#[test]
fn what_looks_like_history_is_new_where_nothing_else_is() {
    for text in [
        "> all of it\n> is quoted\n",
        "From: Ada\nDate: 4.3.2025\nSubject: x\n\nMy question",
        "Sent from my iPhone\n\nAda wrote:\n> x\n",
        "-- \nAda\n",
        "",
    ] {
        let mail = mail("Re: x", "text/plain", text);
        let [new, signature, quoted] = of_text(&mail);
        assert_eq!(
            (new.as_str(), signature.as_str(), quoted.as_str()),
            (mail.text.as_str(), "", ""),
            "{text}"
        );
    }
}

#[test]
fn new_text_that_resembles_history_stays_in_sight() {
    let fresh = |text: &str| parse(format!("From: a@b.example\nSubject: x\n\n{text}").as_bytes());
    for text in [
        "I filled in your form:\n\nFrom: Berlin\nDate: 4.3.2025\nTo: Paris\nNEW is it right?\n",
        "On 4 March 2025 at 10:12 your colleague <max@contoso.example> wrote:\nNEW you get a refund\n",
        "I ran this:\n> make NEW\n> echo done\n",
        "Name: Ada\nOrder: 4711\nDate: 4.3.2025\nNEW where is it?\n",
        "--- Details ---\nName: Ada\nNEW what now?\n",
        "Options\n____________________\nNEW one\n",
    ] {
        let mail = fresh(text);
        let [new, _, quoted] = of_text(&mail);
        assert!(new.contains("NEW") && quoted.is_empty(), "{text}");
    }
    // The same in an answer, as far as shape can tell.
    let [new, ..] = of_text(&mail(
        "Re: x",
        "text/plain",
        "On 4 March 2025 at 10:12 you wrote:\nNEW no refund.\nThat is wrong.\n",
    ));
    assert!(new.contains("NEW"));
    let indented = "<p>NEW one</p><blockquote style=\"margin:0 0 0 40px\">NEW two</blockquote>";
    let mail = mail("Re: x", "text/html", indented);
    assert!(of_html(&mail)[0].contains("NEW two") && of_text(&mail)[0].contains("NEW two"));
}

#[test]
fn answers_that_nothing_marks_stay_in_sight_where_the_author_points_to_them() {
    for pointer in [
        "My answers are below in red.",
        "Meine Antworten stehen unten.",
        "Mes réponses sont ci-dessous.",
        "下記のとおり回答します。",
    ] {
        let block = header_block(&LANGUAGES[0], "\n");
        let text = format!("Hello,\n{pointer}\n\n-----Original Message-----\n{block}\nWhich size?\nNEW large.\n");
        let [new, _, quoted] = of_text(&mail("Re: x", "text/plain", &text));
        assert!(new.contains("NEW large.") && quoted.is_empty(), "{pointer}");
    }
    // What is quoted beyond doubt is told apart all the same.
    let text = "See below.\n\nAda wrote:\n> OLD one\n";
    assert_eq!(of_text(&mail("Re: x", "text/plain", text))[0], "See below.\n\n");
}

#[test]
fn a_mail_that_the_author_leads_over_to_is_content() {
    let block = header_block(&LANGUAGES[0], "\n");
    let text = format!("Your colleague sent me this:\n\n{block}\nPay at once.\n\nNEW must I?\n");
    let [new, _, quoted] = of_text(&mail("Re: x", "text/plain", &text));
    assert!(new.contains("NEW must I?") && quoted.is_empty());
}

#[test]
fn a_forward_within_a_quote_of_apple_mail_is_content() {
    let html = "<div>NEW</div><br><blockquote type=\"cite\"><div>Begin forwarded message:</div><br><div><b>From: </b>Ada \
                &lt;a@b.example&gt;</div><div><b>Date: </b>4 March 2025</div><div><b>Subject: </b>x</div><br><div>OLD</div></blockquote>";
    let [new, _, quoted] = of_html(&mail("Re: x", "text/html", html));
    assert!(new.contains("OLD") && quoted.is_empty());
}

#[test]
fn our_own_quote_comes_back_as_history() {
    let sent = guichet_mime::compose_reply_html(
        &guichet_mime::ReplyBody::Text("NEW".into()),
        Some(&guichet_mime::QuotedOriginal {
            from: "Ada <ada@fabrikam.example>",
            sent: Some(jiff::Timestamp::UNIX_EPOCH),
            subject: "Parcel",
            html: Some("<p data-part=\"signature\">OLD</p>"),
            text: "OLD",
        }),
    );
    assert!(!sent.contains("data-part"));
    let [new, _, quoted] = of_html(&mail("Re: x", "text/html", &sent));
    assert!(new.contains("NEW") && !new.contains("OLD") && quoted.contains("OLD"));
}

#[test]
fn many_lines_are_bounded_and_cheap() {
    for text in [
        "\n".repeat(3_000_000),
        "a wrote:\n> b\n".repeat(40_000),
        "----\n\n".repeat(40_000),
        "From: a\nDate: 1.1.2025\n".repeat(40_000),
        "-- \na\n".repeat(40_000),
        "On 1\n".repeat(90_000),
        "> a\nb\n".repeat(49_000),
    ] {
        let mail = mail("Re: x", "text/plain", &text);
        let length: usize = mail.text_parts().iter().map(|part| part.length).sum();
        assert_eq!(length, mail.text.len());
    }
}
