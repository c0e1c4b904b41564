//! Connecting a tenant and diagnosing the connection: what is wanted, what is, the difference, and
//! the steps that close it.
//!
//! Owns the administrator's procedure, the client secret at rest, and every word that an
//! administrator reads. Never stores or logs the administrator's token, and never touches anything
//! in the tenant that it does not own. Invariant: `apply` may be killed at any moment and run
//! again; the end state is the same, and a second run changes nothing.

mod adopt;
pub mod catalogue;
mod certificate;
pub mod client_secret;
pub mod cloud;
mod connect;
pub mod credential;
mod desired;
mod destroy;
pub mod doctor;
mod error;
pub mod export;
mod federated;
pub mod permissions;
mod plan;
mod ports;
pub mod procedure;
pub mod profile;
mod progress;
mod rotate;
mod sign_in;
mod steps;
pub mod token_endpoint;
pub mod vault;
mod well_known;

pub use adopt::Values;
pub use catalogue::Language;
pub use cloud::Cloud;
pub use connect::{Applied, Connect};
pub use desired::{AccountTypes, Desired, DesiredAccess, DesiredApplication, Scope};
pub use destroy::Destroyed;
pub use error::Error;
pub use federated::Federated;
pub use plan::{Change, Plan, StepId, Why};
pub use progress::{Progress, Silent, Waiting};
pub use rotate::{Replaced, Rotated};
pub use sign_in::{Browser, COMMAND_LINE_TOOLS, SignIn, administrator};
pub use steps::secret::is_due;
pub use vault::{KeySource, Vault};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
