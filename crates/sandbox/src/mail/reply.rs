//! Replies and forwards: as drafts, or sent at once.
//!
//! Owns who an answer goes to (`replyTo` before `from`), the quoted original, and the ancestry: an answer carries the
//! original's Message-ID as In-Reply-To and the original's References plus that id as References.

use crate::mail::attachment::{self, Placement};
use crate::mail::body::{self, HtmlSafety};
use crate::mail::conversation::{Ancestry, next_index};
use crate::mail::fields::Fields;
use crate::mail::message::{Body, BodyKind, Content, Message, Person};
use crate::mail::message_endpoints::{created, is_mime, making, mime_body, resolve_names};
use crate::mail::message_input::{MessageInput, recipients};
use crate::mail::preferences::Preferences;
use crate::mail::routes::Scope;
use crate::mail::send::{Keeping, send_new};
use crate::mail::well_known::WellKnown;
use crate::mail::{draft, mime, wire};
use crate::odata::error::ODataError;
use crate::server::paths::GraphResponse;

/// Ancestors an answer names; older ones in the middle are dropped, the first stays.
const MAX_REFERENCES: usize = 50;

/// Which kind of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Reply,
    ReplyAll,
    Forward,
}

/// Makes the draft of an answer.
pub fn create(scope: &Scope<'_>, id: &str, kind: Kind) -> Result<GraphResponse, ODataError> {
    let (draft, ancestry) = answer(scope, id, kind)?;
    let preferences = Preferences::of(scope.request);
    scope.write(|mailbox| {
        let drafts = mailbox.well_known(WellKnown::Drafts);
        let own = Ancestry {
            own: Some(draft.internet_message_id.to_string()),
            ..ancestry
        };
        mailbox.conversations.join(&own, draft.conversation);
        let key = mailbox.insert(draft, drafts)?;
        created(scope, mailbox, key, &preferences)
    })
}

/// Sends an answer at once.
pub fn send(scope: &Scope<'_>, id: &str, kind: Kind) -> Result<GraphResponse, ODataError> {
    let (draft, ancestry) = answer(scope, id, kind)?;
    send_new(scope, draft, &ancestry, Keeping::SentItems)
}

fn answer(scope: &Scope<'_>, id: &str, kind: Kind) -> Result<(Message, Ancestry), ODataError> {
    let original = scope.read(|mailbox| mailbox.resolve(id).cloned())?;
    let before = mime::ancestry(&original);
    let ancestry = ancestry_of_answer(&original, before);
    let mut draft = if is_mime(scope.request) {
        from_mime(scope, &original, kind, &ancestry)?
    } else {
        from_json(scope, &original, kind, &ancestry)?
    };
    draft.conversation = original.conversation;
    draft.conversation_index = next_index(
        &original.conversation_index,
        &original.conversation,
        scope.service.clock.now(),
    )
    .into();
    Ok((draft, ancestry))
}

fn ancestry_of_answer(original: &Message, before: Ancestry) -> Ancestry {
    let mut references = if before.references.is_empty() {
        before.in_reply_to
    } else {
        before.references
    };
    let own = original.internet_message_id.to_string();
    references.retain(|id| *id != own);
    references.push(own.clone());
    if references.len() > MAX_REFERENCES {
        let surplus = references.len() - MAX_REFERENCES;
        references.drain(1..=surplus);
    }
    Ancestry {
        own: None,
        in_reply_to: vec![own],
        references,
        thread_index: None,
    }
}

fn from_mime(scope: &Scope<'_>, original: &Message, kind: Kind, ancestry: &Ancestry) -> Result<Message, ODataError> {
    let bytes = mime_body(scope.request)?;
    let (mut draft, _) = draft::from_mime(bytes, &making(scope));
    if let Content::Mime(raw) = &draft.content {
        let mut defaults = Vec::new();
        if kind != Kind::Forward {
            defaults.push(("In-Reply-To", ancestry.in_reply_to.join(" ")));
            defaults.push(("References", ancestry.references.join(" ")));
        }
        let completed = wire::outgoing(&raw.bytes(), &defaults);
        draft.size = u32::try_from(completed.len()).unwrap_or(u32::MAX);
        draft.content = Content::Mime(completed.into());
    }
    if draft.people.recipients().next().is_none() {
        let (to, cc) = addressees(scope, original, kind);
        if !to.is_empty() || !cc.is_empty() {
            draft::structured(&mut draft);
        }
        draft.people.to = to.into();
        draft.people.cc = cc.into();
    }
    Ok(draft)
}

fn from_json(scope: &Scope<'_>, original: &Message, kind: Kind, ancestry: &Ancestry) -> Result<Message, ODataError> {
    let making = making(scope);
    let json = scope.request.json_body()?;
    let fields = Fields::of(&json)?;
    let known: &[&str] = if kind == Kind::Forward {
        &["comment", "message", "toRecipients"]
    } else {
        &["comment", "message"]
    };
    fields.only(known, "message")?;
    let comment = fields.text("comment")?.filter(|comment| !comment.is_empty());
    let mut input = match fields.object("message")? {
        Some(message) => MessageInput::read(message, making.at)?,
        None => MessageInput::default(),
    };
    if comment.is_some() && input.body.is_some() {
        return Err(ODataError::bad_request(
            "The comment and the body of the message cannot both be specified.",
        ));
    }
    if let Some(to) = recipients(fields.list("toRecipients")?, "toRecipients")? {
        if input.to.is_some() {
            return Err(ODataError::bad_request(
                "The recipients of a forward are given once: in toRecipients or in message.toRecipients.",
            ));
        }
        input.to = Some(to);
    }
    resolve_names(scope, &mut input);
    let new_text = match (comment, input.body.take()) {
        (Some(comment), _) => body::escape(comment),
        (
            None,
            Some(Body {
                kind: BodyKind::Text,
                content,
            }),
        ) => body::escape(&content),
        (
            None,
            Some(Body {
                kind: BodyKind::Html,
                content,
            }),
        ) => body::fragment(&content).to_owned(),
        (None, None) => String::new(),
    };
    let mut draft = draft::blank(making);
    let (to, cc) = addressees(scope, original, kind);
    draft.people.to = to.into();
    draft.people.cc = cc.into();
    draft.people.from = Some(Box::new(own_person(scope)));
    draft.subject = subject(&original.subject, kind).into();
    if let Content::Draft(content) = &mut draft.content {
        content.body = quoted(original, &new_text);
        if kind != Kind::Forward {
            content.in_reply_to = ancestry.in_reply_to.first().cloned();
            content.references.clone_from(&ancestry.references);
        } else {
            content.references.clone_from(&ancestry.references);
        }
        for attachment in attachment::of(original) {
            if kind == Kind::Forward || (attachment.placement == Placement::Inline && attachment.content_id.is_some()) {
                draft::add_attachment(content, attachment.as_ref().clone())?;
            }
        }
    }
    draft::apply(&mut draft, input)?;
    Ok(draft)
}

fn own_person(scope: &Scope<'_>) -> Person {
    let address = scope.user.mail.as_deref().unwrap_or(&scope.user.user_principal_name);
    Person {
        name: scope.user.display_name.as_str().into(),
        address: address.into(),
    }
}

fn is_own(scope: &Scope<'_>, address: &str) -> bool {
    scope
        .user
        .mail
        .as_deref()
        .is_some_and(|mail| mail.eq_ignore_ascii_case(address))
        || scope
            .service
            .directory
            .user_by_address(address)
            .is_some_and(|user| user.id == scope.user.id)
}

/// Who an answer goes to, and who gets a copy. An answer to a mail of one's own goes to whom that mail went.
fn addressees(scope: &Scope<'_>, original: &Message, kind: Kind) -> (Vec<Person>, Vec<Person>) {
    if kind == Kind::Forward {
        return (Vec::new(), Vec::new());
    }
    let people = &original.people;
    let from_self = people.from.as_ref().is_some_and(|from| is_own(scope, &from.address));
    let mut to: Vec<Person> = if !people.reply_to.is_empty() {
        people.reply_to.to_vec()
    } else if from_self && !people.to.is_empty() {
        people.to.to_vec()
    } else {
        people
            .shown_sender()
            .filter(|_| people.from.is_none())
            .or(people.from.as_deref())
            .cloned()
            .into_iter()
            .collect()
    };
    let mut cc: Vec<Person> = Vec::new();
    if kind == Kind::ReplyAll {
        for person in people.to.iter() {
            if !is_own(scope, &person.address) && !named(&to, person) {
                to.push(person.clone());
            }
        }
        for person in people.cc.iter() {
            if !is_own(scope, &person.address) && !named(&to, person) && !named(&cc, person) {
                cc.push(person.clone());
            }
        }
    }
    (to, cc)
}

fn named(list: &[Person], person: &Person) -> bool {
    list.iter()
        .any(|other| other.address.eq_ignore_ascii_case(&person.address))
}

pub(super) fn subject(original: &str, kind: Kind) -> String {
    let (prefix, known) = match kind {
        Kind::Reply | Kind::ReplyAll => ("RE: ", "re:"),
        Kind::Forward => ("FW: ", "fw:"),
    };
    let lower = original.trim_start().to_lowercase();
    if lower.starts_with(known) {
        original.trim().to_owned()
    } else {
        format!("{prefix}{}", original.trim())
    }
}

/// The new text above the original with its headers.
pub(super) fn quoted(original: &Message, new_text: &str) -> Body {
    let shown = body::shown(body::native(original), Some(BodyKind::Html), HtmlSafety::Sanitised);
    let people = &original.people;
    let list = |list: &[Person]| list.iter().map(shown_person).collect::<Vec<_>>().join("; ");
    let from = people
        .from
        .as_deref()
        .or(people.shown_sender())
        .map(shown_person)
        .unwrap_or_default();
    let sent = jiff::Timestamp::from_second(original.sent)
        .unwrap_or_default()
        .strftime("%A, %B %-d, %Y %H:%M UTC")
        .to_string();
    let mut lines = vec![
        format!("<b>From:</b> {from}"),
        format!("<b>Sent:</b> {sent}"),
        format!("<b>To:</b> {}", list(&people.to)),
    ];
    if !people.cc.is_empty() {
        lines.push(format!("<b>Cc:</b> {}", list(&people.cc)));
    }
    lines.push(format!("<b>Subject:</b> {}", body::escape(&original.subject)));
    let fragment = format!(
        "<div>{new_text}</div>\r\n<hr style=\"display:inline-block;width:98%\">\r\n<div id=\"divRplyFwdMsg\" dir=\"ltr\">{}</div>\r\n<div>{}</div>",
        lines.join("<br>\r\n"),
        body::fragment(&shown.content).trim()
    );
    Body {
        kind: BodyKind::Html,
        content: body::document(&fragment),
    }
}

fn shown_person(person: &Person) -> String {
    if person.name == person.address || person.name.is_empty() {
        body::escape(&person.address)
    } else {
        format!(
            "{} &lt;{}&gt;",
            body::escape(&person.name),
            body::escape(&person.address)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_not_repeated() {
        assert_eq!(subject("Hello", Kind::Reply), "RE: Hello");
        assert_eq!(subject("Re: Hello", Kind::ReplyAll), "Re: Hello");
        assert_eq!(subject("RE: Hello", Kind::Forward), "FW: RE: Hello");
    }
}
