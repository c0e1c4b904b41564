//! Pure decisions of Guichet: who a mail belongs to, whether it may be answered, where it goes.
//!
//! Owns the vocabulary that every other crate shares (ids, addresses, events, findings) and the
//! decisions that are made from it. Never does I/O, never reads a clock and never draws a random
//! number: time and entropy come in through the ports in [`ports`].

pub mod address;
pub mod allow_list;
pub mod conversation;
pub mod event;
pub mod finding;
pub mod ids;
pub mod loop_guard;
pub mod ports;
pub mod reply;
pub mod round;
pub mod routing;
pub mod threading;
pub mod token;
pub mod trace;

pub use address::EmailAddress;
pub use allow_list::AddressRange;
pub use ids::*;
