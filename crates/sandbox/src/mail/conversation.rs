//! Which conversation a message belongs to.
//!
//! Owns the index from Message-IDs to conversations of one mailbox and the `conversationIndex` bytes. A message joins
//! by In-Reply-To, then References (nearest first), then Thread-Index; otherwise it starts a conversation. Ancestors
//! nobody has seen are remembered too, so that two answers to the same unknown mail meet.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// Ancestors taken from one message; a hostile References header cannot fill the index.
const MAX_ANCESTORS: usize = 20;
/// Length of a conversation's first index: a reserved byte, five of time, sixteen of conversation.
const HEADER: usize = 22;
/// What each answer adds.
const STEP: usize = 5;
/// A longer index is cut, as Outlook does.
const MAX_INDEX: usize = HEADER + STEP * 200;

/// The threading headers of a message.
#[derive(Debug, Default, Clone)]
pub struct Ancestry {
    /// Its own Message-ID.
    pub own: Option<String>,
    /// In-Reply-To.
    pub in_reply_to: Vec<String>,
    /// References, oldest first.
    pub references: Vec<String>,
    /// Decoded Thread-Index.
    pub thread_index: Option<Vec<u8>>,
}

/// One mailbox's conversations by Message-ID.
#[derive(Debug, Default)]
pub struct Conversations {
    /// Keyed by a hash: 24 bytes an entry instead of a whole Message-ID.
    by_message_id: HashMap<u64, [u8; 16]>,
    /// Entries that are not yet saved, where anything is saved.
    pub unsaved: Option<Vec<Joined>>,
}

/// One entry: the hash of a Message-ID, and its conversation.
pub type Joined = (u64, [u8; 16]);

impl Conversations {
    /// Finds or starts the conversation of a message, `fresh` being the id a new one gets, and remembers the message.
    pub fn join(&mut self, ancestry: &Ancestry, fresh: [u8; 16]) -> [u8; 16] {
        let nearest = ancestry.in_reply_to.iter().chain(ancestry.references.iter().rev());
        let known = nearest
            .take(MAX_ANCESTORS)
            .find_map(|id| self.by_message_id.get(&self.hash(id)).copied());
        let by_index = || {
            let index = ancestry.thread_index.as_deref()?;
            <[u8; 16]>::try_from(index.get(HEADER - 16..HEADER)?).ok()
        };
        let conversation = known.or_else(by_index).unwrap_or(fresh);
        let ancestors = ancestry
            .in_reply_to
            .iter()
            .chain(ancestry.references.iter().rev())
            .take(MAX_ANCESTORS);
        let hashes: Vec<u64> = ancestry.own.iter().chain(ancestors).map(|id| self.hash(id)).collect();
        for hash in hashes {
            if let Entry::Vacant(place) = self.by_message_id.entry(hash) {
                place.insert(conversation);
                if let Some(unsaved) = &mut self.unsaved {
                    unsaved.push((hash, conversation));
                }
            }
        }
        conversation
    }

    /// All entries, in no order.
    pub fn all(&self) -> impl Iterator<Item = Joined> + '_ {
        self.by_message_id
            .iter()
            .map(|(hash, conversation)| (*hash, *conversation))
    }

    /// Takes over saved entries.
    pub fn refill(&mut self, entries: impl IntoIterator<Item = Joined>) {
        self.by_message_id.extend(entries);
    }

    /// The same in every process, since it is saved.
    fn hash(&self, message_id: &str) -> u64 {
        let id = message_id.trim().trim_start_matches('<').trim_end_matches('>');
        let digest = digest::digest(&digest::SHA256, id.as_bytes());
        digest
            .as_ref()
            .first_chunk::<8>()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

/// The index of a conversation's first message.
#[must_use]
pub fn first_index(conversation: &[u8; 16], at: Timestamp) -> Vec<u8> {
    let mut index = Vec::with_capacity(HEADER);
    index.push(0x01);
    index.extend_from_slice(&file_time(at).to_be_bytes()[..5]);
    index.extend_from_slice(conversation);
    index
}

/// The index of an answer to a message with index `parent`.
#[must_use]
pub fn next_index(parent: &[u8], conversation: &[u8; 16], at: Timestamp) -> Vec<u8> {
    if parent.len() < HEADER {
        return first_index(conversation, at);
    }
    let mut index = parent.to_vec();
    if index.len() + STEP <= MAX_INDEX {
        index.extend_from_slice(&file_time(at).to_be_bytes()[2..2 + STEP]);
    }
    index
}

/// Reads a Thread-Index header.
#[must_use]
pub fn decode_thread_index(header: &str) -> Option<Vec<u8>> {
    let compact: String = header.split_whitespace().collect();
    STANDARD
        .decode(compact)
        .ok()
        .filter(|bytes| bytes.len() >= HEADER && bytes.len() <= MAX_INDEX)
}

/// 100-nanosecond steps since 1601, the time Exchange writes.
fn file_time(at: Timestamp) -> u64 {
    const SECONDS_1601_TO_1970: i64 = 11_644_473_600;
    let seconds = at.as_second().saturating_add(SECONDS_1601_TO_1970).max(0);
    u64::try_from(seconds).unwrap_or(0).saturating_mul(10_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ancestry(own: &str, references: &[&str]) -> Ancestry {
        Ancestry {
            own: Some(own.to_owned()),
            references: references.iter().map(|id| (*id).to_owned()).collect(),
            ..Ancestry::default()
        }
    }

    #[test]
    fn answers_join_by_references_and_strangers_do_not() {
        let mut index = Conversations::default();
        let first = index.join(&ancestry("<a@x>", &[]), [1; 16]);
        assert_eq!(index.join(&ancestry("<b@x>", &["<a@x>"]), [2; 16]), first);
        assert_eq!(
            index.join(&ancestry("<c@x>", &["<unknown@x>", "<b@x>"]), [3; 16]),
            first
        );
        assert_eq!(index.join(&ancestry("<d@x>", &[]), [4; 16]), [4; 16]);
    }

    #[test]
    fn two_answers_to_an_unseen_mail_meet() {
        let mut index = Conversations::default();
        let first = index.join(&ancestry("<b@x>", &["<never-seen@x>"]), [1; 16]);
        assert_eq!(index.join(&ancestry("<c@x>", &["<never-seen@x>"]), [2; 16]), first);
    }

    #[test]
    fn a_thread_index_names_its_conversation() {
        let mut index = Conversations::default();
        let at: Timestamp = "2025-01-14T16:11:39Z".parse().unwrap();
        let bytes = first_index(&[9; 16], at);
        assert_eq!(bytes[..6], [0x01, 0x01, 0xdb, 0x66, 0x9e, 0xfe]);
        let joined = index.join(
            &Ancestry {
                thread_index: Some(bytes.clone()),
                ..Ancestry::default()
            },
            [1; 16],
        );
        assert_eq!(joined, [9; 16]);
        assert_eq!(next_index(&bytes, &[9; 16], at).len(), HEADER + STEP);
        assert_eq!(decode_thread_index(&STANDARD.encode(&bytes)).unwrap(), bytes);
        assert_eq!(decode_thread_index("codecodecodehereherehere"), None);
    }
}
