//! What holds for any input: reading never fails, what is shown is safe, made text is stable.

use std::path::Path;

use guichet_mime::{
    ParsedMail, Part, PartKind, ReplyBody,
    bounds::{MAX_DEVIATIONS, MAX_FILE_NAME, MAX_HTML, MAX_TEXT},
    compose_reply_html, html_to_text, parse, reply_subject, report, sanitise, text_to_html,
};
use proptest::{collection::vec, prelude::*, sample::select};

/// The project's own mails, as seeds to damage.
fn seeds() -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mail");
    let entries = std::fs::read_dir(directory).expect("the project's own mails are there");
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    paths.sort();
    assert!(paths.len() >= 12);
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// A delivery report with fields, a transcript and a returned mail.
const REPORT: &str = "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: support@contoso.example\r\nSubject: Returned mail\r\n\
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n<ada@fabrikam.example>\r\n\
>>> RCPT TO:<ada@fabrikam.example>\r\n<<< 550 5.1.1 <ada@fabrikam.example>... user unknown\r\n--b\r\n\
Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ada@fabrikam.example\r\n\
Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 user unknown\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
Message-ID: <1@contoso.example>\r\n\r\nHello\r\n--b--\r\n";

/// A change that transport or a broken program may make.
#[derive(Clone, Debug)]
enum Damage {
    Set(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Double(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Cut(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (at(), 1..40_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        (at(), 1..400_usize).prop_map(|(at, length)| Damage::Double(at, length)),
        (at(), fragment()).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        at().prop_map(Damage::Cut),
    ]
}

/// Pieces that mean something in a mail.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => select(vec![
            "\r\n", "\n", "\r", "\r\n\r\n", "--", "--b\r\n", "--b--\r\n", ": ", "Content-Type: ", "multipart/mixed; boundary=b",
            "multipart/alternative; boundary=\"b\"", "message/rfc822", "text/html; charset=", "text/plain; charset=utf-7; format=flowed",
            "Content-Transfer-Encoding: base64\r\n", "Content-Transfer-Encoding: quoted-printable\r\n", "=?utf-8?Q?", "?=", "=?iso-2022-jp?B?",
            "From: ", "To: a@b.example, ", "Subject: ", "Date: Mon, 1 Jan 2024 00:00:00 +0000", "<", ">", "\"", "(", ")", "filename*0*=utf-8''%e3",
            "Content-Disposition: attachment; ", "Content-ID: <a@b>\r\n", "=C3", "=\r\n", "\u{1b}$B", "\0", "References: <a@b> ", "From ", "99999999999",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ]
}

/// Pieces that mean something to the division into new text and history.
fn history_piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec![
            "\n", "\n\n", "> ", ">", ">> old\n", "-- \n", "--\n", "----\n", "________________________________\n", "Ada wrote:\n",
            "On Tue, Mar 4, 2025 at 10:12 AM Ada <a@b.example> wrote:\n", "-----Original Message-----\n", "---------- Forwarded message ---------\n",
            "From: Ada\n", "Sent: 4.3.2025 10:12\n", "To: b\n", "Subject: x\n", "Sent from my iPhone\n", "差出人: 日本\n", ":", "\u{a0}", "日本語：\n",
            "<blockquote type=\"cite\">", "</blockquote>", "<div id=\"divRplyFwdMsg\">", "<div class=\"gmail_attr\">", "</div>", "<hr>", "text\n",
        ]).prop_map(str::to_owned),
        1 => "[\\PC\n]{0,20}",
    ]
}

fn apply(mut raw: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if raw.is_empty() {
            break;
        }
        let len = raw.len();
        match damage {
            Damage::Set(at, byte) => raw[at.index(len)] = *byte,
            Damage::Remove(at, length) => {
                let at = at.index(len);
                raw.drain(at..(at + length).min(len));
            }
            Damage::Double(at, length) => {
                let at = at.index(len);
                let copy = raw[at..(at + length).min(len)].to_vec();
                raw.splice(at..at, copy);
            }
            Damage::Insert(at, bytes) => {
                let at = at.index(len);
                raw.splice(at..at, bytes.iter().copied());
            }
            Damage::Cut(at) => raw.truncate(at.index(len)),
        }
    }
    raw
}

/// The parts of a text are the text, piece by piece, and none is empty or of the kind before it.
fn check_parts(text: &str, parts: &[Part]) {
    let mut at = 0;
    for pair in parts.windows(2) {
        assert_ne!(pair[0].kind, pair[1].kind);
    }
    for part in parts {
        assert!(part.length > 0 && text.is_char_boundary(at + part.length));
        at += part.length;
    }
    assert_eq!(at, text.len());
    let new = parts.iter().any(|part| part.kind == PartKind::New);
    assert!(new || text.is_empty(), "nothing is new in {text:?}");
}

/// What every parsed mail keeps to.
fn check(mail: &ParsedMail, raw: &[u8]) {
    if let report::Nature::DeliveryReport(report) = report::read(mail) {
        assert!(report.recipients.len() <= report::MAX_RECIPIENTS);
        assert!(
            report
                .recipients
                .iter()
                .all(|one| one.diagnostic.chars().count() <= report::MAX_DIAGNOSTIC)
        );
    }

    check_parts(&mail.text, &mail.text_parts());
    if let Some(html) = &mail.html {
        let html = sanitise(html).html;
        check_parts(&html, &mail.html_parts(&html));
    }

    let people = [&mail.from, &mail.sender, &mail.reply_to, &mail.to, &mail.cc, &mail.bcc];
    let mut lines: Vec<&str> = vec![&mail.subject, &mail.content_type, &mail.report_type];
    lines.extend(mail.message_id.as_deref());
    lines.extend(mail.in_reply_to.iter().chain(&mail.references).map(String::as_str));
    lines.extend(mail.headers.iter().flat_map(|(name, value)| [name.as_str(), value]));
    lines.extend(
        people
            .into_iter()
            .flatten()
            .flat_map(|p| [p.name.as_str(), p.address.as_str()]),
    );
    for attachment in &mail.attachments {
        lines.extend([attachment.name.as_str(), &attachment.content_type]);
        lines.extend(attachment.content_id.as_deref());
        let name = &attachment.name;
        assert!(
            !name.is_empty() && !name.contains(['/', '\\']) && name != "." && name != "..",
            "{name:?}"
        );
        assert!(name.chars().count() <= MAX_FILE_NAME + 5, "{name:?}");
        assert!(attachment.bytes.len() <= 2 * raw.len());
    }
    for line in lines {
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    }
    assert!(!mail.text.contains(['\0', '\r']) && mail.text.len() <= MAX_TEXT + 1);
    assert!(!mail.html.as_deref().unwrap_or_default().contains('\0'));
    assert!(mail.html.as_deref().unwrap_or_default().len() <= MAX_HTML);
    assert!(mail.deviations.len() <= MAX_DEVIATIONS);
}

proptest! {
    // Failures are shrunk and printed; a fixed one becomes a test of its own rather than a seed file.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(raw in vec(any::<u8>(), 0..2_000)) {
        check(&parse(&raw), &raw);
    }

    #[test]
    fn any_sequence_of_meaningful_pieces_is_read(pieces in vec(fragment(), 0..80)) {
        let raw = pieces.concat();
        check(&parse(&raw), &raw);
    }

    #[test]
    fn damaged_reports_are_read(damages in vec(damage(), 0..12)) {
        let raw = apply(REPORT.as_bytes().to_vec(), &damages);
        check(&parse(&raw), &raw);
    }

    #[test]
    fn damaged_mails_are_read(seed in select(seeds()), damages in vec(damage(), 0..12)) {
        let raw = apply(seed, &damages);
        let mail = parse(&raw);
        check(&mail, &raw);
        if let Some(html) = &mail.html {
            check_safe(&sanitise(html).html);
        }
    }

    #[test]
    fn parts_of_any_text_are_the_text(pieces in vec(history_piece(), 0..40), subject in select(vec!["x", "Re: x", "Fwd: x"])) {
        let text = pieces.concat();
        let raw = format!("Subject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}");
        check(&parse(raw.as_bytes()), raw.as_bytes());
        let page = text.replace('\n', "<br>\n");
        let raw = format!("Subject: {subject}\nIn-Reply-To: <a@b>\nContent-Type: text/html; charset=utf-8\n\n{page}");
        check(&parse(raw.as_bytes()), raw.as_bytes());
    }

    #[test]
    fn parts_of_any_html_are_the_html(html in "(<|>|</|div|blockquote|\"| type=\"cite\"| data-part=\"history\"|&|a|\n|日|<br>|<hr>|<pre>){0,60}") {
        check_parts(&html, &parse(b"Subject: Re: x\n\n").html_parts(&html));
    }

    #[test]
    fn own_words_before_history_are_new(words in "[a-z]{1,12}( [a-z]{1,12}){0,8}", history in select(vec![
        "Ada wrote:\n> old\n", "> old\n", "-----Original Message-----\nFrom: Ada\nSent: 4.3.2025\nTo: b\n\nold\n",
    ])) {
        let mail = parse(format!("Subject: Re: x\n\n{words}\n\n{history}").as_bytes());
        let parts = mail.text_parts();
        prop_assert_eq!(parts[0].kind, PartKind::New);
        prop_assert_eq!(mail.text[..parts[0].length].trim_end(), words);
        prop_assert_eq!(parts[1].kind, PartKind::Quoted);
    }

    #[test]
    fn text_of_a_plain_mail_is_never_lost(words in vec("[a-z]{1,12}", 1..40), ends in vec(select(vec!["\r\n", "\n", " ", "\r\n\r\n"]), 40)) {
        let mut raw = b"Subject: x\r\n\r\n".to_vec();
        for (word, end) in words.iter().zip(&ends) {
            raw.extend(word.bytes().chain(end.bytes()));
        }
        let mail = parse(&raw);
        let found: Vec<&str> = mail.text.split_whitespace().collect();
        prop_assert_eq!(found, words);
    }

    #[test]
    fn built_mails_are_read_as_they_were_meant(
        subject in "[\\PC&&[^\\s]]([\\PC]{0,60}[\\PC&&[^\\s]])?",
        text in "[a-zA-Z äöüß€日本.,\n]{1,300}",
        html in "[a-zA-Z äöü日本]{1,100}",
        name in "[a-zA-Zäöü日本]{1,30}\\.(pdf|txt|png)",
        content in vec(any::<u8>(), 0..500),
    ) {
        let page = format!("<p>{html}</p>");
        let raw = mail_builder::MessageBuilder::new()
            .from(("Support, Contoso", "support@contoso.example"))
            .to(vec![("Jürgen 日本", "a@fabrikam.example"), ("", "b@fabrikam.example")])
            .message_id("one@contoso.example")
            .in_reply_to("zero@contoso.example")
            .subject(subject.clone())
            .text_body(text.clone())
            .html_body(page.clone())
            .attachment("application/octet-stream", name.clone(), content.clone())
            .write_to_vec()
            .unwrap();
        let mail = parse(&raw);
        let bare = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(bare(&mail.subject), bare(&subject));
        prop_assert_eq!(bare(&mail.text), bare(&text));
        prop_assert_eq!(bare(&mail.html.unwrap_or_default()), bare(&page));
        prop_assert_eq!(&mail.from[0].name, "Support, Contoso");
        prop_assert_eq!(&mail.to[0].name, "Jürgen 日本");
        prop_assert_eq!(&mail.to[1].address, "b@fabrikam.example");
        prop_assert_eq!(mail.message_id.as_deref(), Some("one@contoso.example"));
        prop_assert_eq!(mail.in_reply_to, ["zero@contoso.example"]);
        prop_assert_eq!(mail.attachments.len(), 1);
        prop_assert_eq!(&mail.attachments[0].name, &name);
        prop_assert_eq!(mail.attachments[0].bytes.as_ref(), content.as_slice());
    }

    #[test]
    fn sanitised_html_is_safe_and_stable(html in hostile_html()) {
        let clean = sanitise(&html);
        check_safe(&clean.html);
        prop_assert_eq!(&sanitise(&clean.html), &clean);
    }

    #[test]
    fn composed_answers_are_safe(html in hostile_html()) {
        let out = compose_reply_html(&ReplyBody::Html(html), None);
        let (_, body) = out.split_once("<body>").unwrap();
        check_tags(body.strip_suffix("</body></html>").unwrap(), true);
    }

    #[test]
    fn text_is_escaped_and_already_safe(text in "(\\PC|[ \n\t<>&\"'=]|https?://[a-z.]{1,9}/?|mailto:a@b|javascript:|<script>){0,60}") {
        let html = text_to_html(&text);
        check_safe(&html);
        prop_assert_eq!(&sanitise(&html).html, &html);
        let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect::<String>();
        // Addresses are shown once, as the text of their link.
        prop_assert_eq!(bare(&html_to_text(&html)), bare(&text));
    }

    #[test]
    fn reply_subject_has_one_mark_and_is_stable(subject in "((re|RE|Aw|Fwd|WG|TR|SV|Re\\[2\\]|Antw) ?: ?|\\[[a-z]{1,5}\\] ?|\\PC|[\r\n ]){0,30}") {
        let reply = reply_subject(&subject);
        prop_assert!(reply.starts_with("Re: "));
        prop_assert!(!reply[4..].to_lowercase().starts_with("re:"), "{}", reply);
        prop_assert!(!reply.contains(['\r', '\n']));
        prop_assert_eq!(&reply_subject(&reply), &reply);
    }
}

/// HTML that tries to get through.
fn hostile_html() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => select(vec![
            "<script>alert(1)</script>", "<scr<script>ipt>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<svg><style><img src=x onerror=1>",
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">", "<iframe src=//x.example>",
            "<a href=\"javascript:alert(1)\">", "<a href=' java\tscript:1'>", "<a href=\"https://x.example/\" onclick=1>", "<a href=data:text/html,x>",
            "<img src=https://x.example/a.png>", "<img src='cid:a@b'>", "<img srcset='https://x.example/a 2x'>", "<img src=data:image/svg+xml,x>",
            "<img src=data:image/png;base64,AAAA>", "<img data-remote-src=javascript:1>", "<td background=https://x.example/>", "<div style=\"background:url(x)\">",
            "<div style='width:expression(1)'>", "<p style=color:red;position:fixed>", "<style>@import 'https://x.example'</style>", "<link rel=stylesheet href=x>",
            "<base href=https://x.example>", "<meta http-equiv=refresh content=0>", "<form action=x>", "<input autofocus onfocus=1>", "<button formaction=javascript:1>",
            "<object data=x>", "<embed src=x>", "<video poster=x>", "<audio src=x>", "<template>", "</template>", "<noscript><p title=\"</noscript><img src=x onerror=1>\">",
            "<table>", "<tr>", "<td>", "</td>", "</table>", "<caption>", "<a>", "</a>", "<b>", "</b>", "<p>", "</p>", "<div>", "</div>", "<li>", "<ul>", "</ul>",
            "<pre>\n\n", "</pre>", "<textarea>", "</textarea>", "<title>", "</title>", "<plaintext>", "<xmp>", "</xmp>", "<!--", "-->", "<![CDATA[", "]]>", "<?x", "&lt;script&gt;",
            "<select><option>", "</select>", "<font color=red>", "</font>", "<h1>", "</h1>", "<br>", "<body onload=1>", "<html>", "</html>", "<frameset>", "&#0;", "&nbsp;", "<", ">", "\"", "'", "`",
        ]).prop_map(str::to_owned),
        2 => "\\PC{0,10}",
        1 => "<[a-z]{1,8} (on[a-z]{1,8}|src|href|style|background|srcset|[a-z]{1,6})=(\"[^\"]{0,20}\"|[a-z:/]{1,20})/?>",
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn check_safe(html: &str) {
    check_tags(html, false);
}

/// Looks at every tag of the output. Written apart from the code under test: since text has its
/// angle brackets escaped, whatever begins with one is a tag.
fn check_tags(html: &str, remote_images: bool) {
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let tag = tag_text(&rest[start..]);
        rest = &rest[start + tag.len()..];
        let inner = tag
            .trim_start_matches('<')
            .trim_end_matches('>')
            .trim_start_matches('/');
        let name: String = inner.chars().take_while(char::is_ascii_alphanumeric).collect();
        assert!(!name.is_empty() && name == name.to_lowercase(), "{tag}");
        let banned = [
            "script",
            "style",
            "iframe",
            "frame",
            "frameset",
            "object",
            "embed",
            "applet",
            "form",
            "input",
            "button",
            "textarea",
            "select",
            "svg",
            "math",
            "link",
            "base",
            "meta",
            "video",
            "audio",
            "source",
            "track",
            "template",
            "noscript",
            "title",
            "plaintext",
            "xmp",
        ];
        assert!(!banned.contains(&name.as_str()), "{tag}");
        for (attribute, value) in attributes(inner[name.len()..].trim_start()) {
            let low = value.to_lowercase();
            assert!(!attribute.starts_with("on"), "{tag}");
            for banned in [
                "srcset",
                "background",
                "action",
                "formaction",
                "poster",
                "data",
                "id",
                "name",
                "class",
                "ping",
                "xlink:href",
            ] {
                assert_ne!(attribute, banned, "{tag}");
            }
            match attribute.as_str() {
                "href" => assert!(
                    ["http://", "https://", "mailto:", "tel:"]
                        .iter()
                        .any(|s| low.starts_with(s)),
                    "{tag}"
                ),
                "src" => assert!(
                    low.starts_with("cid:")
                        || (low.starts_with("data:image/") && !low.contains("svg"))
                        || (remote_images && low.starts_with("http")),
                    "{tag}"
                ),
                "style" => assert!(
                    !low.contains("url") && !low.contains('\\') && !low.contains("expression"),
                    "{tag}"
                ),
                _ => assert!(!low.contains("javascript:"), "{tag}"),
            }
        }
    }
}

/// The tag at the beginning, with quoted values whole.
fn tag_text(html: &str) -> &str {
    let mut quote = None;
    for (at, c) in html.char_indices() {
        match (quote, c) {
            (None, '"') => quote = Some('"'),
            (Some(open), c) if open == c => quote = None,
            (None, '>') => return &html[..=at],
            _ => {}
        }
    }
    panic!("a tag does not end: {html}");
}

fn attributes(mut rest: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after
            .split_once('"')
            .unwrap_or_else(|| panic!("a value does not end: {rest}"));
        out.push((name.trim().to_lowercase(), value.to_owned()));
        rest = after;
    }
    assert!(
        rest.trim_matches(['/', ' ']).is_empty(),
        "an attribute without value: {rest}"
    );
    out
}

#[test]
#[should_panic(expected = "onerror")]
fn checker_notices_event_handlers() {
    check_safe("<img src=\"cid:x\" onerror=\"x\">");
}

#[test]
#[should_panic(expected = "script")]
fn checker_notices_scripts() {
    check_safe("<p>x</p><script>");
}

#[test]
#[should_panic(expected = "https://x.example")]
fn checker_notices_remote_images() {
    check_safe("<img src=\"https://x.example\">");
}
