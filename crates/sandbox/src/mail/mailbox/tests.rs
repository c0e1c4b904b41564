//! The invariants of a mailbox under any sequence of changes.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::mail::change_log::Entry;
use crate::mail::mime::{Reception, record};

fn message(at: Seconds) -> Message {
    record(
        Bytes::from_static(b"Subject: x\r\n\r\ny"),
        Reception {
            at,
            message_id_if_none: "<a@b>",
        },
    )
    .0
}

#[derive(Debug, Clone)]
enum Act {
    Insert(bool),
    Touch(usize),
    Move(usize, bool),
    Remove(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => any::<bool>().prop_map(Act::Insert),
        1 => (0..20_usize).prop_map(Act::Touch),
        2 => (0..20_usize, any::<bool>()).prop_map(|(item, there)| Act::Move(item, there)),
        1 => (0..20_usize).prop_map(Act::Remove),
    ]
}

proptest! {
    #[test]
    fn a_message_is_in_one_folder_with_one_log_entry(acts in proptest::collection::vec(act(), 0..60)) {
        let mut mailbox = Mailbox::new(Uuid::from_u128(1));
        let (inbox, archive) = (mailbox.well_known(WellKnown::Inbox), mailbox.well_known(WellKnown::Archive));
        let folder = |there| if there { archive } else { inbox };
        let mut keys = Vec::new();
        for (at, act) in (0..).zip(acts) {
            let key = |number: usize| keys.get(number % keys.len().max(1)).copied();
            match act {
                Act::Insert(there) => keys.push(mailbox.insert(message(at), folder(there)).unwrap()),
                Act::Touch(number) => {
                    if let Some(key) = key(number) {
                        mailbox.touch(key, Touch::Content, at, |message| message.is_read = !message.is_read);
                    }
                }
                Act::Move(number, there) => {
                    if let Some(key) = key(number) {
                        let _ = mailbox.relocate(key, folder(there), at, |_| {});
                    }
                }
                Act::Remove(number) => {
                    if let Some(key) = key(number) {
                        mailbox.remove(key);
                    }
                }
            }
        }
        let mut counted = 0;
        for key in [inbox, archive] {
            let folder = mailbox.folder(key).unwrap();
            let present: Vec<ItemKey> = folder.log.after(0).filter_map(|(seq, entry)| match entry {
                Entry::Present(item) => {
                    assert_eq!(mailbox.get(item).unwrap().log_seq, seq);
                    Some(item)
                }
                Entry::Departed { .. } => None,
            }).collect();
            prop_assert_eq!(present.len(), folder.by_time.len());
            prop_assert!(present.iter().all(|item| mailbox.get(*item).unwrap().folder == key));
            let unread = mailbox.newest_first(Some(key)).filter(|message| !message.is_read).count();
            prop_assert_eq!(unread, folder.unread);
            counted += present.len();
        }
        prop_assert_eq!(counted, mailbox.len());
        prop_assert_eq!(mailbox.newest_first(None).count(), mailbox.len());
    }
}

#[test]
fn changes_are_noted_in_order_for_notifications() {
    let mut mailbox = Mailbox::new(Uuid::from_u128(1));
    let (inbox, archive) = (
        mailbox.well_known(WellKnown::Inbox),
        mailbox.well_known(WellKnown::Archive),
    );
    let key = mailbox.insert(message(1), inbox).unwrap();
    mailbox.touch(key, Touch::ReadState, 2, |message| message.is_read = true);
    mailbox.relocate(key, archive, 3, |_| {}).unwrap();
    mailbox.remove(key);
    let kinds: Vec<(ChangeKind, FolderKey)> = mailbox
        .take_changes()
        .iter()
        .map(|change| (change.kind, change.place.folder))
        .collect();
    assert_eq!(
        kinds,
        [
            (ChangeKind::Created, inbox),
            (ChangeKind::Updated, inbox),
            (ChangeKind::Deleted, inbox),
            (ChangeKind::Created, archive),
            (ChangeKind::Deleted, archive),
        ]
    );
    assert!(mailbox.take_changes().is_empty());
}
