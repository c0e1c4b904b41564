//! Encoded words in headers (RFC 2047), as standards have them and as programs write them.
//!
//! Owns the decoding of header text. Invariants: never drops text it cannot decode; the result is
//! one line without control characters; a character split over two words is put together.

use crate::{charset, transfer};

enum Piece<'a> {
    Raw(&'a [u8]),
    Word { charset: String, bytes: Vec<u8> },
}

/// Decodes a header value for reading.
pub(crate) fn decode(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    for (text, _) in texts(value) {
        out.push_str(&text);
    }
    one_line(&out)
}

/// Rewrites a value so that each run of encoded words is one in UTF-8 and everything else is
/// UTF-8: what an address parser can take apart without decoding legacy charsets.
pub(crate) fn recode(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    for (text, encoded) in texts(value) {
        if !encoded {
            out.push_str(&text);
            continue;
        }
        out.push_str("=?utf-8?Q?");
        for byte in one_line(&text).bytes() {
            if byte.is_ascii_alphanumeric() {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("={byte:02X}"));
            }
        }
        out.push_str("?=");
    }
    out
}

/// Replaces line ends and control characters by blanks, so that a value stays one line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// The value's stretches of text with whether they were encoded.
fn texts(value: &[u8]) -> Vec<(String, bool)> {
    let mut out = Vec::new();
    for piece in merged(pieces(value)) {
        out.push(match piece {
            Piece::Raw(bytes) => (charset::guess(bytes, charset::Fit::Clean).0, false),
            Piece::Word { charset, bytes } => (charset::decode(&bytes, Some(&charset)).0, true),
        });
    }
    out
}

fn pieces(value: &[u8]) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let (mut raw_start, mut pos) = (0, 0);
    // A `=?` without an end is looked for an end once, not once for each.
    let mut last_end = value.len().saturating_sub(1);
    while last_end > 0 && !value[last_end - 1..].starts_with(b"?=") {
        last_end -= 1;
    }
    while pos < last_end {
        if value[pos] == b'='
            && value.get(pos + 1) == Some(&b'?')
            && let Some((charset, bytes, length)) = word(&value[pos..])
        {
            if raw_start < pos {
                out.push(Piece::Raw(&value[raw_start..pos]));
            }
            out.push(Piece::Word { charset, bytes });
            pos += length;
            raw_start = pos;
        } else {
            pos += 1;
        }
    }
    if raw_start < value.len() {
        out.push(Piece::Raw(&value[raw_start..]));
    }
    out
}

/// Drops blanks between words and joins neighbours of one charset before they are decoded.
fn merged(pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    let mut out: Vec<Piece<'_>> = Vec::with_capacity(pieces.len());
    let mut pieces = pieces.into_iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Raw(raw)
                if raw.trim_ascii().is_empty()
                    && matches!(out.last(), Some(Piece::Word { .. }))
                    && matches!(pieces.peek(), Some(Piece::Word { .. })) => {}
            Piece::Word { charset, bytes } => match out.last_mut() {
                Some(Piece::Word {
                    charset: last,
                    bytes: before,
                }) if last.eq_ignore_ascii_case(&charset) => {
                    before.extend_from_slice(&bytes);
                }
                _ => out.push(Piece::Word { charset, bytes }),
            },
            Piece::Raw(_) => out.push(piece),
        }
    }
    out
}

/// The encoded word at the beginning of `value`: charset, decoded bytes, length in `value`.
fn word(value: &[u8]) -> Option<(String, Vec<u8>, usize)> {
    /// Registered names have at most 40 characters; this leaves room for a language tag.
    const MAX_LABEL: usize = 80;
    /// RFC 2047 allows 75; programs that ignore it put a whole value into one word.
    const MAX_WORD: usize = 8 * 1024;
    let rest = &value[2..];
    let charset_end = rest.iter().take(MAX_LABEL).position(|&b| b == b'?')?;
    let label = &rest[..charset_end];
    if label.is_empty() || !label.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let label = label.split(|&b| b == b'*').next().unwrap_or_default();
    let encoding = rest.get(charset_end + 1)?;
    if rest.get(charset_end + 2) != Some(&b'?') {
        return None;
    }
    let text_start = charset_end + 3;
    let text = &rest[text_start.min(rest.len())..];
    let text = &text[..text.len().min(MAX_WORD)];
    let bytes = match encoding {
        b'Q' | b'q' => {
            let end = quoted_end(text)?;
            (quoted(&text[..end]), end)
        }
        b'B' | b'b' => {
            let end = text.windows(2).position(|w| w == b"?=")?;
            (transfer::base64(&text[..end])?.0, end)
        }
        _ => return None,
    };
    let (bytes, end) = bytes;
    Some((
        String::from_utf8_lossy(label).into_owned(),
        bytes,
        2 + text_start + end + 2,
    ))
}

/// The end of quoted text. A question mark before an encoded byte (`?=3F`) is text that should
/// have been encoded, provided that the word goes on.
fn quoted_end(text: &[u8]) -> Option<usize> {
    let first = text.windows(2).position(|w| w == b"?=" || w == b"=?")?;
    if text[first] == b'=' {
        // The next word begins before this one has ended.
        return None;
    }
    let after = &text[first + 2..];
    if transfer::hex_pair(after).is_none() {
        return Some(first);
    }
    let stretch = after.iter().position(u8::is_ascii_whitespace).unwrap_or(after.len());
    let next = after[..stretch].windows(2).position(|w| w == b"?=" || w == b"=?");
    match next {
        Some(next) if after[next] == b'?' => Some(first + 2 + next),
        _ => Some(first),
    }
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, transfer::hex_pair(after)) {
            (b'=', Some(value)) => {
                out.push(value);
                rest = &after[2..];
            }
            (b'_', _) => out.push(b' '),
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded() {
        for (input, expected) in [
            ("=?iso-8859-1?Q?Fr=F6sche_und?= Hasen", "Frösche und Hasen"),
            ("=?UTF-8?B?44GT?= \t =?utf-8?b?44KT?=", "こん"),
            ("=?utf-8*en?q?a?=", "a"),
            ("a =?utf-8?Q?b?=c", "a bc"),
            ("=?utf-8?Q?What now??=", "What now?"),
            ("=?utf-8?Q?Who?=3F_me?=", "Who?? me"),
            ("=?utf-8?Q?=0D=0ABcc:_x?=", "Bcc: x"),
        ] {
            assert_eq!(decode(input.as_bytes()), expected, "{input}");
        }
    }

    #[test]
    fn character_split_over_two_words_is_whole() {
        assert_eq!(decode(b"=?utf-8?Q?caf=C3?= =?UTF-8?Q?=A9?="), "café");
    }

    #[test]
    fn raw_bytes_inside_and_outside_words_are_read() {
        assert_eq!(decode(b"=?iso-8859-1?Q?Fr\xf6sche?= f\xfcr"), "Frösche für");
    }

    #[test]
    fn what_is_no_word_stays() {
        for input in [
            "=?utf-8?Q?open",
            "=?utf-8?Q?open =?x",
            "=?utf-8?X?a?=",
            "=??Q?a?=",
            "1=?2",
            "=?",
        ] {
            assert_eq!(decode(input.as_bytes()), input);
        }
    }

    #[test]
    fn recoded_words_keep_addresses_apart() {
        assert_eq!(
            recode(b"=?iso-8859-1?Q?M=FC,_A?= <a@b>"),
            "=?utf-8?Q?M=C3=BC=2C=20A?= <a@b>"
        );
    }

    #[test]
    fn many_openings_without_end_take_linear_time() {
        for opening in ["=?utf-8?Q? ", "=?utf-8?B?!", "=?utf-8?Q?a?==?utf-8?Q? "] {
            let value = opening.repeat(128 * 1024 / opening.len());
            assert!(decode(value.as_bytes()).len() >= value.len() / 3);
        }
    }
}
