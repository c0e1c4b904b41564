//! Compressed RTF (MS-OXRTFCP).
//!
//! Owns the decompression. Never checks the checksum: what could be read is more use than a refusal.
//! Invariant: the output is bounded, whatever the header promises.

use crate::bounds::MAX_HTML;

/// What the dictionary holds at the start (MS-OXRTFCP 2.1.2.1).
const START: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans \
SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const DICTIONARY: usize = 4096;
const HEAD: usize = 16;

/// The RTF, and whether it is whole.
pub(super) fn decompress(bytes: &[u8]) -> (Vec<u8>, bool) {
    let Some((head, content)) = bytes.split_at_checked(HEAD) else {
        return (Vec::new(), false);
    };
    match &head[8..12] {
        b"MELA" => (
            content[..content.len().min(MAX_HTML)].to_vec(),
            content.len() <= MAX_HTML,
        ),
        b"LZFu" => expand(content),
        _ => (Vec::new(), false),
    }
}

fn expand(content: &[u8]) -> (Vec<u8>, bool) {
    let mut dictionary = [0_u8; DICTIONARY];
    dictionary[..START.len()].copy_from_slice(START);
    let mut end = START.len();
    let mut out = Vec::new();
    let mut input = content.iter().copied();
    loop {
        let Some(control) = input.next() else {
            return (out, false);
        };
        for bit in 0..8 {
            if out.len() >= MAX_HTML {
                return (out, false);
            }
            if control >> bit & 1 == 0 {
                let Some(byte) = input.next() else { return (out, false) };
                dictionary[end] = byte;
                end = (end + 1) % DICTIONARY;
                out.push(byte);
                continue;
            }
            let (Some(high), Some(low)) = (input.next(), input.next()) else {
                return (out, false);
            };
            let token = usize::from(high) << 8 | usize::from(low);
            let (offset, length) = (token >> 4, (token & 0xf) + 2);
            // The place where the next byte goes is how the end is said.
            if offset == end {
                return (out, true);
            }
            for step in 0..length {
                let byte = dictionary[(offset + step) % DICTIONARY];
                dictionary[end] = byte;
                end = (end + 1) % DICTIONARY;
                out.push(byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_expanded() {
        let bytes = [
            0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00, 0x72,
            0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62,
            0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        let (rtf, whole) = decompress(&bytes);
        assert_eq!(
            (String::from_utf8_lossy(&rtf).as_ref(), whole),
            ("{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n", true)
        );
        assert!(!decompress(&bytes[..30]).1);
    }

    #[test]
    fn output_is_bounded() {
        let mut bytes = [0; HEAD].to_vec();
        bytes[8..12].copy_from_slice(b"LZFu");
        // Every token copies seventeen bytes, from right behind the place that would mean the end.
        let mut end = START.len();
        for step in 0..80_000 * 9 {
            if step % 9 == 0 {
                bytes.push(0xff);
                continue;
            }
            let token = u16::try_from((end + 1) % DICTIONARY).unwrap() << 4 | 0x0f;
            bytes.extend(token.to_be_bytes());
            end = (end + 17) % DICTIONARY;
        }
        let (out, whole) = decompress(&bytes);
        assert!(out.len() < MAX_HTML + 20 && !whole);
    }
}
