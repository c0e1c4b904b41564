//! Mails that a mailbox sends on by itself: forwards, forwards as attachment, and redirects.
//!
//! Owns what is put in front of the original. A redirect keeps the original's bytes below new trace headers. What had
//! no sender keeps none, so that reports about reports cannot arise.

use bytes::Bytes;

use crate::directory::UserRef;
use crate::mail::MailService;
use crate::mail::attachment::{self, AttachmentKind, DraftAttachment, Placement};
use crate::mail::draft::{self, Making};
use crate::mail::message::{Content, Message, Person};
use crate::mail::rules::actions::Plan;
use crate::mail::transport::deliver::LOOP_HEADER;
use crate::mail::transport::envelope::Envelope;
use crate::mail::{compose, reply};

impl MailService {
    /// What a plan sends on.
    pub(super) fn forwards(
        &self,
        plan: &Plan,
        envelope: &Envelope,
        user: &UserRef,
        message: &Message,
    ) -> Vec<Envelope> {
        let mut derived = Vec::new();
        if !plan.redirect.is_empty() {
            derived.push(self.redirect(envelope, user, plan.redirect.clone()));
        }
        for (targets, is_attached) in [(&plan.forward, false), (&plan.forward_as_attachment, true)] {
            if !targets.is_empty() {
                let bytes = self.forward(user, message, targets, is_attached);
                derived.push(on(envelope, user, targets.clone(), bytes));
            }
        }
        derived
    }

    /// The mail as it is, to others.
    pub(super) fn redirect(&self, envelope: &Envelope, user: &UserRef, targets: Vec<String>) -> Envelope {
        let own = address(user);
        let mut bytes = format!("Resent-From: <{own}>\r\n{LOOP_HEADER}: {own}\r\n").into_bytes();
        bytes.extend_from_slice(&envelope.bytes);
        on(envelope, user, targets, bytes.into())
    }

    fn forward(&self, user: &UserRef, original: &Message, targets: &[String], is_attached: bool) -> Bytes {
        let own = address(user);
        let mut new = draft::blank(Making {
            at: self.now(),
            message_id: self.fresh_message_id(),
            conversation: original.conversation,
        });
        new.subject = reply::subject(&original.subject, reply::Kind::Forward).into();
        new.people.from = Some(Box::new(Person {
            name: user.display_name.as_str().into(),
            address: own.into(),
        }));
        new.people.to = targets
            .iter()
            .map(|target| Person {
                name: target.as_str().into(),
                address: target.as_str().into(),
            })
            .collect();
        if let Content::Draft(content) = &mut new.content {
            content.headers = vec![
                ("Auto-Submitted".to_owned(), "auto-generated".to_owned()),
                (LOOP_HEADER.to_owned(), own.to_owned()),
                (
                    "X-MS-Exchange-Generated-Message-Source".to_owned(),
                    "Mailbox Rules Agent".to_owned(),
                ),
                (
                    "X-MS-Exchange-Parent-Message-Id".to_owned(),
                    original.internet_message_id.to_string(),
                ),
            ];
            let attachments = match is_attached {
                true => vec![whole(original)],
                false => {
                    content.body = reply::quoted(original, "");
                    attachment::of(original)
                        .iter()
                        .map(|found| found.as_ref().clone())
                        .collect()
                }
            };
            for attachment in attachments {
                // A mail that arrived may have more attachments than a draft may; the rest stays with the original.
                if draft::add_attachment(content, attachment).is_err() {
                    break;
                }
            }
        }
        draft::refresh(&mut new);
        compose::message(&new)
    }
}

fn whole(original: &Message) -> DraftAttachment {
    DraftAttachment {
        number: 0,
        name: format!("{}.eml", original.subject),
        content_type: "message/rfc822".to_owned(),
        kind: AttachmentKind::Item,
        bytes: compose::message(original),
        placement: Placement::Attached,
        content_id: None,
        content_location: None,
        modified: original.modified,
    }
}

fn address(user: &UserRef) -> &str {
    user.mail.as_deref().unwrap_or(&user.user_principal_name)
}

fn on(envelope: &Envelope, user: &UserRef, targets: Vec<String>, bytes: Bytes) -> Envelope {
    let sender = match envelope.mail_from.is_empty() {
        true => String::new(),
        false => address(user).to_owned(),
    };
    let mut derived = envelope.derived(sender, targets, bytes);
    derived.forwarded = true;
    derived
}
