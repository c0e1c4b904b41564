//! Prints what is new, signature and history in the mails that are named, for looking at by eye.
//!
//! Mails that are new as a whole are only counted.

use std::error::Error;

use guichet_mime::{Part, PartKind, parse, sanitise};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut mails, mut whole) = (0, 0);
    for path in std::env::args().skip(1) {
        let mail = parse(&std::fs::read(&path)?);
        let html = mail.html.as_deref().map(|html| sanitise(html).html);
        let views = [
            ("text", mail.text.clone(), mail.text_parts()),
            (
                "html",
                html.clone().unwrap_or_default(),
                html.map(|html| mail.html_parts(&html)).unwrap_or_default(),
            ),
        ];
        mails += 1;
        let divided = |parts: &[Part]| parts.iter().any(|part| part.kind != PartKind::New);
        if views.iter().all(|(_, _, parts)| !divided(parts)) {
            whole += 1;
            continue;
        }
        for (view, text, parts) in views.iter().filter(|(_, _, parts)| divided(parts)) {
            println!("==== {path}: {view}, subject: {}", mail.subject);
            let mut at = 0;
            for part in parts {
                println!("[{}]", part.kind.as_str());
                println!("{}", &text[at..at + part.length]);
                at += part.length;
            }
        }
    }
    println!("{mails} mails, {whole} of them new as a whole");
    Ok(())
}
