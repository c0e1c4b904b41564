//! The tenant on disk: what survives a restart of a sandbox with a data directory, and how a service takes part.
//!
//! Owns the directory `state` below the data directory, its lock, and the order of saving and restoring. It never
//! decides what a service's state means. Invariant: what a commit of the journal covers is on disk whole, and a damaged
//! state is refused by name, never replaced by an empty one.
//!
//! # How a service's state is saved
//!
//! Implement [`Section`] on the struct that owns the state and add it to [`sections`]:
//!
//! ```ignore
//! impl Section for Policies {
//!     fn name(&self) -> &'static str { "exchange.policies" }
//!     fn save(&self) -> serde_json::Result<String> { serde_json::to_string(&*self.read()) }
//!     fn load(&self, saved: &str) -> serde_json::Result<()> { *self.write() = serde_json::from_str(saved)?; Ok(()) }
//! }
//! ```
//!
//! That is all. `save` is called about once a second and at shutdown; what it returns is written when it differs from
//! what was written last. A section that is costly to serialise also gives a [`Section::revision`]: a number that
//! changes with every change. `load` is called once, before the first request, on a service that is otherwise new; a
//! section that was never saved is not loaded. Use plain `#[derive(Serialize, Deserialize)]`, `#[serde(default)]` for
//! members that come later, maps with keys that JSON can write (text, numbers, UUIDs), and [`encoding`] for bytes and
//! secrets. Names of sections stay for ever; format changes that `default` cannot bridge take a new name.
//!
//! What belongs to one mailbox needs no section: [`crate::mail::mailbox::Mailbox`], its folders and its messages are
//! written by themselves whenever a mailbox was opened for writing. A new member of those structs is saved if it is
//! serialisable and not marked `#[serde(skip)]`; give it `#[serde(default)]`.
//!
//! # What a crash costs
//!
//! A stop by signal or `shutdown` loses nothing. A killed process loses at most what happened since the last save:
//! [`PERIOD`], and the time that a save takes. While saving fails (a full disk), changes are
//! refused with 507 until it succeeds again. Not saved, since they are of the moment: uploads in progress, sign-in codes
//! that wait, directory delta states, fault rules, throttling counters and the request ledger.

pub mod bodies;
pub mod encoding;
pub mod health;
pub mod journal;
pub mod place;
pub mod saver;

use std::time::Duration;

use crate::mail::keeping::{NotifySection, TransportSection};
use crate::state::Sandbox;

/// Time between two saves when saving is quick.
pub const PERIOD: Duration = Duration::from_secs(1);

/// State that is saved as one JSON document.
pub trait Section: Send + Sync {
    /// Under which name it is kept: lower case, no spaces, never reused for something else.
    fn name(&self) -> &'static str;

    /// The state as one line of JSON.
    ///
    /// # Errors
    /// When the state has a shape that JSON cannot express; a defect that a test must find.
    fn save(&self) -> serde_json::Result<String>;

    /// Takes over a saved state; called once, before the first request.
    ///
    /// # Errors
    /// When the text is not what [`Section::save`] wrote.
    fn load(&self, saved: &str) -> serde_json::Result<()>;

    /// A number that changes whenever the state does, if the service counts its changes. Without one the state is
    /// serialised at every save to see whether it changed.
    fn revision(&self) -> Option<u64> {
        None
    }
}

impl<S: Section + ?Sized> Section for &S {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn save(&self) -> serde_json::Result<String> {
        (**self).save()
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        (**self).load(saved)
    }

    fn revision(&self) -> Option<u64> {
        (**self).revision()
    }
}

/// Every section, in the order of loading.
#[must_use]
pub fn sections(sandbox: &Sandbox) -> Vec<Box<dyn Section + '_>> {
    vec![
        Box::new(sandbox.clock.as_ref()),
        Box::new(sandbox.entropy.as_ref()),
        Box::new(sandbox.tenant.as_ref()),
        Box::new(sandbox.exchange.as_ref()),
        Box::new(&sandbox.entra.refresh_tokens),
        Box::new(&sandbox.revocations),
        Box::new(sandbox.throttle.as_ref()),
        Box::new(&sandbox.mail),
        Box::new(TransportSection(&sandbox.mail)),
        Box::new(NotifySection(&sandbox.mail)),
    ]
}
