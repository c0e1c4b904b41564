//! The outer layers of a CMS message (RFC 5652), as far as S/MIME needs them to be read.
//!
//! Owns the reading of BER: what kind of message it is, and the content of one that is signed. Never
//! verifies a signature and never decrypts. Invariant: no recursion, no length is trusted, and every byte is
//! looked at a few times at most.

/// What a CMS message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Signed; its content, unless it has none and only carries certificates.
    Signed(Option<Vec<u8>>),
    /// Encrypted.
    Enveloped,
    /// Something else, compressed for example.
    Other,
}

const SIGNED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const ENVELOPED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
const AUTHENTICATED_ENVELOPED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17];

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT: u8 = 0x06;
const EXPLICIT_0: u8 = 0xa0;
const OCTETS: u8 = 0x04;
const OCTETS_IN_PIECES: u8 = 0x24;

/// Reads a CMS message; none if it is none, or is damaged before its content ends.
pub(crate) fn read(bytes: &[u8]) -> Option<Kind> {
    let (message, _) = expect(bytes, SEQUENCE)?;
    let (kind, rest) = expect(message, OBJECT)?;
    match kind {
        SIGNED => {}
        ENVELOPED | AUTHENTICATED_ENVELOPED => return Some(Kind::Enveloped),
        _ => return Some(Kind::Other),
    }
    let (explicit, _) = expect(rest, EXPLICIT_0)?;
    let (signed, _) = expect(explicit, SEQUENCE)?;
    let (_version, rest) = expect(signed, INTEGER)?;
    let (_digests, rest) = expect(rest, SET)?;
    let (enclosed, _) = expect(rest, SEQUENCE)?;
    let (_kind, rest) = expect(enclosed, OBJECT)?;
    let Some((content, _)) = expect(rest, EXPLICIT_0) else {
        return Some(Kind::Signed(None));
    };
    let (head, _) = head(content)?;
    let (octets, _) = expect(content, head)?;
    match head {
        OCTETS => Some(Kind::Signed(Some(octets.to_vec()))),
        OCTETS_IN_PIECES => joined(octets).map(|content| Kind::Signed(Some(content))),
        _ => None,
    }
}

/// The content of the first element, which has to be of this kind, and what follows it.
fn expect(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (kind, length) = head(bytes)?;
    if kind != wanted {
        return None;
    }
    let (start, length) = length;
    let content = bytes.get(start..)?;
    match length {
        Some(length) => content.split_at_checked(length),
        None => {
            let end = end_of_contents(content)?;
            Some((&content[..end], &content[end + 2..]))
        }
    }
}

/// Kind of the first element, where its content begins, and its length if it is given.
fn head(bytes: &[u8]) -> Option<(u8, (usize, Option<usize>))> {
    let kind = *bytes.first()?;
    // Kinds with more than one byte do not occur here.
    if kind & 0x1f == 0x1f {
        return None;
    }
    let first = *bytes.get(1)?;
    match first {
        0x80 => Some((kind, (2, None))),
        0..0x80 => Some((kind, (2, Some(usize::from(first))))),
        _ => {
            let count = usize::from(first & 0x7f);
            if count > 4 {
                return None;
            }
            let digits = bytes.get(2..2 + count)?;
            let length = digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
            Some((kind, (2 + count, Some(length))))
        }
    }
}

/// Where the mark stands that ends content of a length that is not given.
fn end_of_contents(content: &[u8]) -> Option<usize> {
    let (mut at, mut open) = (0_usize, 1_usize);
    loop {
        let (kind, (start, length)) = head(content.get(at..)?)?;
        match (kind, length) {
            (0, Some(0)) => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
                at += start;
            }
            (_, None) => {
                open += 1;
                at += start;
            }
            (_, Some(length)) => at = at.checked_add(start)?.checked_add(length)?,
        }
    }
}

/// The pieces of a text in pieces, however they are nested.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let (kind, (start, length)) = head(rest)?;
        let content = rest.get(start..)?;
        rest = match (kind, length) {
            (OCTETS, Some(length)) => {
                let (piece, after) = content.split_at_checked(length)?;
                out.extend_from_slice(piece);
                after
            }
            // Pieces in pieces, and marks where they end, follow one another.
            (OCTETS_IN_PIECES, _) | (0, Some(0)) => content,
            _ => return None,
        };
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind, 0x82], &length[..], content].concat()
    }

    fn endless(kind: u8, content: &[u8]) -> Vec<u8> {
        [&[kind, 0x80], content, &[0, 0]].concat()
    }

    fn message(kind: &[u8], content: &[u8], wrap: fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
        let enclosed = [element(OBJECT, &[0x2a]), content.to_vec()].concat();
        let signed = [
            element(INTEGER, &[1]),
            element(SET, &[]),
            wrap(SEQUENCE, &enclosed),
            element(SET, &[]),
        ]
        .concat();
        let explicit = wrap(EXPLICIT_0, &wrap(SEQUENCE, &signed));
        wrap(SEQUENCE, &[element(OBJECT, kind), explicit].concat())
    }

    #[test]
    fn content_is_found_in_every_encoding() {
        let pieces = [
            element(OCTETS, b"one "),
            endless(OCTETS_IN_PIECES, &element(OCTETS, b"two")),
        ]
        .concat();
        for (content, expected) in [
            (element(EXPLICIT_0, &element(OCTETS, b"whole")), Some(b"whole".to_vec())),
            (
                endless(EXPLICIT_0, &endless(OCTETS_IN_PIECES, &pieces)),
                Some(b"one two".to_vec()),
            ),
            (
                element(EXPLICIT_0, &element(OCTETS_IN_PIECES, &pieces)),
                Some(b"one two".to_vec()),
            ),
            (Vec::new(), None),
        ] {
            for wrap in [element, endless] {
                assert_eq!(
                    read(&message(SIGNED, &content, wrap)),
                    Some(Kind::Signed(expected.clone()))
                );
            }
        }
    }

    #[test]
    fn other_kinds_are_told_apart() {
        assert_eq!(read(&message(ENVELOPED, &[], element)), Some(Kind::Enveloped));
        assert_eq!(read(&message(&[0x2a], &[], element)), Some(Kind::Other));
        assert_eq!(read(b"MIME"), None);
    }

    #[test]
    fn damage_is_noticed_and_depth_costs_nothing() {
        let whole = message(SIGNED, &element(EXPLICIT_0, &element(OCTETS, b"whole")), endless);
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "{end}");
        }
        assert_eq!(read(&[SEQUENCE, 0x80].repeat(500_000)), None);
        let deep = [SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff].repeat(100_000);
        assert_eq!(read(&deep), None);
    }
}
