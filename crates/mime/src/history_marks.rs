//! What mail programs write into HTML to mark quotes, their introductions and signatures.
//!
//! Owns the names and the attribute by which the sanitised HTML keeps them, since it keeps no classes
//! and ids. Never decides what is history. Invariant: the attribute has no value but those below.

/// The attribute on elements of sanitised HTML.
pub(crate) const ATTRIBUTE: &str = "data-part";
/// The element quotes another mail.
pub(crate) const CITE: &str = "cite";
/// The element says who wrote what is quoted after it.
pub(crate) const ATTRIBUTION: &str = "attribution";
/// The history begins with the element.
pub(crate) const HISTORY: &str = "history";
/// The element is a signature.
pub(crate) const SIGNATURE: &str = "signature";

/// Whether the attribute may have this value.
pub(crate) fn is_known(value: &str) -> bool {
    matches!(value, CITE | ATTRIBUTION | HISTORY | SIGNATURE)
}

/// Classes, ids and names, lower case. Ids may have a prefix (`x_`), which Outlook gives to what it takes over.
const NAMES: [(&str, &str); 29] = [
    // Outlook: on the web and new, on mobiles, on the Mac.
    ("divrplyfwdmsg", HISTORY),
    ("appendonsend", HISTORY),
    ("mail-editor-reference-message-container", HISTORY),
    ("ms-outlook-mobile-reference-message", HISTORY),
    ("olk_src_body_section", HISTORY),
    ("mac_outlook_signature", SIGNATURE),
    ("ms-outlook-mobile-signature", SIGNATURE),
    ("signature", SIGNATURE),
    ("outlooksignature", SIGNATURE),
    // Gmail. The container of quotes is left out: inline answers stand in it.
    ("gmail_attr", ATTRIBUTION),
    ("gmail_signature", SIGNATURE),
    ("gmail_signature_prefix", SIGNATURE),
    // Apple Mail.
    ("applemailsignature", SIGNATURE),
    ("apple-mail-signature", SIGNATURE),
    // Thunderbird.
    ("moz-cite-prefix", ATTRIBUTION),
    ("moz-signature", SIGNATURE),
    // Yahoo.
    ("yahoo_quoted", CITE),
    ("yqtdbase", CITE),
    ("yahoo-signature", SIGNATURE),
    // Others of some spread.
    ("protonmail_signature_block", SIGNATURE),
    ("zmail_extra", CITE),
    ("zmail_extra_hr", HISTORY),
    ("tutanota_quote", CITE),
    ("front-blockquote", CITE),
    ("messagereplysection", CITE),
    ("messagesignaturesection", SIGNATURE),
    ("bloop_original_html", CITE),
    ("__quoted_text__", CITE),
    ("__sig_pre__", SIGNATURE),
];

/// What an element's attributes say of it.
pub(crate) fn of(tag: &str, attributes: &[(String, String)]) -> Option<&'static str> {
    let mut found = None;
    for (name, value) in attributes {
        let part = match name.as_str() {
            ATTRIBUTE => NAMES.iter().map(|(_, part)| *part).find(|part| part == value),
            "class" | "id" | "name" | "data-marker" => value.split_ascii_whitespace().find_map(|word| named(tag, word)),
            _ => None,
        };
        found = found.or(part);
    }
    found
}

fn named(tag: &str, word: &str) -> Option<&'static str> {
    /// Longer ones are none of ours.
    const MAX_NAME: usize = 60;
    if word.len() > MAX_NAME {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let word = word.trim_start_matches("x_");
    // GMX and web.de name the container of a quote so, Gmail the element itself.
    if tag == "blockquote" && matches!(word, "gmail_quote" | "protonmail_quote") || tag == "div" && word == "quote" {
        return Some(CITE);
    }
    // Yahoo puts a prefix of its own before every class: `ydp1a2b3c4dyahoo_quoted`.
    if word.starts_with("ydp") && word.ends_with("yahoo_quoted") {
        return Some(CITE);
    }
    NAMES.iter().find(|(name, _)| *name == word).map(|(_, part)| *part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_one(tag: &str, name: &str, value: &str) -> Option<&'static str> {
        of(tag, &[(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn marks_of_programs_are_known() {
        for (tag, name, value, part) in [
            ("div", "id", "divRplyFwdMsg", HISTORY),
            ("div", "id", "x_appendonsend", HISTORY),
            ("blockquote", "class", "gmail_quote", CITE),
            ("div", "class", "gmail_attr", ATTRIBUTION),
            ("div", "class", "ydp9f1c2b3eyahoo_quoted", CITE),
            ("div", "data-part", "signature", SIGNATURE),
        ] {
            assert_eq!(of_one(tag, name, value), Some(part), "{value}");
        }
    }

    #[test]
    fn containers_that_hold_answers_and_unknown_values_say_nothing() {
        assert_eq!(of_one("div", "class", "gmail_quote"), None);
        assert_eq!(of_one("div", "data-part", "other"), None);
    }
}
