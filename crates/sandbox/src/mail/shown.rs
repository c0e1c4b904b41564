//! Bodies as they were last shown, so that reading a mail again does not parse and sanitise it again.
//!
//! Owns a bounded cache over all mailboxes. An entry is found by mailbox, message, change number and the way of showing,
//! so it can be forgotten at any time and never be out of date: content changes only together with the change number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::mail::body::{self, HtmlSafety};
use crate::mail::ids::ItemKey;
use crate::mail::message::{Body, BodyKind, Message};

/// Bytes of the two generations of one part, together: all parts hold 256 MB, the bodies of some 30,000 usual mails.
const PART_BYTES: usize = 16 * 1024 * 1024;
/// Parts with a lock each: more than a machine of this size has cores.
const PARTS: usize = 16;
/// What an entry costs besides its text.
const ENTRY_BYTES: usize = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    mailbox: Uuid,
    item: ItemKey,
    change: u32,
    wanted: Option<BodyKind>,
    safety: HtmlSafety,
}

/// Two generations: what was not asked for while the younger one filled up is forgotten.
#[derive(Debug, Default)]
struct Part {
    young: HashMap<Key, Arc<Body>>,
    old: HashMap<Key, Arc<Body>>,
    young_bytes: usize,
}

/// The cache.
#[derive(Debug, Default)]
pub struct ShownBodies([Mutex<Part>; PARTS]);

impl ShownBodies {
    /// The body of a message as Graph shows it.
    #[must_use]
    pub fn of(&self, mailbox: Uuid, message: &Message, wanted: Option<BodyKind>, safety: HtmlSafety) -> Arc<Body> {
        let key = Key {
            mailbox,
            item: message.key,
            change: message.change,
            wanted,
            safety,
        };
        // A draft that is not stored yet has neither key nor change number.
        if message.change == 0 {
            return Arc::new(body::shown(body::native(message), wanted, safety));
        }
        let part = &self.0[usize::try_from(message.key.0).unwrap_or(0) % PARTS];
        if let Some(known) = part.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known;
        }
        let native = body::native(message);
        // An empty one may be one that could not be read.
        let lasting = !native.content.is_empty();
        let shown = Arc::new(body::shown(native, wanted, safety));
        if lasting {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            part.put(key, Arc::clone(&shown));
        }
        shown
    }
}

impl Part {
    fn get(&mut self, key: &Key) -> Option<Arc<Body>> {
        if let Some(known) = self.young.get(key) {
            return Some(Arc::clone(known));
        }
        let known = self.old.remove(key)?;
        self.put(*key, Arc::clone(&known));
        Some(known)
    }

    fn put(&mut self, key: Key, body: Arc<Body>) {
        let size = body.content.len() + ENTRY_BYTES;
        if size > PART_BYTES / 2 {
            return;
        }
        if self.young_bytes + size > PART_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(key, body).is_none() {
            self.young_bytes += size;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mail::mime::{Reception, record};

    fn message(item: u32, change: u32, text: &str) -> Message {
        let reception = Reception {
            at: 0,
            message_id_if_none: "<a@b>",
        };
        let (mut message, _) = record(Bytes::from(format!("Subject: x\r\n\r\n{text}")), reception);
        message.key = ItemKey(item);
        message.change = change;
        message
    }

    #[test]
    fn another_change_mailbox_or_way_of_showing_is_another_body() {
        let shown = ShownBodies::default();
        let show = |mailbox: u128, message: &Message, wanted| {
            let body = shown.of(Uuid::from_u128(mailbox), message, wanted, HtmlSafety::Sanitised);
            body.content.clone()
        };
        assert_eq!(show(1, &message(1, 1, "first"), None), "first");
        assert_eq!(show(1, &message(1, 1, "not read again"), None), "first");
        assert_eq!(show(1, &message(1, 2, "second"), None), "second");
        assert_eq!(show(2, &message(1, 1, "theirs"), None), "theirs");
        assert!(show(1, &message(1, 2, "second"), Some(BodyKind::Html)).contains("<html>"));
    }

    #[test]
    fn the_cache_stays_within_its_bound() {
        let shown = ShownBodies::default();
        let text = "x".repeat(1024 * 1024);
        for item in 0..40 {
            let item = item * u32::try_from(PARTS).unwrap();
            let _ = shown.of(Uuid::nil(), &message(item, 1, &text), None, HtmlSafety::Sanitised);
        }
        let part = shown.0[0].lock().unwrap();
        let held: usize = part
            .young
            .values()
            .chain(part.old.values())
            .map(|body| body.content.len())
            .sum();
        assert!(held <= PART_BYTES && held > 0, "{held}");
    }

    #[test]
    fn an_empty_body_is_looked_at_again() {
        let shown = ShownBodies::default();
        let look = |text: &str| shown.of(Uuid::nil(), &message(1, 1, text), None, HtmlSafety::Sanitised);
        assert_eq!(look("").content, "");
        assert_eq!(look("now it can be read").content, "now it can be read");
    }
}
