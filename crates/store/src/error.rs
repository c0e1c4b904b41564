//! What can go wrong in the store, told by what the caller can do about it.
//!
//! Never carries mail content or secrets: messages name files, ids and causes only.

use std::path::PathBuf;

use guichet_domain::BlobId;

/// An error of the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Somebody else took the folder or the job over: drop what was begun and acquire it again.
    #[error("the lease was taken over by another owner: nothing was written, acquire it again")]
    Fenced,
    /// Another service process works on this data directory.
    #[error("{path} is held by another process{hint}: stop that one, or give this one its own data directory")]
    InUse {
        /// The lock file.
        path: PathBuf,
        /// What is known about the holder, for example ` (process 4711)`; may be empty.
        hint: String,
    },
    /// Another process kept the database locked for longer than the time-out. Try again.
    #[error("{path} stayed locked by another process for {seconds} s: try again when it has finished")]
    Busy {
        /// The database file.
        path: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
    /// The database file is damaged or is no database. It was left as it is.
    #[error(
        "{path} is damaged or is not a Guichet database ({detail}): it was left untouched, restore it from a backup \
         or move it and its -wal file away"
    )]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What SQLite or the check said.
        detail: String,
    },
    /// The database file is gone although there is data that belongs to it.
    #[error(
        "{path} is missing although {remains} exists: restore it from a backup, or move {remains} away to start empty"
    )]
    Missing {
        /// The database file.
        path: PathBuf,
        /// What is there without it.
        remains: PathBuf,
    },
    /// A newer version of Guichet wrote the database.
    #[error(
        "{path} has schema version {found}, this program knows versions up to {known}: run the newer Guichet again"
    )]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A file or directory can't be created or written.
    #[error("{path} can't be written ({detail}): make it writable for the user that runs Guichet")]
    Unwritable {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system or SQLite said.
        detail: String,
    },
    /// The disk is full. Nothing of the failed write is stored.
    #[error("the disk that holds {path} is full: free some space, nothing that was acknowledged is lost")]
    DiskFull {
        /// The file or directory that could not grow.
        path: PathBuf,
    },
    /// Reading or writing a file failed for another reason.
    #[error("{path}: input/output error ({detail}): check the disk and the system log")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        detail: String,
    },
    /// The database that the nodes share can't be used now. What was asked for may have been done or not.
    #[error("the database {database} can't be used now ({detail}): it is tried again")]
    Unavailable {
        /// Host, port and name of the database.
        database: String,
        /// What the server or the operating system said.
        detail: String,
    },
    /// The bytes of a blob don't match its name.
    #[error("blob {id} is damaged: its bytes have another SHA-256, restore the file from a backup")]
    CorruptBlob {
        /// The blob.
        id: BlobId,
    },
    /// There is no such blob.
    #[error("blob {id} is missing: restore the blobs directory from a backup")]
    MissingBlob {
        /// The blob.
        id: BlobId,
    },
    /// The object store failed.
    #[error("blob store: {0}")]
    Blobs(String),
    /// A row holds something that this program did not write.
    #[error("a stored value can't be read back ({0}): the database was changed by another program")]
    Decode(String),
    /// The caller asked for something that can't be; a programming error of the caller.
    #[error("{0}")]
    Invalid(String),
    /// What was to be stored contradicts what is stored, for example a second thing with a unique name.
    #[error("it contradicts what is stored: {0}")]
    Conflict(String),
    /// Any other error of the database.
    #[error("database: {0}")]
    Sql(String),
    /// The store was closed, or its writer is gone.
    #[error("the store is closed")]
    Closed,
}

/// A result of the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;
