//! Long-running work: rounds over dirty folders, subscriptions, delivery from the outbox.
//!
//! Owns every task that it starts and ends them all on shutdown. Decides nothing that `domain` can
//! decide. Invariant: a change notification only marks a folder dirty; a mail is in the ledger, or
//! its folder's cursor stands before it.

mod batched;
mod content;
mod context;
mod deliver;
mod fetch;
mod gate;
pub mod handle;
mod import;
mod ingest;
mod janitor;
mod lease;
pub mod status;
mod subscribe;
mod supervisor;
mod sync;

pub use context::{EngineConfig, Nodes, Parts};
pub use handle::{ChangeNotification, Handle};
pub use import::Import;
pub use status::{EngineStatus, FolderStatus, Metrics};
pub use supervisor::{Engine, StartError};

/// The named property that marks what Guichet sends: its value is our message id. A reply whose
/// fate is unknown is found again by it.
pub const REPLY_PROPERTY: &str = "String {6f7a3c1e-2b84-4c55-9d0e-7c1f0a9be2d4} Name GuichetMessage";
