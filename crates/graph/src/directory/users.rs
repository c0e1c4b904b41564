//! The organisation and its users.

use crate::class::Class;
use crate::client::GraphClient;
use crate::error::{Error, Result};
use crate::path::GraphPath;
use crate::request::Call;
use crate::wire::page::Page;
use crate::wire::user::{LicenseDetails, MailboxSettings, Organization, User};

const USER_SELECT: &[&str] = &[
    "id",
    "displayName",
    "userPrincipalName",
    "mail",
    "accountEnabled",
    "userType",
    "assignedPlans",
];

impl GraphClient {
    /// The tenant.
    ///
    /// # Errors
    /// As for any read.
    pub async fn organization(&self) -> Result<Organization> {
        const OPERATION: &str = "read organisation";
        let url = self.address(OPERATION, &GraphPath::new("organization"))?;
        let page: Page<Organization> = self.fetch(&Call::read(OPERATION, url)).await?;
        page.value.into_iter().next().ok_or_else(|| {
            Error::new(
                Class::Bug,
                OPERATION,
                "empty_answer",
                "the list of organisations is empty",
            )
        })
    }

    /// A user or shared mailbox, by id or user principal name.
    ///
    /// # Errors
    /// [`crate::Error::is_not_found`].
    pub async fn user(&self, id_or_upn: &str) -> Result<User> {
        const OPERATION: &str = "read user";
        let url = self.address(OPERATION, &GraphPath::user(id_or_upn).select(USER_SELECT))?;
        self.fetch(&Call::read(OPERATION, url)).await
    }

    /// A user's licences.
    ///
    /// # Errors
    /// [`crate::Error::is_not_found`].
    pub async fn license_details(&self, id_or_upn: &str) -> Result<Vec<LicenseDetails>> {
        const OPERATION: &str = "list licences";
        let url = self.address(OPERATION, &GraphPath::user(id_or_upn).then("licenseDetails"))?;
        self.fetch_all(Call::read(OPERATION, url)).await
    }

    /// Settings of a mailbox, which tell whether it is shared. Needs MailboxSettings.Read.
    ///
    /// # Errors
    /// As [`GraphClient::folder`].
    pub async fn mailbox_settings(&self, id_or_upn: &str) -> Result<MailboxSettings> {
        const OPERATION: &str = "read mailbox settings";
        let url = self.address(OPERATION, &GraphPath::user(id_or_upn).then("mailboxSettings"))?;
        self.fetch(&Call::read(OPERATION, url)).await
    }
}
