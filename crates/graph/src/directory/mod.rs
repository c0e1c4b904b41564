//! Calls on the directory (Entra ID), for set-up and diagnosis.
//!
//! What was just created may answer 404 for some seconds, until it has reached every replica;
//! callers that create wait for that ([`crate::Error::is_not_found`]).

mod applications;
pub(crate) mod certificates;
mod consent;
mod exchange_roles;
mod federated;
mod secrets;
mod service_principals;
mod users;
