//! Skip and delta tokens.
//!
//! Owns their content and its seal. A token is opaque to clients, carries the parameters of the first request, and is
//! recognised only by the tenant that made it; anything else is as good as expired.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::mail::change_log::Seq;
use crate::mail::message::Seconds;

/// Bytes of the seal; chance does not forge it, and tokens stay short.
const SEAL: usize = 10;
/// The longest token that is read.
const MAX_TOKEN: usize = 16 * 1024;

/// What the first request of a round asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub expand: Option<String>,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub change_type: Option<String>,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub top: Option<usize>,
    /// `$orderby=receivedDateTime desc`
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    pub ordered: bool,
}

/// Where a round stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    #[serde(rename = "m")]
    pub mailbox: Uuid,
    /// 0 for the delta of folders.
    #[serde(rename = "d")]
    pub folder: u32,
    #[serde(rename = "g")]
    pub generation: u32,
    /// Where the round began: what came later is new to the client.
    #[serde(rename = "b")]
    pub base: Seq,
    /// Up to where the log was read.
    #[serde(rename = "p")]
    pub cursor: Seq,
    /// Up to where the client was told; differs from `cursor` in a replay.
    #[serde(rename = "k")]
    pub seen: Seq,
    /// In a round ordered by time: the last message shown.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<(i64, u32)>,
    /// Messages shown in this round.
    #[serde(rename = "n", default)]
    pub shown: usize,
    /// Whether the round is over: this is a delta token.
    #[serde(rename = "o")]
    pub over: bool,
    /// When the token was made, by the tenant's clock.
    #[serde(rename = "a", default)]
    pub made: Seconds,
    /// Whether the empty page that the tenant's switches ask for was shown in this round.
    #[serde(rename = "z", default, skip_serializing_if = "std::ops::Not::not")]
    pub emptied: bool,
    #[serde(rename = "q")]
    pub asked: Asked,
}

impl Token {
    /// The token as text.
    #[must_use]
    pub fn encode(&self, key: &[u8; 16]) -> String {
        let content = serde_json::to_vec(self).expect("numbers, texts and options serialise");
        let mut bytes = seal(key, &content).to_vec();
        bytes.extend_from_slice(&content);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; `None` when this tenant did not make it.
    #[must_use]
    pub fn decode(text: &str, key: &[u8; 16]) -> Option<Self> {
        if text.len() > MAX_TOKEN {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        let (seal_found, content) = bytes.split_at_checked(SEAL)?;
        if seal(key, content) != seal_found {
            return None;
        }
        serde_json::from_slice(content).ok()
    }
}

fn seal(key: &[u8; 16], content: &[u8]) -> [u8; SEAL] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), content);
    let mut seal = [0; SEAL];
    seal.copy_from_slice(&tag.as_ref()[..SEAL]);
    seal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_tokens_are_read() {
        let token = Token {
            mailbox: Uuid::from_u128(5),
            folder: 3,
            generation: 1,
            base: 4,
            cursor: 9,
            seen: 9,
            walk: Some((-5, 7)),
            shown: 2,
            over: true,
            made: 77,
            emptied: false,
            asked: Asked {
                select: Some("subject,\u{e9}".to_owned()),
                ..Asked::default()
            },
        };
        let text = token.encode(&[1; 16]);
        assert_eq!(Token::decode(&text, &[1; 16]).unwrap(), token);
        assert_eq!(Token::decode(&text, &[2; 16]), None);
        assert_eq!(Token::decode(&text[1..], &[1; 16]), None);
        assert_eq!(Token::decode("GwcBoTmPuoTQWfcsAbkYM", &[1; 16]), None);
        assert_eq!(Token::decode("", &[1; 16]), None);
    }
}
