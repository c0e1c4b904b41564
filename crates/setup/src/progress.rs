//! How `apply` tells what it is doing, and how it waits.
//!
//! Owns the bound of every wait. Never waits without saying why.

use std::time::Duration;

use guichet_graph::Time;
use serde::Serialize;

use crate::{
    Error,
    plan::{Change, StepId},
};

/// Told of every step as it happens. Calls are quick: they print or they record.
pub trait Progress: Send + Sync {
    /// The step begins.
    fn started(&self, step: StepId);
    /// The step waits a few seconds and tries again.
    fn waiting(&self, step: StepId, reason: Waiting);
    /// The step is finished, with the changes that it made; none if all was as wanted.
    fn done(&self, step: StepId, changes: &[Change]);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn started(&self, _: StepId) {}
    fn waiting(&self, _: StepId, _: Waiting) {}
    fn done(&self, _: StepId, _: &[Change]) {}
}

/// The steps of one run: tells of each and keeps what it changed.
pub(crate) struct Steps<'a> {
    progress: &'a dyn Progress,
    /// The changes so far, in order.
    pub made: Vec<Change>,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(progress: &'a dyn Progress) -> Self {
        Self {
            progress,
            made: Vec::new(),
        }
    }

    pub(crate) fn started(&self, step: StepId) {
        self.progress.started(step);
    }

    pub(crate) fn done(&mut self, step: StepId, changes: Vec<Change>) {
        self.progress.done(step, &changes);
        self.made.extend(changes);
    }
}

/// What is being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Waiting {
    /// A new directory object is not visible on every server of the directory yet.
    DirectoryReplication,
    /// A new secret is not known to the sign-in service yet.
    SecretPropagation,
    /// The consent is given, and new tokens do not carry it yet.
    ConsentPropagation,
    /// The token carries the permission, and Exchange does not honour it yet.
    MailboxAccess,
}

impl Waiting {
    /// Every reason.
    pub const ALL: [Self; 4] = [
        Self::DirectoryReplication,
        Self::SecretPropagation,
        Self::ConsentPropagation,
        Self::MailboxAccess,
    ];
}

/// Pauses of one wait: 1, 2, 4 s, then 5 s each. Replication usually takes seconds; two minutes are
/// the longest that a person watches before wanting to know.
const PAUSES: u32 = 26;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A bounded series of pauses.
pub(crate) struct Patience<'a> {
    time: &'a dyn Time,
    progress: &'a dyn Progress,
    step: StepId,
    taken: u32,
    waited: Duration,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(time: &'a dyn Time, progress: &'a dyn Progress, step: StepId) -> Self {
        Self {
            time,
            progress,
            step,
            taken: 0,
            waited: Duration::ZERO,
        }
    }

    /// Pauses once.
    ///
    /// # Errors
    /// [`Error::StillWaiting`] when all pauses are used up; `last` says what was seen last.
    pub(crate) async fn pause(&mut self, reason: Waiting, last: &str) -> Result<(), Error> {
        if self.taken >= PAUSES {
            return Err(Error::StillWaiting {
                step: self.step,
                reason,
                seconds: self.waited.as_secs(),
                last: last.to_owned(),
            });
        }
        self.progress.waiting(self.step, reason);
        let pause = Duration::from_secs(1 << self.taken.min(3)).min(LONGEST_PAUSE);
        self.taken += 1;
        self.waited += pause;
        self.time.sleep(pause).await;
        Ok(())
    }
}
