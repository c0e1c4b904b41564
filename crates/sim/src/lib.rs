//! Deterministic simulation of several nodes against the sandbox.
//!
//! Owns virtual time, the troubles, and the judgement. What it simulates is the real engine with the real Graph
//! client, on a real database in memory, against the real sandbox; only clocks, network and machines are its own.
//! Never part of the product. Invariant: everything follows from the seed, so a failure can be seen again.

mod dice;
mod letters;
mod node;
mod oracle;
mod people;
mod ports;
mod run;
mod tenant;
mod time;
mod trace;
mod weather;

pub use guichet_store::simulation::Weakness;
pub use run::{Failure, Order, Report, Scenario, Troubles, run};
