//! Delivery from the outbox: leases due jobs and works on a bounded number of them at a time.
//!
//! A job is never removed before its effect is known. Whatever ends an attempt early (a crash, a
//! lost lease) leaves the job to the next attempt, which looks before it acts.

mod mark_read;
mod replay;
mod reply;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use guichet_domain::round::backoff;
use guichet_graph::{Class, MAX_BATCH};
use guichet_store::records::{JobKind, JobOutcome, LeasedJob, TraceStep};
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use crate::{context::Context, lease::hold};

/// Jobs worked on at the same time, over all mailboxes.
const WORKERS: usize = 16;
/// Longest wait for a wake-up that was lost.
const MAX_IDLE: Duration = Duration::from_secs(15);
/// Attempts after which a job is given up even if its deadline is far. At the longest pause between
/// two attempts a job of a week has about 2000: the deadline comes first unless time runs wild.
const MAX_ATTEMPTS: u32 = 3000;

/// How an attempt failed, and whether another one can help.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttemptError {
    #[error(transparent)]
    Graph(#[from] guichet_graph::Error),
    #[error(transparent)]
    Store(#[from] guichet_store::Error),
    /// Another attempt may succeed.
    #[error("{0}")]
    Later(String),
    /// No attempt will succeed.
    #[error("{0}")]
    Final(String),
}

/// Works on the outbox until the engine stops.
pub(crate) async fn run(context: Arc<Context>) {
    let mut workers: JoinSet<()> = JoinSet::new();
    loop {
        while workers.try_join_next().is_some() {}
        if context.stop.is_cancelled() {
            break;
        }
        let free = WORKERS.saturating_sub(workers.len());
        let leased = lease(&context, free).await;
        if !leased.is_empty() {
            for group in groups(leased, context.now()) {
                let context = context.clone();
                workers.spawn(async move { attempt_group(&context, group).await });
            }
            continue;
        }
        // With every worker busy only the end of an attempt can change anything.
        let idle = if free == 0 { MAX_IDLE } else { idle_time(&context).await };
        tokio::select! {
            biased;
            () = context.stop.cancelled() => break,
            () = context.handle.shared.outbox.notified(), if free > 0 => {}
            _ = workers.join_next(), if !workers.is_empty() => {}
            () = context.time.sleep(idle) => {}
        }
    }
    // Attempts end by themselves: each awaits the network with a time-out. Those that take longer
    // than the shutdown's grace are cut off and looked after by the next attempt.
    while workers.join_next().await.is_some() {}
}

async fn lease(context: &Context, free: usize) -> Vec<LeasedJob> {
    if free == 0 {
        return Vec::new();
    }
    let now = context.now();
    let limit = u32::try_from(free).unwrap_or(1);
    match context
        .store
        .lease_jobs(now, context.lease_end(), &context.config.owner, limit)
        .await
    {
        Ok(jobs) => jobs,
        Err(error) => {
            tracing::error!(%error, "the outbox can't be read");
            Vec::new()
        }
    }
}

async fn idle_time(context: &Context) -> Duration {
    let due = context.store.next_job_due().await.ok().flatten();
    let until = due.map_or(MAX_IDLE, |at| {
        // A job that is due now but was not leased is held by a worker: look again soon.
        Duration::try_from(at.duration_since(context.now())).unwrap_or(Duration::from_millis(250))
    });
    until.clamp(Duration::from_millis(50), MAX_IDLE)
}

/// Divides leased jobs into what is done in one request: mails of one mailbox to be marked read. Late jobs stay
/// alone, since they may no longer be done.
fn groups(leased: Vec<LeasedJob>, now: Timestamp) -> Vec<Vec<LeasedJob>> {
    let may_share = |job: &LeasedJob| job.deadline >= now && mark_read::marks(job).is_some();
    let mut groups: Vec<Vec<LeasedJob>> = Vec::new();
    for job in leased {
        let fits = |group: &&mut Vec<LeasedJob>| {
            let alike = |other: &LeasedJob| other.mailbox == job.mailbox && may_share(other);
            group.len() < MAX_BATCH && group.first().is_some_and(alike)
        };
        let group = if may_share(&job) {
            groups.iter_mut().find(fits)
        } else {
            None
        };
        match group {
            Some(group) => group.push(job),
            None => groups.push(vec![job]),
        }
    }
    groups
}

async fn attempt_group(context: &Arc<Context>, jobs: Vec<LeasedJob>) {
    let marked = mark_read::together(context, &jobs).await;
    for (job, marked) in jobs.into_iter().zip(marked) {
        attempt(context, job, marked).await;
    }
}

async fn attempt(context: &Arc<Context>, job: LeasedJob, marked: Option<mark_read::Marked>) {
    let renew = || context.store.renew_job(job.id, job.epoch, context.lease_end());
    // A panic is an outcome like any other: the job is tried again later, and given up in the end.
    let work = AssertUnwindSafe(work(context, &job, marked)).catch_unwind();
    let error = match hold(&*context.time, context.config.nodes.lease(), work, renew).await {
        Ok(Ok(Ok(()))) => return,
        Ok(Ok(Err(error))) => error,
        Ok(Err(_)) => {
            context.handle.shared.board.count_panic();
            AttemptError::Later("the attempt ended in a panic".into())
        }
        Err(error) => {
            tracing::warn!(job = %job.id, %error, "the lease was lost; another owner goes on");
            return;
        }
    };
    let now = context.now();
    let outcome = judge(&job, &error, now);
    let metrics = context.handle.metrics();
    let step = match &outcome {
        JobOutcome::Dead { .. } => {
            metrics.dead_letters.inc();
            tracing::error!(job = %job.id, attempts = job.attempts, %error, "job given up");
            guichet_domain::trace::Step::DeadLettered
        }
        JobOutcome::Retry { .. } | JobOutcome::Done => {
            metrics.attempts_failed.inc();
            tracing::warn!(job = %job.id, attempts = job.attempts, %error, "attempt failed");
            guichet_domain::trace::Step::AttemptFailed
        }
    };
    let steps = vec![TraceStep {
        mailbox: job.mailbox,
        immutable_id: job.kind.mail().clone(),
        at: now,
        step,
        detail: format!("attempt {}: {error}", job.attempts),
    }];
    if let Err(error) = context.store.finish_job(job.id, job.epoch, outcome, steps, now).await {
        tracing::warn!(job = %job.id, %error, "end of the attempt not recorded; the lease ends by itself");
    }
}

async fn work(context: &Arc<Context>, job: &LeasedJob, marked: Option<mark_read::Marked>) -> Result<(), AttemptError> {
    // After a long standstill a job may be late before it was ever tried, and then it may do harm. One
    // that may have been sent already is looked after nevertheless.
    if context.now() > job.deadline && !job.progress.send_begun {
        return Err(AttemptError::Final(
            "its deadline passed before it could be done".into(),
        ));
    }
    match &job.kind {
        JobKind::MarkRead { immutable_id } => mark_read::run(context, job, immutable_id, marked).await,
        JobKind::Replay { immutable_id } => replay::run(context, job, immutable_id).await,
        JobKind::SendReply { message, in_reply_to } => reply::run(context, job, *message, in_reply_to).await,
    }
}

/// Another attempt, or the dead letters.
fn judge(job: &LeasedJob, error: &AttemptError, now: Timestamp) -> JobOutcome {
    let reason = error.to_string();
    let hopeless = match error {
        AttemptError::Final(_) => true,
        // Without a token nothing was asked of the mailbox: whatever the sign-in service says, it is not about the job.
        AttemptError::Graph(error) if error.is_of_sign_in() => false,
        // It was done, and the next attempt looks for what came of it.
        AttemptError::Graph(error) if error.is_unreadable_answer() => false,
        // What is gone is looked for by the next attempt, which decides by what it sees.
        AttemptError::Graph(error) => matches!(error.class, Class::Invalid | Class::Bug),
        AttemptError::Store(_) | AttemptError::Later(_) => false,
    };
    let asked = match error {
        AttemptError::Graph(error) => error.retry_after(),
        _ => None,
    };
    let asked = asked
        .and_then(|asked| SignedDuration::try_from(asked).ok())
        .unwrap_or(SignedDuration::ZERO);
    let at = now + backoff(job.attempts).max(asked);
    if hopeless || at > job.deadline || job.attempts >= MAX_ATTEMPTS {
        return JobOutcome::Dead { reason };
    }
    JobOutcome::Retry { at, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guichet_domain::{ImmutableId, JobId, MailboxId, reply::Progress};
    use uuid::Uuid;

    fn job(attempts: u32, deadline_in: SignedDuration) -> LeasedJob {
        let now = Timestamp::UNIX_EPOCH;
        LeasedJob {
            id: JobId::from_uuid(Uuid::nil()),
            mailbox: MailboxId::from_uuid(Uuid::nil()),
            kind: JobKind::MarkRead {
                immutable_id: ImmutableId::new("x"),
            },
            attempts,
            created_at: now,
            deadline: now + deadline_in,
            progress: Progress::default(),
            epoch: 1,
            lease_until: now,
        }
    }

    #[test]
    fn passing_failure_is_retried_with_growing_pauses_until_the_deadline() {
        let later = AttemptError::Later("busy".into());
        let hour = SignedDuration::from_hours(1);
        let pause = |attempts| match judge(&job(attempts, hour), &later, Timestamp::UNIX_EPOCH) {
            JobOutcome::Retry { at, .. } => at.as_second(),
            other => panic!("not retried: {other:?}"),
        };
        assert_eq!([pause(1), pause(2), pause(3)], [2, 4, 8]);
        let close = job(5, SignedDuration::from_secs(10));
        assert!(matches!(
            judge(&close, &later, Timestamp::UNIX_EPOCH),
            JobOutcome::Dead { .. }
        ));
    }

    #[test]
    fn denial_is_waited_out_until_the_deadline() {
        let denied = AttemptError::Graph(guichet_graph::Error::new(
            Class::Denied,
            "test",
            "ErrorAccessDenied",
            "",
        ));
        let mut job = job(1, SignedDuration::from_hours(24));
        let mut now = Timestamp::UNIX_EPOCH;
        while let JobOutcome::Retry { at, .. } = judge(&job, &denied, now) {
            now = at;
            job.attempts += 1;
        }
        assert!(
            job.deadline.duration_since(now) <= SignedDuration::from_secs(300),
            "{now}"
        );
    }

    #[test]
    fn sign_in_that_answers_nonsense_does_not_end_a_job() {
        for class in [Class::Bug, Class::Invalid, Class::Reauthorise, Class::Denied] {
            let error = |operation| AttemptError::Graph(guichet_graph::Error::new(class, operation, "http_401", ""));
            let judged = |operation| {
                judge(
                    &job(1, SignedDuration::from_hours(1)),
                    &error(operation),
                    Timestamp::UNIX_EPOCH,
                )
            };
            assert!(
                matches!(judged(guichet_graph::GET_TOKEN), JobOutcome::Retry { .. }),
                "{class:?}"
            );
            let hopeless = matches!(class, Class::Bug | Class::Invalid);
            assert_eq!(
                matches!(judged("send draft"), JobOutcome::Dead { .. }),
                hopeless,
                "{class:?}"
            );
        }
    }

    #[test]
    fn answer_that_cannot_be_read_does_not_end_a_job() {
        let error = |code| AttemptError::Graph(guichet_graph::Error::new(Class::Bug, "create reply", code, ""));
        let judged = |code| {
            judge(
                &job(1, SignedDuration::from_hours(1)),
                &error(code),
                Timestamp::UNIX_EPOCH,
            )
        };
        assert!(matches!(judged("unreadable_answer"), JobOutcome::Retry { .. }));
        assert!(matches!(judged("foreign_link"), JobOutcome::Dead { .. }));
    }

    #[test]
    fn final_failure_is_not_retried() {
        let error = AttemptError::Final("recipient refused".into());
        let outcome = judge(&job(1, SignedDuration::from_hours(1)), &error, Timestamp::UNIX_EPOCH);
        assert_eq!(
            outcome,
            JobOutcome::Dead {
                reason: "recipient refused".into()
            }
        );
    }
}
