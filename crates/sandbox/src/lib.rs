//! An offline Microsoft 365 tenant in one process.
//!
//! Owns everything a client of Entra ID, Microsoft Graph mail and directory, and inbound SMTP can observe: token
//! endpoint, directory objects, mailboxes, change notifications, throttling and faults. It never speaks to the real
//! service and shares no type with the client side, so that a misunderstanding cannot be made twice in the same way.
//! All state is in memory; with a data directory that keeps state it is saved there and restored at the next start.
//!
//! ```no_run
//! # async fn example() -> Result<(), guichet_sandbox::Error> {
//! let running = guichet_sandbox::Sandbox::start(guichet_sandbox::Config::default()).await?;
//! println!("{}", running.description().authority);
//! running.shutdown().await;
//! # Ok(())
//! # }
//! ```

// The largest entity document has more members than the macro's default depth allows.
#![recursion_limit = "256"]

mod auth;
mod batch;
mod clock;
mod config;
mod control;
pub mod coverage;
mod directory;
mod entra;
mod entropy;
mod error;
mod exchange;
mod faults;
mod ledger;
mod mail;
mod notify;
mod odata;
mod persist;
mod revocation;
mod scenario;
mod server;
mod smtp;
mod state;
mod throttle;

pub use clock::SandboxClock;
pub use config::{AdministratorDescription, Config, Description, Persistence};
pub use error::Error;
pub use exchange::ExchangeSettings;
pub use notify::{Posted, Receiver, Reply};
pub use server::in_process::{Cut, InProcess};
pub use server::start::Running;
pub use state::Sandbox;
