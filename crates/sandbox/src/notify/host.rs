//! What change notifications need of the services around them.
//!
//! Owns two interfaces and no state: the mailboxes, which say who may watch and show their messages, and the signer of
//! validation tokens. Who may watch is decided in one place, [`Host::may_watch`], so that rules of Exchange apply to
//! subscriptions as they do to reading.

use serde_json::Value;

use crate::auth::Caller;
use crate::directory::UserRef;
use crate::mail::ids::FolderKey;
use crate::mail::mailbox::Mailbox;
use crate::mail::permissions::Depth;
use crate::odata::error::ODataError;

/// The mailboxes of the tenant.
pub trait Host: Send + Sync {
    /// Whether the caller may hear of changes in the user's mailbox, and how much of a message it may see.
    fn may_watch(&self, caller: &Caller, user: &UserRef) -> Result<Depth, ODataError>;

    /// The folder of a user's mailbox by id or well-known name, or none for the whole mailbox; fails when there is no
    /// such mailbox or folder.
    fn folder(&self, user: &UserRef, folder: Option<&str>) -> Result<Option<FolderKey>, ODataError>;

    /// Looks into a mailbox while nothing in it changes.
    fn look(&self, user: uuid::Uuid, look: &mut dyn FnMut(&Mailbox)) -> Result<(), ODataError>;
}

/// Signs with the tenant's key.
pub trait Signer: Send + Sync + std::fmt::Debug {
    /// A compact token with these claims.
    fn sign(&self, claims: &Value) -> String;
}
