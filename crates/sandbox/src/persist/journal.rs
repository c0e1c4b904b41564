//! The journal: one file of lines, each with its checksum, grouped by commits.
//!
//! Owns the format and its checks. A line is `checksum kind key json`; a later line replaces an earlier one of the same
//! kind and key. Lines count once a commit line follows them: a save that was interrupted leaves lines without a
//! commit at the end, which are dropped; a bad line that a commit follows is damage and refused. It never knows what
//! the lines mean.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::error::Error;

/// First line of every journal. Another number is another format.
const HEADER: &str = "guichet-sandbox-state 1\n";
/// What every header starts with, whatever its number.
const HEADER_START: &str = "guichet-sandbox-state ";
/// Buffered bytes that are handed to the system before the commit.
const WRITE_AT: usize = 4 * 1024 * 1024;
/// Kind of the line that makes the ones before it count.
const COMMIT: &str = "commit";
/// Hexadecimal digits of a checksum.
const SUM_DIGITS: usize = 8;
/// A journal is written anew when it is this much longer than twice what it was then.
const SLACK: u64 = 64 * 1024 * 1024;

/// One line of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// What it is about.
    pub kind: &'a str,
    /// Which one.
    pub key: &'a str,
    /// JSON without line ends.
    pub value: &'a str,
}

/// How far a journal found on disk can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Bytes up to the end of the last commit.
    pub committed: u64,
    /// Length when it was last written anew.
    pub base: u64,
    /// Whether the last commit is the one of an orderly stop.
    pub closed: bool,
    /// Bytes after the last commit: a save that was interrupted.
    pub torn: u64,
}

/// A journal open for writing.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    committed: u64,
    written: u64,
    base: u64,
    buffer: Vec<u8>,
}

impl Journal {
    /// An empty journal at `path`, replacing what is there.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let mut file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(path)?;
        file.write_all(HEADER.as_bytes())?;
        Ok(Self {
            path: path.to_owned(),
            file,
            committed: HEADER.len() as u64,
            written: HEADER.len() as u64,
            base: 0,
            buffer: Vec::new(),
        })
    }

    /// Goes on with a journal that was checked; an interrupted save at its end is cut off.
    ///
    /// # Errors
    /// When the file cannot be opened or cut.
    pub fn resume(path: &Path, found: Found) -> std::io::Result<Self> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.set_len(found.committed)?;
        file.seek(SeekFrom::Start(found.committed))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            committed: found.committed,
            written: found.committed,
            base: found.base,
            buffer: Vec::new(),
        })
    }

    /// Adds a line to the save under way.
    ///
    /// # Errors
    /// When the disk refuses; the save must then be [abandoned](Self::abandon).
    pub fn append(&mut self, kind: &str, key: &str, value: &str) -> std::io::Result<()> {
        debug_assert!(!value.contains('\n') && !key.contains([' ', '\n']));
        let start = self.buffer.len();
        self.buffer.resize(start + SUM_DIGITS, 0);
        for part in [" ", kind, " ", key, " ", value] {
            self.buffer.extend_from_slice(part.as_bytes());
        }
        let sum = checksum(&self.buffer[start + SUM_DIGITS + 1..]);
        self.buffer[start..start + SUM_DIGITS].copy_from_slice(&sum);
        self.buffer.push(b'\n');
        if self.buffer.len() >= WRITE_AT {
            self.hand_over()?;
        }
        Ok(())
    }

    /// Whether the file is still the one that was written: nobody removed, replaced or cut it.
    ///
    /// # Errors
    /// What happened to it.
    pub fn verify(&self) -> std::io::Result<()> {
        let length = std::fs::metadata(&self.path)?.len();
        if length == self.committed {
            return Ok(());
        }
        let committed = self.committed;
        Err(std::io::Error::other(format!(
            "somebody else changed it: it has {length} bytes and should have {committed}"
        )))
    }

    /// Whether lines wait for a commit.
    #[must_use]
    pub fn has_uncommitted(&self) -> bool {
        !self.buffer.is_empty() || self.written > self.committed
    }

    /// Makes the lines since the last commit count, once they are on disk.
    ///
    /// # Errors
    /// When the disk refuses; the save must then be [abandoned](Self::abandon).
    pub fn commit(&mut self, closed: bool) -> std::io::Result<()> {
        let value = format!("{{\"base\":{},\"closed\":{closed}}}", self.base);
        self.append(COMMIT, "-", &value)?;
        self.hand_over()?;
        self.file.sync_data()?;
        self.committed = self.written;
        Ok(())
    }

    /// Takes back the lines since the last commit as far as the disk lets us; what stays has no commit.
    pub fn abandon(&mut self) {
        self.buffer.clear();
        self.written = self.committed;
        let cut = self.file.metadata().and_then(|found| {
            // A file that somebody made shorter must stay recognisable as such.
            if found.len() > self.committed {
                self.file.set_len(self.committed)?;
            }
            self.file.seek(SeekFrom::Start(self.committed))
        });
        if let Err(error) = cut {
            tracing::warn!(path = %self.path.display(), %error, "an interrupted save could not be cut off");
        }
    }

    /// Whether so much of the journal is superseded that it should be written anew.
    #[must_use]
    pub fn is_overgrown(&self) -> bool {
        self.committed > self.base.saturating_mul(2).saturating_add(SLACK)
    }

    /// Declares all that was written so far to be the whole state, and takes the place of `target` on disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn take_place_of(&mut self, target: &Path) -> std::io::Result<()> {
        self.hand_over()?;
        self.base = self.written;
        self.commit(false)?;
        self.file.sync_all()?;
        std::fs::rename(&self.path, target)?;
        self.path = target.to_owned();
        if let Some(directory) = target.parent() {
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    }

    fn hand_over(&mut self) -> std::io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Keys and client secrets are in it.
        options.mode(0o600);
    }
    options
}

fn checksum(line: &[u8]) -> [u8; SUM_DIGITS] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = digest::digest(&digest::SHA256, line);
    let mut sum = [0; SUM_DIGITS];
    for (pair, byte) in sum.chunks_exact_mut(2).zip(digest.as_ref()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    sum
}

/// Splits a line without its end; `None` when its checksum or shape is wrong.
fn split(line: &[u8]) -> Option<Row<'_>> {
    let (sum, rest) = line.split_at_checked(SUM_DIGITS)?;
    let content = rest.strip_prefix(b" ")?;
    if checksum(content) != sum {
        return None;
    }
    let text = std::str::from_utf8(content).ok()?;
    let (kind, rest) = text.split_once(' ')?;
    let (key, value) = rest.split_once(' ')?;
    Some(Row { kind, key, value })
}

/// Checks a journal from end to end.
///
/// # Errors
/// When it cannot be read, is of another version, or is damaged.
pub fn check(path: &Path) -> Result<Found, Error> {
    let mut reader = open(path)?;
    let mut at = HEADER.len() as u64;
    let mut found = Found {
        committed: 0,
        base: 0,
        closed: false,
        torn: 0,
    };
    let (mut line, mut number, mut bad) = (Vec::new(), 1_u64, None);
    loop {
        line.clear();
        if read_line(&mut reader, &mut line, path)? == 0 {
            break;
        }
        number += 1;
        at += line.len() as u64;
        let whole = line.strip_suffix(b"\n").and_then(split);
        match whole {
            None => bad = bad.or(Some(number)),
            Some(row) if row.kind == COMMIT => {
                if let Some(bad) = bad {
                    return Err(Error::state(
                        path,
                        format!("line {bad} is damaged, though later saves follow it"),
                    ));
                }
                found = read_commit(row.value, at)
                    .ok_or_else(|| Error::state(path, format!("line {number} is a commit of an unknown form")))?;
            }
            Some(_) => {}
        }
    }
    if found.committed == 0 {
        return Err(Error::state(path, "it holds no complete save".to_owned()));
    }
    found.torn = at - found.committed;
    Ok(found)
}

fn read_commit(value: &str, at: u64) -> Option<Found> {
    let commit: serde_json::Value = serde_json::from_str(value).ok()?;
    Some(Found {
        committed: at,
        base: commit["base"].as_u64()?,
        closed: commit["closed"].as_bool()?,
        torn: 0,
    })
}

/// Gives every line up to the last commit to `take`, in order.
///
/// # Errors
/// When the file cannot be read, or `take` refuses a line.
pub fn replay(path: &Path, found: Found, mut take: impl FnMut(Row<'_>) -> Result<(), String>) -> Result<(), Error> {
    let left = found.committed.saturating_sub(HEADER.len() as u64);
    let mut reader = BufReader::with_capacity(WRITE_AT, open(path)?.take(left));
    let (mut line, mut number) = (Vec::new(), 1_u64);
    loop {
        line.clear();
        if read_line(&mut reader, &mut line, path)? == 0 {
            return Ok(());
        }
        number += 1;
        let row = line
            .strip_suffix(b"\n")
            .and_then(split)
            .ok_or_else(|| Error::state(path, format!("line {number} changed while it was read")))?;
        if row.kind != COMMIT {
            take(row).map_err(|problem| Error::state(path, format!("line {number}: {problem}")))?;
        }
    }
}

fn read_line(reader: &mut impl std::io::BufRead, line: &mut Vec<u8>, path: &Path) -> Result<usize, Error> {
    reader
        .read_until(b'\n', line)
        .map_err(|source| Error::file(path, source))
}

/// Opens a journal and reads its header.
fn open(path: &Path) -> Result<BufReader<File>, Error> {
    let file = File::open(path).map_err(|source| Error::file(path, source))?;
    let mut reader = BufReader::with_capacity(WRITE_AT, file);
    let mut header = Vec::new();
    let read = reader.by_ref().take(HEADER.len() as u64).read_until(b'\n', &mut header);
    read.map_err(|source| Error::file(path, source))?;
    if header == HEADER.as_bytes() {
        return Ok(reader);
    }
    let text = String::from_utf8_lossy(&header);
    Err(match text.strip_prefix(HEADER_START) {
        Some(version) => Error::state(
            path,
            format!(
                "it has format {}, and this version reads format {}: use the version that wrote it",
                version.trim_end(),
                HEADER[HEADER_START.len()..].trim_end()
            ),
        ),
        None => Error::state(path, "it does not start like a saved state".to_owned()),
    })
}

#[cfg(test)]
mod tests;
