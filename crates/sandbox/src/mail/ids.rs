//! The ids of folders, messages, attachments and conversations, as Exchange writes them.
//!
//! Owns the two forms of a message id: the default one, which names the folder and therefore changes on every move,
//! and the immutable one, which does not. Both are base64url of a binary entry id laid out like Exchange's, with `-`,
//! `_` and padding, so that clients which mangle ids are found out. Invariant: encoding and parsing are inverse.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A message within its mailbox; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemKey(pub u32);

/// A folder within its mailbox; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FolderKey(pub u32);

/// Which form of message id an answer carries (`Prefer: IdType="ImmutableId"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IdForm {
    /// Changes when the message moves.
    Default,
    /// Survives moves inside the mailbox.
    Immutable,
}

/// Where a message lies, as far as its default id tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: FolderKey,
    /// How often the message had been moved.
    pub moves: u16,
}

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParsedId {
    /// A folder.
    Folder(FolderKey),
    /// A message; `place` is known only from a default id.
    Message { item: ItemKey, place: Option<Place> },
    /// An attachment of a message.
    Attachment {
        item: ItemKey,
        place: Option<Place>,
        number: u32,
    },
}

/// Why an id names nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdError {
    /// Not an id at all.
    Malformed,
    /// Well formed, but of another mailbox.
    Foreign,
}

/// Writes and reads the ids of one mailbox.
#[derive(Debug, Clone, Copy)]
pub struct IdCodec {
    mailbox: [u8; 36],
    store: [u8; 16],
    replica: [u8; 16],
}

impl Default for IdCodec {
    /// The codec of no mailbox, until the one that is meant is known.
    fn default() -> Self {
        Self::new(Uuid::nil())
    }
}

const FOLDER_ENTRY: u16 = 46;
const MESSAGE_ENTRY: u16 = 70;
/// Exchange's provider id in every immutable id, 1d840311-aa66-11cd-9bc8-00aa002fc45a.
const PROVIDER: [u8; 16] = [
    0x1d, 0x84, 0x03, 0x11, 0xaa, 0x66, 0x11, 0xcd, 0x9b, 0xc8, 0x00, 0xaa, 0x00, 0x2f, 0xc4, 0x5a,
];
const ATTACHMENT_MARK: [u8; 5] = [0x01, 0x12, 0x00, 0x10, 0x00];

impl IdCodec {
    /// The codec of the mailbox `mailbox` (the user's object id).
    #[must_use]
    pub fn new(mailbox: Uuid) -> Self {
        let mut text = [0_u8; 36];
        mailbox.hyphenated().encode_lower(&mut text);
        let bytes = *mailbox.as_bytes();
        let store = bytes.map(|byte| byte ^ 0x5a);
        let mut replica = bytes;
        replica.rotate_left(5);
        // These three bytes encode to `-_-_` in every default id.
        replica[1..4].copy_from_slice(&[0xfb, 0xff, 0xbf]);
        Self {
            mailbox: text,
            store,
            replica,
        }
    }

    fn head(&self, entry: u16) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(140);
        bytes.extend_from_slice(&[0x00, 0x03, 0x24, 0x00]);
        bytes.extend_from_slice(&self.mailbox);
        bytes.extend_from_slice(&[0x00, entry.to_be_bytes()[1], 0x00]);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.store);
        bytes.extend_from_slice(&[if entry == FOLDER_ENTRY { 0x01 } else { 0x07 }, 0x00]);
        bytes
    }

    fn counter(&self, bytes: &mut Vec<u8>, high: u16, low: u32) {
        bytes.extend_from_slice(&self.replica);
        bytes.extend_from_slice(&high.to_be_bytes());
        bytes.extend_from_slice(&low.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
    }

    /// A folder's id; folders have one form.
    #[must_use]
    pub fn folder(&self, folder: FolderKey) -> String {
        let mut bytes = self.head(FOLDER_ENTRY);
        self.counter(&mut bytes, 0, folder.0);
        URL_SAFE.encode(bytes)
    }

    /// A message's id.
    #[must_use]
    pub fn message(&self, form: IdForm, item: ItemKey, place: Place) -> String {
        URL_SAFE.encode(self.message_bytes(form, item, place))
    }

    fn message_bytes(&self, form: IdForm, item: ItemKey, place: Place) -> Vec<u8> {
        match form {
            IdForm::Default => {
                let mut bytes = self.head(MESSAGE_ENTRY);
                self.counter(&mut bytes, 0, place.folder.0);
                self.counter(&mut bytes, place.moves, item.0);
                bytes
            }
            IdForm::Immutable => {
                let mut bytes = Vec::with_capacity(72);
                bytes.extend_from_slice(&[0x00, 0x09, 0x00, 0x2e, 0x00, 0, 0, 0, 0]);
                bytes.extend_from_slice(&PROVIDER);
                bytes.extend_from_slice(&[0x0d, 0x00]);
                self.counter(&mut bytes, 0, item.0);
                bytes
            }
        }
    }

    /// An attachment's id.
    #[must_use]
    pub fn attachment(&self, form: IdForm, item: ItemKey, place: Place, number: u32) -> String {
        let mut bytes = self.message_bytes(form, item, place);
        bytes.extend_from_slice(&ATTACHMENT_MARK);
        let mut tail = self.store;
        tail[12..].copy_from_slice(&number.to_be_bytes());
        bytes.extend_from_slice(&tail);
        URL_SAFE.encode(bytes)
    }

    /// A conversation's id.
    #[must_use]
    pub fn conversation(&self, conversation: &[u8; 16]) -> String {
        let mut bytes = Vec::with_capacity(60);
        bytes.extend_from_slice(&[0x00, 0x04, 0x24, 0x00]);
        bytes.extend_from_slice(&self.mailbox);
        bytes.extend_from_slice(&[0x00, 0x10, 0x00]);
        bytes.extend_from_slice(conversation);
        URL_SAFE.encode(bytes)
    }

    /// The `changeKey` of the `number`th change; standard base64, with `/` and `+`.
    #[must_use]
    pub fn change_key(&self, number: u32) -> String {
        let mut bytes = Vec::with_capacity(30);
        bytes.extend_from_slice(&[0x09, 0, 0, 0, 0x16, 0, 0, 0]);
        bytes.extend_from_slice(&self.replica);
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&number.to_be_bytes());
        STANDARD.encode(bytes)
    }

    /// Reads an id.
    pub fn parse(&self, id: &str) -> Result<ParsedId, IdError> {
        let bytes = URL_SAFE.decode(id).map_err(|_| IdError::Malformed)?;
        let mut rest = Rest(&bytes);
        let (item, place) = match rest.take::<2>()? {
            [0x00, 0x03] => match self.default_form(&mut rest)? {
                Found::Folder(folder) if rest.0.is_empty() => return Ok(ParsedId::Folder(folder)),
                Found::Folder(_) => return Err(IdError::Malformed),
                Found::Message(item, place) => (item, Some(place)),
            },
            [0x00, 0x09] => (self.immutable_form(&mut rest)?, None),
            _ => return Err(IdError::Malformed),
        };
        if rest.0.is_empty() {
            return Ok(ParsedId::Message { item, place });
        }
        rest.exactly(&ATTACHMENT_MARK)?;
        let tail = rest.take::<16>()?;
        if !rest.0.is_empty() {
            return Err(IdError::Malformed);
        }
        let number = u32::from_be_bytes([tail[12], tail[13], tail[14], tail[15]]);
        Ok(ParsedId::Attachment { item, place, number })
    }

    fn default_form(&self, rest: &mut Rest<'_>) -> Result<Found, IdError> {
        rest.exactly(&[0x24, 0x00])?;
        let mailbox = rest.take::<36>()?;
        let [_, entry, _] = rest.take::<3>()?;
        rest.exactly(&[0; 4])?;
        let store = rest.take::<16>()?;
        let _kind = rest.take::<2>()?;
        if mailbox != self.mailbox || store != self.store {
            return Err(IdError::Foreign);
        }
        let (_, folder) = self.read_counter(rest)?;
        let folder = FolderKey(folder);
        if u16::from(entry) == FOLDER_ENTRY {
            return Ok(Found::Folder(folder));
        }
        if u16::from(entry) != MESSAGE_ENTRY {
            return Err(IdError::Malformed);
        }
        let (moves, item) = self.read_counter(rest)?;
        Ok(Found::Message(ItemKey(item), Place { folder, moves }))
    }

    fn immutable_form(&self, rest: &mut Rest<'_>) -> Result<ItemKey, IdError> {
        rest.exactly(&[0x00, 0x2e, 0x00, 0, 0, 0, 0])?;
        rest.exactly(&PROVIDER)?;
        rest.exactly(&[0x0d, 0x00])?;
        Ok(ItemKey(self.read_counter(rest)?.1))
    }

    fn read_counter(&self, rest: &mut Rest<'_>) -> Result<(u16, u32), IdError> {
        if rest.take::<16>()? != self.replica {
            return Err(IdError::Foreign);
        }
        let high = u16::from_be_bytes(rest.take::<2>()?);
        let low = u32::from_be_bytes(rest.take::<4>()?);
        rest.exactly(&[0, 0])?;
        Ok((high, low))
    }
}

enum Found {
    Folder(FolderKey),
    Message(ItemKey, Place),
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], IdError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(IdError::Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    fn exactly(&mut self, wanted: &[u8]) -> Result<(), IdError> {
        self.0 = self.0.strip_prefix(wanted).ok_or(IdError::Malformed)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codec() -> IdCodec {
        IdCodec::new(Uuid::from_u128(0x5a3c_1d2e_4f60_4718_92a3_b4c5_d6e7_f809))
    }

    #[test]
    fn default_ids_look_like_those_of_exchange() {
        let place = Place {
            folder: FolderKey(12),
            moves: 3,
        };
        let id = codec().message(IdForm::Default, ItemKey(7), place);
        assert!(
            id.starts_with("AAMkA") && id.ends_with("AAA=") && id.contains('-') && id.contains('_'),
            "{id}"
        );
        assert_eq!(id.len(), 152);
        let immutable = codec().message(IdForm::Immutable, ItemKey(7), place);
        assert!(
            immutable.starts_with("AAkALgAAAAAAHYQDEapmEc2byACqAC_EWg0A"),
            "{immutable}"
        );
        assert_eq!(codec().folder(FolderKey(12)).len(), 120);
    }

    #[test]
    fn ids_of_another_mailbox_and_broken_ids_are_told_apart() {
        let other = IdCodec::new(Uuid::from_u128(1));
        let id = other.folder(FolderKey(1));
        assert_eq!(codec().parse(&id), Err(IdError::Foreign));
        assert_eq!(other.parse(&id[..id.len() - 4]), Err(IdError::Malformed));
        assert_eq!(other.parse(id.trim_end_matches('=')), Err(IdError::Malformed));
        assert_eq!(other.parse("inbox"), Err(IdError::Malformed));
        assert_eq!(other.parse(""), Err(IdError::Malformed));
    }

    proptest! {
        #[test]
        fn ids_survive_a_round_trip(mailbox: u128, item: u32, folder: u32, moves: u16, number: u32) {
            let codec = IdCodec::new(Uuid::from_u128(mailbox));
            let (item, place) = (ItemKey(item), Place { folder: FolderKey(folder), moves });
            prop_assert_eq!(codec.parse(&codec.folder(place.folder)), Ok(ParsedId::Folder(place.folder)));
            for (form, known) in [(IdForm::Default, Some(place)), (IdForm::Immutable, None)] {
                let id = codec.message(form, item, place);
                prop_assert_eq!(codec.parse(&id), Ok(ParsedId::Message { item, place: known }));
                let id = codec.attachment(form, item, place, number);
                prop_assert_eq!(codec.parse(&id), Ok(ParsedId::Attachment { item, place: known, number }));
            }
        }

        #[test]
        fn any_text_is_parsed_or_refused_without_panic(text in "\\PC{0,200}") {
            let _ = codec().parse(&text);
        }

        #[test]
        fn any_bytes_are_parsed_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..160)) {
            let _ = codec().parse(&URL_SAFE.encode(bytes));
        }
    }
}
