//! A signed JSON web token that somebody else made: client assertions and proofs of possession.
//!
//! Owns reading, the two RSA algorithms and the judgement of times. Nothing in a token may be believed before
//! [`Jwt::signed_by`] has said yes. Times may be fractions, as some clients write them, and are judged by the tenant's
//! clock with [`TOLERANCE`] seconds of grace.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// How far clocks may differ, in seconds.
pub const TOLERANCE: f64 = 300.0;
/// Longest token that is looked at: far above a chain of certificates in `x5c`.
const MAX_LENGTH: usize = 64 * 1024;

/// A token, read and not yet believed.
#[derive(Debug)]
pub struct Jwt {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    input: String,
    signature: Vec<u8>,
}

/// A key that may have signed a token.
#[derive(Debug)]
pub enum PublicKey<'a> {
    /// `RSAPublicKey` in DER, as it stands in a certificate.
    Der(&'a [u8]),
    /// Modulus and exponent, as they stand in a key set.
    Components {
        /// Modulus, big-endian.
        modulus: Vec<u8>,
        /// Exponent, big-endian.
        exponent: Vec<u8>,
    },
}

/// The algorithms of Entra ID's assertions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with PKCS #1 padding and SHA-256.
    Rs256,
    /// RSA-PSS with SHA-256.
    Ps256,
}

/// A token outside its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Untimely {
    /// `nbf`, in seconds since 1970, if there is one.
    pub from: Option<f64>,
    /// `exp`, in seconds since 1970, if there is one.
    pub until: Option<f64>,
}

impl Jwt {
    /// Reads a compact token; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return None;
        }
        let (input, signature) = text.rsplit_once('.')?;
        let (header, claims) = input.split_once('.')?;
        let part = |encoded: &str| URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok();
        let object = |encoded: &str| serde_json::from_slice::<Map<String, Value>>(&part(encoded)?).ok();
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            signature: part(signature)?,
            input: input.to_owned(),
        })
    }

    /// A text of the header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    /// A text among the claims.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// Every audience: `aud` may be one text or a list.
    #[must_use]
    pub fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A time, in seconds since 1970; fractions are accepted.
    #[must_use]
    pub fn seconds(&self, name: &str) -> Option<f64> {
        self.claims.get(name)?.as_f64()
    }

    /// Judges `nbf` (optional) and `exp` (needed).
    ///
    /// # Errors
    /// When the token is not good yet, no longer, or for ever.
    pub fn check_times(&self, now: Timestamp) -> Result<(), Untimely> {
        let (from, until) = (self.seconds("nbf"), self.seconds("exp"));
        let now = now.as_duration().as_secs_f64();
        let begun = match (self.claims.contains_key("nbf"), from) {
            (false, _) => true,
            (true, Some(from)) => from <= now + TOLERANCE,
            (true, None) => false,
        };
        if begun && until.is_some_and(|until| now < until + TOLERANCE) {
            Ok(())
        } else {
            Err(Untimely { from, until })
        }
    }

    /// The algorithm, if it is one of ours.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self.header("alg")? {
            "RS256" => Some(Algorithm::Rs256),
            "PS256" => Some(Algorithm::Ps256),
            _ => None,
        }
    }

    /// What was signed, and the signature.
    #[must_use]
    pub fn signed_parts(&self) -> (&[u8], &[u8]) {
        (self.input.as_bytes(), &self.signature)
    }

    /// Whether the holder of this key signed the token with the algorithm the header names.
    #[must_use]
    pub fn signed_by(&self, key: &PublicKey<'_>) -> bool {
        let parameters: &'static RsaParameters = match self.algorithm() {
            Some(Algorithm::Rs256) => &RSA_PKCS1_2048_8192_SHA256,
            Some(Algorithm::Ps256) => &RSA_PSS_2048_8192_SHA256,
            None => return false,
        };
        let (input, signature) = self.signed_parts();
        match key {
            PublicKey::Der(der) => UnparsedPublicKey::new(parameters, der).verify(input, signature).is_ok(),
            PublicKey::Components { modulus, exponent } => {
                let components = RsaPublicKeyComponents {
                    n: modulus.as_slice(),
                    e: exponent.as_slice(),
                };
                components.verify(parameters, input, signature).is_ok()
            }
        }
    }
}

/// SHA-1 of a certificate, the value of `x5t`.
#[must_use]
pub fn sha1(der: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, der).as_ref().to_vec()
}

/// SHA-256 of some bytes, the value of `x5t#S256` and of code challenges.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

/// Bytes as upper-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> Jwt {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        Jwt::parse(&format!(
            "{}.{}.{}",
            part(r#"{"alg":"RS256"}"#),
            part(claims),
            part("x")
        ))
        .expect("a token")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn fractions_of_seconds_are_times() {
        let token = jwt(r#"{"nbf":1000.25,"exp":2000.75}"#);
        assert!(token.check_times(at(1500)).is_ok());
        assert!(token.check_times(at(700)).is_err());
        assert!(token.check_times(at(2301)).is_err());
    }

    #[test]
    fn a_token_without_an_end_or_with_a_wrong_start_is_untimely() {
        assert!(jwt(r#"{"nbf":1000}"#).check_times(at(1500)).is_err());
        assert!(jwt(r#"{"nbf":"soon","exp":2000}"#).check_times(at(1500)).is_err());
        assert!(jwt(r#"{"exp":2000}"#).check_times(at(1500)).is_ok());
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        for text in ["", "a", "a.b", "a.b.c", "e30.e30", "W10.e30.eA"] {
            assert!(Jwt::parse(text).is_none(), "{text}");
        }
    }
}
