//! Content transfer encodings: base64, quoted-printable, uuencode, and none.
//!
//! Owns the undoing of encodings. Never fails: broken content is decoded as far as it goes, and
//! what was never encoded is returned as it stands. Invariant: output is at most twice as long as input
//! (uuencoded zeros may have lost their blanks), and no longer for the other encodings.

use std::borrow::Cow;

use crate::utf7::sextet;

/// A content transfer encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    None,
    Base64,
    QuotedPrintable,
    Uuencode,
    Unknown,
}

impl Encoding {
    /// Reads the header's value; junk after the token is ignored.
    pub(crate) fn parse(value: &str) -> Self {
        let value = value.trim_start_matches(['"', '\'', ' ']).to_ascii_lowercase();
        let token: String = value
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        match token.as_str() {
            "" | "7bit" | "8bit" | "binary" => Self::None,
            "base64" | "base-64" | "b64" => Self::Base64,
            "quoted-printable" | "quotedprintable" => Self::QuotedPrintable,
            "x-uuencode" | "uuencode" | "uue" | "x-uue" => Self::Uuencode,
            _ => Self::Unknown,
        }
    }

    /// Undoes the encoding; the flag says whether the content kept to it.
    pub(crate) fn decode(self, bytes: &[u8]) -> (Cow<'_, [u8]>, bool) {
        match self {
            Self::None | Self::Unknown => (Cow::Borrowed(bytes), true),
            Self::Base64 => match base64(bytes) {
                Some((decoded, clean)) => (Cow::Owned(decoded), clean),
                None => (Cow::Borrowed(bytes), false),
            },
            Self::QuotedPrintable => {
                let (decoded, clean) = quoted_printable(bytes);
                (Cow::Owned(decoded), clean)
            }
            Self::Uuencode => match uuencode(bytes) {
                Some(decoded) => (Cow::Owned(decoded), true),
                None => (Cow::Borrowed(bytes), false),
            },
        }
    }
}

/// Decodes base64, skipping what is not of its alphabet; none if so much is not that the content
/// was never encoded. Padding may stand inside, as where encoded blocks were joined.
pub(crate) fn base64(bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    let (mut good, mut bad) = (0_usize, 0_usize);
    let (mut clean, mut padded) = (true, false);
    let mut pos = 0;
    while let Some(&byte) = bytes.get(pos) {
        pos += 1;
        match byte {
            b'\r' | b'\n' => {}
            b' ' | b'\t' => {
                // Blanks at the edges of lines are usual; words apart are the mark of plain text.
                let inner = pos >= 2
                    && !bytes[pos - 2].is_ascii_whitespace()
                    && bytes.get(pos).is_some_and(|b| !b.is_ascii_whitespace());
                if inner {
                    bad += 1;
                }
            }
            b'=' => {
                clean &= matches!(count, 12 | 18) || (count == 0 && bytes.get(pos.wrapping_sub(2)) == Some(&b'='));
                flush(&mut out, bits, count);
                (bits, count) = (0, 0);
                padded = true;
                if matches!(bytes.get(pos), Some(b' ' | b'\t')) {
                    // What follows the padding on its line is a remark.
                    let line = bytes[pos..]
                        .iter()
                        .position(|&b| b == b'\n')
                        .unwrap_or(bytes.len() - pos);
                    clean &= bytes[pos..pos + line].trim_ascii().is_empty();
                    pos += line;
                }
            }
            _ => match sextet(byte) {
                Some(value) => {
                    good += 1;
                    clean &= !padded;
                    bits = (bits << 6) | u32::from(value);
                    count += 6;
                    if count == 24 {
                        out.extend_from_slice(&bits.to_be_bytes()[1..]);
                        (bits, count) = (0, 0);
                    }
                }
                None => bad += 1,
            },
        }
    }
    clean &= bad == 0 && count != 6;
    flush(&mut out, bits, count);
    (bad * 10 <= good).then_some((out, clean))
}

fn flush(out: &mut Vec<u8>, bits: u32, count: u32) {
    let [_, a, b, _] = (bits << (24 - count.min(24))).to_be_bytes();
    match count {
        12 => out.push(a),
        18 => out.extend_from_slice(&[a, b]),
        _ => {}
    }
}

/// Decodes quoted-printable; an equals sign that encodes nothing stands for itself.
pub(crate) fn quoted_printable(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(bytes.len());
    let mut clean = true;
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        let end = match line {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
        let (content, line_end) = line.split_at(line.len() - end);
        // Blanks at the end of a line were added on the way.
        let content = content.trim_ascii_end();
        let (content, soft) = match content.strip_suffix(b"=") {
            Some(content) => (content, true),
            None => (content, false),
        };
        clean &= quoted_line(content, &mut out);
        if !soft {
            out.extend_from_slice(line_end);
        }
    }
    (out, clean)
}

fn quoted_line(content: &[u8], out: &mut Vec<u8>) -> bool {
    let mut clean = true;
    let mut rest = content;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'=' {
            if let Some(value) = hex_pair(after) {
                out.push(value);
                rest = &after[2..];
                continue;
            }
            clean = false;
        }
        out.push(byte);
    }
    clean
}

/// The byte that two hexadecimal digits at the beginning stand for.
pub(crate) fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(*bytes.first()?)? << 4 | digit(*bytes.get(1)?)?)
}

fn uuencode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut lines = bytes.split(|&b| b == b'\n');
    lines.find(|line| line.starts_with(b"begin "))?;
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    for line in lines {
        let line = line.trim_ascii_end();
        if line == b"end" {
            return Some(out);
        }
        let Some((&length, data)) = line.split_first() else {
            continue;
        };
        let start = out.len();
        let wanted = usize::from(length.wrapping_sub(32) & 63);
        // Blanks are zeros, and those at the end of lines get lost on the way.
        for group in 0..wanted.div_ceil(3) {
            let bits = (0..4).fold(0_u32, |bits, i| {
                let byte = data.get(group * 4 + i).copied().unwrap_or(b' ');
                bits << 6 | u32::from(byte.wrapping_sub(32) & 63)
            });
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
        }
        out.truncate(start + wanted);
        if out.len() > 2 * bytes.len() {
            return None;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64_text(input: &str) -> Option<(String, bool)> {
        base64(input.as_bytes()).map(|(bytes, clean)| (String::from_utf8_lossy(&bytes).into_owned(), clean))
    }

    #[test]
    fn base64_survives_the_usual_damage() {
        assert_eq!(base64_text("aGVs\r\nbG8=\r\n"), Some(("hello".into(), true)));
        assert_eq!(base64_text("aGVsbG8"), Some(("hello".into(), true)), "padding missing");
        assert_eq!(
            base64_text("aGVsbG8=IHdvcmxk"),
            Some(("hello world".into(), false)),
            "joined blocks"
        );
        assert_eq!(
            base64_text("aGVsbG8= ignored"),
            Some(("hello".into(), false)),
            "remark after padding"
        );
        assert_eq!(
            base64_text("aGVsbG8gd29ybGQs!IHRoaXMgaXMgZmluZQ=="),
            Some(("hello world, this is fine".into(), false))
        );
    }

    #[test]
    fn text_labelled_base64_is_not_decoded() {
        assert_eq!(base64_text("This was never encoded at all."), None);
        assert_eq!(base64_text("?garbage"), None);
    }

    #[test]
    fn quoted_printable_survives_the_usual_damage() {
        let decode = |input: &str| {
            let (bytes, clean) = quoted_printable(input.as_bytes());
            (String::from_utf8_lossy(&bytes).into_owned(), clean)
        };
        assert_eq!(
            decode("caf=C3=A9 =\r\nau lait=20\r\n"),
            ("café au lait \r\n".into(), true)
        );
        assert_eq!(decode("1 = 1, a=zz  \n"), ("1 = 1, a=zz\n".into(), false));
        assert_eq!(decode("end="), ("end".into(), true));
    }

    #[test]
    fn uuencoded_content_is_decoded_to_its_length() {
        assert_eq!(
            uuencode(b"begin 644 a\n%:&5L;&\\\n`\nend\n").as_deref(),
            Some(b"hello".as_slice())
        );
        assert_eq!(
            uuencode(b"begin 644 a\n#\n`\nend\n").as_deref(),
            Some([0; 3].as_slice())
        );
        assert_eq!(uuencode(b"nothing"), None);
    }
}
