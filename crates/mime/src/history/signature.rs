//! Signatures: the mark `-- `, what a device adds, and what the HTML calls one.
//!
//! Owns where one begins. Never guesses from greetings or telephone numbers: what follows a greeting
//! may be a question. Invariant: a signature is short, so that no text is taken for one.

use super::{
    introduction::is_rule,
    lines::{Hint, Line},
    words,
};

/// Lines of a signature that hold text.
const MAX_LINES: usize = 15;
/// Bytes of a signature's text, with room for the legal notices of companies.
const MAX_LENGTH: usize = 2_000;
/// Words of a line that a device adds.
const MAX_WORDS: usize = 9;

/// Where the signature begins that ends these lines, if one does. `after_quote` tells that they follow
/// a quote, where the foot of a mailing list may stand.
pub(super) fn start(lines: &[Line<'_>], after_quote: bool) -> Option<usize> {
    let (mut held, mut length) = (0, 0);
    let mut found = None;
    let mut marked = true;
    for (index, line) in lines.iter().enumerate().rev() {
        if line.is_blank() {
            continue;
        }
        if line.depth > 0 {
            break;
        }
        marked &= line.hint == Hint::Signature;
        let delimiter = matches!(&*line.text, "--" | "—") && held > 0;
        let foot = after_quote && is_rule(&line.text) && line.text.len() >= 20 && held > 0;
        if delimiter || foot || marked || (held == 0 && is_device(&line.text)) {
            found = Some(index);
        }
        held += 1;
        length += line.text.len();
        if held > MAX_LINES || length > MAX_LENGTH {
            break;
        }
    }
    // A whole signature that is marked and longer than the bound may hold anything.
    if held > MAX_LINES && marked { None } else { found }
}

fn is_device(text: &str) -> bool {
    // An address after the name of the program is no word of it.
    let words = text.split('<').next().unwrap_or_default().trim();
    let words = words.trim_matches(|c: char| matches!(c, '.' | '*' | '_' | '[' | ']'));
    words.split_whitespace().count() <= MAX_WORDS && words::says_sent_from(&words.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::lines::of_text;

    fn of(text: &str) -> Option<usize> {
        start(&of_text(text), false)
    }

    #[test]
    fn mark_and_device_begin_a_signature() {
        assert_eq!(of("a\n\n-- \nAda\nFabrikam"), Some(2));
        for line in [
            "Sent from my iPhone",
            "Get Outlook for iOS<https://contoso.example>",
            "Von meinem iPhone gesendet",
            "Gesendet von Outlook für Android",
            "Envoyé de mon iPhone",
            "Enviado desde mi iPhone",
            "Inviato da iPhone",
            "Verstuurd vanaf mijn iPhone",
            "Enviado do meu iPhone",
            "iPhoneから送信",
        ] {
            assert_eq!(of(&format!("a\n{line}\n")), Some(1), "{line}");
        }
    }

    #[test]
    fn text_is_no_signature() {
        assert_eq!(of("a\n--\n"), None);
        assert_eq!(of(&format!("a\n-- \n{}", "b\n".repeat(30))), None);
        assert_eq!(
            of("Sent from the shop on Monday with your own van and never arrived here"),
            None
        );
        assert_eq!(of("a\n____________________\nb"), None);
    }

    #[test]
    fn the_foot_of_a_list_is_one_after_a_quote() {
        assert_eq!(start(&of_text("____________________\nlist"), true), Some(0));
    }
}
