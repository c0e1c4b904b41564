//! One SQLite connection: binding, reading, and what its errors mean.
//!
//! Never decides about transactions beyond running the given work inside one.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use futures::{
    FutureExt,
    future::{self, BoxFuture},
};
use rusqlite::{
    ErrorCode, OpenFlags, ToSql, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};
use tokio::sync::watch;

use super::{Work, poll_now};
use crate::{
    Error, Result,
    connection::{Connection, Row, Value},
    dialect,
};

/// How long a statement waits for another process (a command next to the service) to finish.
pub(crate) const BUSY_SECONDS: u64 = 10;
/// Prepared statements that are kept; there are fewer different ones in this crate.
const CACHED_STATEMENTS: usize = 256;
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";
pub(crate) const BEGIN_READ: &str = "BEGIN";

/// Settings of every connection. FULL: a commit is on disk before it is answered.
const SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
    PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32000; PRAGMA journal_size_limit = 67108864;";

/// A connection.
#[derive(Debug)]
pub(crate) struct SqliteConnection {
    raw: rusqlite::Connection,
    path: Arc<Path>,
    /// Statements run so far: the measure of how much a group has done.
    statements: u64,
}

impl SqliteConnection {
    /// Opens the file, creating it if `create`.
    pub(crate) fn open(path: &Path, create: bool) -> Result<Self> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
        let raw = rusqlite::Connection::open_with_flags(path, flags).map_err(|e| explain(path, &e))?;
        Self::configured(raw, path)
    }

    pub(crate) fn in_memory() -> Result<Self> {
        let path = Path::new(":memory:");
        let raw = rusqlite::Connection::open_in_memory().map_err(|e| explain(path, &e))?;
        Self::configured(raw, path)
    }

    fn configured(raw: rusqlite::Connection, path: &Path) -> Result<Self> {
        let connection = Self {
            raw,
            path: Arc::from(path),
            statements: 0,
        };
        connection
            .raw
            .busy_timeout(std::time::Duration::from_secs(BUSY_SECONDS))
            .map_err(|e| connection.explain(&e))?;
        connection.raw.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        connection.batch(SETTINGS)?;
        // SQLite opens a file that it may not write for reading, without a word.
        if connection.raw.is_readonly("main").map_err(|e| connection.explain(&e))? {
            return Err(Error::Unwritable {
                path: PathBuf::from(path),
                detail: "the file is read-only".to_owned(),
            });
        }
        Ok(connection)
    }

    pub(crate) fn statements(&self) -> u64 {
        self.statements
    }

    /// Whether no transaction is open, be it that SQLite itself undid one.
    pub(crate) fn is_idle(&self) -> bool {
        self.raw.is_autocommit()
    }

    /// Runs SQLite's own SQL: settings, migrations.
    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        self.raw.execute_batch(sql).map_err(|e| self.explain(&e))
    }

    /// Runs one short statement of transaction control.
    pub(crate) fn control(&self, sql: &str) -> Result<()> {
        let run = || self.raw.prepare_cached(sql)?.execute([]);
        run().map(drop).map_err(|e| self.explain(&e))
    }

    /// The first column of a one-row query as text, for pragmas.
    pub(crate) fn text(&self, sql: &str) -> Result<String> {
        let read = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
        let value = self.raw.query_row(sql, [], read).map_err(|e| self.explain(&e))?;
        Ok(match value {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(n) => n.to_string(),
            other => format!("{other:?}"),
        })
    }

    /// How SQLite would run a query, one line for each step.
    #[cfg(test)]
    pub(super) fn plan(&self, sql: &str) -> Vec<String> {
        let mut statement = self
            .raw
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .expect("the query is valid");
        let lines: rusqlite::Result<_> = statement.raw_query().mapped(|row| row.get(3)).collect();
        lines.expect("a plan is text")
    }

    /// Runs the work in a transaction of its own: committed if it succeeds, undone if not.
    pub(crate) fn in_transaction<T>(&mut self, begin: &str, work: Work<T>) -> Result<T> {
        self.control(begin)?;
        let result = poll_now(work, self).and_then(|value| self.control("COMMIT").map(|()| value));
        if !self.is_idle() {
            self.control("ROLLBACK")?;
        }
        result
    }

    /// Tells the watchers the last committed event, if it is news.
    pub(crate) fn announce(&mut self, events: &watch::Sender<i64>) {
        if let Some(Ok(seq)) = crate::events::last(self).now_or_never() {
            events.send_if_modified(|known| std::mem::replace(known, seq) != seq);
        }
    }

    fn explain(&self, error: &rusqlite::Error) -> Error {
        explain(&self.path, error)
    }

    fn execute_now(&mut self, sql: &str, params: &[Value<'_>]) -> rusqlite::Result<u64> {
        self.statements += 1;
        let mut statement = self.raw.prepare_cached(&dialect::statement(sql))?;
        let changed = statement.execute(params_from_iter(params))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn query_now(&mut self, sql: &str, params: &[Value<'_>]) -> rusqlite::Result<Vec<Row>> {
        self.statements += 1;
        let mut statement = self.raw.prepare_cached(&dialect::statement(sql))?;
        let width = statement.column_count();
        let mut rows = statement.query(params_from_iter(params))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let columns = (0..width).map(|at| Ok(owned(row.get_ref(at)?)));
            out.push(Row::new(columns.collect::<rusqlite::Result<_>>()?));
        }
        Ok(out)
    }
}

impl Connection for SqliteConnection {
    fn execute<'a>(&'a mut self, sql: &'a str, params: &'a [Value<'a>]) -> BoxFuture<'a, Result<u64>> {
        let result = self.execute_now(sql, params).map_err(|e| self.explain(&e));
        future::ready(result).boxed()
    }

    fn query<'a>(&'a mut self, sql: &'a str, params: &'a [Value<'a>]) -> BoxFuture<'a, Result<Vec<Row>>> {
        let result = self.query_now(sql, params).map_err(|e| self.explain(&e));
        future::ready(result).boxed()
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Bool(b) => ValueRef::Integer(i64::from(*b)),
            Value::Int(n) => ValueRef::Integer(*n),
            Value::Real(x) => ValueRef::Real(*x),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn owned(value: ValueRef<'_>) -> Value<'static> {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Int(n),
        ValueRef::Real(x) => Value::Real(x),
        // Text that is no UTF-8 is not ours: as bytes it fails to decode with a clear error.
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned().into()),
            Err(_) => Value::Bytes(bytes.to_vec().into()),
        },
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec().into()),
    }
}

/// What an error of SQLite means for the caller.
fn explain(path: &Path, error: &rusqlite::Error) -> Error {
    let path = PathBuf::from(path);
    let detail = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Corrupt { path, detail },
        Some(ErrorCode::DiskFull) => Error::DiskFull { path },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            Error::Unwritable { path, detail }
        }
        Some(ErrorCode::SystemIoFailure) => Error::Io { path, detail },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy {
            path,
            seconds: BUSY_SECONDS,
        },
        Some(ErrorCode::ConstraintViolation) => Error::Conflict(detail),
        _ => Error::Sql(detail),
    }
}
