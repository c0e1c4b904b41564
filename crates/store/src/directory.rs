//! Directories that survive a power cut, and what the operating system's errors mean.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// Name of the directory of the blobs inside the data directory.
pub(crate) const BLOBS: &str = "blobs";
pub(crate) const DATABASE: &str = "guichet.db";

/// Creates a directory and its missing parents; each is on disk when this returns.
pub(crate) fn create_durably(path: &Path) -> Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    if path.is_dir() {
        // It may be left from a process that died before it was on disk. Best effort: a parent that is
        // not ours to read was there long before us.
        sync(parent.unwrap_or(Path::new("."))).ok();
        return Ok(());
    }
    if let Some(parent) = parent {
        create_durably(parent)?;
    }
    match create_private(path) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            return Err(Error::Unwritable {
                path: PathBuf::from(path),
                detail: "it is no directory".to_owned(),
            });
        }
        Err(e) => return Err(io_error(path, &e)),
    }
    sync(parent.unwrap_or(Path::new(".")))
}

/// Mail of customers is in it: a directory that we make is nobody else's to read.
fn create_private(path: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "the mode is a notion of Unix"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Takes the rights of group and others off a data directory that was there before us, for example
/// made by an administrator or by systemd. Best effort: only its owner can.
pub(crate) fn close_to_others(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map(|m| m.permissions().mode()).unwrap_or(0o700);
        if mode & 0o077 != 0 && fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700)).is_err() {
            tracing::warn!(path = %path.display(), "others may read the data directory; its owner should run chmod 700");
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Writes the names in a directory to disk.
pub(crate) fn sync(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|e| io_error(path, &e))
}

/// What an error of the operating system means for the caller.
pub(crate) fn io_error(path: &Path, error: &io::Error) -> Error {
    let (path, detail) = (PathBuf::from(path), error.to_string());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::DiskFull { path },
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory => Error::Unwritable { path, detail },
        _ => Error::Io { path, detail },
    }
}
