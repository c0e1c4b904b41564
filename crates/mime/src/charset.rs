//! Bytes to text by a declared charset, by guess where the declaration is missing or wrong.
//!
//! Owns the choice of decoder. Invariant: every input gives text; the verdict says whether the
//! declaration held.

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

use crate::utf7;

/// Whether the declared charset fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Clean,
    /// The label names no known charset: the text is guessed.
    Unknown,
    /// The bytes are not of the declared charset: something was replaced or guessed.
    Malformed,
}

/// Decodes bytes of a declared charset.
pub(crate) fn decode(bytes: &[u8], label: Option<&str>) -> (String, Fit) {
    let Some(label) = label.map(clean_label).filter(|label| !label.is_empty()) else {
        return guess(bytes, Fit::Clean);
    };
    match label.as_str() {
        // All of these promise ASCII, and what is not ASCII has to be guessed.
        "us-ascii" | "ascii" | "ansi-x3.4-1968" | "646" => return guess(bytes, Fit::Malformed),
        "utf-7" | "unicode-1-1-utf-7" | "x-unicode-2-0-utf-7" => {
            let (text, clean) = utf7::decode(bytes);
            return (text, if clean { Fit::Clean } else { Fit::Malformed });
        }
        "unknown-8bit" | "x-unknown" | "unknown" | "default" | "binary" | "8bit" | "7bit" => {
            return guess(bytes, Fit::Clean).map_fit(Fit::Unknown);
        }
        _ => {}
    }
    if let Some(encoding) = encoding(&label) {
        return decode_as(bytes, encoding);
    }
    // The tables of mail-parser know some code pages of DOS that the web does not.
    match charset_decoder(label.as_bytes()).filter(|_| !is_stateful(&label)) {
        Some(decoder) => (decoder(bytes), Fit::Clean),
        None => guess(bytes, Fit::Clean).map_fit(Fit::Unknown),
    }
}

/// UTF-8 if the bytes are that, else windows-1252, which has a character for (nearly) every byte.
/// `fit` is what is reported when the bytes are not ASCII.
pub(crate) fn guess(bytes: &[u8], fit: Fit) -> (String, Fit) {
    if bytes.is_ascii() {
        if bytes.windows(3).any(|w| matches!(w, b"\x1b$B" | b"\x1b$@")) {
            return decode_as(bytes, ISO_2022_JP).map_fit(fit);
        }
        return (String::from_utf8_lossy(bytes).into_owned(), Fit::Clean);
    }
    match std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)) {
        Ok(text) => (text.to_owned(), fit),
        Err(_) => (
            WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
            Fit::Malformed,
        ),
    }
}

trait MapFit {
    fn map_fit(self, fit: Fit) -> Self;
}

impl MapFit for (String, Fit) {
    fn map_fit(self, fit: Fit) -> Self {
        (self.0, fit)
    }
}

fn decode_as(bytes: &[u8], encoding: &'static Encoding) -> (String, Fit) {
    // A byte order mark wins over the label among the Unicode encodings only: in others its bytes are letters.
    let (text, replaced) = if [UTF_8, UTF_16LE, UTF_16BE].contains(&encoding) {
        let (text, _, replaced) = encoding.decode(bytes);
        (text, replaced)
    } else {
        encoding.decode_without_bom_handling(bytes)
    };
    if !replaced {
        return (text.into_owned(), Fit::Clean);
    }
    (
        relabelled(bytes, encoding).unwrap_or_else(|| text.into_owned()),
        Fit::Malformed,
    )
}

/// What the bytes are where the label is plainly wrong: to replace what does not fit would lose
/// every letter.
fn relabelled(bytes: &[u8], labelled: &'static Encoding) -> Option<String> {
    const JAPANESE: [&Encoding; 3] = [EUC_JP, SHIFT_JIS, ISO_2022_JP];
    if let Ok(text) = std::str::from_utf8(bytes)
        && !bytes.is_ascii()
    {
        return Some(text.to_owned());
    }
    if JAPANESE.contains(&labelled) {
        return JAPANESE.iter().find_map(|encoding| {
            let (text, replaced) = encoding.decode_without_bom_handling(bytes);
            (!replaced).then(|| text.into_owned())
        });
    }
    (labelled == UTF_8 && !has_utf8_sequence(bytes))
        .then(|| WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned())
}

fn clean_label(label: &str) -> String {
    label
        .trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | ',' | '<' | '>'))
        .chars()
        .take(60)
        .map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() })
        .collect()
}

/// The encoding of a label, underscores already hyphens. Without those that browsers refuse.
fn encoding(label: &str) -> Option<&'static Encoding> {
    let known = match label {
        "utf8mb4" | "utf-8n" => "utf-8",
        "cp932" | "ms932" | "windows-932" | "shift-jis" | "sjis" => "shift_jis",
        "cp936" | "ms936" | "euc-cn" => "gbk",
        "cp949" | "uhc" | "ks-c-5601-1987" | "ks-c-5601" => "euc-kr",
        "cp950" => "big5",
        "cp51932" => "euc-jp",
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "cp50220" | "cp50221" | "csiso2022jp" => "iso-2022-jp",
        "macroman" | "x-mac-roman" => "macintosh",
        other => other,
    };
    Encoding::for_label_no_replacement(known.as_bytes()).or_else(|| {
        // `iso_8859-1:1987` and its like are registered with the underscore.
        Encoding::for_label_no_replacement(known.replacen('-', "_", 1).as_bytes())
    })
}

/// Charsets with shift sequences, for which the tables have no true decoder.
fn is_stateful(label: &str) -> bool {
    label.starts_with("iso-2022") || label.starts_with("csiso2022") || label.starts_with("hz")
}

/// Whether there is at least one well-formed sequence of several bytes.
fn has_utf8_sequence(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_charsets_are_decoded() {
        for (label, bytes, expected) in [
            ("ISO-2022-JP", b"\x1b$B%F%9%H\x1b(B".as_slice(), "テスト"),
            ("windows-1251", b"\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"),
            ("KOI8-R", b"\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"),
            ("cp850", b"\x81", "ü"),
            ("\"Shift_JIS\"", b"\x83e\x83X\x83g", "テスト"),
            ("iso_8859-1:1987", b"\xe9", "é"),
            ("utf-16be", b"\0T\0e", "Te"),
            ("utf-7", b"+AOk-", "é"),
            ("ks_c_5601-1987", b"\xb0\xa1", "가"),
        ] {
            assert_eq!(decode(bytes, Some(label)), (expected.to_owned(), Fit::Clean), "{label}");
        }
    }

    #[test]
    fn missing_label_is_guessed() {
        assert_eq!(decode("é".as_bytes(), None), ("é".into(), Fit::Clean));
        assert_eq!(decode(b"\xe9", None), ("é".into(), Fit::Malformed));
    }

    #[test]
    fn wrong_labels_are_reported_and_lose_no_letter() {
        assert_eq!(decode("é".as_bytes(), Some("us-ascii")), ("é".into(), Fit::Malformed));
        assert_eq!(decode(b"caf\xe9", Some("utf-8")), ("café".into(), Fit::Malformed));
        assert_eq!(
            decode("é".as_bytes(), Some("iso-2022-jp")),
            ("é".into(), Fit::Malformed)
        );
        assert_eq!(
            decode(b"\xa5\xc6\xa5\xb9", Some("iso-2022-jp")),
            ("テス".into(), Fit::Malformed)
        );
        assert_eq!(decode(b"caf\xe9", Some("x-no-such")), ("café".into(), Fit::Unknown));
        assert_eq!(
            decode(
                "\u{e9}\u{fffd}".as_bytes().split_last().map_or(&[][..], |x| x.1),
                Some("utf-8")
            )
            .1,
            Fit::Malformed
        );
    }
}
