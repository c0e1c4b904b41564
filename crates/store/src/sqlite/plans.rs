//! No query on the ledger's tables reads a whole table or sorts one.
//!
//! The planner is asked without statistics, as in production: nothing ever runs `ANALYZE`, so the plan
//! for an empty table is the plan for a million rows.

use std::path::Path;

use guichet_domain::{MailboxId, conversation::ConversationState};
use jiff::Timestamp;

use super::{driver::SqliteConnection, open};
use crate::{
    conversations, counters, dialect, events, messages, outbox, receipts, records::ConversationFilter, replies,
    threads, trace,
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

fn conversation_lists() -> Vec<String> {
    let id = guichet_domain::ConversationId::from_uuid(uuid::Uuid::nil());
    let mut lists = Vec::new();
    for queue in [None, Some("q".to_owned())] {
        for mailbox in [None, Some(MailboxId::from_uuid(uuid::Uuid::nil()))] {
            for after in [None, Some((Timestamp::UNIX_EPOCH, id))] {
                lists.push(conversations::list_sql(&ConversationFilter {
                    state: Some(ConversationState::Open),
                    queue: queue.clone(),
                    mailbox,
                    after,
                    limit: 1,
                }));
            }
        }
    }
    lists
}

#[test]
fn hot_queries_go_by_index() {
    let connection = schema();
    let mut queries: Vec<String> = [
        counters::COUNT_JOBS,
        events::AFTER,
        outbox::DEAD,
        outbox::NEXT_DUE,
        outbox::TO_TAKE,
        replies::FORGET_KEYS,
        replies::NEWEST_INBOUND,
        threads::REMEMBER,
        trace::ADD_REPEATED,
        trace::OF_IMMUTABLE_ID,
        trace::OF_INTERNET_MESSAGE_ID,
    ]
    .map(str::to_owned)
    .to_vec();
    queries.extend(conversation_lists());
    queries.extend([
        messages::attachments_sql(3),
        messages::list_sql(),
        receipts::known_sql(3),
        receipts::list_sql(false),
        receipts::list_sql(true),
        receipts::quarantined_sql(),
        threads::by_token_sql(3),
        trace::steps_sql(),
    ]);
    let faults: Vec<String> = queries.iter().filter_map(|sql| fault(&connection, sql)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// These sort what they found by index: a bounded number of rows.
#[test]
fn bounded_sorts_still_find_their_rows_by_index() {
    let connection = schema();
    for sql in [threads::by_message_id_sql(3), outbox::WAITING_MAILBOXES.to_owned()] {
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
