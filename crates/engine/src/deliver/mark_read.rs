//! Marks a mail read in its mailbox. Idempotent; never relied on for anything.

use guichet_domain::{ImmutableId, trace::Step};
use guichet_graph::Class;
use guichet_store::records::{JobKind, JobOutcome, LeasedJob};

use super::AttemptError;
use crate::{batched, context::Context, ingest::step};

/// What became of a mail in a batch.
pub(super) type Marked = Result<(), guichet_graph::Error>;

/// Marks the mails of these jobs of one mailbox in one request; `None` for those to be marked singly.
pub(super) async fn together(context: &Context, jobs: &[LeasedJob]) -> Vec<Option<Marked>> {
    let ids: Vec<&str> = jobs.iter().filter_map(marks).map(ImmutableId::as_str).collect();
    let mailbox = jobs.first().and_then(|job| context.mailbox(job.mailbox));
    let (Some(mailbox), true) = (mailbox, ids.len() > 1 && ids.len() == jobs.len()) else {
        return vec![None; jobs.len()];
    };
    let permit = context.gates.enter_alone(mailbox.id).await;
    let marked = context.graph.mark_all_read(&mailbox.graph_user_id, &ids).await;
    drop(permit);
    batched::outcomes(marked, jobs.len(), |error| error.class == Class::Gone)
}

/// The mail that the job marks, if that is what it does.
pub(super) fn marks(job: &LeasedJob) -> Option<&ImmutableId> {
    match &job.kind {
        JobKind::MarkRead { immutable_id } => Some(immutable_id),
        JobKind::Replay { .. } | JobKind::SendReply { .. } => None,
    }
}

pub(super) async fn run(
    context: &Context,
    job: &LeasedJob,
    id: &ImmutableId,
    marked: Option<Marked>,
) -> Result<(), AttemptError> {
    let mailbox = context
        .mailbox(job.mailbox)
        .ok_or_else(|| AttemptError::Later("its mailbox is not served at present".into()))?;
    let marked = match marked {
        Some(marked) => marked,
        None => {
            let _permit = context.gates.enter(mailbox.id).await;
            context.graph.mark_read(&mailbox.graph_user_id, id.as_str()).await
        }
    };
    let detail = match marked {
        Ok(()) => "isRead set in the mailbox".to_owned(),
        // Whoever moved it out of the mailbox or deleted it has surely seen it.
        Err(error) if error.class == Class::Gone => format!("no longer in the mailbox ({})", error.code),
        Err(error) => return Err(error.into()),
    };
    let now = context.now();
    let steps = vec![step(mailbox, id, now, Step::MarkedRead, detail)];
    context
        .store
        .finish_job(job.id, job.epoch, JobOutcome::Done, steps, now)
        .await?;
    Ok(())
}
