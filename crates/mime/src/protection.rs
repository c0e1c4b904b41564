//! Whether a mail is signed or encrypted, and signed content out of its wrapping.
//!
//! Owns the recognition of S/MIME (RFC 8551) and OpenPGP (RFC 3156, and armour in the text). Never
//! verifies and never decrypts. Invariant: what cannot be unwrapped stays attached.

use crate::{
    Deviation, body,
    bounds::MAX_SIGNED_LAYERS,
    deviations::Deviations,
    signed_data::{self, Kind},
    structure::Part,
};

/// How a mail is protected, by its own word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// It has a signature. **Nobody verified it.**
    pub signed: Option<Scheme>,
    /// It, or a part of it, is encrypted; that is among the attachments, or in the text where a program
    /// put it there.
    pub encrypted: Option<Scheme>,
}

/// A way to sign and to encrypt mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// S/MIME.
    Smime,
    /// OpenPGP.
    Pgp,
}

impl Scheme {
    /// The stable name under which it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smime => "smime",
            Self::Pgp => "pgp",
        }
    }
}

/// The mail in a mail that is one CMS message with signed content; none if it is none.
pub(crate) fn unwrap(parts: &[Part<'_>], layer: usize, deviations: &mut Deviations) -> Option<Vec<u8>> {
    let [root] = parts else { return None };
    if !is_cms(root) {
        return None;
    }
    let bytes = body::decoded(root, deviations);
    match signed_data::read(&bytes) {
        Some(Kind::Signed(Some(content))) if layer < MAX_SIGNED_LAYERS => Some(content),
        Some(Kind::Signed(Some(_))) => {
            deviations.note(Deviation::NestedTooDeep);
            None
        }
        Some(_) => None,
        None => {
            deviations.note(Deviation::InvalidSignedData);
            None
        }
    }
}

/// Adds what these parts say of protection.
pub(crate) fn of_parts(parts: &[Part<'_>], protection: &mut Protection) {
    for part in parts {
        let protocol = part.content_type.get("protocol").unwrap_or_default().to_lowercase();
        let scheme = match protocol
            .trim()
            .trim_start_matches("application/")
            .trim_start_matches("x-")
        {
            "pgp-signature" | "pgp-encrypted" => Some(Scheme::Pgp),
            "pkcs7-signature" | "pkcs7-mime" => Some(Scheme::Smime),
            _ => None,
        };
        match part.content_type.value.as_str() {
            "multipart/signed" => protection.signed = protection.signed.or(scheme),
            "multipart/encrypted" => protection.encrypted = protection.encrypted.or(scheme),
            _ if part.is_leaf() && is_cms(part) => of_cms(part, protection),
            _ => {}
        }
    }
}

fn of_cms(part: &Part<'_>, protection: &mut Protection) {
    let bytes = body::decoded(part, &mut Deviations::default());
    let declared = part.content_type.get("smime-type").unwrap_or_default().to_lowercase();
    match signed_data::read(&bytes) {
        Some(Kind::Enveloped) => protection.encrypted = protection.encrypted.or(Some(Scheme::Smime)),
        Some(Kind::Signed(Some(_))) => protection.signed = protection.signed.or(Some(Scheme::Smime)),
        None if declared.contains("enveloped") => protection.encrypted = protection.encrypted.or(Some(Scheme::Smime)),
        None if declared == "signed-data" => protection.signed = protection.signed.or(Some(Scheme::Smime)),
        _ => {}
    }
}

/// Adds what stands in the text: programs without MIME put the armour there.
pub(crate) fn of_text(text: &str, protection: &mut Protection) {
    for line in text.lines() {
        match line.trim_end() {
            "-----BEGIN PGP MESSAGE-----" => protection.encrypted = protection.encrypted.or(Some(Scheme::Pgp)),
            "-----BEGIN PGP SIGNED MESSAGE-----" => protection.signed = protection.signed.or(Some(Scheme::Pgp)),
            _ => {}
        }
    }
}

/// A part that is a CMS message, by its type or, where a gateway changed that, by its file's name.
fn is_cms(part: &Part<'_>) -> bool {
    match part.content_type.value.as_str() {
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => true,
        "application/octet-stream" => {
            let disposition = body::disposition(part);
            let name = disposition.get("filename").or(part.content_type.get("name"));
            name.is_some_and(|name| name.to_ascii_lowercase().ends_with(".p7m"))
        }
        _ => false,
    }
}
