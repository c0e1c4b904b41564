//! One mail on its way in: fetch the MIME, store the bytes, parse, classify, route.
//!
//! Never writes to the ledger: it prepares what the round commits. One bad mail never blocks a
//! mailbox: what cannot be processed becomes a quarantine item with its bytes and the reason.

use std::{panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use guichet_domain::{
    AttachmentId, BlobId, ConversationId, EmailAddress, ImmutableId, InternetMessageId, JobId, MessageId,
    loop_guard::{self, Author},
    routing::{self, Language},
    threading::Evidence,
    trace::Step,
};
use guichet_graph::{Class, MessageSummary};
use guichet_mime::{
    ParsedMail,
    report::{self, Nature},
};
use guichet_store::records::{ContentPart, IngestItem, Item, Mailbox, MessageContent, NewAttachment, TraceStep};
use jiff::Timestamp;

use crate::{
    content::{content_parts, meeting, parties, protection},
    context::{Context, Parsing},
};

/// How one listed mail was prepared.
pub(crate) enum Prepared {
    /// Ready for the commit.
    Item(Item),
    /// Nothing is taken in: it was gone before it could be fetched, or it is our own probe.
    Nothing(TraceStep),
    /// Fetching or storing failed; the page must wait or the mail be set aside.
    Failed(ImmutableId, PrepareError),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    #[error(transparent)]
    Graph(#[from] guichet_graph::Error),
    #[error(transparent)]
    Store(#[from] guichet_store::Error),
}

/// Prepares one mail from its bytes, which are fetched if they are not there. The caller has a place for a mail
/// in memory. `seen` says how it came up.
pub(crate) async fn prepare_from(
    context: &Arc<Context>,
    mailbox: &Mailbox,
    summary: MessageSummary,
    mime: Option<Bytes>,
    seen: &str,
) -> Prepared {
    let immutable_id = ImmutableId::new(summary.id.clone());
    match fetch_and_prepare(context, mailbox, &summary, &immutable_id, mime, seen).await {
        Ok(prepared) => prepared,
        Err(error) => Prepared::Failed(immutable_id, error),
    }
}

async fn fetch_and_prepare(
    context: &Arc<Context>,
    mailbox: &Mailbox,
    summary: &MessageSummary,
    immutable_id: &ImmutableId,
    mime: Option<Bytes>,
    seen: &str,
) -> Result<Prepared, PrepareError> {
    let seen = step(mailbox, immutable_id, context.now(), Step::Seen, seen.to_owned());
    let fetched = match mime {
        Some(mime) => Ok(mime),
        None => fetch(context, mailbox, immutable_id).await,
    };
    let mime = match fetched {
        Ok(mime) => mime,
        Err(error) if error.class == Class::Gone && !exists(context, mailbox, immutable_id).await? => {
            let detail = format!("not found when fetched ({}): moved out or deleted", error.code);
            return Ok(Prepared::Nothing(step(
                mailbox,
                immutable_id,
                context.now(),
                Step::Gone,
                detail,
            )));
        }
        Err(error) => return Err(error.into()),
    };
    let blob = context.store.put_blob(mime.clone()).await?;
    let detail = format!("{} bytes of MIME, sha256 {blob}", mime.len());
    let steps = vec![seen, step(mailbox, immutable_id, context.now(), Step::Fetched, detail)];
    let size = i64::try_from(mime.len()).unwrap_or(i64::MAX);

    match parse_apart(context.parsing, mime.clone()).await {
        Ok(parsed) if is_probe(context, mailbox, &parsed.mail) => {
            let detail = "a probe of `guichet doctor`".to_owned();
            Ok(Prepared::Nothing(step(
                mailbox,
                immutable_id,
                context.now(),
                Step::Probe,
                detail,
            )))
        }
        Ok(parsed) => {
            let item = build(context, mailbox, summary, parsed, blob, size, steps).await?;
            Ok(Prepared::Item(Item::Ingest(Box::new(item))))
        }
        Err(error) => {
            let reason = format!("the mail could not be parsed: {error}");
            Ok(Prepared::Item(quarantine(
                mailbox,
                summary,
                Some((blob, size)),
                reason,
                steps,
                context.now(),
            )))
        }
    }
}

/// The bytes of a mail.
///
/// # Errors
/// Those of Graph.
pub(crate) async fn fetch(
    context: &Context,
    mailbox: &Mailbox,
    immutable_id: &ImmutableId,
) -> Result<Bytes, guichet_graph::Error> {
    let _permit = context.gates.enter(mailbox.id).await;
    let user = &mailbox.graph_user_id;
    context.graph.message_mime(user, immutable_id.as_str()).await
}

/// Whether the mail is there although its bytes are not: it is passed over only if it is not.
async fn exists(context: &Context, mailbox: &Mailbox, immutable_id: &ImmutableId) -> Result<bool, PrepareError> {
    let _permit = context.gates.enter(mailbox.id).await;
    let user = &mailbox.graph_user_id;
    match context.graph.message(user, immutable_id.as_str(), &["id"]).await {
        Ok(_) => Ok(true),
        Err(error) if error.class == Class::Gone => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A quarantine item, its last step included.
pub(crate) fn quarantine(
    mailbox: &Mailbox,
    summary: &MessageSummary,
    mime: Option<(BlobId, i64)>,
    reason: String,
    mut steps: Vec<TraceStep>,
    now: Timestamp,
) -> Item {
    let immutable_id = ImmutableId::new(summary.id.clone());
    steps.push(step(mailbox, &immutable_id, now, Step::Quarantined, reason.clone()));
    let (mime, size) = mime.map_or((None, 0), |(blob, size)| (Some(blob), size));
    let internet_message_id = summary
        .internet_message_id
        .as_deref()
        .and_then(InternetMessageId::parse);
    Item::Quarantine {
        immutable_id,
        internet_message_id,
        mime,
        size,
        reason,
        steps,
    }
}

/// A parsed mail with its HTML made safe and what it reports, all of it read where a panic costs one mail.
struct Readable {
    mail: ParsedMail,
    html: Option<String>,
    text_parts: Vec<ContentPart>,
    html_parts: Vec<ContentPart>,
    reported: Option<(Author, String)>,
    language: Option<&'static str>,
}

/// A parser that panics must cost one mail, not the mailbox: the panic ends in the error.
async fn parse_apart(parsing: Parsing, raw: Bytes) -> Result<Readable, String> {
    match parsing {
        Parsing::OnThreads => tokio::task::spawn_blocking(move || parse(&raw))
            .await
            .map_err(|error| error.to_string()),
        Parsing::InPlace => {
            std::panic::catch_unwind(AssertUnwindSafe(|| parse(&raw))).map_err(|_| "the parser panicked".to_owned())
        }
    }
}

fn parse(raw: &[u8]) -> Readable {
    let mail = guichet_mime::parse(raw);
    let html = mail.html.as_deref().map(|html| guichet_mime::sanitise(html).html);
    let reported = reported(&mail);
    let text_parts = mail.text_parts();
    Readable {
        language: mail.language(&text_parts),
        text_parts: content_parts(&text_parts),
        html_parts: html
            .as_deref()
            .map(|html| content_parts(&mail.html_parts(html)))
            .unwrap_or_default(),
        mail,
        html,
        reported,
    }
}

async fn build(
    context: &Arc<Context>,
    mailbox: &Mailbox,
    summary: &MessageSummary,
    readable: Readable,
    blob: BlobId,
    size: i64,
    mut steps: Vec<TraceStep>,
) -> Result<IngestItem, PrepareError> {
    let Readable {
        mail,
        html,
        text_parts,
        html_parts,
        reported,
        language,
    } = readable;
    let immutable_id = ImmutableId::new(summary.id.clone());
    let now = context.now();
    let deviations: Vec<String> = mail.deviations.iter().map(ToString::to_string).collect();
    let parsed_detail = if deviations.is_empty() {
        "no deviations".to_owned()
    } else {
        deviations.join("; ")
    };
    steps.push(step(mailbox, &immutable_id, now, Step::Parsed, parsed_detail));

    let from = mail
        .from
        .iter()
        .find_map(|person| EmailAddress::parse(&person.address).ok());
    let verdict = loop_guard::classify(&loop_guard::Evidence {
        headers: &mail.headers,
        content_type: &mail.content_type,
        report_type: &mail.report_type,
        from: from.as_ref(),
        own_addresses: &context.own_addresses,
        content: reported,
    });
    let why = if verdict.reasons.is_empty() {
        "nothing speaks against a person".into()
    } else {
        verdict.reasons.join("; ")
    };
    steps.push(step(
        mailbox,
        &immutable_id,
        now,
        Step::Classified,
        format!("{}: {why}", verdict.author.as_str()),
    ));

    let recipients: Vec<EmailAddress> = mail
        .to
        .iter()
        .chain(&mail.cc)
        .filter_map(|person| EmailAddress::parse(&person.address).ok())
        .collect();
    let spoken = language.and_then(|code| Language::parse(code).ok());
    let route = routing::route(&context.config.routes, &recipients, &mailbox.address, spoken.as_ref());
    let detail = format!("queue `{}`: {}", route.queue, route.reason);
    steps.push(step(mailbox, &immutable_id, now, Step::Routed, detail));

    let threading = evidence(context, &mail);
    let mut attachments = Vec::with_capacity(mail.attachments.len());
    for attachment in &mail.attachments {
        let bytes = Bytes::copy_from_slice(&attachment.bytes);
        attachments.push(NewAttachment {
            id: AttachmentId::generate(&*context.clock, &*context.entropy),
            name: attachment.name.clone(),
            content_type: attachment.content_type.clone(),
            content_id: attachment.content_id.clone(),
            inline: attachment.inline,
            size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            blob: context.store.put_blob(bytes).await?,
        });
    }
    Ok(IngestItem {
        message: MessageId::generate(&*context.clock, &*context.entropy),
        new_conversation: ConversationId::generate(&*context.clock, &*context.entropy),
        mark_read_job: JobId::generate(&*context.clock, &*context.entropy),
        mark_read: context.config.mark_read && summary.is_read != Some(true),
        internet_message_id: mail.message_id.as_deref().and_then(InternetMessageId::parse),
        graph_conversation_id: summary.conversation_id.clone(),
        received_at: summary.received_at.unwrap_or(now),
        sent_at: mail.date,
        content: MessageContent {
            from: parties(&mail.from),
            to: parties(&mail.to),
            cc: parties(&mail.cc),
            reply_to: parties(&mail.reply_to),
            subject: mail.subject,
            text: mail.text,
            html,
            deviations,
            text_parts,
            html_parts,
            language: language.map(str::to_owned),
            protection: protection(mail.protection),
            meeting: mail.meeting.map(meeting),
        },
        threading,
        verdict,
        route,
        mime: blob,
        size,
        attachments,
        immutable_id,
        steps,
    })
}

/// Whether the doctor sent it from this mailbox to itself.
fn is_probe(context: &Context, mailbox: &Mailbox, mail: &ParsedMail) -> bool {
    let mut senders = mail.from.iter().map(|person| EmailAddress::parse(&person.address));
    let own = senders.any(|sender| sender.is_ok_and(|sender| sender == mailbox.address));
    own && context.tokens.is_probe(&mail.subject)
}

/// What the mail reports, as far as the loop guard cares.
fn reported(mail: &ParsedMail) -> Option<(Author, String)> {
    match report::read(mail) {
        Nature::Ordinary => None,
        Nature::AutoReply { why } => Some((Author::AutoReply, why)),
        Nature::Complaint(complaint) => Some((
            Author::Report,
            format!("it is a complaint of kind `{}`", complaint.kind),
        )),
        Nature::DeliveryReport(report) => {
            let reasons: Vec<&str> = report.recipients.iter().map(|one| one.reason.as_str()).collect();
            Some((
                Author::Report,
                format!(
                    "it reports on a delivery to {} recipient(s): {}",
                    reasons.len(),
                    reasons.first().copied().unwrap_or("unknown")
                ),
            ))
        }
    }
}

fn evidence(context: &Context, mail: &ParsedMail) -> Evidence {
    let ids = |list: &[String]| list.iter().filter_map(|id| InternetMessageId::parse(id)).collect();
    let mut tokens = context.tokens.find(&mail.subject);
    // The HTML is searched as well: programs that answer in HTML alone may leave no text part.
    for text in [Some(mail.text.as_str()), mail.html.as_deref()].into_iter().flatten() {
        for found in context.tokens.find(text) {
            if !tokens.contains(&found) {
                tokens.push(found);
            }
        }
    }
    Evidence {
        in_reply_to: ids(&mail.in_reply_to),
        references: ids(&mail.references),
        tokens,
    }
}

/// A trace step of a mail in this mailbox.
pub(crate) fn step(mailbox: &Mailbox, id: &ImmutableId, at: Timestamp, step: Step, detail: String) -> TraceStep {
    TraceStep {
        mailbox: mailbox.id,
        immutable_id: id.clone(),
        at,
        step,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use guichet_store::records::PartKind;

    use super::*;

    #[test]
    fn the_language_of_the_new_text_is_found() {
        let raw = b"Subject: Re: x\n\nHello, where is my parcel? It should have arrived on Thursday.\n\nAda wrote:\n> Guten Tag\n";
        assert_eq!(parse(raw).language, Some("en"));
    }

    #[test]
    fn text_and_html_of_an_answer_are_kept_with_their_parts() {
        let raw =
            b"Subject: Re: x\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nNew\n\nAda wrote:\n> Old\n\
            --b\nContent-Type: text/html\n\n<p>New</p><blockquote type=cite>Old</blockquote>\n--b--\n";
        let readable = parse(raw);
        let kinds = |parts: &[ContentPart]| parts.iter().map(|part| part.kind).collect::<Vec<_>>();
        let length = |parts: &[ContentPart]| parts.iter().map(|part| part.length).sum::<usize>();
        for (content, parts) in [
            (&readable.mail.text, &readable.text_parts),
            (&readable.html.unwrap_or_default(), &readable.html_parts),
        ] {
            assert_eq!(kinds(parts), [PartKind::New, PartKind::Quoted]);
            assert_eq!(length(parts), content.len());
        }
    }
}
