//! No query on the ledger's tables reads a whole table or sorts one.
//!
//! The planner is asked without statistics, as in production: nothing ever runs `ANALYZE`, so the plan
//! for an empty table is the plan for a million rows.

use std::path::Path;

use super::{driver::SqliteConnection, open};
use crate::{
    dialect,
    hot::{hot_queries, sorted_queries},
};

/// Tables of configuration: they are small, and read whole on purpose.
const SMALL: [&str; 1] = ["mailbox"];

/// What is wrong with the plan of a query; `None` if it goes by index all the way.
fn fault(connection: &SqliteConnection, sql: &str) -> Option<String> {
    let lines = connection.plan(&dialect::statement(sql));
    let scans_ledger = |line: &String| {
        // `SCAN m` by an alias or a table; `SCAN CONSTANT ROW` and the like read no table.
        let table = line.strip_prefix("SCAN ")?.split(' ').next()?;
        // This index holds nothing but what is asked for, in the order asked for.
        let exact = line.ends_with("USING INDEX receipt_quarantined");
        let harmless = exact || SMALL.contains(&table) || ["CONSTANT", "m", "waiting"].contains(&table);
        (!harmless).then(|| line.clone())
    };
    let sorts = |line: &String| line.contains("TEMP B-TREE").then(|| line.clone());
    let found = lines.iter().find_map(|line| scans_ledger(line).or_else(|| sorts(line)));
    found.map(|line| format!("{line}\nin {sql}\nplan {lines:#?}"))
}

fn schema() -> SqliteConnection {
    let mut connection = SqliteConnection::in_memory().expect("connection");
    open::migrate(&mut connection, Path::new(":memory:")).expect("schema");
    connection
}

#[test]
fn hot_queries_go_by_index() {
    let connection = schema();
    let faults: Vec<String> = hot_queries().iter().filter_map(|sql| fault(&connection, sql)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// These sort what they found by index: a bounded number of rows.
#[test]
fn bounded_sorts_still_find_their_rows_by_index() {
    let connection = schema();
    for sql in sorted_queries() {
        if let Some(fault) = fault(&connection, &sql) {
            assert!(!fault.starts_with("SCAN"), "{fault}");
        }
    }
}

#[test]
fn scans_and_sorts_are_noticed() {
    let connection = schema();
    for bad in [
        "SELECT id FROM message WHERE size = $1",
        "SELECT count(*) FROM receipt",
        "SELECT id FROM conversation WHERE state = $1 ORDER BY subject",
        "SELECT m.id FROM mailbox m JOIN job j ON j.reason = m.id",
    ] {
        assert!(fault(&connection, bad).is_some(), "{bad} was let through");
    }
}
