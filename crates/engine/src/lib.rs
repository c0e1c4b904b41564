//! Long-running work: rounds over dirty folders, subscriptions, delivery from the outbox.
//!
//! Owns every task that it starts and ends them all on shutdown. Decides nothing that `domain` can
//! decide. Invariant: a change notification only marks a folder dirty; a mail is in the ledger, or
//! its folder's cursor stands before it.

pub mod handle;
pub mod status;

pub use handle::{ChangeNotification, Handle};
pub use status::{EngineStatus, FolderStatus, Metrics};
