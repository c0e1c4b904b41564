//! Saving and restoring: what is written when.
//!
//! Owns one save at a time: changed sections, changed mailboxes, then the commit. A save that fails leaves the one before it and is tried
//! again; until then [`Health`] says why. It never runs on a task that answers requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::AdministratorDescription;
use crate::entra::keys::SavedKey;
use crate::error::Error;
use crate::mail::keeping::{Lines, Taken};
use crate::persist::bodies::{self, Bodies};
use crate::persist::health::Health;
use crate::persist::journal::{self, Journal, Row};
use crate::persist::place::Place;
use crate::persist::{PERIOD, sections};
use crate::state::Sandbox;

const TENANT: &str = "tenant";
const SECTION: &str = "section";

/// What a tenant is born with and keeps for ever.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Founding {
    /// The tenant's id.
    pub id: Uuid,
    /// Its domain.
    pub domain: String,
    /// When it was made, by its own clock.
    pub created_at: Timestamp,
    /// Who may administer it.
    pub administrator: AdministratorDescription,
    /// Signs its tokens.
    pub key: SavedKey,
}

/// What an earlier start left.
#[derive(Debug, Default)]
pub struct Saved {
    /// Absent in a new place.
    pub founding: Option<Founding>,
    sections: HashMap<String, String>,
    /// Mailboxes and outside mails.
    pub mail: Lines,
}

/// Which save this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// One of many.
    Regular,
    /// The last one of an orderly stop.
    Closing,
}

/// Writes the state.
#[derive(Debug)]
pub struct Saver {
    place: Place,
    health: Arc<Health>,
    bodies: Arc<Bodies>,
    writing: Mutex<Writing>,
}

#[derive(Debug)]
struct Writing {
    journal: Journal,
    /// Whether `journal` is not yet in its place.
    first: bool,
    closed: bool,
    written: HashMap<&'static str, Written>,
}

/// What was last written of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    revision: Option<u64>,
    hash: [u8; 32],
}

impl Saver {
    /// Reads what an earlier start left in `place`.
    ///
    /// # Errors
    /// When it is damaged, of another version, or cannot be read.
    pub fn open(place: Place) -> Result<(Self, Saved), Error> {
        let path = place.journal();
        let health = Arc::new(Health::default());
        let bodies = Bodies::open(&place.bodies(), Arc::clone(&health))?;
        let mut saved = Saved::default();
        let exists = path.try_exists().map_err(|source| Error::file(&path, source))?;
        let journal = if exists {
            let found = journal::check(&path)?;
            if !found.closed {
                tracing::warn!(
                    path = %path.display(),
                    dropped_bytes = found.torn,
                    "the sandbox was not stopped in order: what happened since its last save is gone"
                );
            }
            bodies::reading_from(&bodies, || journal::replay(&path, found, |row| saved.take(row)))?;
            if saved.founding.is_none() {
                return Err(Error::state(&path, "it does not say which tenant it is of".to_owned()));
            }
            Journal::resume(&path, found).map_err(|source| Error::file(&path, source))?
        } else {
            let next = place.next_journal();
            Journal::create(&next).map_err(|source| Error::file(&next, source))?
        };
        let saver = Self {
            place,
            health,
            bodies,
            writing: Mutex::new(Writing {
                journal,
                first: !exists,
                closed: false,
                written: HashMap::new(),
            }),
        };
        Ok((saver, saved))
    }

    /// How the disk does.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// A saved state that contradicts itself.
    #[must_use]
    pub fn damage(&self, problem: String) -> Error {
        Error::state(&self.place.journal(), problem)
    }

    /// Gives the saved sections to a sandbox that is otherwise new.
    ///
    /// # Errors
    /// When a section cannot be read.
    pub fn restore(&self, saved: &Saved, sandbox: &Sandbox) -> Result<(), Error> {
        for section in sections(sandbox) {
            let Some(text) = saved.sections.get(section.name()) else {
                continue;
            };
            section.load(text).map_err(|error| {
                Error::state(
                    &self.place.journal(),
                    format!("the section {} cannot be read ({error})", section.name()),
                )
            })?;
        }
        Ok(())
    }

    /// Writes what changed since the last save.
    ///
    /// # Errors
    /// When the disk refuses; everything is tried again by the next save.
    pub fn save(&self, sandbox: &Sandbox, founding: &Founding, occasion: Occasion) -> Result<(), Error> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Taken::default();
        let result = self.save_with(&mut writing, sandbox, founding, occasion, &mut taken);
        match &result {
            Ok(()) => self.health.saved(),
            Err(error) => {
                writing.journal.abandon();
                writing.written.clear();
                sandbox.mail.put_back(taken);
                self.health.saving_failed(with_cause(error));
            }
        }
        result
    }

    fn save_with(
        &self,
        writing: &mut Writing,
        sandbox: &Sandbox,
        founding: &Founding,
        occasion: Occasion,
        taken: &mut Taken,
    ) -> Result<(), Error> {
        let dead = self.bodies.dead();
        if !writing.first && writing.journal.is_overgrown() {
            let next = self.place.next_journal();
            writing.journal = Journal::create(&next).map_err(|source| Error::file(&next, source))?;
            writing.first = true;
        }
        if writing.first {
            writing.written.clear();
            sandbox.mail.mark_all_unsaved();
        }
        let path = if writing.first {
            self.place.next_journal()
        } else {
            self.place.journal()
        };
        let disk = |source| Error::file(&path, source);
        if !writing.first {
            writing.journal.verify().map_err(disk)?;
        }
        if writing.first {
            let founding = json(&path, TENANT, serde_json::to_string(founding))?;
            writing.journal.append(TENANT, "-", &founding).map_err(disk)?;
        }
        for section in sections(sandbox) {
            let last = writing.written.get(section.name()).copied();
            let revision = section.revision();
            if revision.is_some() && last.is_some_and(|last| last.revision == revision) {
                continue;
            }
            let text = json(&path, section.name(), section.save())?;
            let mut hash = [0; 32];
            hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
            if last.is_none_or(|last| last.hash != hash) {
                writing.journal.append(SECTION, section.name(), &text).map_err(disk)?;
            }
            writing.written.insert(section.name(), Written { revision, hash });
        }
        sandbox.mail.save_mail(&mut writing.journal, &self.bodies, taken)?;
        self.bodies.sync()?;
        let closing = occasion == Occasion::Closing;
        if writing.first {
            writing.journal.take_place_of(&self.place.journal()).map_err(disk)?;
            writing.first = false;
            writing.closed = false;
        }
        if writing.journal.has_uncommitted() || writing.closed != closing {
            writing.journal.commit(closing).map_err(disk)?;
            writing.closed = closing;
        }
        self.bodies.sweep(&dead);
        Ok(())
    }
}

impl Saved {
    fn take(&mut self, row: Row<'_>) -> Result<(), String> {
        match row.kind {
            TENANT => {
                let founding = serde_json::from_str(row.value).map_err(|error| error.to_string())?;
                self.founding = Some(founding);
            }
            SECTION => {
                self.sections.insert(row.key.to_owned(), row.value.to_owned());
            }
            _ if self.mail.take(row)? => {}
            other => return Err(format!("lines of the kind '{other}' are unknown to this version")),
        }
        Ok(())
    }
}

fn json(path: &std::path::Path, what: &str, text: serde_json::Result<String>) -> Result<String, Error> {
    text.map_err(|error| Error::state(path, format!("the state of {what} cannot be written ({error})")))
}

fn with_cause(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Saves regularly until `stop`. It does not wait longer after a long save: what is not saved yet lies in memory.
pub async fn run(saver: Arc<Saver>, sandbox: Arc<Sandbox>, founding: Arc<Founding>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
        let (saver, sandbox, founding) = (Arc::clone(&saver), Arc::clone(&sandbox), Arc::clone(&founding));
        let was_failing = saver.health.problem().is_some();
        let result = tokio::task::spawn_blocking(move || saver.save(&sandbox, &founding, Occasion::Regular)).await;
        match result {
            Ok(Ok(())) if was_failing => tracing::info!("the state is saved again"),
            Ok(Ok(())) => {}
            Ok(Err(error)) if was_failing => {
                tracing::debug!(problem = with_cause(&error), "the state is still not saved");
            }
            Ok(Err(error)) => {
                let problem = with_cause(&error);
                tracing::error!(problem, "the state cannot be saved: changes are refused until it can");
            }
            Err(error) => tracing::error!(%error, "a save ended abnormally"),
        }
    }
}
