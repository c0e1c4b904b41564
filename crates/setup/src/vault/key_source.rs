//! Where the master key comes from: a file of its own, the environment, or a credential of systemd.
//!
//! Owns the reading and the first writing of the key file. Never replaces a key that exists: all
//! that was sealed under it would be lost. Invariant: the file holds a whole key or does not exist.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{SecretBox, zeroize::Zeroizing};

use super::KEY_LENGTH;
use crate::Error;

/// Only the owner may read or write the key file.
const OWNER_ONLY: u32 = 0o600;
const OTHERS: u32 = 0o077;
/// Base64 of a key with line breaks around it.
const LONGEST_CREDENTIAL: usize = 64;

/// Where the master key is.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file of exactly 32 bytes; created if it is missing, refused if others may read it.
    File(PathBuf),
    /// A file that the service manager made for this one service: 32 bytes, or the same in base64. Never created, and
    /// its mode is the service manager's affair.
    Credential(PathBuf),
    /// The value of an environment variable: 32 bytes in base64.
    Environment(String),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "key file {}", path.display()),
            Self::Credential(path) => write!(f, "credential {}", path.display()),
            Self::Environment(_) => f.write_str("key from the environment"),
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySource({self})")
    }
}

type Master = SecretBox<[u8; KEY_LENGTH]>;

impl KeySource {
    pub(super) fn read(self) -> Result<Master, Error> {
        let origin = self.to_string();
        let read = match self {
            Self::File(path) => read_or_create(&path),
            Self::Credential(path) => read_credential(&path),
            Self::Environment(text) => decode(&Zeroizing::new(text)),
        };
        read.map_err(|detail| Error::KeyUnusable { origin, detail })
    }
}

fn read_credential(path: &Path) -> Result<Master, String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_CREDENTIAL));
    let opened = File::open(path).map_err(|error| format!("it can't be read: {error}"))?;
    let read = opened.take(LONGEST_CREDENTIAL as u64).read_to_end(&mut bytes);
    read.map_err(|error| format!("it can't be read: {error}"))?;
    if let Some(key) = whole(&bytes) {
        return Ok(key);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        format!(
            "it has {} bytes, expected {KEY_LENGTH}, or {KEY_LENGTH} in base64",
            bytes.len()
        )
    })?;
    decode(text)
}

fn decode(text: &str) -> Result<Master, String> {
    let bytes = BASE64_STANDARD.decode(text.trim()).map(Zeroizing::new).map_err(|_| {
        format!("it is not base64: set {KEY_LENGTH} random bytes in base64 (openssl rand -base64 {KEY_LENGTH})")
    })?;
    let length = bytes.len();
    whole(&bytes).ok_or_else(|| format!("it has {length} bytes after base64, expected {KEY_LENGTH}"))
}

fn whole(bytes: &[u8]) -> Option<Master> {
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    if bytes.len() != KEY_LENGTH {
        return None;
    }
    key.copy_from_slice(bytes);
    Some(SecretBox::new(Box::new(*key)))
}

fn read_or_create(path: &Path) -> Result<Master, String> {
    match read_existing(path) {
        Err(Reading::Missing) => {
            create(path).map_err(|error| {
                format!(
                    "it does not exist and can't be created ({error}): make its directory writable for the user that \
                     runs Guichet"
                )
            })?;
            read_existing(path).map_err(Reading::into_detail)
        }
        other => other.map_err(Reading::into_detail),
    }
}

enum Reading {
    Missing,
    Refused(String),
}

impl Reading {
    fn into_detail(self) -> String {
        match self {
            Self::Missing => "it vanished while it was being created".to_owned(),
            Self::Refused(detail) => detail,
        }
    }
}

fn read_existing(path: &Path) -> Result<Master, Reading> {
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Reading::Missing,
        _ => Reading::Refused(format!(
            "it can't be read ({error}): make it readable for the user that runs Guichet"
        )),
    };
    let file = File::open(path).map_err(refused)?;
    let metadata = file.metadata().map_err(refused)?;
    if !metadata.is_file() {
        return Err(Reading::Refused("it is not a regular file".to_owned()));
    }
    let mode = metadata.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(Reading::Refused(format!(
            "its mode {:o} lets others read or change it: run chmod 600 {}",
            mode & 0o777,
            path.display()
        )));
    }
    // One byte more than a key, so that a longer file is noticed and a huge one is not read.
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_LENGTH + 1));
    file.take(KEY_LENGTH as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(refused)?;
    whole(&bytes).ok_or_else(|| {
        Reading::Refused(format!(
            "it has {} bytes, expected exactly {KEY_LENGTH}: restore it from a backup",
            metadata.len()
        ))
    })
}

/// Writes a fresh key beside its place and links it in, so that a crash leaves no half key and a
/// process that creates it at the same moment is not overwritten.
fn create(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory)?;
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    aws_lc_rs::rand::fill(key.as_mut_slice()).map_err(|_| io::Error::other("no random bytes"))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let beside = directory.join(name);
    let written = write_new(&beside, key.as_slice()).and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&beside);
    written?;
    removed?;
    // The name must be on the disk before anything is sealed under the key.
    File::open(directory)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Left behind by a process that died here under the same process id.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
