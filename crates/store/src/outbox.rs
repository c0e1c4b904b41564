//! The outbox: jobs that are due, who works on them, and how they ended.
//!
//! Never talks to a mailbox. Invariants: a job has at most one owner, who proves it with the epoch
//! of the lease; a job ends by being removed or by becoming a dead letter, never by being forgotten.

use std::collections::VecDeque;

use guichet_domain::{
    JobId, MailboxId, MessageId,
    event::{EventKind, NewEvent},
    reply::Progress,
    trace::Step,
};
use jiff::Timestamp;

use crate::{
    Error, Result, Store,
    connection::{Connection, FromRow, Json, Row, params, query_one, record, records},
    events,
    facade::bounded,
    messages,
    records::{DeadJob, JobKind, JobOutcome, LeasedJob, TraceStep},
    trace,
};

/// Jobs leased at once: more could not be worked on before the lease ends.
const MAX_LEASED: u32 = 100;
/// Replies go before everything else: a person waits for them.
const RANK_REPLY: i64 = 0;
const RANK_REST: i64 = 1;
const JOB: &str = "id, mailbox_id, kind, attempts, created_at, deadline, progress, epoch, lease_until";

impl Store {
    /// Takes jobs that are due and that nobody owns, or whose owner's lease ran out: replies first,
    /// mailboxes in turn, at most `limit` (1 to 100). The attempt counts from here.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn lease_jobs(
        &self,
        now: Timestamp,
        until: Timestamp,
        owner: &str,
        limit: u32,
    ) -> Result<Vec<LeasedJob>> {
        let owner = owner.to_owned();
        self.write(move |c| Box::pin(async move { lease(c, now, until, &owner, limit).await }))
            .await
    }

    /// Prolongs the lease on a job until `until`.
    ///
    /// # Errors
    /// [`Error::Fenced`] if the job has another owner by now or is gone.
    pub async fn renew_job(&self, job: JobId, epoch: i64, until: Timestamp) -> Result<()> {
        self.write(move |c| {
            Box::pin(async move {
                let sql = "UPDATE job SET lease_until = $1, available_at = $1 \
                    WHERE id = $2 AND epoch = $3 AND state = 'pending'";
                fenced(c.execute(sql, params![until, job, epoch]).await?)
            })
        })
        .await
    }

    /// Stores how far a reply has come, before the step it announces.
    ///
    /// # Errors
    /// [`Error::Fenced`] if the job has another owner by now or is gone.
    pub async fn save_progress(
        &self,
        job: JobId,
        epoch: i64,
        progress: &Progress,
        steps: Vec<TraceStep>,
    ) -> Result<()> {
        let progress = progress.clone();
        self.write(move |c| {
            Box::pin(async move {
                let sql = "UPDATE job SET progress = $1 WHERE id = $2 AND epoch = $3 AND state = 'pending'";
                fenced(c.execute(sql, params![Json(&progress), job, epoch]).await?)?;
                trace::add(c, &steps).await
            })
        })
        .await
    }

    /// Ends an attempt. A reply that is given up fails visibly: its message gets the state `failed`
    /// and the event stream is told. A reply that is out ends with [`Store::finish_reply`] instead.
    ///
    /// # Errors
    /// [`Error::Fenced`] if the job has another owner by now or is gone; [`Error::Invalid`] for a reply
    /// that is said to be done.
    pub async fn finish_job(
        &self,
        job: JobId,
        epoch: i64,
        outcome: JobOutcome,
        steps: Vec<TraceStep>,
        now: Timestamp,
    ) -> Result<()> {
        self.write(move |c| {
            Box::pin(async move {
                finish(c, job, epoch, &outcome, now).await?;
                trace::add(c, &steps).await
            })
        })
        .await
    }

    /// When the next job can be taken: it gets due, or the lease on it ends.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn next_job_due(&self) -> Result<Option<Timestamp>> {
        self.read(|c| {
            Box::pin(async move {
                let row = query_one(c, NEXT_DUE, &[]).await?;
                row.map(|mut row| row.take()).transpose()
            })
        })
        .await
    }

    /// Jobs that were given up, latest first, at most `limit` (1 to 1000).
    ///
    /// # Errors
    /// Those of a read.
    pub async fn dead_jobs(&self, limit: u32) -> Result<Vec<DeadJob>> {
        self.read(move |c| Box::pin(async move { records(c.query(DEAD, params![bounded(limit)]).await?) }))
            .await
    }

    /// Gives a dead job another life with as much time as it had at first. What is known about its
    /// progress stays, so a reply is still sent at most once. `false` if there is no such dead job.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn revive_job(&self, id: JobId, now: Timestamp) -> Result<bool> {
        self.write(move |c| Box::pin(revive(c, id, now))).await
    }

    /// Removes a dead job for good; what it was about keeps a trace of it, with `why`. A reply stays failed.
    /// `false` if there is no such dead job.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn discard_job(&self, id: JobId, why: &str, now: Timestamp) -> Result<bool> {
        let why = why.to_owned();
        self.write(move |c| Box::pin(async move { discard(c, id, &why, now).await }))
            .await
    }
}

/// A job to be queued.
#[derive(Debug)]
pub(crate) struct NewJob<'a> {
    pub(crate) id: JobId,
    pub(crate) mailbox: MailboxId,
    pub(crate) kind: &'a JobKind,
    pub(crate) now: Timestamp,
    pub(crate) deadline: Timestamp,
}

/// Queues a job; it is due at once.
pub(crate) async fn enqueue(c: &mut dyn Connection, job: &NewJob<'_>) -> Result<()> {
    let (rank, message) = match job.kind {
        JobKind::SendReply { message, .. } => (RANK_REPLY, Some(*message)),
        JobKind::MarkRead { .. } | JobKind::Replay { .. } => (RANK_REST, None),
    };
    let sql = "INSERT INTO job (id, mailbox_id, kind, rank, message_id, state, attempts, created_at, deadline, \
        available_at, progress, epoch, reason) VALUES ($1, $2, $3, $4, $5, 'pending', 0, $6, $7, $6, $8, 0, '')";
    let (kind, progress) = (Json(job.kind), Json(Progress::default()));
    let values = params![
        job.id,
        job.mailbox,
        kind,
        rank,
        message,
        job.now,
        job.deadline,
        progress,
    ];
    c.execute(sql, values).await.map(drop)
}

/// Mailboxes with something to take, those that waited longest first. One probe for each mailbox.
pub(crate) const WAITING_MAILBOXES: &str = "SELECT mailbox_id FROM (SELECT m.id AS mailbox_id, \
    (SELECT min(j.available_at) FROM job j WHERE j.state = 'pending' AND j.mailbox_id = m.id AND j.rank = $1) \
    AS since FROM mailbox m) AS waiting WHERE since <= $2 ORDER BY since LIMIT $3";
pub(crate) const TO_TAKE: &str = "SELECT id FROM job WHERE state = 'pending' AND mailbox_id = $1 AND rank = $2 \
    AND available_at <= $3 ORDER BY available_at, id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED";
pub(crate) const NEXT_DUE: &str = "SELECT available_at FROM job WHERE state = 'pending' ORDER BY available_at LIMIT 1";
pub(crate) const DEAD: &str = "SELECT id, mailbox_id, kind, attempts, created_at, died_at, reason FROM job \
    WHERE died_at IS NOT NULL ORDER BY died_at DESC LIMIT $1";

async fn lease(
    c: &mut dyn Connection,
    now: Timestamp,
    until: Timestamp,
    owner: &str,
    limit: u32,
) -> Result<Vec<LeasedJob>> {
    let limit = usize::try_from(limit.clamp(1, MAX_LEASED)).unwrap_or(1);
    let mut leased = Vec::new();
    for rank in [RANK_REPLY, RANK_REST] {
        for id in in_turn(c, rank, now, limit - leased.len()).await? {
            // The condition again: on a database with several writers somebody may have been faster.
            let sql = format!(
                "UPDATE job SET epoch = epoch + 1, attempts = attempts + 1, lease_owner = $1, lease_until = $2, \
                 available_at = $2 WHERE id = $3 AND state = 'pending' AND available_at <= $4 RETURNING {JOB}"
            );
            let row = query_one(c, &sql, params![owner, until, id, now]).await?;
            leased.extend(record::<LeasedJob>(row)?);
        }
    }
    Ok(leased)
}

/// Jobs to take, one of each mailbox after the other.
async fn in_turn(c: &mut dyn Connection, rank: i64, now: Timestamp, limit: usize) -> Result<Vec<JobId>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut queues: VecDeque<VecDeque<JobId>> = VecDeque::new();
    for mut row in c.query(WAITING_MAILBOXES, params![rank, now, most]).await? {
        let mailbox: MailboxId = row.take()?;
        let rows = c.query(TO_TAKE, params![mailbox, rank, now, most]).await?;
        queues.push_back(rows.into_iter().map(|mut row| row.take()).collect::<Result<_>>()?);
    }
    let mut order = Vec::new();
    while let Some(mut queue) = queues.pop_front() {
        if order.len() == limit {
            break;
        }
        if let Some(job) = queue.pop_front() {
            order.push(job);
            queues.push_back(queue);
        }
    }
    Ok(order)
}

async fn finish(c: &mut dyn Connection, job: JobId, epoch: i64, outcome: &JobOutcome, now: Timestamp) -> Result<()> {
    match outcome {
        JobOutcome::Done => {
            let removed = remove(c, job, epoch).await?;
            if removed.message.is_some() {
                // The error undoes the removal.
                return Err(Error::Invalid(format!(
                    "job {job} is a reply: it ends with finish_reply"
                )));
            }
            Ok(())
        }
        JobOutcome::Retry { at, reason } => {
            let sql = "UPDATE job SET available_at = $1, lease_owner = NULL, lease_until = NULL, reason = $2 \
                WHERE id = $3 AND epoch = $4 AND state = 'pending'";
            fenced(c.execute(sql, params![at, reason, job, epoch]).await?)
        }
        JobOutcome::Dead { reason } => {
            let sql = "UPDATE job SET state = 'dead', died_at = $1, reason = $2, lease_owner = NULL, \
                lease_until = NULL WHERE id = $3 AND epoch = $4 AND state = 'pending' RETURNING message_id";
            let row = query_one(c, sql, params![now, reason, job, epoch]).await?;
            let message: Option<MessageId> = row.ok_or(Error::Fenced)?.take()?;
            match message {
                Some(message) => fail_reply(c, message, reason, now).await,
                None => Ok(()),
            }
        }
    }
}

async fn fail_reply(c: &mut dyn Connection, id: MessageId, reason: &str, now: Timestamp) -> Result<()> {
    messages::set_state(c, id, "failed", reason).await?;
    if let Some(message) = messages::get(c, id).await? {
        let event = NewEvent {
            kind: EventKind::ReplyFailed,
            mailbox: message.mailbox,
            conversation: Some(message.conversation),
            message: Some(id),
        };
        events::append(c, &[event], now).await?;
    }
    Ok(())
}

/// What a removed job was about.
#[derive(Debug)]
pub(crate) struct Removed {
    pub(crate) message: Option<MessageId>,
}

/// Removes a job under the fence.
///
/// # Errors
/// [`Error::Fenced`] if the epoch is not the job's, or if it is gone.
pub(crate) async fn remove(c: &mut dyn Connection, job: JobId, epoch: i64) -> Result<Removed> {
    let sql = "DELETE FROM job WHERE id = $1 AND epoch = $2 AND state = 'pending' RETURNING message_id";
    let row = query_one(c, sql, params![job, epoch]).await?;
    let message = row.ok_or(Error::Fenced)?.take()?;
    Ok(Removed { message })
}

async fn revive(c: &mut dyn Connection, id: JobId, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE job SET state = 'pending', died_at = NULL, reason = '', attempts = 0, available_at = $1, \
        deadline = CAST($1 AS BIGINT) + (deadline - created_at) WHERE id = $2 AND state = 'dead' RETURNING message_id";
    let Some(mut row) = query_one(c, sql, params![now, id]).await? else {
        return Ok(false);
    };
    if let Some(message) = row.take()? {
        messages::set_state(c, message, "queued", "").await?;
    }
    Ok(true)
}

async fn discard(c: &mut dyn Connection, id: JobId, why: &str, now: Timestamp) -> Result<bool> {
    let sql = "DELETE FROM job WHERE id = $1 AND state = 'dead' RETURNING mailbox_id, kind";
    let Some(mut row) = query_one(c, sql, params![id]).await? else {
        return Ok(false);
    };
    let (mailbox, kind) = (row.take()?, row.take::<Json<JobKind>>()?.0);
    let step = TraceStep {
        mailbox,
        immutable_id: kind.mail().clone(),
        at: now,
        step: Step::Discarded,
        detail: format!("the job that was given up: {why}"),
    };
    trace::add(c, &[step]).await?;
    Ok(true)
}

fn fenced(changed: u64) -> Result<()> {
    if changed == 0 { Err(Error::Fenced) } else { Ok(()) }
}

impl FromRow for LeasedJob {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            mailbox: row.take()?,
            kind: row.take::<Json<JobKind>>()?.0,
            attempts: row.take()?,
            created_at: row.take()?,
            deadline: row.take()?,
            progress: row.take::<Json<Progress>>()?.0,
            epoch: row.take()?,
            lease_until: row.take()?,
        })
    }
}

impl FromRow for DeadJob {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            mailbox: row.take()?,
            kind: row.take::<Json<JobKind>>()?.0,
            attempts: row.take()?,
            created_at: row.take()?,
            died_at: row.take()?,
            reason: row.take()?,
        })
    }
}
