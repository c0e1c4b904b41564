//! Which tenant a path names.
//!
//! Owns the reading of the first path segment: a GUID, a domain, or one of the shared names. There is one tenant; any
//! other name is refused as Entra refuses an unknown one.

use uuid::Uuid;

use crate::directory::tenant::{Objects, Tenant};
use crate::entra::clients::Client;
use crate::entra::error::OAuthError;

/// The first segment of a login path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenancy {
    /// The tenant itself.
    Own,
    /// `common`: work and personal accounts.
    Common,
    /// `organizations`: work accounts.
    Organizations,
    /// `consumers`: personal accounts, of which there are none.
    Consumers,
}

impl Tenancy {
    /// Reads the segment.
    ///
    /// # Errors
    /// AADSTS90002 for a tenant that does not exist, 90038 for one in another cloud, 900023 for something that cannot
    /// be one.
    pub fn parse(tenant: &Tenant, segment: &str) -> Result<Self, OAuthError> {
        match segment.to_ascii_lowercase().as_str() {
            "common" => return Ok(Self::Common),
            "organizations" => return Ok(Self::Organizations),
            "consumers" => return Ok(Self::Consumers),
            _ => {}
        }
        if tenant.is_called(segment) {
            return Ok(Self::Own);
        }
        if let Some(host) = tenant.read().policies.cloud_of(segment) {
            return Err(OAuthError::other_cloud(segment, host));
        }
        let label = |label: &str| {
            !label.is_empty()
                && label
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
        };
        let domain = segment.contains('.') && segment.split('.').all(label);
        if domain || segment.parse::<Uuid>().is_ok() {
            Err(OAuthError::unknown_tenant(segment))
        } else {
            Err(OAuthError::malformed_tenant(segment))
        }
    }

    /// Whether a client may sign people in under this name.
    ///
    /// # Errors
    /// AADSTS9001023 for personal accounts, 50194 for an application of one tenant under a shared name.
    pub fn check(self, objects: &Objects, client: &Client) -> Result<(), OAuthError> {
        let application = objects.application_of(client.app_id);
        let audience = application.and_then(|own| own.document.get("signInAudience")?.as_str());
        match self {
            Self::Own => Ok(()),
            Self::Consumers => Err(OAuthError::tenant_needed()),
            Self::Common | Self::Organizations if audience == Some("AzureADMyOrg") => {
                Err(OAuthError::single_tenant_application(client.app_id, &client.name))
            }
            Self::Common | Self::Organizations => Ok(()),
        }
    }

    /// The name under which documents list endpoints: shared names stay, a domain becomes the id.
    #[must_use]
    pub fn canonical(self, tenant: &Tenant) -> String {
        match self {
            Self::Own => tenant.id.to_string(),
            Self::Common => "common".to_owned(),
            Self::Organizations => "organizations".to_owned(),
            Self::Consumers => "consumers".to_owned(),
        }
    }

    /// The id in an issuer: a placeholder where the tenant is open.
    #[must_use]
    pub fn issuer_id(self, tenant: &Tenant) -> String {
        match self {
            Self::Own => tenant.id.to_string(),
            Self::Consumers => "9188040d-6c67-4c5b-b112-36a304b66dad".to_owned(),
            Self::Common | Self::Organizations => "{tenantid}".to_owned(),
        }
    }
}
