//! One PostgreSQL transaction as a [`Connection`]: binding, reading, and what its errors mean.
//!
//! Never begins or ends a transaction.

use std::{borrow::Cow, path::PathBuf};

use bytes::BytesMut;
use deadpool_postgres::Transaction;
use futures::{FutureExt, future::BoxFuture};
use tokio_postgres::{
    error::SqlState,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use crate::{
    Error, Result,
    connection::{Connection, Row, Value},
};

/// A transaction that somebody else began and will end.
#[derive(Debug)]
pub(super) struct PostgresConnection<'t> {
    pub(super) transaction: &'t Transaction<'t>,
    /// The database's name for error messages.
    pub(super) name: &'t str,
}

impl Connection for PostgresConnection<'_> {
    fn execute<'a>(&'a mut self, sql: &'a str, params: &'a [Value<'a>]) -> BoxFuture<'a, Result<u64>> {
        async move {
            let run = async {
                let statement = self.transaction.prepare_cached(sql).await?;
                self.transaction.execute(&statement, &bound(params)).await
            };
            run.await.map_err(|error| explain(self.name, &error))
        }
        .boxed()
    }

    fn query<'a>(&'a mut self, sql: &'a str, params: &'a [Value<'a>]) -> BoxFuture<'a, Result<Vec<Row>>> {
        async move {
            let run = async {
                let statement = self.transaction.prepare_cached(sql).await?;
                self.transaction.query(&statement, &bound(params)).await
            };
            let rows = run.await.map_err(|error| explain(self.name, &error))?;
            rows.iter().map(read).collect()
        }
        .boxed()
    }
}

fn bound<'a>(params: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn read(row: &tokio_postgres::Row) -> Result<Row> {
    let column = |at: usize| {
        row.try_get::<_, Column>(at)
            .map(|column| column.0)
            .map_err(|error| Error::Decode(error.to_string()))
    };
    Ok(Row::new((0..row.len()).map(column).collect::<Result<_>>()?))
}

type Foreign = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Foreign> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Bool(b) => b.to_sql(kind, out),
            // As the embedded database keeps truth, when it is taken over.
            Value::Int(n) if *kind == Type::BOOL => (*n != 0).to_sql(kind, out),
            Value::Int(n) if *kind == Type::INT4 => i32::try_from(*n)?.to_sql(kind, out),
            Value::Int(n) => n.to_sql(kind, out),
            Value::Real(x) => x.to_sql(kind, out),
            // PostgreSQL has no text with this character; in a subject it means nothing to anybody.
            Value::Text(text) if text.contains('\0') => text.replace('\0', "\u{fffd}").to_sql(kind, out),
            Value::Text(text) => text.as_ref().to_sql(kind, out),
            Value::Bytes(bytes) => bytes.as_ref().to_sql(kind, out),
        }
    }

    /// The kind is known with the value only: [`Value::to_sql`] never gets one that does not fit, because
    /// the statements name columns of the right kind, and every statement runs in a test.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A column of any kind that this crate's tables have.
struct Column(Value<'static>);

impl<'r> FromSql<'r> for Column {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Foreign> {
        Ok(Self(match *kind {
            Type::BOOL => Value::Bool(bool::from_sql(kind, raw)?),
            Type::INT8 => Value::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(kind, raw)?),
            Type::BYTEA => Value::Bytes(Cow::Owned(raw.to_vec())),
            _ => Value::Text(Cow::Owned(String::from_sql(kind, raw)?)),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Foreign> {
        Ok(Self(Value::Null))
    }

    fn accepts(kind: &Type) -> bool {
        let numbers = [Type::BOOL, Type::INT4, Type::INT8, Type::FLOAT8, Type::BYTEA];
        numbers.contains(kind) || <String as FromSql>::accepts(kind)
    }
}

/// What an error of PostgreSQL means for the caller.
pub(super) fn explain(name: &str, error: &tokio_postgres::Error) -> Error {
    let Some(refusal) = error.as_db_error() else {
        return if error.is_closed() || is_of_the_connection(error) {
            unavailable(name, error)
        } else {
            Error::Sql(chain(error))
        };
    };
    let detail = refusal.message().to_owned();
    let code = refusal.code();
    let path = || PathBuf::from(name);
    match code.code().get(..2).unwrap_or_default() {
        // Two transactions waited for each other, or the server shuts down, starts, or is full.
        // Or it ended a transaction that stood still.
        "08" | "25" | "40" | "53" | "55" | "57"
            if ![SqlState::DISK_FULL, SqlState::READ_ONLY_SQL_TRANSACTION].contains(code) =>
        {
            Error::Unavailable {
                database: name.to_owned(),
                detail,
            }
        }
        "23" => Error::Conflict(detail),
        _ if *code == SqlState::DISK_FULL => Error::DiskFull { path: path() },
        _ if [SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::INSUFFICIENT_PRIVILEGE].contains(code) => {
            Error::Unwritable { path: path(), detail }
        }
        "28" | "3D" => Error::Unavailable {
            database: name.to_owned(),
            detail,
        },
        _ => Error::Sql(detail),
    }
}

/// Whether the driver failed to talk, and not to understand.
fn is_of_the_connection(error: &tokio_postgres::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(current) = cause {
        if current.is::<std::io::Error>() {
            return true;
        }
        cause = current.source();
    }
    // The driver's own time-out has no cause.
    error.to_string().contains("timed out")
}

/// No connection.
pub(super) fn unavailable(name: &str, error: &(dyn std::error::Error + 'static)) -> Error {
    Error::Unavailable {
        database: name.to_owned(),
        detail: chain(error),
    }
}

/// An error with its causes on one line. None of them holds the password.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let more = current.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = current.source();
    }
    text
}
