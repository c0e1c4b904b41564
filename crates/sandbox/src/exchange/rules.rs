//! What Exchange was told: groups, service principals, management scopes, role assignments, access policies.
//!
//! Owns the shapes only. A [`Rules`] is a value that is replaced as a whole, so that an older one can stay in force
//! for applications whose permissions are cached.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::exchange::restriction::Restriction;

/// Everything that decides what an application reaches.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Rules {
    /// Groups in order of creation.
    pub groups: Vec<Group>,
    /// Administrative units in order of creation.
    pub units: Vec<Unit>,
    /// Exchange's own pointers to Entra's service principals.
    pub principals: Vec<AppPrincipal>,
    /// Management scopes.
    pub scopes: Vec<ManagementScope>,
    /// Management role assignments to applications.
    pub assignments: Vec<RoleAssignment>,
    /// Application access policies.
    pub policies: Vec<AccessPolicy>,
}

impl Rules {
    /// Whether they change nothing for anybody.
    #[must_use]
    pub fn are_silent(&self) -> bool {
        self.assignments.is_empty() && self.policies.is_empty()
    }

    /// A group by object id.
    #[must_use]
    pub fn group(&self, id: Uuid) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }

    /// An administrative unit by object id.
    #[must_use]
    pub fn unit(&self, id: Uuid) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.id == id)
    }

    /// A management scope by id.
    #[must_use]
    pub fn scope(&self, id: Uuid) -> Option<&ManagementScope> {
        self.scopes.iter().find(|scope| scope.id == id)
    }
}

/// A group of the directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// Object id.
    pub id: Uuid,
    /// Name, unique in the tenant.
    pub name: String,
    /// Name shown to people.
    pub display_name: String,
    /// Description.
    pub description: Option<String>,
    /// Mail nickname.
    pub alias: String,
    /// Address of a mail-enabled group.
    pub address: Option<String>,
    /// Whether it can be given rights.
    pub security: bool,
    /// Object ids of direct members, of any kind.
    pub members: Vec<Uuid>,
    /// Creation by the tenant's clock.
    pub created_at: Timestamp,
}

/// An administrative unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unit {
    /// Object id.
    pub id: Uuid,
    /// Name shown to people.
    pub display_name: String,
    /// Object ids of members.
    pub members: Vec<Uuid>,
}

/// Exchange's pointer to a service principal of Entra.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppPrincipal {
    /// Object id of Entra's service principal.
    pub object_id: Uuid,
    /// Application id.
    pub app_id: Uuid,
    /// Name shown to administrators.
    pub display_name: String,
}

/// A named set of recipients.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ManagementScope {
    /// Id.
    pub id: Uuid,
    /// Name, unique in the tenant.
    pub name: String,
    /// Which recipients.
    pub filter: Restriction,
    /// An exclusive scope; it keeps no application out that another scope lets in.
    pub exclusive: bool,
    /// Creation by the tenant's clock.
    pub created_at: Timestamp,
}

/// Over which mailboxes an assignment reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceScope {
    /// All of them.
    Organization,
    /// Those of a management scope.
    Custom(Uuid),
    /// Members of an administrative unit.
    Unit(Uuid),
    /// Direct members of a group.
    Group(Uuid),
}

/// An application role given to an application.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoleAssignment {
    /// Id.
    pub id: Uuid,
    /// Name, unique in the tenant.
    pub name: String,
    /// Name of the role.
    pub role: String,
    /// Object id of Entra's service principal.
    pub principal: Uuid,
    /// Where it holds.
    pub scope: ResourceScope,
    /// Whether it holds at all.
    pub enabled: bool,
    /// Creation by the tenant's clock.
    pub created_at: Timestamp,
}

/// What an access policy does with its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessRight {
    /// The application reaches members only.
    RestrictAccess,
    /// The application does not reach members.
    DenyAccess,
}

impl AccessRight {
    /// As Exchange writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RestrictAccess => "RestrictAccess",
            Self::DenyAccess => "DenyAccess",
        }
    }
}

/// An application access policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessPolicy {
    /// Id; the identity shown to administrators is made of it.
    pub id: Uuid,
    /// The application.
    pub app_id: Uuid,
    /// A group, or one user.
    pub target: Uuid,
    /// What it does.
    pub right: AccessRight,
    /// Description.
    pub description: String,
}
