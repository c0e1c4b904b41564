//! The `guichet` program: commands, configuration, exit codes, and the demo that drives them.
//!
//! Owns the system implementations of the ports (clock, entropy, time) and the wiring of the other
//! crates. Decides nothing about mail. Invariant: stdout is data, stderr is talk.

pub mod args;
mod browser;
pub mod commands;
pub mod config;
pub mod demo;
pub mod failure;
pub mod logging;
pub mod system;
pub mod wiring;
