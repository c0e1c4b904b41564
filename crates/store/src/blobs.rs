//! Content-addressed bytes: a blob's name is the SHA-256 of what is in it.
//!
//! Never overwrites a blob with other bytes and never hands out bytes that don't match the name.
//! Invariant: when [`Store::put_blob`] returns, the bytes and the directories that lead to them are
//! on disk, so a transaction may name the blob.

use std::{
    collections::HashSet,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use guichet_domain::BlobId;
use object_store::{
    ObjectStore, ObjectStoreExt, PutPayload, local::LocalFileSystem, memory::InMemory, path::Path as Location,
};

use crate::{
    Error, Result, Store,
    directory::{create_durably, io_error, sync},
    simulation::Access,
};

/// From this size on, hashing leaves the async thread: below, the switch costs more.
const HASH_INLINE: usize = 256 * 1024;
/// Names of blobs that this process wrote and need not be written again. A name is 64 bytes.
const MAX_WRITTEN: usize = 8192;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// The blobs of a store.
#[derive(Debug)]
pub(crate) struct Blobs {
    objects: Arc<dyn ObjectStore>,
    /// The directory, for error messages; `None` in memory.
    root: Option<PathBuf>,
    /// Blobs that are known to be durable. A blob that merely exists may have been renamed into place
    /// by a process that died before it was on disk, so existence alone proves nothing.
    written: Mutex<HashSet<BlobId>>,
}

impl Store {
    /// Stores bytes and returns their address. Storing the same bytes again changes nothing.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Unwritable`] or [`Error::Blobs`]; nothing is left under the name.
    pub async fn put_blob(&self, bytes: Bytes) -> Result<BlobId> {
        let work = self.blobs().put(bytes);
        self.database().with_blobs(Access::PutBlob, work).await
    }

    /// Reads bytes and checks them against their address.
    ///
    /// # Errors
    /// [`Error::MissingBlob`]; [`Error::CorruptBlob`] if the bytes are not what was stored.
    pub async fn get_blob(&self, id: &BlobId) -> Result<Bytes> {
        let work = self.blobs().get(id);
        self.database().with_blobs(Access::GetBlob, work).await
    }
}

impl Blobs {
    /// Blobs in a directory, which is created and laid out if it is not yet.
    pub(crate) async fn on_disk(root: PathBuf) -> Result<Self> {
        let layout = root.clone();
        tokio::task::spawn_blocking(move || lay_out(&layout))
            .await
            .map_err(|_| Error::Closed)??;
        let objects = LocalFileSystem::new_with_prefix(&root)
            .map_err(|e| explain(&root, &e))?
            // Off by default: files, renames and new directories would reach the disk some time later.
            .with_fsync(true);
        Ok(Self::new(Arc::new(objects), Some(root)))
    }

    pub(crate) fn in_memory() -> Self {
        Self::new(Arc::new(InMemory::new()), None)
    }

    fn new(objects: Arc<dyn ObjectStore>, root: Option<PathBuf>) -> Self {
        Self {
            objects,
            root,
            written: Mutex::new(HashSet::new()),
        }
    }

    async fn put(&self, bytes: Bytes) -> Result<BlobId> {
        let id = self.address(&bytes).await?;
        let location = locate(&id).ok_or_else(|| Error::MissingBlob { id: id.clone() })?;
        if self.is_written(&id) && self.objects.head(&location).await.is_ok() {
            return Ok(id);
        }
        self.objects
            .put(&location, PutPayload::from_bytes(bytes))
            .await
            .map_err(|e| self.explain(&e))?;
        self.remember(&id);
        Ok(id)
    }

    async fn get(&self, id: &BlobId) -> Result<Bytes> {
        let location = locate(id).ok_or_else(|| Error::MissingBlob { id: id.clone() })?;
        let read = async { self.objects.get(&location).await?.bytes().await };
        let bytes = read.await.map_err(|e| match e {
            object_store::Error::NotFound { .. } => Error::MissingBlob { id: id.clone() },
            e => self.explain(&e),
        })?;
        if self.address(&bytes).await? == *id {
            Ok(bytes)
        } else {
            // So that putting the right bytes again writes them, in this process too.
            self.forget(id);
            Err(Error::CorruptBlob { id: id.clone() })
        }
    }

    async fn address(&self, bytes: &Bytes) -> Result<BlobId> {
        if self.root.is_none() || bytes.len() < HASH_INLINE {
            return Ok(address(bytes));
        }
        let bytes = bytes.clone();
        tokio::task::spawn_blocking(move || address(&bytes))
            .await
            .map_err(|_| Error::Closed)
    }

    fn is_written(&self, id: &BlobId) -> bool {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    fn remember(&self, id: &BlobId) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.len() >= MAX_WRITTEN {
            written.clear();
        }
        written.insert(id.clone());
    }

    fn forget(&self, id: &BlobId) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn explain(&self, error: &object_store::Error) -> Error {
        explain(self.root.as_deref().unwrap_or(Path::new("memory")), error)
    }
}

/// Creates every directory in advance. Made on demand, one could take a blob and its acknowledgement
/// while the task that made it has not yet written it to disk.
fn lay_out(root: &Path) -> Result<()> {
    let all = root.join("sha256");
    create_durably(&all)?;
    for high in HEX {
        for low in HEX {
            let path = all.join([char::from(*high), char::from(*low)].iter().collect::<String>());
            match std::fs::create_dir(&path) {
                Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(io_error(&path, &e)),
                _ => {}
            }
        }
    }
    sync(&all)
}

/// SHA-256 in lower-case hexadecimal digits.
fn address(bytes: &[u8]) -> BlobId {
    let sum = digest(&SHA256, bytes);
    let digits = sum.as_ref().iter().flat_map(|b| [b >> 4, b & 15]);
    BlobId::new(digits.map(|d| char::from(HEX[usize::from(d)])).collect::<String>())
}

/// `sha256/ab/cd…`: 256 directories keep each of them small. `None` if the id is no address.
fn locate(id: &BlobId) -> Option<Location> {
    let text = id.as_str();
    let is_address = text.len() == 64 && text.bytes().all(|b| HEX.contains(&b));
    let (directory, file) = text.split_at_checked(2).filter(|_| is_address)?;
    Some(Location::from(format!("sha256/{directory}/{file}")))
}

fn explain(root: &Path, error: &object_store::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<std::io::Error>() {
            return io_error(root, io);
        }
        cause = current.source();
    }
    Error::Blobs(error.to_string())
}
