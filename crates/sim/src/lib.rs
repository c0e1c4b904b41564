//! Place of the deterministic simulation of several nodes against the sandbox. Not built yet: nothing
//! depends on this crate, and nothing claims to be checked by it.
