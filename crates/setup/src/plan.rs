//! The difference between what is wanted and what is, as an ordered list of changes.
//!
//! Owns the words step, change and reason. Never talks to the tenant and never changes anything.

use serde::Serialize;

use crate::doctor::Problem;

/// A step of connecting, in the order in which they are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    /// Resolve the tenant and its token endpoint.
    Tenant,
    /// Register the application.
    Application,
    /// Create its service principal (enterprise application).
    ServicePrincipal,
    /// Grant admin consent.
    Consent,
    /// Let Exchange give access to the listed mailboxes only, where that is wanted.
    Scope,
    /// Create the client secret and store it sealed.
    Secret,
    /// Prove that the secret gives a token with the permissions.
    Token,
    /// Find each mailbox and reach its folders.
    Mailboxes,
    /// Set the integration's intended state to active.
    Activation,
    /// Remove the credentials that were replaced; only a rotation has this step.
    Retirement,
}

impl StepId {
    /// Every step of `apply`, in order.
    pub const ALL: [Self; 9] = [
        Self::Tenant,
        Self::Application,
        Self::ServicePrincipal,
        Self::Consent,
        Self::Scope,
        Self::Secret,
        Self::Token,
        Self::Mailboxes,
        Self::Activation,
    ];
}

/// Why a change is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Nothing is recorded about this tenant yet.
    TenantNotRecorded,
    /// A recorded address is not the configured or discovered one.
    AddressDiffers,
    /// There is no such application.
    ApplicationMissing,
    /// It exists, and is not recorded yet.
    ApplicationNotRecorded,
    /// It has another display name.
    NameDiffers,
    /// It admits other kinds of account.
    AccountTypesDiffer,
    /// It lacks the redirect address.
    RedirectMissing,
    /// It does not ask for the permission.
    PermissionNotRequested,
    /// It has no service principal.
    PrincipalMissing,
    /// The service principal exists, and is not recorded yet.
    PrincipalNotRecorded,
    /// The application is not its own owner, and is to renew its own secret.
    OwnerMissing,
    /// Admin consent is missing for the permission.
    ConsentMissing,
    /// A consent to every mailbox would defeat the scope.
    GrantDefeatsScope,
    /// There is no management scope for the listed mailboxes.
    ScopeMissing,
    /// The management scope holds other mailboxes than the listed ones.
    ScopeDiffers,
    /// The application does not have the Exchange role within the scope.
    RoleMissing,
    /// The application has an Exchange role for more than the listed mailboxes.
    RoleTooWide,
    /// No usable client secret is recorded.
    SecretMissing,
    /// The recorded secret has expired.
    SecretExpired,
    /// The recorded secret expires soon; the new one overlaps with it.
    SecretExpiring,
    /// The recorded secret can't be opened, or is no secret value.
    SecretUnreadable,
    /// The recorded secret no longer exists in the tenant.
    SecretRevoked,
    /// A secret of ours exists in the tenant whose value was never stored.
    SecretOrphaned,
    /// The recorded credential is of another kind than the configured one.
    CredentialKindDiffers,
    /// Another certificate is configured than the recorded one.
    CertificateDiffers,
    /// Tokens of another issuer or subject, or another file of them, are configured than the recorded ones.
    FederatedDiffers,
    /// The recorded certificate did not reach the tenant: an earlier run was cut off.
    CertificateUnregistered,
    /// An administrator made it, and its value was pasted.
    SecretAdopted,
    /// The administrator asked for a new one.
    SecretRotated,
    /// Its successor is proven and in use.
    SecretSuperseded,
    /// The mailbox is not served yet.
    MailboxNew,
    /// The address belongs to another user now.
    MailboxUserDiffers,
    /// The mailbox has another display name than the recorded one.
    MailboxNameDiffers,
    /// The mailbox is recorded, and not served.
    MailboxDisabled,
    /// The mailbox is served, and no longer configured.
    MailboxNotWanted,
    /// The folder is not followed yet.
    FolderNew,
    /// The integration is not switched on.
    IntegrationInactive,
    /// The operator gives the connection up.
    Disconnected,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 38] = [
        Self::TenantNotRecorded,
        Self::AddressDiffers,
        Self::ApplicationMissing,
        Self::ApplicationNotRecorded,
        Self::NameDiffers,
        Self::AccountTypesDiffer,
        Self::RedirectMissing,
        Self::PermissionNotRequested,
        Self::PrincipalMissing,
        Self::PrincipalNotRecorded,
        Self::OwnerMissing,
        Self::ConsentMissing,
        Self::GrantDefeatsScope,
        Self::ScopeMissing,
        Self::ScopeDiffers,
        Self::RoleMissing,
        Self::RoleTooWide,
        Self::SecretMissing,
        Self::SecretExpired,
        Self::SecretExpiring,
        Self::SecretUnreadable,
        Self::SecretRevoked,
        Self::SecretOrphaned,
        Self::CredentialKindDiffers,
        Self::CertificateDiffers,
        Self::FederatedDiffers,
        Self::CertificateUnregistered,
        Self::SecretAdopted,
        Self::SecretRotated,
        Self::SecretSuperseded,
        Self::MailboxNew,
        Self::MailboxUserDiffers,
        Self::MailboxNameDiffers,
        Self::MailboxDisabled,
        Self::MailboxNotWanted,
        Self::FolderNew,
        Self::IntegrationInactive,
        Self::Disconnected,
    ];
}

/// One change. [`crate::catalogue`] gives the words for its step and reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The step that makes it.
    pub step: StepId,
    /// What is changed: a name, an address, a permission.
    pub subject: String,
    /// What is there now; `None` if nothing is.
    pub from: Option<String>,
    /// What will be there; `None` if it is removed.
    pub to: Option<String>,
    /// Why.
    pub why: Why,
}

impl Change {
    pub(crate) fn add(step: StepId, subject: impl Into<String>, to: impl Into<String>, why: Why) -> Self {
        Self {
            step,
            subject: subject.into(),
            from: None,
            to: Some(to.into()),
            why,
        }
    }

    pub(crate) fn remove(step: StepId, subject: impl Into<String>, from: impl Into<String>, why: Why) -> Self {
        Self {
            step,
            subject: subject.into(),
            from: Some(from.into()),
            to: None,
            why,
        }
    }

    pub(crate) fn replace(
        step: StepId,
        subject: impl Into<String>,
        from: impl Into<String>,
        to: impl Into<String>,
        why: Why,
    ) -> Self {
        Self {
            step,
            subject: subject.into(),
            from: Some(from.into()),
            to: Some(to.into()),
            why,
        }
    }
}

/// What `apply` would do, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The changes; empty when everything is as wanted.
    pub changes: Vec<Change>,
    /// Mailboxes that can't be served as things are.
    pub problems: Vec<Problem>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
