//! What operations need of a database: execute, query, and a small value type between them.
//!
//! Names no driver. Every operation of the store is written once over [`Connection`]; a driver
//! implements it. Invariant: an operation sees one transaction and never ends it itself.

use std::{borrow::Cow, str::FromStr, vec};

use futures::future::BoxFuture;
use guichet_domain::{
    ApiKeyId, AttachmentId, BlobId, ConversationId, CredentialId, EmailAddress, FolderId, GraphFolderId, ImmutableId,
    IntegrationId, InternetMessageId, JobId, MailboxId, MessageId, SubscriptionId,
    conversation::{ConversationState, Direction},
    event::EventKind,
    trace::Step,
};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result};

/// A database connection inside a transaction that somebody else began and will end.
///
/// SQL has `$1…$n` placeholders and is valid on PostgreSQL and, after
/// [`crate::dialect::statement`], on SQLite.
pub(crate) trait Connection: Send {
    /// Runs a statement and returns the number of rows it changed.
    fn execute<'a>(&'a mut self, sql: &'a str, params: &'a [Value<'a>]) -> BoxFuture<'a, Result<u64>>;

    /// Runs a query (or a statement with `RETURNING`) and returns its rows.
    fn query<'a>(&'a mut self, sql: &'a str, params: &'a [Value<'a>]) -> BoxFuture<'a, Result<Vec<Row>>>;
}

/// The first row of a query, if there is one.
pub(crate) async fn query_one(c: &mut dyn Connection, sql: &str, params: &[Value<'_>]) -> Result<Option<Row>> {
    Ok(c.query(sql, params).await?.into_iter().next())
}

/// A value on its way into or out of the database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

/// A row, read column by column from the left.
#[derive(Debug)]
pub(crate) struct Row(vec::IntoIter<Value<'static>>);

impl Row {
    pub(crate) fn new(columns: Vec<Value<'static>>) -> Self {
        Self(columns.into_iter())
    }

    /// The next column.
    ///
    /// # Errors
    /// [`Error::Decode`] if there is none or it is of another kind.
    pub(crate) fn take<T: FromValue>(&mut self) -> Result<T> {
        let value = self
            .0
            .next()
            .ok_or_else(|| Error::Decode("a row has too few columns".to_owned()))?;
        T::from_value(value)
    }
}

impl Row {
    /// The columns that were not taken.
    pub(crate) fn into_values(self) -> Vec<Value<'static>> {
        self.0.collect()
    }
}

/// A record that is read from a row with a fixed list of columns.
pub(crate) trait FromRow: Sized {
    fn from_row(row: &mut Row) -> Result<Self>;
}

/// Reads every row.
pub(crate) fn records<T: FromRow>(rows: Vec<Row>) -> Result<Vec<T>> {
    rows.into_iter().map(|mut row| T::from_row(&mut row)).collect()
}

/// Reads a row that may be missing.
pub(crate) fn record<T: FromRow>(row: Option<Row>) -> Result<Option<T>> {
    row.map(|mut row| T::from_row(&mut row)).transpose()
}

/// What can be bound to a placeholder.
pub(crate) trait ToValue {
    fn to_value(&self) -> Value<'_>;
}

/// What can be read from a column.
pub(crate) trait FromValue: Sized {
    fn from_value(value: Value<'static>) -> Result<Self>;
}

/// Binds values to `$1…$n` in their order.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::connection::ToValue::to_value(&$value)),*] };
}
pub(crate) use params;

/// A value that is stored as JSON text.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

fn mismatch(wanted: &str, value: &Value<'_>) -> Error {
    let found = match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Int(_) => "a number",
        Value::Real(_) => "a fraction",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytes",
    };
    Error::Decode(format!("expected {wanted}, found {found}"))
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (*self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value<'static>) -> Result<Self> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value<'_> {
        self.as_str().to_value()
    }
}

impl FromValue for String {
    fn from_value(value: Value<'static>) -> Result<Self> {
        match value {
            Value::Text(text) => Ok(text.into_owned()),
            other => Err(mismatch("text", &other)),
        }
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(Cow::Borrowed(self))
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> Value<'_> {
        self.as_slice().to_value()
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value<'static>) -> Result<Self> {
        match value {
            Value::Bytes(bytes) => Ok(bytes.into_owned()),
            other => Err(mismatch("bytes", &other)),
        }
    }
}

impl ToValue for bool {
    fn to_value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}

impl FromValue for bool {
    fn from_value(value: Value<'static>) -> Result<Self> {
        match value {
            Value::Bool(b) => Ok(b),
            // SQLite has no booleans of its own.
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            other => Err(mismatch("a boolean", &other)),
        }
    }
}

impl ToValue for i64 {
    fn to_value(&self) -> Value<'_> {
        Value::Int(*self)
    }
}

impl FromValue for i64 {
    fn from_value(value: Value<'static>) -> Result<Self> {
        match value {
            Value::Int(n) => Ok(n),
            other => Err(mismatch("a number", &other)),
        }
    }
}

macro_rules! small_numbers {
    ($($number:ty),+) => {$(
        impl ToValue for $number {
            fn to_value(&self) -> Value<'_> {
                Value::Int(i64::from(*self))
            }
        }
        impl FromValue for $number {
            fn from_value(value: Value<'static>) -> Result<Self> {
                let wide = i64::from_value(value)?;
                <$number>::try_from(wide).map_err(|_| Error::Decode(format!("{wide} is out of range")))
            }
        }
    )+};
}
small_numbers!(u8, u16, u32);

/// Microseconds since 1970-01-01T00:00:00Z.
impl ToValue for Timestamp {
    fn to_value(&self) -> Value<'_> {
        Value::Int(self.as_microsecond())
    }
}

impl FromValue for Timestamp {
    fn from_value(value: Value<'static>) -> Result<Self> {
        let micros = i64::from_value(value)?;
        Self::from_microsecond(micros).map_err(|_| Error::Decode(format!("{micros} is no time")))
    }
}

macro_rules! uuid_ids {
    ($($id:ty),+ $(,)?) => {$(
        impl ToValue for $id {
            fn to_value(&self) -> Value<'_> {
                Value::Text(Cow::Owned(self.to_string()))
            }
        }
        impl FromValue for $id {
            fn from_value(value: Value<'static>) -> Result<Self> {
                let text = String::from_value(value)?;
                <$id>::from_str(&text).map_err(|_| Error::Decode(format!("`{text}` is no id")))
            }
        }
    )+};
}
uuid_ids!(
    ApiKeyId,
    AttachmentId,
    ConversationId,
    CredentialId,
    FolderId,
    IntegrationId,
    JobId,
    MailboxId,
    MessageId,
);

macro_rules! text_ids {
    ($($id:ty),+ $(,)?) => {$(
        impl ToValue for $id {
            fn to_value(&self) -> Value<'_> {
                self.as_str().to_value()
            }
        }
        impl FromValue for $id {
            fn from_value(value: Value<'static>) -> Result<Self> {
                String::from_value(value).map(<$id>::new)
            }
        }
    )+};
}
text_ids!(BlobId, GraphFolderId, ImmutableId, SubscriptionId);

macro_rules! parsed {
    ($($kind:ty, $parse:expr, $what:literal;)+) => {$(
        impl ToValue for $kind {
            fn to_value(&self) -> Value<'_> {
                self.as_str().to_value()
            }
        }
        impl FromValue for $kind {
            fn from_value(value: Value<'static>) -> Result<Self> {
                let text = String::from_value(value)?;
                $parse(&text).ok_or_else(|| Error::Decode(format!("`{text}` is no {}", $what)))
            }
        }
    )+};
}
parsed! {
    InternetMessageId, InternetMessageId::parse, "message id";
    EmailAddress, |t: &str| EmailAddress::parse(t).ok(), "address";
    ConversationState, ConversationState::parse, "conversation state";
    Direction, Direction::parse, "direction";
    EventKind, EventKind::parse, "event";
    Step, Step::parse, "step";
}

impl<T: Serialize> ToValue for Json<T> {
    fn to_value(&self) -> Value<'_> {
        // Our records have string keys and no foreign `Serialize`: writing them can't fail.
        serde_json::to_string(&self.0).map_or(Value::Null, |text| Value::Text(Cow::Owned(text)))
    }
}

impl<T: DeserializeOwned> FromValue for Json<T> {
    fn from_value(value: Value<'static>) -> Result<Self> {
        let text = String::from_value(value)?;
        serde_json::from_str(&text)
            .map(Json)
            // The parser's own message may quote the text, which may be mail.
            .map_err(|e| Error::Decode(format!("stored JSON is no such record, column {}", e.column())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_values_are_errors_that_say_what_stood_there() {
        let mut row = Row::new(vec![Value::Text("x".into()), Value::Int(7), Value::Int(700)]);
        assert!(matches!(row.take::<i64>(), Err(Error::Decode(m)) if m == "expected a number, found text"));
        assert!(matches!(row.take::<bool>(), Err(Error::Decode(_))));
        assert!(matches!(row.take::<u8>(), Err(Error::Decode(m)) if m == "700 is out of range"));
        assert!(matches!(row.take::<i64>(), Err(Error::Decode(m)) if m == "a row has too few columns"));
    }

    #[test]
    fn times_keep_their_microseconds() {
        let at = Timestamp::from_microsecond(1_700_000_000_123_456).expect("time");
        let Value::Int(stored) = at.to_value() else {
            panic!("a time is stored as a number")
        };
        assert_eq!(Timestamp::from_value(Value::Int(stored)).expect("time"), at);
    }
}
