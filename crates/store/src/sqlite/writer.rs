//! The one writer: takes what is queued, runs each job in a savepoint, commits once, answers all.
//!
//! Invariant: a job is answered with success only after the commit that holds it; a failing job
//! undoes only itself; a failing commit fails every job of its group with the same error.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tokio::sync::{mpsc, oneshot, watch};

use super::{
    Work,
    driver::{self, SqliteConnection},
    poll_now,
};
use crate::{Error, Result};

/// Jobs that may wait. Callers beyond that wait before they enqueue, which is the back-pressure.
const QUEUE: usize = 1024;
/// Jobs of one commit.
const MAX_GROUP: usize = 256;
/// Statements after which a group takes no more jobs: bounds how long the first one waits.
const MAX_GROUP_STATEMENTS: u64 = 20_000;

/// The way to the writer thread.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
}

enum Message {
    Job(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the thread. It ends when the last sender is gone or on [`Writer::close`], and holds
    /// `guard` until its connection is closed.
    pub(crate) fn start(connection: SqliteConnection, events: watch::Sender<i64>, guard: File) -> Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(connection, jobs, &events, guard))
            .map_err(|e| Error::Sql(format!("the writer thread can't be started: {e}")))?;
        Ok(Self { queue })
    }

    /// Runs an operation; returns after its commit.
    pub(crate) async fn write<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Pending {
            work: Some(work),
            result: None,
            reply,
        });
        self.queue.send(Message::Job(job)).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Returns when everything queued is answered and the connection is closed.
    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() {
            // An error means that the thread is gone: closed as well.
            closed.await.ok();
        }
    }
}

trait Job: Send {
    /// Nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
    /// Runs the work and keeps its result.
    fn run(&mut self, connection: &mut SqliteConnection) -> Result<()>;
    /// Answers with the result, or with the error that undid the group.
    fn answer(self: Box<Self>, undone: Option<&Error>);
}

struct Pending<T> {
    work: Option<Work<T>>,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T: Send + 'static> Job for Pending<T> {
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, connection: &mut SqliteConnection) -> Result<()> {
        let work = self.work.take().ok_or(Error::Closed)?;
        // A bug in one operation must not take the writer from all others.
        let result = catch_unwind(AssertUnwindSafe(|| poll_now(work, connection)))
            .unwrap_or_else(|_| Err(Error::Sql("an operation panicked: it was undone".to_owned())));
        let outcome = result.as_ref().map(drop).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, undone: Option<&Error>) {
        let result = match (self.result, undone) {
            (Some(Ok(_)) | None, Some(error)) => Err(error.clone()),
            (Some(result), _) => result,
            (None, None) => Err(Error::Closed),
        };
        // The caller may have gone; then nobody wants to know.
        self.reply.send(result).ok();
    }
}

fn run(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Message>, events: &watch::Sender<i64>, guard: File) {
    let mut waiting_for_close = Vec::new();
    while let Some(message) = queue.blocking_recv() {
        match message {
            Message::Job(first) => {
                let closes = group(&mut connection, first, &mut queue, events);
                waiting_for_close.extend(closes);
            }
            Message::Close(done) => waiting_for_close.push(done),
        }
        if !waiting_for_close.is_empty() {
            // Takes no new jobs; those in the queue are still answered.
            queue.close();
        }
    }
    drop(connection);
    // Before the answers: whoever opens the database after a close is alone with it.
    drop(guard);
    for done in waiting_for_close {
        done.send(()).ok();
    }
}

/// Runs and commits a group that begins with `first`; returns the requests to close that came along.
fn group(
    connection: &mut SqliteConnection,
    first: Box<dyn Job>,
    queue: &mut mpsc::Receiver<Message>,
    events: &watch::Sender<i64>,
) -> Vec<oneshot::Sender<()>> {
    let mut closes = Vec::new();
    let mut jobs = Vec::new();
    let begun = connection.statements();
    let mut next = Some(first);
    let mut undone = connection.control(driver::BEGIN_WRITE).err();
    while let Some(mut job) = next.take() {
        if !job.is_abandoned() {
            if undone.is_none() {
                undone = in_savepoint(connection, job.as_mut()).err();
            }
            jobs.push(job);
        }
        let full = jobs.len() >= MAX_GROUP || connection.statements() - begun >= MAX_GROUP_STATEMENTS;
        if full || undone.is_some() || !closes.is_empty() {
            break;
        }
        next = loop {
            match queue.try_recv() {
                Ok(Message::Job(job)) => break Some(job),
                Ok(Message::Close(done)) => closes.push(done),
                Err(_) => break None,
            }
        };
    }
    if undone.is_none() {
        undone = connection.control("COMMIT").err();
    }
    if !connection.is_idle()
        && let Err(error) = connection.control("ROLLBACK")
    {
        tracing::error!(%error, "a failed group could not be rolled back");
    }
    match &undone {
        None => connection.announce(events),
        Some(error) => tracing::warn!(%error, jobs = jobs.len(), "a group of writes was undone"),
    }
    for job in jobs {
        job.answer(undone.as_ref());
    }
    closes
}

/// Runs a job so that its failure undoes it alone.
///
/// # Errors
/// The error that undid the whole group: SQLite ends the transaction itself on a full disk and the like.
fn in_savepoint(connection: &mut SqliteConnection, job: &mut dyn Job) -> Result<()> {
    connection.control("SAVEPOINT job")?;
    let outcome = job.run(connection);
    match outcome {
        Ok(()) => connection.control("RELEASE job"),
        Err(error) if connection.is_idle() => Err(error),
        Err(_) => {
            connection.control("ROLLBACK TO job")?;
            connection.control("RELEASE job")
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::{
        connection::{Connection, params},
        sqlite::open,
    };

    /// A database, its directory and a channel for events.
    struct Bench {
        _directory: tempfile::TempDir,
        connection: SqliteConnection,
        events: watch::Sender<i64>,
    }

    type Answer = oneshot::Receiver<Result<()>>;

    impl Bench {
        fn new() -> Self {
            let directory = tempfile::tempdir().expect("directory");
            let opened = open::open(directory.path()).expect("database");
            Self {
                _directory: directory,
                connection: opened.writer,
                events: watch::channel(0).0,
            }
        }

        /// Runs the jobs as one group and returns their answers.
        fn run(&mut self, works: Vec<Work<()>>) -> Vec<Result<()>> {
            let (queue, mut rest) = mpsc::channel(works.len());
            let mut answers: Vec<Answer> = Vec::new();
            let mut jobs = Vec::new();
            for work in works {
                let (reply, answer) = oneshot::channel();
                answers.push(answer);
                jobs.push(Box::new(Pending {
                    work: Some(work),
                    result: None,
                    reply,
                }));
            }
            let mut jobs = jobs.into_iter();
            let first = jobs.next().expect("a job");
            for job in jobs {
                assert!(queue.try_send(Message::Job(job)).is_ok());
            }
            group(&mut self.connection, first, &mut rest, &self.events);
            assert!(rest.try_recv().is_err(), "one group took all");
            let received = answers.into_iter().map(|mut answer| answer.try_recv());
            received.map(|answer| answer.expect("answered")).collect()
        }

        fn keys(&self) -> String {
            let sql = "SELECT coalesce(group_concat(id, ' '), '') FROM (SELECT id FROM api_key ORDER BY id)";
            self.connection.text(sql).expect("read")
        }
    }

    async fn insert(c: &mut dyn Connection, id: &str, name: &str) -> Result<()> {
        let sql = "INSERT INTO api_key (id, name, hash, created_at) VALUES ($1, $2, $1, 0)";
        c.execute(sql, params![id, name]).await.map(drop)
    }

    fn add(id: &'static str) -> Work<()> {
        Box::new(move |c| async move { insert(c, id, "").await }.boxed())
    }

    /// Adds a key and then runs a statement of SQLite's.
    fn add_then(id: &'static str, sql: &'static str) -> Work<()> {
        Box::new(move |c| {
            async move {
                insert(c, id, "").await?;
                c.query(sql, &[]).await.map(drop)
            }
            .boxed()
        })
    }

    #[test]
    fn failing_and_panicking_jobs_undo_only_themselves() {
        let mut bench = Bench::new();
        let panics: Work<()> = Box::new(|c| {
            async move {
                insert(c, "c", "").await?;
                panic!("a bug");
            }
            .boxed()
        });
        let answers = bench.run(vec![add("a"), add_then("b", "SELECT nonsense"), panics, add("d")]);
        assert_eq!((&answers[0], &answers[3]), (&Ok(()), &Ok(())));
        assert!(matches!(answers[1], Err(Error::Sql(_))), "{answers:?}");
        assert!(matches!(answers[2], Err(Error::Sql(_))), "{answers:?}");
        assert_eq!(bench.keys(), "a d");
    }

    #[test]
    fn failing_commit_fails_every_job_and_the_next_group_works() {
        let mut bench = Bench::new();
        let breaks_commit: Work<()> = Box::new(|c| {
            async move {
                c.query("PRAGMA defer_foreign_keys = ON", &[]).await?;
                let sql = "INSERT INTO subscription VALUES ('s', 'no such folder', '', '', 0, 0)";
                c.execute(sql, &[]).await.map(drop)
            }
            .boxed()
        });
        let answers = bench.run(vec![add("a"), breaks_commit, add("c")]);
        assert!(
            answers.iter().all(|a| matches!(a, Err(Error::Conflict(_)))),
            "{answers:?}"
        );
        assert_eq!(bench.keys(), "");
        assert_eq!(bench.run(vec![add("d")]), [Ok(())]);
        assert_eq!(bench.keys(), "d");
    }

    #[test]
    fn transaction_that_ends_under_the_group_acknowledges_nobody() {
        let mut bench = Bench::new();
        let answers = bench.run(vec![add("a"), add_then("b", "ROLLBACK")]);
        assert!(answers.iter().all(Result::is_err), "{answers:?}");
        assert_eq!(bench.keys(), "");
        assert_eq!(bench.run(vec![add("d")]), [Ok(())]);
    }

    #[test]
    fn full_disk_is_named_and_loses_nothing_acknowledged() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(vec![add("a")]), [Ok(())]);
        let pages: u32 = bench
            .connection
            .text("PRAGMA page_count")
            .expect("pages")
            .parse()
            .expect("number");
        let limit = |bench: &Bench, pages: u32| bench.connection.text(&format!("PRAGMA max_page_count = {pages}"));
        limit(&bench, pages + 3).expect("limit");
        let large = || -> Work<()> { Box::new(|c| async move { insert(c, "b", &"x".repeat(1 << 16)).await }.boxed()) };
        let answers = bench.run(vec![large()]);
        assert!(
            matches!(&answers[0], Err(Error::DiskFull { path }) if path.ends_with("guichet.db")),
            "{answers:?}"
        );
        assert_eq!(bench.keys(), "a");
        limit(&bench, 1 << 20).expect("limit");
        assert_eq!(bench.run(vec![large()]), [Ok(())]);
        assert_eq!(bench.keys(), "a b");
    }
}
