//! The bytes of mails on disk: append-only segment files, and handles to what lies in them.
//!
//! Owns the segments and the count of live bytes in each. A body is written once, framed by a magic word, its length
//! and a checksum, which every read checks. A segment that nothing live lies in is removed by [`Bodies::sweep`], and one that is mostly
//! dead is named by [`Bodies::sparse`] so that its last bodies can move. Never holds a body in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::persist::health::Health;

/// A segment ends when it is this long: few open files for many mails, and little to move when one is sparse.
const SEGMENT_BYTES: u64 = 256 * 1024 * 1024;
/// Magic word, length, checksum.
const FRAME: usize = 12;
const MAGIC: [u8; 4] = *b"MAIL";

/// Where a body lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Number of the segment.
    #[serde(rename = "s")]
    pub segment: u32,
    /// Where its frame begins.
    #[serde(rename = "o")]
    pub offset: u64,
    /// Bytes of the body.
    #[serde(rename = "l")]
    pub length: u32,
}

/// One segment file.
#[derive(Debug)]
struct Segment {
    number: u32,
    path: PathBuf,
    file: File,
    live: AtomicU64,
    health: Arc<Health>,
}

/// A body on disk. The bytes live as long as a handle to them does.
#[derive(Debug)]
pub struct Stored {
    segment: Arc<Segment>,
    offset: u64,
    length: u32,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.segment.live.fetch_sub(framed(self.length), Ordering::AcqRel);
    }
}

fn framed(length: u32) -> u64 {
    u64::from(length) + FRAME as u64
}

/// The bytes of a mail, wherever they are.
#[derive(Debug, Clone)]
pub enum Raw {
    /// In memory: without a data directory, or not yet saved.
    Held(Bytes),
    /// On disk.
    Stored(Arc<Stored>),
}

impl Raw {
    /// The bytes. Bytes that cannot be read come back empty, and [`Health::failed_reads`] tells: the door then refuses
    /// the whole answer.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::Held(bytes) => bytes.clone(),
            Self::Stored(stored) => stored.read(),
        }
    }

    /// The bytes, for what must not go on without them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn checked_bytes(&self) -> Result<Bytes, Error> {
        match self {
            Self::Held(bytes) => Ok(bytes.clone()),
            Self::Stored(stored) => stored
                .try_read()
                .map_err(|source| Error::file(&stored.segment.path, source)),
        }
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Held(bytes) => bytes.len(),
            Self::Stored(stored) => usize::try_from(stored.length).unwrap_or(usize::MAX),
        }
    }

    /// The bytes, if they are in memory only.
    #[must_use]
    pub fn held(&self) -> Option<&Bytes> {
        match self {
            Self::Held(bytes) => Some(bytes),
            Self::Stored(_) => None,
        }
    }

    /// Number of the segment they lie in.
    #[must_use]
    pub fn segment(&self) -> Option<u32> {
        match self {
            Self::Held(_) => None,
            Self::Stored(stored) => Some(stored.segment.number),
        }
    }
}

impl From<Bytes> for Raw {
    fn from(bytes: Bytes) -> Self {
        Self::Held(bytes)
    }
}

impl From<Vec<u8>> for Raw {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Held(bytes.into())
    }
}

/// As saved: a place on disk, or the bytes themselves.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    At(Location),
    Here {
        #[serde(with = "crate::persist::encoding::base64")]
        bytes: Vec<u8>,
    },
}

impl Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Held(bytes) => Written::Here { bytes: bytes.to_vec() }.serialize(serializer),
            Self::Stored(stored) => Written::At(stored.location()).serialize(serializer),
        }
    }
}

thread_local! {
    /// Where bodies are looked up while a saved state is read: a deserialiser has no other way to be told.
    static READING: std::cell::RefCell<Option<Arc<Bodies>>> = const { std::cell::RefCell::new(None) };
}

/// Lets saved mails find their bodies in `bodies` while `read` runs.
pub fn reading_from<T>(bodies: &Arc<Bodies>, read: impl FnOnce() -> T) -> T {
    READING.set(Some(Arc::clone(bodies)));
    let result = read();
    READING.set(None);
    result
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        match Written::deserialize(deserializer)? {
            Written::Here { bytes } => Ok(bytes.into()),
            Written::At(location) => READING.with_borrow(|bodies| match bodies {
                Some(bodies) => bodies.at(location).map(Self::Stored).map_err(D::Error::custom),
                None => Err(D::Error::custom("its bytes lie on disk, and no directory is open")),
            }),
        }
    }
}

impl Stored {
    /// Where it lies.
    #[must_use]
    pub fn location(&self) -> Location {
        Location {
            segment: self.segment.number,
            offset: self.offset,
            length: self.length,
        }
    }

    fn read(&self) -> Bytes {
        let problem = match self.try_read() {
            Ok(bytes) => return bytes,
            Err(problem) => problem,
        };
        tracing::error!(
            path = %self.segment.path.display(),
            offset = self.offset,
            %problem,
            "the bytes of a mail cannot be read"
        );
        self.segment.health.read_failed();
        Bytes::new()
    }

    fn try_read(&self) -> std::io::Result<Bytes> {
        let length = usize::try_from(framed(self.length)).unwrap_or(usize::MAX);
        let mut frame = vec![0; length];
        read_at(&self.segment.file, &mut frame, self.offset)?;
        let frame = Bytes::from(frame);
        let body = frame.slice(FRAME..);
        if frame[..FRAME] != head(&body) {
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                "the checksum of the mail is wrong",
            ));
        }
        Ok(body)
    }
}

fn head(body: &[u8]) -> [u8; FRAME] {
    let mut head = [0; FRAME];
    head[..4].copy_from_slice(&MAGIC);
    head[4..8].copy_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    head[8..].copy_from_slice(&digest::digest(&digest::SHA256, body).as_ref()[..4]);
    head
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}

/// All segments of a data directory.
#[derive(Debug)]
pub struct Bodies {
    directory: PathBuf,
    health: Arc<Health>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Every segment with its length.
    segments: BTreeMap<u32, (Arc<Segment>, u64)>,
    /// The one that grows.
    current: Option<u32>,
    last: u32,
    /// Those with bytes that are not yet surely on disk.
    unsynced: BTreeSet<u32>,
    /// Whether a file was made since the directory was last brought to disk.
    made: bool,
}

impl Bodies {
    /// The segments found in `directory`. New bodies go to a new segment: the end of an old one may be torn.
    ///
    /// # Errors
    /// When the directory or a segment cannot be read.
    pub fn open(directory: &Path, health: Arc<Health>) -> Result<Arc<Self>, Error> {
        std::fs::create_dir_all(directory).map_err(|source| Error::file(directory, source))?;
        let mut state = State::default();
        for entry in std::fs::read_dir(directory).map_err(|source| Error::file(directory, source))? {
            let path = entry.map_err(|source| Error::file(directory, source))?.path();
            let number = path
                .file_name()
                .and_then(|name| name.to_str()?.strip_suffix(".mails")?.parse::<u32>().ok());
            let Some(number) = number else { continue };
            let file = File::open(&path).map_err(|source| Error::file(&path, source))?;
            let length = file.metadata().map_err(|source| Error::file(&path, source))?.len();
            let segment = Segment {
                number,
                path,
                file,
                live: AtomicU64::new(0),
                health: Arc::clone(&health),
            };
            state.segments.insert(number, (Arc::new(segment), length));
            state.last = state.last.max(number);
        }
        Ok(Arc::new(Self {
            directory: directory.to_owned(),
            health,
            state: Mutex::new(state),
        }))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A body of an earlier start.
    ///
    /// # Errors
    /// When its segment is missing or too short.
    pub fn at(&self, location: Location) -> Result<Arc<Stored>, String> {
        let state = self.state();
        let name = file_name(location.segment);
        let (segment, length) = state
            .segments
            .get(&location.segment)
            .ok_or_else(|| format!("its bytes lie in bodies/{name}, which is missing"))?;
        let end = location.offset.saturating_add(framed(location.length));
        if end > *length {
            return Err(format!(
                "its bytes end at {end} of bodies/{name}, which has been cut to {length}"
            ));
        }
        segment.live.fetch_add(framed(location.length), Ordering::AcqRel);
        Ok(Arc::new(Stored {
            segment: Arc::clone(segment),
            offset: location.offset,
            length: location.length,
        }))
    }

    /// Writes bodies behind each other.
    ///
    /// # Errors
    /// When the disk refuses; what was written of them is dead.
    pub fn append(&self, bodies: &[Bytes]) -> Result<Vec<Arc<Stored>>, Error> {
        let mut state = self.state();
        let mut stored = Vec::with_capacity(bodies.len());
        let mut left = bodies;
        while !left.is_empty() {
            let (segment, start) = self.current(&mut state)?;
            let mut buffer = Vec::new();
            let mut taken = 0;
            while let Some(body) = left.get(taken) {
                if taken > 0 && start + (buffer.len() + body.len()) as u64 > SEGMENT_BYTES {
                    break;
                }
                let offset = start + buffer.len() as u64;
                buffer.extend_from_slice(&head(body));
                buffer.extend_from_slice(body);
                let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
                segment.live.fetch_add(framed(length), Ordering::AcqRel);
                stored.push(Arc::new(Stored {
                    segment: Arc::clone(&segment),
                    offset,
                    length,
                }));
                taken += 1;
            }
            left = &left[taken..];
            state.unsynced.insert(segment.number);
            if let Err(source) = (&segment.file).write_all(&buffer) {
                // The end of the segment is not known any more; the next body goes elsewhere.
                state.current = None;
                return Err(Error::file(&segment.path, source));
            }
            if let Some((_, length)) = state.segments.get_mut(&segment.number) {
                *length += buffer.len() as u64;
            }
        }
        Ok(stored)
    }

    /// The segment that grows and its length; a new one when there is none or it is full.
    fn current(&self, state: &mut State) -> Result<(Arc<Segment>, u64), Error> {
        if let Some((segment, length)) = state.current.and_then(|number| state.segments.get(&number))
            && *length < SEGMENT_BYTES
        {
            return Ok((Arc::clone(segment), *length));
        }
        let number = state.last + 1;
        let path = self.directory.join(file_name(number));
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|source| Error::file(&path, source))?;
        let segment = Arc::new(Segment {
            number,
            path,
            file,
            live: AtomicU64::new(0),
            health: Arc::clone(&self.health),
        });
        state.last = number;
        state.current = Some(number);
        state.made = true;
        state.segments.insert(number, (Arc::clone(&segment), 0));
        Ok((segment, 0))
    }

    /// Brings what was appended to disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&self) -> Result<(), Error> {
        let mut state = self.state();
        while let Some(number) = state.unsynced.first().copied() {
            if let Some((segment, _)) = state.segments.get(&number) {
                let synced = segment.file.sync_data();
                // The file must still be where a restart will look for it.
                let there = synced.and_then(|()| std::fs::metadata(&segment.path));
                there.map_err(|source| Error::file(&segment.path, source))?;
            }
            state.unsynced.remove(&number);
        }
        if state.made {
            File::open(&self.directory)
                .and_then(|directory| directory.sync_all())
                .map_err(|source| Error::file(&self.directory, source))?;
            state.made = false;
        }
        Ok(())
    }

    /// Segments in which nothing lives. Ask before a save, [sweep](Self::sweep) after it: until then the journal may
    /// still name them.
    #[must_use]
    pub fn dead(&self) -> Vec<u32> {
        let state = self.state();
        let dead = state.segments.iter().filter(|(number, (segment, _))| {
            Some(**number) != state.current && segment.live.load(Ordering::Acquire) == 0
        });
        dead.map(|(number, _)| *number).collect()
    }

    /// Removes the files of dead segments.
    pub fn sweep(&self, dead: &[u32]) {
        let mut state = self.state();
        for number in dead {
            let Some((segment, _)) = state.segments.remove(number) else {
                continue;
            };
            if let Err(error) = std::fs::remove_file(&segment.path) {
                tracing::warn!(path = %segment.path.display(), %error, "a file of deleted mails could not be removed");
            }
        }
    }

    /// A segment that is mostly dead, if there is one: its live bodies should move, so that it can go. One at a time
    /// bounds the work of a save.
    #[must_use]
    pub fn sparse(&self) -> Option<u32> {
        let state = self.state();
        let sparse = state.segments.iter().find(|(number, (segment, length))| {
            let live = segment.live.load(Ordering::Acquire);
            Some(**number) != state.current && live > 0 && live < length / 2
        });
        sparse.map(|(number, _)| *number)
    }

    /// Bytes of all segments on disk, and how many of them live.
    #[cfg(test)]
    #[must_use]
    pub fn usage(&self) -> (u64, u64) {
        let state = self.state();
        let all = state.segments.values().map(|(_, length)| length).sum();
        let live = state
            .segments
            .values()
            .map(|(segment, _)| segment.live.load(Ordering::Acquire))
            .sum();
        (all, live)
    }

    /// Ends the growing segment, so that the next body begins another.
    #[cfg(test)]
    pub fn roll(&self) {
        self.state().current = None;
    }
}

fn file_name(number: u32) -> String {
    format!("{number:08}.mails")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(directory: &Path) -> Arc<Bodies> {
        Bodies::open(directory, Arc::default()).unwrap()
    }

    fn put(bodies: &Bodies, text: &str) -> Arc<Stored> {
        bodies.append(&[Bytes::from(text.to_owned())]).unwrap().remove(0)
    }

    #[test]
    fn bodies_are_read_back_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let first = open(directory.path());
        let places = [put(&first, "one").location(), put(&first, "").location()];
        let again = open(directory.path());
        assert_eq!(Raw::Stored(again.at(places[0]).unwrap()).bytes(), "one");
        assert_eq!(Raw::Stored(again.at(places[1]).unwrap()).bytes(), "");
    }

    #[test]
    fn a_cut_segment_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let place = put(&open(directory.path()), "something").location();
        let path = directory.path().join("00000001.mails");
        std::fs::write(&path, &std::fs::read(&path).unwrap()[..15]).unwrap();
        let problem = open(directory.path()).at(place).unwrap_err();
        assert!(problem.contains("00000001.mails"), "{problem}");
        std::fs::remove_file(&path).unwrap();
        let problem = open(directory.path()).at(place).unwrap_err();
        assert!(problem.contains("missing"), "{problem}");
    }

    #[test]
    fn damaged_bytes_are_noticed_and_never_shown() {
        let directory = tempfile::tempdir().unwrap();
        let health = Arc::new(Health::default());
        let bodies = Bodies::open(directory.path(), Arc::clone(&health)).unwrap();
        let stored = Raw::Stored(put(&bodies, "something"));
        let path = directory.path().join("00000001.mails");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[14] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(health.failed_reads(), 0);
        assert!(stored.bytes().is_empty());
        assert_eq!(health.failed_reads(), 1);
    }

    #[test]
    fn a_segment_goes_when_its_last_body_does() {
        let directory = tempfile::tempdir().unwrap();
        let bodies = open(directory.path());
        let (one, two) = (put(&bodies, "a long one, long, long, long"), put(&bodies, "two"));
        bodies.roll();
        assert_eq!((bodies.sparse(), bodies.dead()), (None, vec![]));
        drop(one);
        assert_eq!(bodies.sparse(), Some(1));
        let copy = Arc::clone(&two);
        drop(two);
        assert!(bodies.dead().is_empty());
        drop(copy);
        assert_eq!((bodies.sparse(), bodies.dead()), (None, vec![1]));
        bodies.sweep(&[1]);
        assert_eq!(bodies.usage(), (0, 0));
        assert!(!directory.path().join("00000001.mails").exists());
    }
}
