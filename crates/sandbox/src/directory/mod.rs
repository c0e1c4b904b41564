//! The tenant's directory: users, applications, service principals, assignments and grants.
//!
//! Owns the objects and the Graph resources that show them. It never touches mail; the mail half asks it who a user
//! is through [`Directory`].

pub mod addressing;
pub mod applications;
pub mod assignments;
pub mod authority;
pub mod credentials;
pub mod federated;
pub mod grants;
pub mod key_credentials;
pub mod listing;
pub mod model;
pub mod organization;
pub mod permissions;
pub mod redirects;
pub mod seed;
pub mod service_principals;
pub mod templates;
pub mod tenant;
pub mod users;

use uuid::Uuid;

/// What the mail half may know of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRef {
    /// Object id.
    pub id: Uuid,
    /// Sign-in name.
    pub user_principal_name: String,
    /// Name shown to people.
    pub display_name: String,
    /// Mail address; a user without one has no mailbox.
    pub mail: Option<String>,
}

/// Look-ups into the directory. All comparisons ignore case.
pub trait Directory: Send + Sync + std::fmt::Debug {
    /// A user by object id or user principal name.
    fn user(&self, id_or_upn: &str) -> Option<UserRef>;
    /// A user by mail address.
    fn user_by_address(&self, address: &str) -> Option<UserRef>;
    /// The tenant's id.
    fn tenant_id(&self) -> Uuid;
}
