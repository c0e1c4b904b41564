//! The lock that keeps two service processes from working on one data directory.
//!
//! Commands that only look, or write a row now and then, open the store without it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

use crate::{
    Error, Result,
    directory::{create_durably, io_error},
};

const LOCK: &str = "guichet.lock";
/// A process number and a newline; whatever else stands in the file is not read.
const MAX_HINT: u64 = 32;

/// Held by the one service process of a data directory. The operating system releases it when the
/// process ends, however it ends.
#[derive(Debug)]
pub struct ServiceLock {
    _file: File,
}

impl ServiceLock {
    /// Takes the lock, creating the data directory if it is missing.
    ///
    /// # Errors
    /// [`Error::InUse`] if another process holds it; [`Error::Unwritable`] and the like if the file
    /// can't be created.
    pub fn acquire(data_dir: &Path) -> Result<Self> {
        create_durably(data_dir)?;
        let path = data_dir.join(LOCK);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|e| io_error(&path, &e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let known = (&file).take(MAX_HINT).read_to_string(&mut holder).is_ok();
                let hint = match holder.trim().parse::<u32>() {
                    Ok(process) if known => format!(" (process {process})"),
                    _ => String::new(),
                };
                return Err(Error::InUse { path, hint });
            }
            Err(TryLockError::Error(e)) => return Err(io_error(&path, &e)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(|e| io_error(&path, &e))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_service_is_refused_by_name_and_may_start_after_the_first() {
        let dir = tempfile::tempdir().expect("directory");
        let first = ServiceLock::acquire(dir.path()).expect("lock");
        let Err(Error::InUse { path, hint }) = ServiceLock::acquire(dir.path()) else {
            panic!("two services on one directory");
        };
        assert!(path.ends_with(LOCK));
        assert_eq!(hint, format!(" (process {})", std::process::id()));
        drop(first);
        ServiceLock::acquire(dir.path()).expect("lock is free again");
    }
}
