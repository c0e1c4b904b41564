//! The place of the saved state: the directory `state` below the data directory, and who may use it.
//!
//! Owns the lock that keeps a second sandbox out and the way to begin anew: an old state is set aside as
//! `state.previous`, never deleted unless an even older one has to make room.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A data directory that is ours.
#[derive(Debug)]
pub struct Place {
    /// Where everything is kept.
    pub directory: PathBuf,
    /// Held as long as the sandbox runs; the system releases it when the process ends.
    _lock: File,
}

impl Place {
    /// Takes possession of the state below `data`; `fresh` sets aside what is there.
    ///
    /// # Errors
    /// When another sandbox uses it, or it cannot be written.
    pub fn open(data: &Path, fresh: bool) -> Result<Self, Error> {
        make(data)?;
        let lock_path = data.join("state.lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|source| Error::file(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Config(format!(
                    "another sandbox uses the directory {}: stop it or choose another directory",
                    data.display()
                )));
            }
            Err(TryLockError::Error(source)) => return Err(Error::file(&lock_path, source)),
        }
        let directory = data.join("state");
        if fresh && directory.exists() {
            let previous = data.join("state.previous");
            if previous.exists() {
                std::fs::remove_dir_all(&previous).map_err(|source| Error::file(&previous, source))?;
            }
            std::fs::rename(&directory, &previous).map_err(|source| Error::file(&directory, source))?;
        }
        make(&directory)?;
        Ok(Self { directory, _lock: lock })
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.directory.join("journal")
    }

    /// The directory of the bytes of mails.
    #[must_use]
    pub fn bodies(&self) -> PathBuf {
        self.directory.join("bodies")
    }

    /// Where a new journal is written before it replaces the old one.
    #[must_use]
    pub fn next_journal(&self) -> PathBuf {
        self.directory.join("journal.next")
    }
}

fn make(directory: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(directory).map_err(|source| Error::file(directory, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_sandbox_is_kept_out_until_the_first_is_gone() {
        let data = tempfile::tempdir().unwrap();
        let first = Place::open(data.path(), false).unwrap();
        let refused = Place::open(data.path(), false).unwrap_err().to_string();
        assert!(refused.contains("another sandbox"), "{refused}");
        drop(first);
        Place::open(data.path(), false).unwrap();
    }

    #[test]
    fn beginning_anew_sets_the_old_state_aside() {
        let data = tempfile::tempdir().unwrap();
        for number in ["1", "2"] {
            let place = Place::open(data.path(), true).unwrap();
            assert!(!place.journal().exists());
            std::fs::write(place.journal(), number).unwrap();
        }
        drop(Place::open(data.path(), true).unwrap());
        assert_eq!(std::fs::read(data.path().join("state.previous/journal")).unwrap(), b"2");
    }
}
