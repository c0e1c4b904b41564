//! UTF-7 (RFC 2152), which encoding_rs leaves out since the web may not use it, and mail still does.
//!
//! Owns nothing but this decoding. Invariant: no input character is dropped; what cannot be
//! decoded becomes U+FFFD.

/// Decodes UTF-7; the second value says whether it was well formed.
pub(crate) fn decode(bytes: &[u8]) -> (String, bool) {
    let mut out = String::with_capacity(bytes.len());
    let mut clean = true;
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'+' {
            if byte.is_ascii() {
                out.push(char::from(byte));
            } else {
                out.push(char::REPLACEMENT_CHARACTER);
                clean = false;
            }
            continue;
        }
        let length = rest.iter().take_while(|&&b| sextet(b).is_some()).count();
        let (run, after) = rest.split_at(length);
        if run.is_empty() {
            // `+-` is a plus sign; a plus before anything else is taken for one as well.
            out.push('+');
            clean &= after.first() == Some(&b'-');
        } else {
            clean &= push_utf16(run, &mut out);
        }
        // A hyphen only ends the run; any other character also stands for itself.
        rest = after.strip_prefix(b"-").unwrap_or(after);
    }
    (out, clean)
}

fn push_utf16(run: &[u8], out: &mut String) -> bool {
    let mut units = Vec::with_capacity(run.len() * 3 / 8 + 1);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for value in run.iter().filter_map(|&b| sextet(b)) {
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push(u16::try_from((bits >> count) & 0xffff).unwrap_or_default());
            bits &= (1 << count) - 1;
        }
    }
    let mut clean = bits == 0 && !units.is_empty();
    for unit in char::decode_utf16(units) {
        clean &= unit.is_ok();
        out.push(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    clean
}

/// The six bits of a base64 character.
pub(crate) fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn runs_end_with_hyphen_or_any_other_character() {
        for (input, expected) in [
            ("Fr+APY-sche", "Frösche"),
            ("f+APw.", "fü."),
            ("Gr+APwA3w +- 1", "Grüß + 1"),
            ("+2D3cAA", "\u{1f400}"),
        ] {
            assert_eq!(decode(input.as_bytes()).0, expected, "{input}");
        }
    }

    #[test]
    fn broken_input_is_marked_and_keeps_its_length() {
        assert_eq!(decode(b"a + b"), ("a + b".into(), false));
        assert!(!decode(b"\xff").1);
    }
}
