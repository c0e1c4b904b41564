//! The schema, as numbered steps that are applied once and never edited afterwards.
//!
//! Owns the list of migrations and the table `schema_version`. Never applies anything to a database
//! that a newer program wrote, or to one that is not ours.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// One step of the schema.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    /// In PostgreSQL's form.
    pub(crate) sql: &'static str,
}

/// Every step, in order. To change the schema append one here; released steps stay as they are.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "start",
        sql: include_str!("migrations/0001_start.sql"),
    },
    Migration {
        version: 2,
        name: "reported-state",
        sql: include_str!("migrations/0002_reported_state.sql"),
    },
    Migration {
        version: 3,
        name: "application-created",
        sql: include_str!("migrations/0003_application_created.sql"),
    },
    Migration {
        version: 4,
        name: "finding",
        sql: include_str!("migrations/0004_finding.sql"),
    },
    Migration {
        version: 5,
        name: "turn",
        sql: include_str!("migrations/0005_turn.sql"),
    },
    Migration {
        version: 6,
        name: "traffic",
        sql: include_str!("migrations/0006_traffic.sql"),
    },
];

/// The step that follows on a version; `None` if it is the newest.
///
/// # Errors
/// [`Error::NewerSchema`], naming the database, if this program does not know the version.
pub(crate) fn after(version: i64, database: &Path) -> Result<Option<&'static Migration>> {
    let known = MIGRATIONS.last().map_or(0, |step| step.version);
    if version > known {
        return Err(Error::NewerSchema {
            path: PathBuf::from(database),
            found: version,
            known,
        });
    }
    Ok(MIGRATIONS.iter().find(|step| step.version > version))
}

/// The table that records which steps were applied.
pub(crate) const VERSION_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, name TEXT NOT NULL)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_from_one() {
        for (at, migration) in (1i64..).zip(MIGRATIONS) {
            assert_eq!(migration.version, at, "{}", migration.name);
        }
    }
}
