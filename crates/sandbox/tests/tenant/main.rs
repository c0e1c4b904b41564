//! Behaviour of the tenant as third-party clients meet it: over HTTPS, with the sandbox's own authority.

mod authorization;
mod certificates;
mod connect_proxy;
mod control;
mod delegates;
mod device_sign_in;
mod directory;
mod discovery;
mod exchange;
mod exchange_admin;
mod exchange_world;
mod faults;
mod federation;
mod foreign_pages;
mod harness;
mod refusals;
mod registration;
mod restart;
mod scenarios;
mod signing;
mod smtp;
mod throttling;
mod tokens;
mod transport;
mod user_grants;
mod well_known_clients;
