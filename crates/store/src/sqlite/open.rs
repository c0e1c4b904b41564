//! Opening a data directory: look first, touch second.
//!
//! Owns every check before the first write. Invariant: a file that is not a healthy database of
//! ours is refused by name and left as it is; nothing is recreated in silence.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use futures::FutureExt;

use super::{driver, driver::SqliteConnection};
use crate::{
    Error, Result,
    directory::{self, io_error},
    migrations::{self, VERSION_TABLE},
};

/// Held shared by every process that has the database open. Who gets it alone knows that a WAL file
/// on disk is left over from a crash.
const OPENED: &str = "guichet.open";
/// Marks the file as ours ("GUIC").
const APPLICATION_ID: i64 = 0x4755_4943;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Reads are short, and with more of them the disk is the limit.
const READERS: usize = 4;

/// An open database.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) writer: SqliteConnection,
    pub(crate) readers: Vec<SqliteConnection>,
    pub(crate) guard: File,
    pub(crate) last_event: i64,
}

/// Opens, checks and migrates.
pub(crate) fn open(data_dir: &Path) -> Result<Opened> {
    directory::create_durably(data_dir)?;
    directory::close_to_others(data_dir);
    let guard_path = data_dir.join(OPENED);
    let guard = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&guard_path)
        .map_err(|e| io_error(&guard_path, &e))?;
    let alone = match guard.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => {
            // Waits while another process is checking and migrating.
            guard.lock_shared().map_err(|e| io_error(&guard_path, &e))?;
            false
        }
        Err(TryLockError::Error(e)) => return Err(io_error(&guard_path, &e)),
    };
    let path = data_dir.join(directory::DATABASE);
    let wal = data_dir.join("guichet.db-wal");
    let blobs = data_dir.join(directory::BLOBS);
    inspect(&path, &wal, &blobs)?;
    let crashed = alone && wal.exists();
    let mut writer = SqliteConnection::open(&path, true)?;
    if crashed {
        check(&writer, &path)?;
    }
    writer.text("PRAGMA journal_mode = WAL")?;
    migrate(&mut writer, &path)?;
    directory::sync(data_dir)?;
    if alone {
        // Not converted in one step: that is unspecified. Whoever slips in between only checks once more.
        guard.unlock().map_err(|e| io_error(&guard_path, &e))?;
        guard.lock_shared().map_err(|e| io_error(&guard_path, &e))?;
    }
    let readers = (0..READERS)
        .map(|_| {
            let reader = SqliteConnection::open(&path, false)?;
            reader.batch("PRAGMA query_only = ON")?;
            Ok(reader)
        })
        .collect::<Result<_>>()?;
    let last_event = crate::events::last(&mut writer)
        .now_or_never()
        .unwrap_or(Err(Error::Closed))?;
    Ok(Opened {
        writer,
        readers,
        guard,
        last_event,
    })
}

/// Looks at the files before SQLite does, because SQLite takes an empty file for a new database.
fn inspect(path: &Path, wal: &Path, blobs: &Path) -> Result<()> {
    let mut head = Vec::new();
    match File::open(path) {
        Ok(file) => {
            let limit = u64::try_from(MAGIC.len()).unwrap_or(16);
            file.take(limit)
                .read_to_end(&mut head)
                .map_err(|e| io_error(path, &e))?;
        }
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(io_error(path, &e)),
    }
    if head.is_empty() {
        let non_empty = |p: &Path| p.metadata().is_ok_and(|m| m.len() > 0);
        let filled = |p: &Path| p.read_dir().is_ok_and(|mut entries| entries.next().is_some());
        let missing = |remains: &Path| Error::Missing {
            path: PathBuf::from(path),
            remains: PathBuf::from(remains),
        };
        return if non_empty(wal) {
            Err(missing(wal))
        } else if filled(blobs) {
            Err(missing(blobs))
        } else {
            Ok(())
        };
    }
    if head != MAGIC {
        return Err(corrupt(path, "it does not begin like a SQLite database"));
    }
    Ok(())
}

/// After a crash: reads every page once.
fn check(connection: &SqliteConnection, path: &Path) -> Result<()> {
    tracing::info!(path = %path.display(), "the last shutdown was not clean: checking the database");
    match connection.text("PRAGMA quick_check(1)")?.as_str() {
        "ok" => Ok(()),
        found => Err(corrupt(path, found)),
    }
}

fn corrupt(path: &Path, detail: &str) -> Error {
    Error::Corrupt {
        path: PathBuf::from(path),
        detail: detail.to_owned(),
    }
}

/// Brings the schema up to date, one transaction per step.
pub(crate) fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<()> {
    while step(connection, path)? {}
    Ok(())
}

/// Applies the next step; `false` if there is none.
fn step(connection: &mut SqliteConnection, path: &Path) -> Result<bool> {
    connection.control(driver::BEGIN_WRITE)?;
    let applied = next_step(connection, path).and_then(|more| connection.control("COMMIT").map(|()| more));
    if !connection.is_idle() {
        connection.control("ROLLBACK")?;
    }
    applied
}

fn next_step(connection: &SqliteConnection, path: &Path) -> Result<bool> {
    let count = |sql: &str| -> Result<i64> {
        let text = connection.text(sql)?;
        text.parse()
            .map_err(|_| corrupt(path, &format!("`{text}` is no number")))
    };
    let ours = count("SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'")? > 0;
    let foreign = count("SELECT count(*) FROM sqlite_master")? > 0;
    let version = match (ours, foreign) {
        (true, _) => count("SELECT coalesce(max(version), 0) FROM schema_version")?,
        (false, true) => return Err(corrupt(path, "it is the database of another program")),
        (false, false) => 0,
    };
    let Some(migration) = migrations::after(version, path)? else {
        return Ok(false);
    };
    connection.batch(&crate::dialect::migration(VERSION_TABLE))?;
    connection.batch(&crate::dialect::migration(migration.sql))?;
    connection.batch(&format!(
        "INSERT INTO schema_version (version, name) VALUES ({}, '{}'); PRAGMA application_id = {APPLICATION_ID};",
        migration.version, migration.name
    ))?;
    Ok(true)
}
