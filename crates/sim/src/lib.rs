//! Deterministic simulation of several nodes against the sandbox.
