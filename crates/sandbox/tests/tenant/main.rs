//! Behaviour of the tenant as third-party clients meet it: over HTTPS, with the sandbox's own authority.

mod control;
mod device_sign_in;
mod directory;
mod discovery;
mod faults;
mod harness;
mod refusals;
mod smtp;
mod tokens;
mod transport;
