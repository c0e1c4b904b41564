//! The language of what somebody wrote.
//!
//! Owns which text is looked at and when a guess is sure enough. Never looks at quotes, signatures or
//! headers: those say what others write, and how a program is set up. Invariant: no language rather than a
//! doubtful one, and a bounded part of the text is enough.

use whatlang::{Detector, Lang, Script};

use crate::{ParsedMail, Part, PartKind};

/// Letters that are looked at; more do not make the guess surer.
const MAX_LETTERS: usize = 2_000;
/// Bytes in which they are looked for.
const MAX_LOOK: usize = 64 * 1024;
/// Letters of a text in a script that many languages share; a greeting has fewer.
const MIN_LETTERS: usize = 20;
/// Letters of a text in a script that tells the language.
const MIN_LETTERS_OF_OWN_SCRIPT: usize = 4;
/// How sure whatlang has to be. Measured on some fifty mails of one and two sentences in ten languages: the
/// highest wrong guess has 0.25, and more than half of the right ones have more than this.
const MIN_CONFIDENCE: f64 = 0.4;

/// Languages that short texts in others are mistaken for, and that hardly anybody writes to a contact centre.
const UNLIKELY: [Lang; 5] = [Lang::Epo, Lang::Lat, Lang::Jav, Lang::Aka, Lang::Sna];

impl ParsedMail {
    /// The language of the new text as a code of ISO 639-1, if it is long and clear enough. `parts` are those of
    /// [`text_parts`](Self::text_parts).
    #[must_use]
    pub fn language(&self, parts: &[Part]) -> Option<&'static str> {
        let mut at = 0;
        let mut own = String::new();
        for part in parts {
            if part.kind == PartKind::New {
                own.push_str(&self.text[at..at + part.length]);
            }
            at += part.length;
        }
        of_text(&own)
    }
}

fn of_text(text: &str) -> Option<&'static str> {
    let text = &text[..text.floor_char_boundary(MAX_LOOK)];
    let (mut words, mut letters) = (String::new(), 0);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('>'));
    for word in lines.flat_map(str::split_whitespace) {
        // Addresses, order numbers and the like are of no language.
        if letters >= MAX_LETTERS || word.contains(['@', '/', '_', '=', '\\']) || word.contains(char::is_numeric) {
            continue;
        }
        letters += word.chars().filter(|c| c.is_alphabetic()).count();
        words.push_str(word);
        words.push(' ');
    }
    let guess = Detector::with_denylist(UNLIKELY.to_vec()).detect(&words)?;
    let shared = matches!(
        guess.script(),
        Script::Latin | Script::Cyrillic | Script::Arabic | Script::Devanagari | Script::Hebrew
    );
    let enough = if shared { MIN_LETTERS } else { MIN_LETTERS_OF_OWN_SCRIPT };
    (letters >= enough && guess.confidence() >= MIN_CONFIDENCE).then(|| code(guess.lang()))
}

/// The code of ISO 639-1.
#[rustfmt::skip] // a table
const fn code(lang: Lang) -> &'static str {
    match lang {
        Lang::Epo => "eo", Lang::Eng => "en", Lang::Rus => "ru", Lang::Cmn => "zh", Lang::Spa => "es", Lang::Por => "pt", Lang::Ita => "it",
        Lang::Ben => "bn", Lang::Fra => "fr", Lang::Deu => "de", Lang::Ukr => "uk", Lang::Kat => "ka", Lang::Ara => "ar", Lang::Hin => "hi",
        Lang::Jpn => "ja", Lang::Heb => "he", Lang::Yid => "yi", Lang::Pol => "pl", Lang::Amh => "am", Lang::Jav => "jv", Lang::Kor => "ko",
        Lang::Nob => "nb", Lang::Dan => "da", Lang::Swe => "sv", Lang::Fin => "fi", Lang::Tur => "tr", Lang::Nld => "nl", Lang::Hun => "hu",
        Lang::Ces => "cs", Lang::Ell => "el", Lang::Bul => "bg", Lang::Bel => "be", Lang::Mar => "mr", Lang::Kan => "kn", Lang::Ron => "ro",
        Lang::Slv => "sl", Lang::Hrv => "hr", Lang::Srp => "sr", Lang::Mkd => "mk", Lang::Lit => "lt", Lang::Lav => "lv", Lang::Est => "et",
        Lang::Tam => "ta", Lang::Vie => "vi", Lang::Urd => "ur", Lang::Tha => "th", Lang::Guj => "gu", Lang::Uzb => "uz", Lang::Pan => "pa",
        Lang::Aze => "az", Lang::Ind => "id", Lang::Tel => "te", Lang::Pes => "fa", Lang::Mal => "ml", Lang::Ori => "or", Lang::Mya => "my",
        Lang::Nep => "ne", Lang::Sin => "si", Lang::Khm => "km", Lang::Tuk => "tk", Lang::Aka => "ak", Lang::Zul => "zu", Lang::Sna => "sn",
        Lang::Afr => "af", Lang::Lat => "la", Lang::Slk => "sk", Lang::Cat => "ca", Lang::Tgl => "tl", Lang::Hye => "hy", Lang::Cym => "cy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_mails_are_recognised_in_their_languages() {
        for (expected, text) in [
            (
                "en",
                "Hello, where is my parcel 4711? It should have arrived on Thursday. Kind regards, Ada",
            ),
            (
                "fr",
                "Bonjour, où est mon colis 4711 ? Il devait arriver jeudi. Cordialement, Ada",
            ),
            (
                "de",
                "Guten Tag, wo bleibt mein Paket 4711? Es sollte am Donnerstag ankommen. Mit freundlichen Grüßen, Ada",
            ),
            (
                "es",
                "Hola, ¿dónde está mi paquete 4711? Debería haber llegado el jueves. Un saludo, Ada",
            ),
            (
                "it",
                "Buongiorno, dov'è il mio pacco 4711? Doveva arrivare giovedì. Cordiali saluti, Ada",
            ),
            (
                "nl",
                "Goedemorgen, waar blijft mijn pakket 4711? Het had donderdag moeten komen. Met vriendelijke groet, Ada",
            ),
            (
                "pt",
                "Bom dia, onde está a minha encomenda 4711? Devia ter chegado na quinta-feira. Cumprimentos, Ada",
            ),
            ("ja", "荷物はどこですか。"),
            ("zh", "请问我的包裹在哪里？"),
        ] {
            assert_eq!(of_text(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_too_short_or_no_text_has_no_language() {
        for text in [
            "",
            "Thanks!",
            "Danke, passt.",
            "ok",
            "4711 0815 12345",
            "https://contoso.example/a/b/c/the-quick-brown-fox-jumps-over-it",
            "> Hello, where is my parcel? It should have arrived on Thursday.",
        ] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }

    #[test]
    fn quotes_and_signatures_do_not_count() {
        let raw = "Subject: Re: x\nContent-Type: text/plain; charset=utf-8\n\nBonjour, je souhaite retourner un article. Pouvez-vous m'envoyer une étiquette de retour ?\n\n\
                   -- \nThis mail is confidential and may be read by nobody but its addressee.\n\nAm 04.03.25 um 10:12 schrieb Support:\n\
                   > Ihr Paket kommt am Donnerstag an. Vielen Dank für Ihre Geduld und freundliche Grüße.\n";
        let mail = crate::parse(raw.as_bytes());
        assert_eq!(mail.language(&mail.text_parts()), Some("fr"));
    }

    #[test]
    fn long_texts_cost_no_more_than_their_beginning() {
        assert_eq!(
            of_text(&"Where is my parcel? It should be here. ".repeat(100_000)),
            Some("en")
        );
    }
}
