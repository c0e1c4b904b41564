//! The five formats in which Exchange's protocols write the ids of items.
//!
//! Owns the translation between them. REST ids are base64url of the whole id, EWS ids plain base64 of the same bytes,
//! and entry ids the MAPI part of it, base64url without padding but with the number of padding characters as a last
//! digit. Invariant: reading what was written gives the same item.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::mail::ids::{FolderKey, IdCodec, IdError, IdForm, ItemKey, ParsedId, Place};

/// A format by the name Graph gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdFormat {
    Rest,
    RestImmutable,
    Ews,
    Entry,
    ImmutableEntry,
}

/// Bytes of a default id before its entry: version, mailbox, length.
const DEFAULT_HEAD: usize = 43;
/// Bytes of an immutable id before its entry.
const IMMUTABLE_HEAD: usize = 5;
/// Where the length of the entry stands in the head of a default id.
const LENGTH_AT: usize = 41;

impl IdFormat {
    /// Reads a name; case does not matter.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "restid" => Self::Rest,
            "restimmutableentryid" => Self::RestImmutable,
            "ewsid" => Self::Ews,
            "entryid" => Self::Entry,
            "immutableentryid" => Self::ImmutableEntry,
            _ => return None,
        })
    }

    fn form(self) -> IdForm {
        match self {
            Self::Rest | Self::Ews | Self::Entry => IdForm::Default,
            Self::RestImmutable | Self::ImmutableEntry => IdForm::Immutable,
        }
    }

    /// What an id of this format names.
    pub fn read(self, codec: &IdCodec, id: &str) -> Result<ParsedId, IdError> {
        let rest = match self {
            Self::Rest | Self::RestImmutable => id.to_owned(),
            Self::Ews => URL_SAFE.encode(STANDARD.decode(id).map_err(|_| IdError::Malformed)?),
            Self::Entry => {
                let entry = counted(id)?;
                let length = u8::try_from(entry.len()).map_err(|_| IdError::Malformed)?;
                let mut bytes = sample(codec, IdForm::Default);
                bytes.truncate(DEFAULT_HEAD);
                bytes[LENGTH_AT] = length;
                bytes.extend_from_slice(&entry);
                URL_SAFE.encode(bytes)
            }
            Self::ImmutableEntry => {
                let mut bytes = sample(codec, IdForm::Immutable);
                bytes.truncate(IMMUTABLE_HEAD);
                bytes.extend_from_slice(&counted(id)?);
                URL_SAFE.encode(bytes)
            }
        };
        let parsed = codec.parse(&rest)?;
        let immutable = matches!(parsed, ParsedId::Message { place: None, .. });
        if immutable == (self.form() == IdForm::Immutable) {
            Ok(parsed)
        } else {
            Err(IdError::Malformed)
        }
    }

    /// A message's id in this format.
    #[must_use]
    pub fn message(self, codec: &IdCodec, item: ItemKey, place: Place) -> String {
        self.spelled(codec.message(self.form(), item, place))
    }

    /// A folder's id in this format; folders have no immutable ids.
    #[must_use]
    pub fn folder(self, codec: &IdCodec, folder: FolderKey) -> Option<String> {
        (self.form() == IdForm::Default).then(|| self.spelled(codec.folder(folder)))
    }

    fn spelled(self, rest: String) -> String {
        let bytes = || URL_SAFE.decode(&rest).unwrap_or_default();
        match self {
            Self::Rest | Self::RestImmutable => rest,
            Self::Ews => STANDARD.encode(bytes()),
            Self::Entry => uncounted(bytes().get(DEFAULT_HEAD..).unwrap_or_default()),
            Self::ImmutableEntry => uncounted(bytes().get(IMMUTABLE_HEAD..).unwrap_or_default()),
        }
    }
}

/// Any id of the mailbox, for its head.
fn sample(codec: &IdCodec, form: IdForm) -> Vec<u8> {
    let place = Place {
        folder: FolderKey(0),
        moves: 0,
    };
    URL_SAFE
        .decode(codec.message(form, ItemKey(0), place))
        .unwrap_or_default()
}

fn uncounted(bytes: &[u8]) -> String {
    let padding = (3 - bytes.len() % 3) % 3;
    format!("{}{padding}", URL_SAFE_NO_PAD.encode(bytes))
}

fn counted(id: &str) -> Result<Vec<u8>, IdError> {
    let (text, digit) = id
        .split_at_checked(id.len().wrapping_sub(1))
        .ok_or(IdError::Malformed)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| IdError::Malformed)?;
    let padding = (3 - bytes.len() % 3) % 3;
    if digit == padding.to_string() {
        Ok(bytes)
    } else {
        Err(IdError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const ALL: [IdFormat; 5] = [
        IdFormat::Rest,
        IdFormat::RestImmutable,
        IdFormat::Ews,
        IdFormat::Entry,
        IdFormat::ImmutableEntry,
    ];

    proptest! {
        #[test]
        fn every_format_survives_a_round_trip(mailbox: u128, item: u32, folder: u32, moves: u16) {
            let codec = IdCodec::new(Uuid::from_u128(mailbox));
            let (item, place) = (ItemKey(item), Place { folder: FolderKey(folder), moves });
            for format in ALL {
                let known = (format.form() == IdForm::Default).then_some(place);
                let id = format.message(&codec, item, place);
                prop_assert_eq!(format.read(&codec, &id), Ok(ParsedId::Message { item, place: known }), "{:?}", format);
                if let Some(id) = format.folder(&codec, place.folder) {
                    prop_assert_eq!(format.read(&codec, &id), Ok(ParsedId::Folder(place.folder)), "{:?}", format);
                }
            }
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC{0,160}") {
            let codec = IdCodec::new(Uuid::from_u128(5));
            for format in ALL {
                let _ = format.read(&codec, &text);
            }
        }
    }

    #[test]
    fn formats_do_not_pass_for_each_other() {
        let codec = IdCodec::new(Uuid::from_u128(0x1234));
        let place = Place {
            folder: FolderKey(9),
            moves: 1,
        };
        for written in ALL {
            let id = written.message(&codec, ItemKey(7), place);
            for read in ALL.into_iter().filter(|read| *read != written) {
                let alike = [written, read]
                    .iter()
                    .all(|f| matches!(f, IdFormat::Rest | IdFormat::Ews));
                if !alike {
                    assert!(read.read(&codec, &id).is_err(), "{written:?} read as {read:?}");
                }
            }
        }
    }
}
