//! Tries a mail of the quarantine again, from its bytes where they were kept.

use std::sync::Arc;

use guichet_domain::{ImmutableId, trace::Step};
use guichet_graph::MessageSummary;
use guichet_store::records::{Item, JobOutcome, LeasedJob, Mailbox, Receipt};

use super::AttemptError;
use crate::{
    context::Context,
    ingest::{self, PrepareError, Prepared, step},
};

const SELECT: &[&str] = &[
    "id",
    "receivedDateTime",
    "isRead",
    "conversationId",
    "internetMessageId",
];

pub(super) async fn run(context: &Arc<Context>, job: &LeasedJob, id: &ImmutableId) -> Result<(), AttemptError> {
    let mailbox = context
        .mailbox(job.mailbox)
        .ok_or_else(|| AttemptError::Later("its mailbox is not served at present".into()))?;
    let Some(receipt) = context.store.quarantined_mail(id).await? else {
        let detail = "no longer in quarantine".to_owned();
        let now = context.now();
        let steps = vec![step(mailbox, id, now, Step::Replayed, detail)];
        context
            .store
            .finish_job(job.id, job.epoch, JobOutcome::Done, steps, now)
            .await?;
        return Ok(());
    };
    let item = prepare(context, mailbox, &receipt).await?;
    let taken = matches!(item, Item::Ingest(_));
    let now = context.now();
    let ended = context
        .store
        .finish_replay(job.id, job.epoch, mailbox.id, item, now)
        .await?;
    if taken && ended {
        context.handle.metrics().ingested.inc();
        context.handle.outbox_changed();
        tracing::info!(mailbox = %mailbox.address, "a mail left the quarantine");
    }
    Ok(())
}

async fn prepare(context: &Arc<Context>, mailbox: &Mailbox, receipt: &Receipt) -> Result<Item, AttemptError> {
    let _place = context.gates.mail().await;
    let summary = summary(context, mailbox, receipt).await;
    let mime = match &receipt.mime {
        Some(blob) => Some(context.store.get_blob(blob).await?),
        None => None,
    };
    let kept = receipt.mime.clone().map(|blob| (blob, receipt.size));
    let seen = "taken from the quarantine";
    match ingest::prepare_from(context, mailbox, summary.clone(), mime, seen).await {
        Prepared::Item(item) => Ok(item),
        Prepared::Nothing(why) => {
            let reason = format!("another try found no mail to take in: {}", why.detail);
            let now = context.now();
            Ok(ingest::quarantine(mailbox, &summary, kept, reason, vec![why], now))
        }
        Prepared::Failed(_, PrepareError::Graph(error)) => Err(error.into()),
        Prepared::Failed(_, PrepareError::Store(error)) => Err(error.into()),
    }
}

/// What the mailbox tells of the mail, else what the receipt knows: the bytes may outlive the mail.
async fn summary(context: &Context, mailbox: &Mailbox, receipt: &Receipt) -> MessageSummary {
    let mut summary = MessageSummary::new(receipt.immutable_id.as_str().to_owned());
    summary.internet_message_id = receipt.internet_message_id.as_ref().map(ToString::to_string);
    summary.received_at = Some(receipt.first_seen_at);
    let told = {
        let _permit = context.gates.enter(mailbox.id).await;
        let user = &mailbox.graph_user_id;
        context.graph.message(user, receipt.immutable_id.as_str(), SELECT).await
    };
    if let Ok(told) = told {
        summary.received_at = told.received_at.or(summary.received_at);
        summary.is_read = told.is_read;
        summary.conversation_id = told.conversation_id;
        summary.internet_message_id = told.internet_message_id.or(summary.internet_message_id);
    }
    summary
}
