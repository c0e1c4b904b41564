//! The conversation token: our own signed mark in outgoing mail, by which an answer finds its
//! conversation even if the customer's program dropped the threading headers.
//!
//! Form: `g1.` + 26 characters of base 32 (the conversation id) + `.` + 16 characters (80 bits of
//! HMAC-SHA-256 over them). Letters are lower case, because mail systems change the case of
//! addresses and subjects. A token that was not minted with our key never joins a conversation.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::ConversationId;

const PREFIX: &str = "g1.";
/// Of the mark of a probe.
const PROBE: &str = "p1.";
const ID_CHARS: usize = 26;
const MAC_CHARS: usize = 16;
const MAC_BYTES: usize = 10;
/// RFC 4648 base 32, lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// How many marks in one text are looked at. A longer list is an attack, not a mail.
const MAX_CANDIDATES: usize = 64;

/// The key under which tokens are signed and checked.
pub struct TokenKey(hmac::Key);

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

impl TokenKey {
    /// Makes a key from secret bytes; 32 are right.
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The token of a conversation.
    pub fn mint(&self, conversation: ConversationId) -> String {
        let id = encode(conversation.as_uuid().as_bytes());
        format!("{PREFIX}{id}.{}", self.mac(&id))
    }

    /// The mark of a mail that the program sends to itself to see whether mail arrives. It is no token of a
    /// conversation, and none is one of these.
    pub fn mint_probe(&self, probe: Uuid) -> String {
        let id = encode(probe.as_bytes());
        format!("{PROBE}{id}.{}", self.mac(&format!("{PROBE}{id}")))
    }

    /// Whether a genuine mark of a probe stands somewhere in `text`.
    pub fn is_probe(&self, text: &str) -> bool {
        let lower = text.to_ascii_lowercase();
        let mut marks = lower.match_indices(PROBE).take(MAX_CANDIDATES);
        marks.any(|(at, _)| {
            let start = at + PROBE.len();
            let parts = lower
                .get(start..start + ID_CHARS)
                .zip(lower.get(start + ID_CHARS + 1..start + ID_CHARS + 1 + MAC_CHARS));
            parts
                .is_some_and(|(id, mac)| bool::from(self.mac(&format!("{PROBE}{id}")).as_bytes().ct_eq(mac.as_bytes())))
        })
    }

    /// Every conversation whose genuine token stands somewhere in `text`, in order of appearance.
    pub fn find(&self, text: &str) -> Vec<ConversationId> {
        let lower = text.to_ascii_lowercase();
        let mut found = Vec::new();
        for (at, _) in lower.match_indices(PREFIX).take(MAX_CANDIDATES) {
            if let Some(id) = self.check(lower.as_bytes(), at + PREFIX.len())
                && !found.contains(&id)
            {
                found.push(id);
            }
        }
        found
    }

    fn check(&self, text: &[u8], start: usize) -> Option<ConversationId> {
        let id = text.get(start..start + ID_CHARS)?;
        let mac = text.get(start + ID_CHARS + 1..start + ID_CHARS + 1 + MAC_CHARS)?;
        if text.get(start + ID_CHARS) != Some(&b'.') {
            return None;
        }
        let id = std::str::from_utf8(id).ok()?;
        if !bool::from(self.mac(id).as_bytes().ct_eq(mac)) {
            return None;
        }
        Some(ConversationId::from_uuid(Uuid::from_bytes(decode(id)?)))
    }

    fn mac(&self, id: &str) -> String {
        let tag = hmac::sign(&self.0, id.as_bytes());
        encode(tag.as_ref().get(..MAC_BYTES).unwrap_or_default())
    }
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut buffer, mut bits) = (0u32, 0u32);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(letter(buffer >> bits));
        }
    }
    if bits > 0 {
        out.push(letter(buffer << (5 - bits)));
    }
    out
}

fn letter(value: u32) -> char {
    char::from(ALPHABET[(value & 31) as usize])
}

fn decode(text: &str) -> Option<[u8; 16]> {
    let mut out = [0u8; 16];
    let (mut buffer, mut bits, mut at) = (0u32, 0u32, 0usize);
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|c| *c == byte)?;
        buffer = ((buffer << 5) | u32::try_from(value).ok()?) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *out.get_mut(at)? = u8::try_from((buffer >> bits) & 0xff).ok()?;
            at += 1;
        }
    }
    (at == 16).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> TokenKey {
        TokenKey::new(&[7; 32])
    }

    #[test]
    fn a_probe_is_known_by_its_own_mark_alone() {
        let probe = key().mint_probe(Uuid::from_bytes([3; 16]));
        assert!(key().is_probe(&format!("Guichet probe {probe}")));
        assert!(key().is_probe(&probe.to_uppercase()));
        assert!(!TokenKey::new(&[8; 32]).is_probe(&probe), "another key's");
        let conversation = key().mint(ConversationId::from_uuid(Uuid::from_bytes([3; 16])));
        assert!(!key().is_probe(&conversation) && key().find(&probe).is_empty());
        // A customer has the token of a conversation, and must not make a mail vanish with it.
        assert!(!key().is_probe(&conversation.replace(PREFIX, PROBE)));
        for text in [
            "",
            "p1.",
            "p1.é",
            "p1.aaaaaaaaaaaaaaaaaaaaaaaaaa.",
            "p1.ééééééééééééééééééééééééééééé",
        ] {
            assert!(!key().is_probe(text), "{text}");
        }
    }

    #[test]
    fn foreign_key_and_changed_letter_never_join() {
        let id = ConversationId::from_uuid(Uuid::from_u128(42));
        let token = key().mint(id);
        assert_eq!(key().find(&token), vec![id]);
        assert!(TokenKey::new(&[8; 32]).find(&token).is_empty());
        for at in 3..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
            let forged = String::from_utf8(bytes).expect("ascii");
            if forged != token {
                assert!(key().find(&forged).is_empty(), "{forged} was taken for genuine");
            }
        }
    }

    proptest! {
        #[test]
        fn genuine_token_is_found_in_any_surroundings(n: u128, before in ".{0,40}", after in ".{0,40}") {
            let id = ConversationId::from_uuid(Uuid::from_u128(n));
            let text = format!("{before} {} {after}", key().mint(id).to_uppercase());
            prop_assert!(key().find(&text).contains(&id));
        }

        #[test]
        fn arbitrary_text_never_joins(text in ".{0,200}") {
            prop_assert!(key().find(&text).is_empty());
        }
    }
}
