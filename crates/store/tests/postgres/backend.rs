//! Each store is a new database of the server.

use std::{
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use guichet_store::{OpenOptions, Store};

use crate::server::Server;

/// A store without anything in it.
pub async fn fresh() -> Store {
    open(&new_database().await).await
}

/// The same, for callers that ask at the same time.
pub async fn concurrent(_: &Path) -> Store {
    fresh().await
}

/// A node on a database.
pub async fn open(address: &str) -> Store {
    Store::open(options(address)).await.expect("store opens")
}

/// A node on a database. Blobs are files also here, named after what is in them: all tests share them.
pub fn options(address: &str) -> OpenOptions {
    OpenOptions {
        data_dir: Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres"),
        database: Some(address.into()),
    }
}

/// The address of a database without anything in it.
pub async fn new_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let Some(server) = SERVER.get_or_init(|| Server::join("store")) else {
        eprintln!("skipped: PostgreSQL is not installed (Debian package postgresql)");
        std::process::exit(0);
    };
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    server.create(&name)
}

/// Runs SQL from outside.
pub async fn run(address: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls)
        .await
        .expect("connection");
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(connection);
    client.batch_execute(sql).await.expect("statement");
}
