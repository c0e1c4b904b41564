//! Real and malformed mail, compared with a second, independent parser.
//!
//! Reads the project's fixtures always, and the corpus where it is present (`GUICHET_CORPUS`, else
//! `../shared/corpus` beside the repository). The second parser is Python's `email`; without
//! Python the comparison is skipped, visibly.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use guichet_mime::{Attachment, ParsedMail, html_to_text, parse, sanitise};
use serde_json::Value;

/// Where the two parsers differ and ours is right, or as right: file, what, why.
#[rustfmt::skip] // one difference a line
const EXPLAINED: [(&str, &str, &str); 35] = [
    ("02-alternative-inline-image.eml", "content", "the extended file name is the better one and wins"),
    ("12-truncated-multipart.eml", "leaves", "the boundary is read although the semicolon before it is missing"),
    ("12-truncated-multipart.eml", "content", "as above: the parts are taken apart here"),
    ("malformed-003.eml", "leaves", "outer and inner multipart share a boundary: the inner one takes the part, and none is left empty"),
    ("malformed-013.eml", "leaves", "as malformed-003, and nothing follows the last boundary"),
    ("malformed-014.eml", "leaves", "nothing follows the last boundary, so it begins no part"),
    ("malformed-017.eml", "content", "the boundary is read although the semicolon before it is missing"),
    ("malformed-019.eml", "subject", "`Fro :` is a header in the obsolete syntax; there everything is one body"),
    ("malformed-019.eml", "to", "as above"),
    ("malformed-019.eml", "message_id", "as above"),
    ("malformed-019.eml", "leaves", "as above"),
    ("malformed-019.eml", "content", "as above"),
    ("thirdparty-003.eml", "content", "blanks after `quoted-printable` do not make it an unknown encoding"),
    ("thirdparty-012.eml", "leaves", "a boundary that is folded in its header is unfolded"),
    ("thirdparty-012.eml", "content", "as above"),
    ("lhost-apachejames-01.eml", "content", "the boundary stands in a line that is not folded; it is found in the body"),
    ("lhost-ezweb-03.eml", "content", "labelled ISO-2022-JP, written in EUC-JP: read as that here, as windows-1252 there"),
    ("lhost-ezweb-05.eml", "content", "as lhost-ezweb-03"),
    ("lhost-office365-09.eml", "leaves", "as lhost-apachejames-01"),
    ("lhost-office365-09.eml", "content", "as lhost-apachejames-01"),
    ("lhost-office365-11.eml", "leaves", "as lhost-apachejames-01"),
    ("lhost-office365-11.eml", "content", "as lhost-apachejames-01"),
    ("rhost-cox-01.eml", "leaves", "the report is there twice, the second after the closing boundary; parts after it are kept"),
    ("legacy-016.eml", "content", "raw Latin-1 bytes in a file name are read here and replaced there"),
    ("legacy-023.eml", "content", "as legacy-016"),
    ("legacy-026.eml", "content", "as legacy-016"),
    ("05-broken-base64.eml", "content", "decoded but for the foreign character; there the damage leaves it encoded"),
    ("rfc-000.eml", "content", "text in the place of base64 is kept as it stands, not decoded into noise"),
    ("thirdparty-002.eml", "content", "as rfc-000"),
    ("malformed-019.eml", "date", "as its subject"),
    ("14-winmail-dat-with-files.eml", "leaves", "what is in TNEF stands in its place"),
    ("14-winmail-dat-with-files.eml", "content", "as above"),
    ("15-smime-signed-data.eml", "leaves", "what is signed stands in the place of its wrapping"),
    ("15-smime-signed-data.eml", "content", "as above"),
    ("rhost-apple-01.eml", "names", "a comment after a bracketed address is the name"),
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The mails of a directory, in order of their names.
fn mails(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut out: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    out.sort();
    out
}

/// The mails of a part of the corpus; none, and a line that says so, where it is absent.
fn corpus(part: &str) -> Vec<PathBuf> {
    let root = std::env::var_os("GUICHET_CORPUS").map_or_else(|| repository().join("../shared/corpus"), PathBuf::from);
    let mails = mails(&root.join(part));
    if mails.is_empty() {
        println!("skipped: no corpus at {}", root.join(part).display());
    }
    mails
}

fn fixtures() -> Vec<PathBuf> {
    let mails = mails(&repository().join("fixtures/mail"));
    assert!(!mails.is_empty(), "the project's own fixtures are missing");
    mails
}

fn everything() -> Vec<PathBuf> {
    [fixtures(), corpus("mail"), corpus("bounces")].concat()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Text without blanks, which transfer and flowing may change.
fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && *c != '\0' && *c != '\u{feff}')
        .collect()
}

fn without_returns(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|b| *b != b'\r').collect()
}

#[test]
fn every_mail_is_read_and_what_is_shown_is_safe() {
    for path in everything() {
        let raw = std::fs::read(&path).unwrap();
        let mail = parse(&raw);
        for attachment in &mail.attachments {
            assert!(
                !attachment.name.is_empty() && !attachment.name.contains(['/', '\\', '\0']),
                "{}",
                path.display()
            );
        }
        if let Some(html) = &mail.html {
            let clean = sanitise(html);
            assert_eq!(sanitise(&clean.html), clean, "{}", path.display());
            let words = |html: &str| bare(&html_to_text(html)).replace(['-', '>', '[', ']'], "");
            assert_eq!(words(html), words(&clean.html), "text is lost from {}", path.display());
        }
    }
}

#[test]
fn line_ends_do_not_change_what_is_read() {
    for path in everything() {
        let raw = without_returns(&std::fs::read(&path).unwrap());
        if raw.contains(&0) || file_name(&path).contains("lone-cr") {
            continue; // binary content may hold line ends as data
        }
        let feeds = parse(&raw);
        let mut crlf = Vec::with_capacity(raw.len() * 2);
        for &byte in &raw {
            if byte == b'\n' {
                crlf.push(b'\r');
            }
            crlf.push(byte);
        }
        let both = parse(&crlf);
        let outline = |mail: &ParsedMail| {
            let names: Vec<_> = mail
                .attachments
                .iter()
                .map(|a| (a.name.clone(), without_returns(&a.bytes)))
                .collect();
            (
                mail.headers.clone(),
                mail.text.clone(),
                mail.html.clone(),
                names,
                mail.from.clone(),
            )
        };
        assert_eq!(outline(&feeds), outline(&both), "{}", path.display());
    }
}

#[test]
fn second_parser_finds_nothing_that_is_missing_here() {
    let paths = everything();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second_parser.py");
    let output = match Command::new("python3").arg(script).args(&paths).output() {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: python3 cannot be started: {error}");
            return;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let found: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), paths.len());

    let mut unexplained = Vec::new();
    let mut used = BTreeMap::new();
    for (path, second) in paths.iter().zip(&found) {
        let mail = parse(&std::fs::read(path).unwrap());
        let name = file_name(path);
        for (what, detail) in differences(&mail, second) {
            let known = EXPLAINED
                .iter()
                .find(|(file, field, _)| *file == name && *field == what);
            match known {
                Some((file, field, why)) => {
                    println!("explained: {file}: {field}: {why}");
                    used.insert((*file, *field), ());
                }
                None => unexplained.push(format!("{name}: {what}: {detail}")),
            }
        }
    }
    println!("compared {} mails, {} explained differences", paths.len(), used.len());
    assert!(
        unexplained.is_empty(),
        "{} differences:\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
}

fn differences(mail: &ParsedMail, second: &Value) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let subject = second["subject"].as_str().unwrap_or_default();
    if bare(&mail.subject) != bare(subject) {
        out.push(("subject", format!("{:?} here, {subject:?} there", mail.subject)));
    }
    for (field, people) in [
        ("from", &mail.from),
        ("to", &mail.to),
        ("cc", &mail.cc),
        ("reply_to", &mail.reply_to),
    ] {
        let here = people.iter().map(|person| person.address.as_str());
        let here: Vec<&str> = here.filter(|address| !address.is_empty()).collect();
        let there = second[field].as_array().into_iter().flatten();
        let there: Vec<&str> = there.filter_map(Value::as_str).collect();
        if here != there {
            out.push((field, format!("{here:?} here, {there:?} there")));
        }
    }
    let here: Vec<&str> = mail.from.iter().map(|person| person.name.as_str()).collect();
    let there: Vec<&str> = second["names"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if bare(&here.concat()) != bare(&there.concat()) {
        out.push(("names", format!("{here:?} here, {there:?} there")));
    }
    let (here, there) = (mail.date.map(jiff::Timestamp::as_second), second["date"].as_i64());
    if here != there {
        out.push(("date", format!("{here:?} here, {there:?} there")));
    }
    let id = second["message_id"].as_str().unwrap_or_default();
    if mail.message_id.clone().unwrap_or_default() != id.trim_matches(['<', '>', ' ']) {
        out.push(("message_id", format!("{:?} here, {id:?} there", mail.message_id)));
    }
    let leaves: Vec<&Value> = second["leaves"].as_array().into_iter().flatten().collect();
    if mail.shown_parts + mail.attachments.len() != leaves.len() {
        let kinds: Vec<_> = leaves
            .iter()
            .map(|leaf| leaf["type"].as_str().unwrap_or_default())
            .collect();
        let here: Vec<_> = mail.attachments.iter().map(|a| a.content_type.as_str()).collect();
        out.push((
            "leaves",
            format!("{} shown and {here:?} here, {kinds:?} there", mail.shown_parts),
        ));
    }
    for leaf in leaves {
        if let Some(missing) = missing(mail, leaf) {
            out.push(("content", missing));
        }
    }
    out
}

/// What of a leaf is found neither in the shown text nor among the attachments.
fn missing(mail: &ParsedMail, leaf: &Value) -> Option<String> {
    let bytes = leaf["bytes"].as_str().map(hex)?;
    let kind = leaf["type"].as_str().unwrap_or_default();
    let same_bytes = |a: &&Attachment| without_returns(&a.bytes) == without_returns(&bytes);
    let names: Vec<&str> = mail
        .attachments
        .iter()
        .filter(same_bytes)
        .map(|a| a.name.as_str())
        .collect();
    if !names.is_empty() {
        let name = leaf["filename"].as_str().unwrap_or_default();
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let same = name.is_empty() || names.iter().any(|here| bare(here) == bare(last));
        return (!same).then(|| format!("name {names:?} here, {name:?} there"));
    }
    let Some(text) = leaf["text"].as_str() else {
        return Some(format!("{kind} of {} bytes", bytes.len()));
    };
    let shown = bare(&mail.text);
    let html = bare(mail.html.as_deref().unwrap_or_default());
    let wanted = bare(text);
    // Quote marks may be joined where flowed lines are.
    let loose = |text: &str| text.replace('>', "");
    if shown.contains(&wanted) || html.contains(&wanted) || loose(&shown).contains(&loose(&wanted)) {
        return None;
    }
    let start: String = text.chars().take(80).collect();
    Some(format!("{kind} of {} bytes: {start:?}", bytes.len()))
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[test]
fn comparison_notices_what_is_missing() {
    let raw = b"From: a@b.example\nSubject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: image/png\n\nP\n--b--\n";
    let second = serde_json::json!({
        "subject": "x", "from": ["a@b.example"], "to": [], "message_id": null,
        "leaves": [{"type": "text/plain", "bytes": "74657874", "text": "text"}, {"type": "image/png", "bytes": "50"}],
    });
    let mail = parse(raw);
    assert_eq!(differences(&mail, &second), []);
    let mut poorer = mail.clone();
    poorer.attachments.clear();
    poorer.text.clear();
    poorer.subject.clear();
    let found: Vec<_> = differences(&poorer, &second)
        .into_iter()
        .map(|(what, _)| what)
        .collect();
    assert_eq!(found, ["subject", "leaves", "content", "content"]);
}
