//! A search asked of a message.
//!
//! Owns the splitting of text into words and the parts of a message that each property looks at. Bodies and
//! attachments are read from the MIME only when a condition comes to them, and once.

use std::cell::OnceCell;

use super::{Field, MessageKind, MomentField, Node, Phrase, Role, Search};
use crate::mail::attachment;
use crate::mail::body;
use crate::mail::message::{Body, BodyKind, Message, Person};
use jiff::Timestamp;

/// A message under search.
struct Searched<'a> {
    message: &'a Message,
    body: OnceCell<Vec<String>>,
    attachments: OnceCell<Vec<String>>,
}

impl<'a> Searched<'a> {
    /// Nothing is read yet.
    fn new(message: &'a Message) -> Self {
        Self {
            message,
            body: OnceCell::new(),
            attachments: OnceCell::new(),
        }
    }

    fn body(&self) -> &[String] {
        self.body.get_or_init(|| {
            let shown = match body::native(self.message) {
                Body {
                    kind: BodyKind::Html,
                    content,
                } => body::to_text(&content),
                Body { content, .. } => content,
            };
            words(&shown).collect()
        })
    }

    fn attachments(&self) -> &[String] {
        self.attachments.get_or_init(|| {
            attachment::of(self.message)
                .iter()
                .map(|attachment| attachment.name.clone())
                .collect()
        })
    }
}

/// The words of a text, in lower case.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

impl Phrase {
    /// Whether the phrase stands somewhere in `text`.
    fn stands_in(&self, text: &[String]) -> bool {
        text.windows(self.words.len()).any(|window| {
            let last = self.words.len() - 1;
            window.iter().zip(&self.words).enumerate().all(|(at, (found, wanted))| {
                if self.prefix && at == last {
                    found.starts_with(wanted.as_str())
                } else {
                    found == wanted
                }
            })
        })
    }

    fn stands_in_text(&self, text: &str) -> bool {
        self.stands_in(&words(text).collect::<Vec<_>>())
    }

    fn names(&self, person: &Person) -> bool {
        self.stands_in_text(&person.name) || self.stands_in_text(&person.address)
    }
}

impl Search {
    /// Whether the message is found.
    #[must_use]
    pub fn finds(&self, message: &Message) -> bool {
        holds(&self.root, &Searched::new(message))
    }
}

fn holds(node: &Node, searched: &Searched<'_>) -> bool {
    let message = searched.message;
    match node {
        Node::All(nodes) => nodes.iter().all(|node| holds(node, searched)),
        Node::Any(nodes) => nodes.iter().any(|node| holds(node, searched)),
        Node::Not(node) => !holds(node, searched),
        Node::Words(field, phrase) => match field {
            Field::Subject => phrase.stands_in_text(&message.subject),
            Field::Body => phrase.stands_in(searched.body()),
            Field::Attachment => searched.attachments().iter().any(|name| phrase.stands_in_text(name)),
            Field::Default => {
                phrase.stands_in_text(&message.subject)
                    || role(Role::From, message).any(|person| phrase.names(person))
                    || phrase.stands_in(searched.body())
            }
        },
        Node::Address(whose, phrase) => role(*whose, message).any(|person| phrase.names(person)),
        Node::HasAttachment(wanted) => message.has_attachments == *wanted,
        Node::Importance(wanted) => message.importance == *wanted,
        Node::Kind(MessageKind::Elsewhere) => false,
        Node::Kind(kind) => message.kind.is_meeting() == (*kind == MessageKind::Meetings),
        Node::Moment(field, span) => {
            let seconds = match field {
                MomentField::Received => message.received,
                MomentField::Sent => message.sent,
            };
            Timestamp::from_second(seconds).is_ok_and(|at| span.holds(at))
        }
        Node::Size(span) => span.holds(u64::from(message.size)),
    }
}

fn role(role: Role, message: &Message) -> impl Iterator<Item = &Person> {
    let people = &message.people;
    let (mut from, mut to, mut cc, mut bcc) = (false, false, false, false);
    match role {
        Role::From => from = true,
        Role::To => to = true,
        Role::Cc => cc = true,
        Role::Bcc => bcc = true,
        Role::Recipients => (to, cc, bcc) = (true, true, true),
        Role::Participants => (from, to, cc, bcc) = (true, true, true, true),
    }
    let senders = people.from.as_deref().into_iter().chain(people.sender.as_deref());
    senders
        .filter(move |_| from)
        .chain(people.to.iter().filter(move |_| to))
        .chain(people.cc.iter().filter(move |_| cc))
        .chain(people.bcc.iter().filter(move |_| bcc))
}
