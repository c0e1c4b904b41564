//! An embedded database taken over into a shared one: every row, compared afterwards.
//!
//! Owns the list of tables. Never changes what it copies from. Invariant: the shared database holds all of it,
//! row by row the same, or nothing.

use serde::Serialize;

use crate::{
    Error, Result, Store,
    connection::{Connection, Row, Value, query_one},
    database::Database,
};

/// Rows that are read and compared at once; a row may hold a mail's text.
const PAGE: usize = 256;
/// Rows of one statement.
const GROUP: usize = 32;

/// What was copied of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopiedTable {
    /// Name of the table.
    pub table: &'static str,
    /// Rows.
    pub rows: u64,
}

struct Table {
    name: &'static str,
    /// Columns of the primary key.
    key: &'static [&'static str],
}

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, key }
}

/// Every table, each after those that it refers to.
const TABLES: [Table; 19] = [
    table("counter", &["name"]),
    table("integration", &["id"]),
    table("credential", &["id"]),
    table("mailbox", &["id"]),
    table("folder", &["id"]),
    table("subscription", &["id"]),
    table("conversation", &["id"]),
    table("message", &["id"]),
    table("attachment", &["message_id", "position"]),
    table("message_ref", &["mailbox_id", "internet_message_id", "conversation_id"]),
    table("receipt", &["mailbox_id", "immutable_id"]),
    table("trace_step", &["ordinal"]),
    table("event", &["seq"]),
    table("job", &["id"]),
    table("idempotency", &["client", "key"]),
    table("api_key", &["id"]),
    table("finding", &["code", "subject", "first_seen"]),
    table("turn", &["name"]),
    table("traffic", &["hour", "graph_user"]),
];

impl Store {
    /// Copies everything but the blobs into another, empty and shared store, and compares every row. Leases are
    /// copied too: nobody may work on either of them meanwhile.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the other store is not shared, is not empty, or holds something else than what was
    /// copied; then nothing was written.
    pub async fn copy_to(&self, target: &Self) -> Result<Vec<CopiedTable>> {
        if !matches!(target.database(), Database::Shared(_)) {
            return Err(Error::Invalid(
                "only a shared database can take over another".to_owned(),
            ));
        }
        let source = self.clone();
        target
            .write(move |c| Box::pin(async move { copy(&source, c).await }))
            .await
    }
}

async fn copy(source: &Store, c: &mut dyn Connection) -> Result<Vec<CopiedTable>> {
    // Reading the other side takes longer than a node may stand still.
    c.execute("SET LOCAL idle_in_transaction_session_timeout = 0", &[])
        .await?;
    // Nodes that start meanwhile wait.
    c.execute("LOCK TABLE counter, integration IN EXCLUSIVE MODE", &[])
        .await?;
    let empty = "SELECT NOT EXISTS (SELECT 1 FROM integration) AND NOT EXISTS (SELECT 1 FROM event)";
    if !query_one(c, empty, &[])
        .await?
        .is_some_and(|mut row| row.take() == Ok(true))
    {
        return Err(Error::Invalid(
            "the shared database is not empty: take over into a new one".to_owned(),
        ));
    }
    // The schema begins with counts of nothing.
    c.execute("DELETE FROM counter", &[]).await?;
    let mut copied = Vec::new();
    for table in &TABLES {
        let mut rows = 0;
        let mut after = None;
        loop {
            let page = of_source(source, table, after).await?;
            for group in page.chunks(GROUP) {
                insert(c, table, group).await?;
            }
            rows += u64::try_from(page.len()).unwrap_or(u64::MAX);
            after = page.last().map(|row| key_of(table, row));
            if page.len() < PAGE {
                break;
            }
        }
        compare(source, c, table).await?;
        copied.push(CopiedTable {
            table: table.name,
            rows,
        });
    }
    let next = "SELECT setval(pg_get_serial_sequence('trace_step', 'ordinal'), \
        (SELECT coalesce(max(ordinal), 1) FROM trace_step))";
    c.query(next, &[]).await?;
    Ok(copied)
}

/// The values of a row: its key once more, then every column.
type Values = Vec<Value<'static>>;

fn page_sql(table: &Table, from_start: bool) -> String {
    let (name, key) = (table.name, table.key.join(", "));
    let range = if from_start {
        String::new()
    } else {
        let numbers: Vec<String> = (1..=table.key.len()).map(|n| format!("${n}")).collect();
        format!(" WHERE ({key}) > ({})", numbers.join(", "))
    };
    format!("SELECT {key}, {name}.* FROM {name}{range} ORDER BY {key} LIMIT {PAGE}")
}

async fn page(c: &mut dyn Connection, table: &Table, after: Option<Values>) -> Result<Vec<Values>> {
    let sql = page_sql(table, after.is_none());
    let rows = c.query(&sql, &after.unwrap_or_default()).await?;
    Ok(rows.into_iter().map(Row::into_values).collect())
}

async fn of_source(source: &Store, table: &'static Table, after: Option<Values>) -> Result<Vec<Values>> {
    source.read(move |c| Box::pin(page(c, table, after))).await
}

fn key_of(table: &Table, row: &Values) -> Values {
    row.iter().take(table.key.len()).cloned().collect()
}

async fn insert(c: &mut dyn Connection, table: &Table, rows: &[Values]) -> Result<()> {
    let columns = |row: &Values| row.iter().skip(table.key.len()).cloned().collect::<Values>();
    let width = rows.first().map_or(0, |row| row.len() - table.key.len());
    let numbers = |row: usize| {
        let names: Vec<String> = (1..=width).map(|n| format!("${}", row * width + n)).collect();
        format!("({})", names.join(", "))
    };
    let groups: Vec<String> = (0..rows.len()).map(numbers).collect();
    let sql = format!("INSERT INTO {} VALUES {}", table.name, groups.join(", "));
    let values: Values = rows.iter().flat_map(columns).collect();
    c.execute(&sql, &values).await.map(drop)
}

/// Reads both sides again.
async fn compare(source: &Store, c: &mut dyn Connection, table: &'static Table) -> Result<()> {
    let mut after = None;
    loop {
        let (theirs, ours) = (
            of_source(source, table, after.clone()).await?,
            page(c, table, after).await?,
        );
        let same = |(one, other): (&Values, &Values)| one.len() == other.len() && one.iter().zip(other).all(is_same);
        if theirs.len() != ours.len() || !theirs.iter().zip(&ours).all(same) {
            let name = table.name;
            return Err(Error::Invalid(format!(
                "table {name} holds something else than what was copied into it: nothing was taken over"
            )));
        }
        if theirs.len() < PAGE {
            return Ok(());
        }
        after = theirs.last().map(|row| key_of(table, row));
    }
}

fn is_same((embedded, shared): (&Value<'_>, &Value<'_>)) -> bool {
    match (embedded, shared) {
        // SQLite has no booleans of its own.
        (Value::Int(number), Value::Bool(truth)) => *number == i64::from(*truth),
        // Nor has PostgreSQL this character.
        (Value::Text(one), Value::Text(other)) if one.contains('\0') => one.replace('\0', "\u{fffd}") == *other,
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::MIGRATIONS;

    #[test]
    fn every_table_of_the_schema_is_copied() {
        let created = MIGRATIONS
            .iter()
            .flat_map(|step| step.sql.split("CREATE TABLE ").skip(1));
        let mut created: Vec<&str> = created.filter_map(|text| text.split([' ', '\n']).next()).collect();
        let mut copied: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        created.sort_unstable();
        copied.sort_unstable();
        assert_eq!(copied, created);
    }
}
