//! What the store promises, on a PostgreSQL database: the same tests as for the embedded one, and those of
//! several nodes.

#[path = "../store/accounts.rs"]
mod accounts;
mod backend;
#[path = "../store/conversations.rs"]
mod conversations;
#[path = "../store/events.rs"]
mod events;
#[path = "../store/fence.rs"]
mod fence;
#[path = "../store/findings.rs"]
mod findings;
#[path = "../store/fixture.rs"]
mod fixture;
#[path = "../store/ledger.rs"]
mod ledger;
mod nodes;
#[path = "../store/outbox.rs"]
mod outbox;
#[path = "../store/quarantine.rs"]
mod quarantine;
#[path = "../store/replies.rs"]
mod replies;
#[path = "../../../../tests/servers/postgres.rs"]
mod server;
#[path = "../store/threading.rs"]
mod threading;
#[path = "../store/trace.rs"]
mod trace;
mod transfer;
