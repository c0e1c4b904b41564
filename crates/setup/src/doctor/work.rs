//! Check: is work stuck: given up, piled up, or set aside?

use guichet_store::records::{DeadJob, JobKind, Receipt};

use super::{Code, DoctorContext, Problem};

/// A few minutes of work for one node; more means that nobody drains it.
const BACKLOG: i64 = 1_000;
/// Reasons shown as evidence; the rest is in the API.
const SHOWN: u32 = 5;

pub(super) async fn check(context: &DoctorContext) -> guichet_store::Result<Vec<Problem>> {
    let totals = context.store.totals().await?;
    let mut problems = Vec::new();
    if totals.outbox_dead > 0 {
        let jobs = context.store.dead_jobs(SHOWN).await?;
        let evidence = jobs.iter().map(job).collect::<Vec<_>>().join("; ");
        problems.push(Problem::new(Code::OutboxDead, "", evidence).with("count", &totals.outbox_dead));
    }
    if totals.outbox_pending > BACKLOG {
        let evidence = format!("more than {BACKLOG} jobs");
        problems.push(Problem::new(Code::OutboxBacklog, "", evidence).with("count", &totals.outbox_pending));
    }
    if totals.quarantined > 0 {
        let receipts = context.store.quarantined(SHOWN).await?;
        let evidence = receipts.iter().map(receipt).collect::<Vec<_>>().join("; ");
        problems.push(Problem::new(Code::QuarantinePresent, "", evidence).with("count", &totals.quarantined));
    }
    if totals.outbox_dead == 0 && totals.outbox_pending <= BACKLOG {
        let evidence = format!("{} receipts, {} conversations", totals.receipts, totals.conversations);
        problems.push(Problem::new(Code::WorkOk, "", evidence).with("pending", &totals.outbox_pending));
    }
    Ok(problems)
}

fn job(job: &DeadJob) -> String {
    let what = match &job.kind {
        JobKind::MarkRead { immutable_id } => format!("mark read {immutable_id}"),
        JobKind::Replay { immutable_id } => format!("try {immutable_id} of the quarantine again"),
        JobKind::SendReply { message, .. } => format!("send reply {message}"),
    };
    format!("{what} after {} attempts: {}", job.attempts, job.reason)
}

fn receipt(receipt: &Receipt) -> String {
    let reason = receipt.quarantined.as_deref().unwrap_or_default();
    format!("{}: {reason}", receipt.immutable_id)
}
