//! No query on the ledger's tables reads a whole table on PostgreSQL, with a million messages in it.
//!
//! The plans are those for any parameters: PostgreSQL takes them for statements that are prepared and run often.

use std::{collections::BTreeSet, path::Path};

use tokio_postgres::{Client, NoTls};

use crate::{
    OpenOptions, Store, counters,
    hot::{hot_queries, sorted_queries},
};

#[path = "../../../../tests/servers/postgres.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod server;

/// Tables of configuration, which are small and read whole on purpose; and the keys of requests, from which the janitor
/// takes a few at a time, where a plan for any number of them expects a tenth of the table.
const SMALL: [&str; 4] = ["mailbox", "folder", "counter", "idempotency"];

/// A million messages in 300,000 conversations of 20 mailboxes, with what belongs to them. Keys and triggers are
/// left out while they are written.
const FILL: &str = "
SET session_replication_role = replica;
INSERT INTO mailbox SELECT 'box' || n, 'integration', n || '@contoso.example', 'user' || n, '', TRUE, n
    FROM generate_series(0, 19) n;
INSERT INTO conversation SELECT 'conversation' || n, 'box' || n % 20, 'subject', CASE WHEN n % 50 = 0 THEN 'open' ELSE
    'closed' END, 'queue' || n % 7, NULL, 5, 30, 'name', 'c' || n || '@fabrikam.example', NULL, 3, n, n, NULL
    FROM generate_series(1, 300000) n;
INSERT INTO message SELECT 'message' || n, 'conversation' || n % 300000 + 1, 'box' || n % 20, 'inbound', 'received', '',
    'immutable' || n, n || '@fabrikam.example', NULL, '{}', NULL, 1000, n, n, NULL, NULL, NULL
    FROM generate_series(1, 1000000) n;
INSERT INTO receipt SELECT 'box' || n % 20, 'immutable' || n, n || '@fabrikam.example', 'message' || n,
    CASE WHEN n % 100000 = 0 THEN 'broken' END, NULL, 1000, n FROM generate_series(1, 1000000) n;
INSERT INTO message_ref SELECT 'box' || n % 20, n || '@fabrikam.example', 'conversation' || n % 300000 + 1, n
    FROM generate_series(1, 1000000) n;
INSERT INTO trace_step (mailbox_id, immutable_id, at, step, detail) SELECT 'box' || n % 20, 'immutable' || n, n, 'seen',
    '' FROM generate_series(1, 1000000) n;
INSERT INTO event SELECT n, n, 'message.received', 'box' || n % 20, NULL, NULL FROM generate_series(1, 1000000) n;
INSERT INTO attachment SELECT 'message' || n, 0, 'attachment' || n, 'a', 'b', NULL, FALSE, 1, 'c'
    FROM generate_series(1, 300000) n;
INSERT INTO job SELECT 'job' || n, 'box' || n % 20, '{}', 1, NULL, CASE WHEN n % 1000 = 0 THEN 'dead' ELSE 'pending'
    END, 0, n, n, n, '{}', 0, NULL, NULL, '', CASE WHEN n % 1000 = 0 THEN n END FROM generate_series(1, 100000) n;
INSERT INTO idempotency (client, key, digest, message_id, created_at) SELECT 'client' || n % 10, 'key' || n, '', 'message' || n, n
    FROM generate_series(1, 100000) n;
ANALYZE;
SET plan_cache_mode = force_generic_plan;
";

async fn plan(client: &Client, sql: &str) -> Vec<String> {
    let highest = (1..100)
        .rev()
        .find(|number| sql.contains(&format!("${number}")))
        .unwrap_or_default();
    let nothing = vec!["NULL"; highest];
    let values = if nothing.is_empty() {
        String::new()
    } else {
        format!("({})", nothing.join(", "))
    };
    let prepared = format!("DEALLOCATE ALL; PREPARE guarded AS {sql}");
    client
        .batch_execute(&prepared)
        .await
        .unwrap_or_else(|error| panic!("{error:?}\nin {sql}"));
    let rows = client
        .query(&format!("EXPLAIN (COSTS OFF) EXECUTE guarded{values}"), &[])
        .await;
    rows.unwrap_or_else(|error| panic!("{error:?}\nin {sql}"))
        .iter()
        .map(|row| row.get(0))
        .collect()
}

/// The large tables that the plan reads whole.
fn scanned(plan: &[String]) -> BTreeSet<&str> {
    let table = |line: &'_ String| -> Option<usize> { line.find("Seq Scan on ").map(|at| at + "Seq Scan on ".len()) };
    let names = plan
        .iter()
        .filter_map(|line| line.get(table(line)?..)?.split_whitespace().next());
    names.filter(|name| !SMALL.contains(name)).collect()
}

#[tokio::test]
async fn no_query_reads_a_table_of_a_million_messages_whole() {
    let Some(server) = server::Server::join("plans") else {
        eprintln!("skipped: PostgreSQL is not installed (Debian package postgresql)");
        return;
    };
    let address = server.create(&format!("plans_{}", std::process::id()));
    let directory = tempfile::tempdir().expect("directory");
    let options = OpenOptions {
        data_dir: Path::to_owned(directory.path()),
        database: Some(address.as_str().into()),
    };
    Store::open(options).await.expect("store opens").close().await;
    let (client, connection) = tokio_postgres::connect(&address, NoTls).await.expect("connection");
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(connection);
    client
        .batch_execute(FILL)
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    let mut faults = Vec::new();
    // This one reads what it counts, the backlog, which may be most of its table.
    let guarded = hot_queries().into_iter().filter(|sql| sql != counters::COUNT_JOBS);
    for sql in guarded.chain(sorted_queries()) {
        let plan = plan(&client, &sql).await;
        if !scanned(&plan).is_empty() {
            faults.push(format!("{sql}\nplan {plan:#?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    for bad in [
        "SELECT id FROM message WHERE size = $1",
        "SELECT count(*) FROM trace_step WHERE detail = $1",
    ] {
        assert!(!scanned(&plan(&client, bad).await).is_empty(), "{bad} was let through");
    }
}
