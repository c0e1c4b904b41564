//! Sends one reply by the sequence that [`guichet_domain::reply`] decides.
//!
//! Every step is announced in the store before it is taken, so that the next attempt knows what may
//! have happened and looks into the mailbox before it acts.

use std::{sync::Arc, time::Duration};

use guichet_domain::{
    ImmutableId, InternetMessageId, MessageId,
    loop_guard::OWN_HEADER,
    reply::{Next, Observed, Progress, next},
    trace::Step,
};
use guichet_graph::{Class, DraftPatch, NewAttachment, ReplyDraft};
use guichet_mime::{QuotedOriginal, ReplyBody, compose_reply_html, text_to_html};
use guichet_store::records::{LeasedJob, Mailbox, Message, NewAttachment as Attachment, SentReply, TraceStep};
use jiff::SignedDuration;

use super::AttemptError;
use crate::{REPLY_PROPERTY, context::Context, ingest::step};

/// Looks at a message that was submitted before the attempt ends; Exchange moves it out of the
/// drafts shortly after it has accepted it.
const SETTLE_LOOKS: u32 = 5;
const SETTLE_PAUSE: Duration = Duration::from_millis(500);
/// How long the sent copy is tried to be read before the reply is recorded without it.
const COPY_PATIENCE: SignedDuration = SignedDuration::from_mins(2);
/// Most bytes of a body that quotes the original as HTML. Graph refuses whole requests over 4 MB, and
/// JSON makes a body longer.
const MAX_QUOTING_BODY: usize = 2_500_000;
/// Steps of one attempt; more means that the mailbox contradicts itself.
const MAX_STEPS: u32 = 400;

const SELECT: &[&str] = &["id", "isDraft", "internetMessageId", "sentDateTime", "parentFolderId"];

struct Sending<'a> {
    context: &'a Arc<Context>,
    job: &'a LeasedJob,
    mailbox: &'a Mailbox,
    reply: Message,
    answered: &'a ImmutableId,
    progress: Progress,
}

pub(super) async fn run(
    context: &Arc<Context>,
    job: &LeasedJob,
    message: MessageId,
    answered: &ImmutableId,
) -> Result<(), AttemptError> {
    let mailbox = context
        .mailbox(job.mailbox)
        .ok_or_else(|| AttemptError::Later("its mailbox is not served at present".into()))?;
    let reply = context.store.message(message).await?;
    let reply = reply.ok_or_else(|| AttemptError::Final("the reply is not in the ledger".into()))?;
    let progress = job.progress.clone();
    Sending {
        context,
        job,
        mailbox,
        reply,
        answered,
        progress,
    }
    .drive()
    .await
}

impl Sending<'_> {
    async fn drive(&mut self) -> Result<(), AttemptError> {
        let mut observed = Observed::NotLooked;
        for _ in 0..MAX_STEPS {
            let attachments = self.reply.attachments.len();
            match next(&self.progress, &observed, attachments, self.context.now()) {
                Next::Look => observed = self.look().await?,
                Next::CreateDraft => observed = self.create_draft().await?,
                Next::Attach { draft, index } => observed = self.attach(draft, index).await?,
                Next::Wait => {
                    return Err(AttemptError::Later("submitted, and not among the sent mail yet".into()));
                }
                Next::Send { draft } => observed = self.submit(draft).await?,
                Next::Finish { sent } => return self.finish(sent).await,
                Next::GiveUp => {
                    let text = "the reply was submitted and is not among the sent mail long after: someone may have \
                                deleted it, or the mailbox can't send; it is not sent again by itself";
                    return Err(AttemptError::Final(text.into()));
                }
            }
        }
        Err(AttemptError::Later(
            "the mailbox shows a different state at every look".into(),
        ))
    }

    async fn look(&self) -> Result<Observed, AttemptError> {
        let found = match &self.progress.draft {
            Some(id) => self.by_id(id).await?,
            None => None,
        };
        match found {
            Some(message) => self.observe(message).await,
            None => self.look_by_mark().await,
        }
    }

    async fn by_id(&self, id: &ImmutableId) -> Result<Option<guichet_graph::Message>, AttemptError> {
        let _permit = self.context.gates.enter(self.mailbox.id).await;
        match self
            .context
            .graph
            .message(&self.mailbox.graph_user_id, id.as_str(), SELECT)
            .await
        {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.class == Class::Gone => Ok(None),
            Err(error) => Err(unseen(error)),
        }
    }

    async fn look_by_mark(&self) -> Result<Observed, AttemptError> {
        let value = self.reply.id.to_string();
        let permit = self.context.gates.enter(self.mailbox.id).await;
        let user = &self.mailbox.graph_user_id;
        let found = self
            .context
            .graph
            .find_by_extended_property(user, None, REPLY_PROPERTY, &value)
            .await
            .map_err(unseen)?;
        drop(permit);
        // A sent one decides; of several drafts, left by attempts that were cut off, one is enough.
        let (drafts, sent): (Vec<_>, Vec<_>) = found.into_iter().partition(|m| m.is_draft == Some(true));
        match sent.into_iter().next().or_else(|| drafts.into_iter().next()) {
            Some(message) => self.observe(message).await,
            None => Ok(Observed::Absent),
        }
    }

    async fn observe(&self, message: guichet_graph::Message) -> Result<Observed, AttemptError> {
        let id = ImmutableId::new(message.id.clone());
        if message.is_draft != Some(true) {
            return Ok(Observed::Sent { id });
        }
        if self.reply.attachments.is_empty() {
            return Ok(Observed::Draft { id, attached: 0 });
        }
        self.count_attachments(id).await
    }

    /// Counts what is on the draft, and takes off what is on it twice: a server may refuse an attachment that it
    /// has taken, and a node that stood still may go on with one that another has attached meanwhile.
    async fn count_attachments(&self, id: ImmutableId) -> Result<Observed, AttemptError> {
        let _permit = self.context.gates.enter(self.mailbox.id).await;
        let (graph, user) = (&self.context.graph, &self.mailbox.graph_user_id);
        let mut present = graph.list_attachments(user, id.as_str()).await.map_err(unseen)?;
        // Inline images of the quoted original are on the draft as well.
        present.retain(|attachment| !attachment.is_inline);
        let attached = take_present(&self.reply.attachments, &mut present, |attachment| &attachment.name);
        let whole = attached == self.reply.attachments.len();
        let ours = |name: &str| self.reply.attachments.iter().any(|wanted| wanted.name == name);
        for twice in present.iter().filter(|attachment| whole && ours(&attachment.name)) {
            tracing::info!(message = %self.reply.id, "an attachment was on the draft twice");
            graph.delete_attachment(user, id.as_str(), &twice.id).await?;
        }
        Ok(Observed::Draft { id, attached })
    }

    async fn create_draft(&mut self) -> Result<Observed, AttemptError> {
        self.progress.draft_begun = true;
        self.save(Vec::new()).await?;
        let draft = ReplyDraft {
            html: String::new(),
            extended_properties: vec![(REPLY_PROPERTY.to_owned(), self.reply.id.to_string())],
            headers: vec![(OWN_HEADER.to_owned(), self.reply.id.to_string())],
            ..ReplyDraft::default()
        };
        let permit = self.context.gates.enter(self.mailbox.id).await;
        let user = &self.mailbox.graph_user_id;
        let created = self
            .context
            .graph
            .create_reply(user, self.answered.as_str(), &draft)
            .await;
        drop(permit);
        let created = match created {
            Ok(created) => created,
            Err(error) if error.class == Class::Gone => {
                let text = "the mail to be answered is no longer in the mailbox".to_owned();
                return Err(AttemptError::Final(text));
            }
            Err(error) => return Err(error.into()),
        };
        let id = ImmutableId::new(created.id);
        self.progress.draft = Some(id.clone());
        let drafted = self.step(Step::ReplyDrafted, format!("draft {id} stamped with {}", self.reply.id));
        self.save(vec![drafted]).await?;
        Ok(Observed::Draft { id, attached: 0 })
    }

    async fn body(&self) -> Result<String, AttemptError> {
        let content = &self.reply.content;
        let mut answer = content.html.clone().unwrap_or_else(|| text_to_html(&content.text));
        if self.context.config.reference_line {
            let token = self.context.tokens.mint(self.reply.conversation);
            answer.push_str(&format!("<p style=\"color:#767676;font-size:small\">Ref: {token}</p>"));
        }
        let original = self
            .context
            .store
            .message_by_immutable_id(self.mailbox.id, self.answered)
            .await?;
        let from = original.as_ref().and_then(|o| o.content.from.first()).map(|party| {
            if party.name.is_empty() {
                party.address.clone()
            } else {
                format!("{} <{}>", party.name, party.address)
            }
        });
        let quoted = original.as_ref().map(|original| QuotedOriginal {
            from: from.as_deref().unwrap_or_default(),
            sent: original.sent_at.or(Some(original.received_at)),
            subject: &original.content.subject,
            html: original.content.html.as_deref(),
            text: &original.content.text,
        });
        let answer = ReplyBody::Html(answer);
        let whole = compose_reply_html(&answer, quoted.as_ref());
        if whole.len() <= MAX_QUOTING_BODY {
            return Ok(whole);
        }
        // The customer has the original: a long one is quoted as text, a very long one not at all.
        let as_text = quoted.map(|quoted| QuotedOriginal { html: None, ..quoted });
        let shorter = compose_reply_html(&answer, as_text.as_ref());
        Ok(if shorter.len() <= MAX_QUOTING_BODY {
            shorter
        } else {
            compose_reply_html(&answer, None)
        })
    }

    /// Writes the whole body. Whether createReply keeps, replaces or adds to a body that comes with
    /// the request is not documented; what an update writes is what is sent.
    async fn write_body(&self, draft: &ImmutableId) -> Result<(), AttemptError> {
        let patch = DraftPatch {
            html: Some(self.body().await?),
            ..DraftPatch::default()
        };
        let _permit = self.context.gates.enter(self.mailbox.id).await;
        self.context
            .graph
            .update_draft(&self.mailbox.graph_user_id, draft.as_str(), &patch)
            .await?;
        Ok(())
    }

    async fn attach(&mut self, draft: ImmutableId, index: usize) -> Result<Observed, AttemptError> {
        let Some(attachment) = self.reply.attachments.get(index) else {
            return Err(AttemptError::Final(format!(
                "attachment {index} of the reply is missing"
            )));
        };
        let upload = NewAttachment {
            name: attachment.name.clone(),
            content_type: attachment.content_type.clone(),
            content_id: attachment.content_id.clone(),
            is_inline: attachment.inline,
            content: self.context.store.get_blob(&attachment.blob).await?,
        };
        let permit = self.context.gates.enter(self.mailbox.id).await;
        let user = &self.mailbox.graph_user_id;
        self.context.graph.add_attachment(user, draft.as_str(), &upload).await?;
        drop(permit);
        let text = format!(
            "attachment {} of {}, {} bytes",
            index + 1,
            self.reply.attachments.len(),
            attachment.size
        );
        let attached = self.step(Step::ReplyAttached, text);
        self.save(vec![attached]).await?;
        if index + 1 == self.reply.attachments.len() {
            return self.count_attachments(draft).await;
        }
        Ok(Observed::Draft {
            id: draft,
            attached: index + 1,
        })
    }

    async fn submit(&mut self, draft: ImmutableId) -> Result<Observed, AttemptError> {
        // Once the mailbox was asked, the body stands: a message that is being sent can't be changed.
        if !self.progress.send_begun {
            self.write_body(&draft).await?;
        }
        self.progress.send_begun = true;
        self.progress.submitted_at = Some(self.context.now());
        let submitted = self.step(Step::ReplySubmitted, format!("asked the mailbox to send draft {draft}"));
        self.save(vec![submitted]).await?;
        let permit = self.context.gates.enter(self.mailbox.id).await;
        let sent = self
            .context
            .graph
            .send_draft(&self.mailbox.graph_user_id, draft.as_str())
            .await;
        drop(permit);
        match sent {
            Ok(()) => {
                self.progress.accepted = true;
                self.save(Vec::new()).await?;
                self.settle(&draft).await
            }
            // A message that an earlier attempt sent can't be sent again: the refusal is no failure then.
            Err(error) if matches!(error.class, Class::Gone | Class::Invalid) => match self.look().await? {
                seen @ Observed::Sent { .. } => Ok(seen),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    async fn settle(&self, draft: &ImmutableId) -> Result<Observed, AttemptError> {
        let mut seen = self.look().await?;
        for _ in 1..SETTLE_LOOKS {
            let moving = matches!(&seen, Observed::Draft { id, .. } if id == draft) || seen == Observed::Absent;
            if !moving {
                break;
            }
            self.context.time.sleep(SETTLE_PAUSE).await;
            seen = self.look().await?;
        }
        Ok(seen)
    }

    async fn finish(&self, sent: ImmutableId) -> Result<(), AttemptError> {
        let user = &self.mailbox.graph_user_id;
        let message = self.by_id(&sent).await?;
        let permit = self.context.gates.enter(self.mailbox.id).await;
        let mime = match self.context.graph.message_mime(user, sent.as_str()).await {
            Ok(mime) => Some(mime),
            // The reply is out: a copy that was moved away or can't be read must not make it fail.
            Err(error) if error.is_retry() && self.copy_may_come() => return Err(error.into()),
            Err(error) => {
                tracing::warn!(message = %self.reply.id, %error, "the sent copy can't be read; it is recorded without");
                None
            }
        };
        drop(permit);
        let size = mime
            .as_ref()
            .map_or(0, |mime| i64::try_from(mime.len()).unwrap_or(i64::MAX));
        let mime = match mime {
            Some(mime) => Some(self.context.store.put_blob(mime).await?),
            None => None,
        };
        let now = self.context.now();
        let internet_message_id = message
            .as_ref()
            .and_then(|m| m.internet_message_id.as_deref())
            .and_then(InternetMessageId::parse);
        let sent_at = message.as_ref().and_then(|m| m.sent_at).unwrap_or(now);
        let detail = match &internet_message_id {
            Some(id) => format!("sent copy found, Message-ID {}", id.bracketed()),
            None => "sent copy found".to_owned(),
        };
        let own = step(self.mailbox, &sent, now, Step::ReplySent, detail.clone());
        let steps = vec![self.step(Step::ReplySent, detail), own];
        let record = SentReply {
            immutable_id: sent,
            internet_message_id,
            sent_at,
            mime,
            size,
        };
        self.context
            .store
            .finish_reply(self.job.id, self.job.epoch, self.reply.id, &record, steps, now)
            .await?;
        self.context.handle.metrics().replies_sent.inc();
        tracing::info!(message = %self.reply.id, mailbox = %self.mailbox.address, "reply sent");
        Ok(())
    }

    fn copy_may_come(&self) -> bool {
        let submitted = self.progress.submitted_at;
        submitted.is_some_and(|at| self.context.now().duration_since(at) < COPY_PATIENCE)
    }

    fn step(&self, kind: Step, detail: String) -> TraceStep {
        step(self.mailbox, self.answered, self.context.now(), kind, detail)
    }

    async fn save(&self, steps: Vec<TraceStep>) -> Result<(), AttemptError> {
        self.context
            .store
            .save_progress(self.job.id, self.job.epoch, &self.progress, steps)
            .await?;
        Ok(())
    }
}

/// A look that failed says nothing of the reply, which may be out: whatever the answer was, another look follows.
fn unseen(error: guichet_graph::Error) -> AttemptError {
    match error.class {
        Class::Invalid | Class::Bug => AttemptError::Later(format!("the mailbox can't be looked into: {error}")),
        _ => error.into(),
    }
}

/// How many of the wanted attachments, from the first, are present; takes them out of what is present.
fn take_present<T>(wanted: &[Attachment], present: &mut Vec<T>, name: impl Fn(&T) -> &str) -> usize {
    let found = wanted.iter().take_while(|wanted| {
        let at = present.iter().position(|one| name(one) == wanted.name);
        at.map(|at| present.swap_remove(at)).is_some()
    });
    found.count()
}
