//! The schema in PostgreSQL: the common steps, and what only a shared database needs.
//!
//! Steps run one transaction each under a lock of the database, so that nodes that start together wait for
//! each other. Never applies anything to a schema that a newer program wrote.

use std::path::Path;

use deadpool_postgres::{Object, Transaction};

use super::{driver::explain, listen};
use crate::{
    Result, dialect,
    migrations::{self, VERSION_TABLE},
};

/// Of `pg_advisory_xact_lock`: "GUICHET" in ASCII.
const LOCK: i64 = 0x0047_5549_4348_4554;

/// Brings the schema up to date.
pub(super) async fn migrate(connection: &mut Object, name: &str) -> Result<()> {
    loop {
        let transaction = connection.transaction().await.map_err(|error| explain(name, &error))?;
        let more = step(&transaction, name).await?;
        transaction.commit().await.map_err(|error| explain(name, &error))?;
        if !more {
            return Ok(());
        }
    }
}

/// Applies the next step; `false` if there is none.
async fn step(transaction: &Transaction<'_>, name: &str) -> Result<bool> {
    let run = async |sql: &str| {
        transaction
            .batch_execute(sql)
            .await
            .map_err(|error| explain(name, &error))
    };
    run(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    run(&dialect::shared_migration(VERSION_TABLE)).await?;
    let newest = transaction
        .query_one("SELECT coalesce(max(version), 0) FROM schema_version", &[])
        .await;
    let version: i64 = newest.map_err(|error| explain(name, &error))?.get(0);
    let Some(migration) = migrations::after(version, Path::new(name))? else {
        run(&listen::trigger()).await?;
        return Ok(false);
    };
    run(&dialect::shared_migration(migration.sql)).await?;
    let row = "INSERT INTO schema_version (version, name) VALUES ($1, $2)";
    let noted = transaction.execute(row, &[&migration.version, &migration.name]).await;
    noted.map_err(|error| explain(name, &error))?;
    Ok(true)
}
