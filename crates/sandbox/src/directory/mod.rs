//! The tenant's directory: users, applications, service principals, assignments and grants.
//!
//! Owns the objects and the Graph resources that show them. It never touches mail; the mail half asks it who a user
//! is through [`Directory`].

pub mod addressing;
pub mod applications;
pub mod assignments;
pub mod authority;
pub mod credentials;
pub mod deleted;
pub mod delta;
pub mod federated;
pub mod grants;
pub mod identifiers;
pub mod key_credentials;
pub mod licences;
pub mod listing;
pub mod mailbox_profile;
pub mod model;
pub mod organization;
pub mod owners;
pub mod permissions;
pub mod policies;
pub mod redirects;
pub mod role_assignments;
pub mod seed;
pub mod service_principals;
pub mod templates;
pub mod tenant;
pub mod users;

use uuid::Uuid;

use crate::auth::Caller;
use crate::directory::mailbox_profile::{MailboxCondition, MailboxKind};

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
    /// Whether an application still may act, by itself or for a user: it exists and is enabled, so is the user, and
    /// of the Graph permissions it once used (none: something else allowed it) it still holds one.
    fn still_allows(&self, app_id: Uuid, user: Option<Uuid>, permissions: &[String]) -> bool {
        let _ = (app_id, user, permissions);
        true
    }

    /// What Exchange says about an application and a mailbox besides the token.
    fn exchange_rules(&self, _caller: &Caller, _mailbox: Uuid) -> ExchangeRules {
        ExchangeRules::default()
    }
    /// Whether grants of Exchange, invisible in the token, suffice for a subscription.
    fn subscriptions_by_exchange_grant(&self) -> bool {
        true
    }
    /// Whether a person may open another's mailbox.
    fn may_open(&self, _person: Uuid, _mailbox: Uuid) -> bool {
        false
    }
    /// Whether and how a mailbox's owner may send in another's name.
    fn send_right(&self, _sender: Uuid, _mailbox: Uuid) -> Option<SendRight> {
        None
    }
    /// Whether Exchange leaves an alias in `From` as it is; it else writes the primary address.
    fn sends_from_alias(&self) -> bool {
        false
    }
    /// Kind and condition of a mailbox; unreachable ones are soft-deleted for whoever asks.
    fn mailbox_standing(&self, _mailbox: Uuid) -> (MailboxKind, MailboxCondition) {
        (MailboxKind::User, MailboxCondition::Active)
    }
    /// The addresses of a group's direct members; none when no group has the address.
    fn group_members(&self, _address: &str) -> Option<Vec<String>> {
        None
    }
    /// Where mail for a mailbox goes on to, and whether the mailbox keeps a copy.
    fn forwarding(&self, _mailbox: Uuid) -> Option<(String, bool)> {
        None
    }
    /// Whether the tenant takes mail for a domain; an unknown address in it is nobody's, not somebody's outside.
    fn accepts_domain(&self, _domain: &str) -> bool {
        false
    }
    /// The domain that the tenant's own mail comes from.
    fn mail_domain(&self) -> String {
        String::new()
    }
}

/// What Exchange says about one application and one mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExchangeRules {
    /// Permissions granted by RBAC for Applications, by their name in Graph.
    pub granted: Vec<&'static str>,
    /// Whether an application access policy blocks what Entra granted.
    pub blocked: bool,
}

/// How one may send in another's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendRight {
    /// The receiver sees the other only.
    As,
    /// The receiver sees both.
    OnBehalf,
}
