//! The three permissions that the administrator's page asks for.
//!
//! Owns their names and ids. Never grants anything. Source of the ids: Microsoft's published permission list
//! (`microsoft-graph-devx-content`, `permissions-descriptions.json`).

/// Application id of Microsoft Graph in every tenant.
pub const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// How a permission is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Application permission: Guichet acts as itself.
    Role,
    /// Delegated permission: it acts for a signed-in user.
    Scope,
}

impl Kind {
    /// How the portal's list of permissions names it.
    pub const fn portal_word(self) -> &'static str {
        match self {
            Self::Role => "Application",
            Self::Scope => "Delegated",
        }
    }
}

/// A permission of Microsoft Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Name as it stands in a token's `roles` or in a grant's `scope`.
    pub name: &'static str,
    /// Id of the app role or of the scope.
    pub id: &'static str,
    /// Application or delegated.
    pub kind: Kind,
}

/// Read mail and mark it read.
pub const MAIL_READ_WRITE: Permission = Permission {
    name: "Mail.ReadWrite",
    id: "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
    kind: Kind::Role,
};

/// Send the answer.
pub const MAIL_SEND: Permission = Permission {
    name: "Mail.Send",
    id: "b633e1c5-b582-4048-a93e-9f11b44c7e96",
    kind: Kind::Role,
};

/// Part of the manual procedure; Guichet itself never signs a user in and does not need it.
pub const USER_READ: Permission = Permission {
    name: "User.Read",
    id: "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    kind: Kind::Scope,
};

/// Renew the application's own client secret. Optional: only where the configuration asks for it.
pub const MANAGE_OWN_APPLICATION: Permission = Permission {
    name: "Application.ReadWrite.OwnedBy",
    id: "18a4783c-866b-4cc7-a460-3d5e5662c884",
    kind: Kind::Role,
};

/// See the rules of the mailboxes. Optional.
pub const READ_MAILBOX_SETTINGS: Permission = Permission {
    name: "MailboxSettings.Read",
    id: "40f97065-369a-49f4-947c-6a255697ae91",
    kind: Kind::Role,
};

/// See which licences the users of the mailboxes have. Optional.
pub const READ_USERS: Permission = Permission {
    name: "User.Read.All",
    id: "df021288-bdef-4463-88db-98f22de89214",
    kind: Kind::Role,
};

/// The application permissions that a token must carry.
pub const ROLES: [Permission; 2] = [MAIL_READ_WRITE, MAIL_SEND];

/// The delegated permissions alone.
pub const DELEGATED: [Permission; 1] = [USER_READ];

/// All permissions that the registration asks for, in the order of the page.
pub const ALL: [Permission; 3] = [MAIL_READ_WRITE, MAIL_SEND, USER_READ];
