//! What is saved of a mailbox, at whatever moments, makes the same mailbox again.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::mail::conversation::Ancestry;
use crate::mail::mailbox::Touch;
use crate::mail::mime::{Reception, record};
use crate::mail::well_known::{Visibility, WellKnown};

/// What the journal would hold of one mailbox.
#[derive(Default)]
struct Kept {
    head: String,
    messages: BTreeMap<ItemKey, String>,
    left: Vec<Left>,
    joined: HashMap<u64, [u8; 16]>,
}

impl Kept {
    fn save(&mut self, mailbox: &mut Mailbox) {
        let unsaved = mailbox.take_unsaved();
        for item in unsaved.items {
            match mailbox.get(item) {
                Some(message) => self.messages.insert(item, serde_json::to_string(message).unwrap()),
                None => self.messages.remove(&item),
            };
        }
        self.left.extend(unsaved.left);
        self.joined.extend(unsaved.joined);
        self.head = serde_json::to_string(mailbox).unwrap();
    }

    fn restore(&self) -> Result<Mailbox, String> {
        let messages = self
            .messages
            .iter()
            .map(|(item, text)| (*item, serde_json::from_str(text).unwrap()))
            .collect();
        Mailbox::restore(&self.head, messages, self.left.clone(), self.joined.clone())
    }
}

/// Everything about a mailbox that clients can see.
fn portrait(mailbox: &Mailbox) -> Vec<String> {
    let mut lines = vec![
        serde_json::to_value(mailbox).unwrap().to_string(),
        format!("{:?}", mailbox.codec),
        format!("{:?}", mailbox.by_time),
    ];
    for message in mailbox.newest_first(None) {
        lines.push(serde_json::to_string(message).unwrap());
    }
    for folder in mailbox.folders.values() {
        lines.push(format!(
            "{:?} {:?} {} {} {:?}",
            folder.key,
            folder.by_time,
            folder.unread,
            folder.size,
            folder.log.after(0).collect::<Vec<_>>()
        ));
    }
    let joined: BTreeMap<u64, [u8; 16]> = mailbox.conversations.all().collect();
    lines.push(format!("{joined:?}"));
    lines
}

fn add(mailbox: &mut Mailbox, number: usize, folder: FolderKey) {
    let mail = format!(
        "Message-ID: <{number}@x>\r\nReferences: <{}@x>\r\nSubject: {number}\r\n\r\ny",
        number / 2
    );
    let at = i64::try_from(number).unwrap();
    let reception = Reception {
        at,
        message_id_if_none: "<a@b>",
    };
    let (mut message, ancestry) = record(Bytes::from(mail), reception);
    let fresh = *Uuid::from_u128(u128::try_from(number).unwrap()).as_bytes();
    message.conversation = mailbox.conversations.join(&ancestry, fresh);
    mailbox.insert(message, folder).unwrap();
}

#[derive(Debug, Clone)]
enum Act {
    Add(bool),
    Touch(usize),
    Move(usize, bool),
    Remove(usize),
    Folder,
    Expire,
    Save,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => any::<bool>().prop_map(Act::Add),
        1 => (0..20_usize).prop_map(Act::Touch),
        2 => (0..20_usize, any::<bool>()).prop_map(|(item, there)| Act::Move(item, there)),
        1 => (0..20_usize).prop_map(Act::Remove),
        1 => Just(Act::Folder),
        1 => Just(Act::Expire),
        2 => Just(Act::Save),
    ]
}

fn perform(mailbox: &mut Mailbox, kept: &mut Kept, number: usize, act: &Act) {
    let (inbox, archive) = (
        mailbox.well_known(WellKnown::Inbox),
        mailbox.well_known(WellKnown::Archive),
    );
    let folder = |there: bool| if there { archive } else { inbox };
    let items: Vec<ItemKey> = mailbox.newest_first(None).map(|message| message.key).collect();
    let item = |wanted: usize| items.get(wanted % items.len().max(1)).copied();
    let now = i64::try_from(number).unwrap() + 1_000;
    match act {
        Act::Add(there) => add(mailbox, number, folder(*there)),
        Act::Touch(wanted) => {
            if let Some(item) = item(*wanted) {
                mailbox.touch(item, Touch::Content, now, |message| message.is_read = !message.is_read);
            }
        }
        Act::Move(wanted, there) => {
            if let Some(item) = item(*wanted) {
                mailbox.relocate(item, folder(*there), now, |_| {}).unwrap();
            }
        }
        Act::Remove(wanted) => {
            if let Some(item) = item(*wanted) {
                mailbox.remove(item);
            }
        }
        Act::Folder => {
            let _ = mailbox.create_folder(inbox, &format!("f{number}"), Visibility::Shown);
        }
        Act::Expire => {
            if let Some(folder) = mailbox.folders.get_mut(&inbox) {
                folder.log.expire_tokens();
            }
        }
        Act::Save => kept.save(mailbox),
    }
}

proptest! {
    #[test]
    fn saving_at_any_moments_restores_the_same_mailbox(acts in proptest::collection::vec(act(), 0..60)) {
        let mut mailbox = Mailbox::new(Uuid::from_u128(7));
        mailbox.watch();
        let mut kept = Kept::default();
        for (number, act) in acts.iter().enumerate() {
            perform(&mut mailbox, &mut kept, number, act);
        }
        kept.save(&mut mailbox);
        prop_assert_eq!(portrait(&kept.restore().unwrap()), portrait(&mailbox));
        let mut whole = Kept::default();
        mailbox.mark_all_unsaved();
        whole.save(&mut mailbox);
        prop_assert_eq!(portrait(&whole.restore().unwrap()), portrait(&mailbox));
    }
}

#[test]
fn what_a_failed_save_took_is_saved_by_the_next() {
    let mut mailbox = Mailbox::new(Uuid::from_u128(7));
    mailbox.watch();
    let inbox = mailbox.well_known(WellKnown::Inbox);
    add(&mut mailbox, 1, inbox);
    let taken = mailbox.take_unsaved();
    add(&mut mailbox, 2, inbox);
    mailbox.put_back(taken);
    let mut kept = Kept::default();
    kept.save(&mut mailbox);
    assert_eq!(portrait(&kept.restore().unwrap()), portrait(&mailbox));
}

#[test]
fn a_message_in_no_folder_is_refused() {
    let mut mailbox = Mailbox::new(Uuid::from_u128(7));
    mailbox.watch();
    let inbox = mailbox.well_known(WellKnown::Inbox);
    add(&mut mailbox, 1, inbox);
    let mut kept = Kept::default();
    kept.save(&mut mailbox);
    let text = kept.messages.values_mut().next().unwrap();
    *text = text.replace(&format!("\"folder\":{}", inbox.0), "\"folder\":9");
    assert!(kept.restore().unwrap_err().contains("folder 9"));
}

#[test]
fn conversations_go_on_after_a_restart() {
    let mut mailbox = Mailbox::new(Uuid::from_u128(7));
    mailbox.watch();
    let inbox = mailbox.well_known(WellKnown::Inbox);
    add(&mut mailbox, 8, inbox);
    let mut kept = Kept::default();
    kept.save(&mut mailbox);
    let mut restored = kept.restore().unwrap();
    let answer = Ancestry {
        in_reply_to: vec!["<8@x>".to_owned()],
        ..Ancestry::default()
    };
    let first = restored.newest_first(None).next().unwrap().conversation;
    assert_eq!(restored.conversations.join(&answer, [0; 16]), first);
}
