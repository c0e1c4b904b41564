//! Words that stand before a value.

use super::Text;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Directory (tenant) id.
    Tenant,
    /// Application (client) id.
    Application,
    /// OAuth 2.0 token endpoint.
    TokenEndpoint,
    /// Kind of credential.
    Kind,
    /// Id of the credential.
    CredentialId,
    /// End of the credential.
    Expires,
    /// Number of mailboxes.
    Mailboxes,
    /// Number of changes.
    Changes,
    /// A credential that is gone.
    Removed,
    /// A credential that stays.
    Kept,
    /// The client secret's value, before it is typed in.
    SecretValue,
    /// Stands alone: the credential is not due.
    NotDue,
}

impl Label {
    /// Every label.
    pub const ALL: [Self; 12] = [
        Self::Tenant,
        Self::Application,
        Self::TokenEndpoint,
        Self::Kind,
        Self::CredentialId,
        Self::Expires,
        Self::Mailboxes,
        Self::Changes,
        Self::Removed,
        Self::Kept,
        Self::SecretValue,
        Self::NotDue,
    ];
}

pub(super) const NEVER: Text = Text::new("never by itself", "jamais de lui-même");

pub(super) const fn text(label: Label) -> Text {
    match label {
        Label::Tenant => Text::new("directory (tenant) id", "ID d'annuaire (locataire)"),
        Label::Application => Text::new("application (client) id", "ID d'application (client)"),
        Label::TokenEndpoint => Text::new("token endpoint (v2)", "point de terminaison de jeton (v2)"),
        Label::Kind => Text::new("kind of credential", "type d'authentification"),
        Label::CredentialId => Text::new("credential id", "ID du secret ou certificat"),
        Label::Expires => Text::new("it expires", "expire le"),
        Label::Mailboxes => Text::new("mailboxes served", "boîtes desservies"),
        Label::Changes => Text::new("changes made", "modifications faites"),
        Label::Removed => Text::new("removed", "retiré"),
        Label::Kept => Text::new("kept", "conservé"),
        Label::SecretValue => Text::new("client secret, its value", "secret client, sa valeur"),
        Label::NotDue => Text::new("Not due yet.", "Pas encore nécessaire."),
    }
}
