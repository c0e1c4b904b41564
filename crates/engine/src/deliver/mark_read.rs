//! Marks a mail read in its mailbox. Idempotent; never relied on for anything.

use guichet_domain::{ImmutableId, trace::Step};
use guichet_graph::Class;
use guichet_store::records::{JobOutcome, LeasedJob};

use super::AttemptError;
use crate::{context::Context, ingest::step};

pub(super) async fn run(context: &Context, job: &LeasedJob, id: &ImmutableId) -> Result<(), AttemptError> {
    let mailbox = context
        .mailbox(job.mailbox)
        .ok_or_else(|| AttemptError::Later("its mailbox is not served at present".into()))?;
    let permit = context.gates.enter(mailbox.id).await;
    let marked = context.graph.mark_read(&mailbox.graph_user_id, id.as_str()).await;
    drop(permit);
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
