//! The application roles of RBAC for Applications.
//!
//! Owns a fixed table (contract §7): each role's name, id, protocol and the permissions it grants, by their name in
//! Microsoft Graph. Composite roles grant several. Ids of role definitions differ per tenant at Microsoft; here they
//! follow from the name.

use uuid::Uuid;

/// One application role.
#[derive(Debug, PartialEq, Eq)]
pub struct ApplicationRole {
    /// Name without the leading `Application `.
    short: &'static str,
    /// What it grants.
    pub permissions: &'static [&'static str],
}

const fn role(short: &'static str, permissions: &'static [&'static str]) -> ApplicationRole {
    ApplicationRole { short, permissions }
}

/// All roles that can be assigned to an application.
pub const ROLES: [ApplicationRole; 26] = [
    role("Mail.Read", &["Mail.Read"]),
    role("Mail.ReadBasic", &["Mail.ReadBasic"]),
    role("Mail.ReadWrite", &["Mail.ReadWrite"]),
    role("Mail.Send", &["Mail.Send"]),
    role("MailboxSettings.Read", &["MailboxSettings.Read"]),
    role("MailboxSettings.ReadWrite", &["MailboxSettings.ReadWrite"]),
    role("Calendars.Read", &["Calendars.Read"]),
    role("Calendars.ReadBasic", &["Calendars.ReadBasic"]),
    role("Calendars.ReadWrite", &["Calendars.ReadWrite"]),
    role("Contacts.Read", &["Contacts.Read"]),
    role("Contacts.ReadWrite", &["Contacts.ReadWrite"]),
    role("MailboxFolder.Read", &["MailboxFolder.Read"]),
    role("MailboxFolder.Read.All", &["MailboxFolder.Read.All"]),
    role("MailboxFolder.ReadWrite", &["MailboxFolder.ReadWrite"]),
    role("MailboxFolder.ReadWrite.All", &["MailboxFolder.ReadWrite.All"]),
    role("MailboxItem.Read", &["MailboxItem.Read"]),
    role("MailboxItem.Read.All", &["MailboxItem.Read.All"]),
    role("MailboxItem.ImportExport", &["MailboxItem.ImportExport"]),
    role("MailboxItem.ImportExport.All", &["MailboxItem.ImportExport.All"]),
    role("SMTP.SendAsApp", &["SMTP.SendAsApp"]),
    role("MailTips.ReadBasic.All", &["MailTips.ReadBasic.All"]),
    role("Mail-Advanced.ReadWrite.All", &["Mail-Advanced.ReadWrite.All"]),
    role("EWS.AccessAsApp", &["EWS.AccessAsApp"]),
    role("Mail Full Access", &["Mail.ReadWrite", "Mail.Send"]),
    role(
        "Exchange Full Access",
        &[
            "Mail.ReadWrite",
            "Mail.Send",
            "MailboxSettings.ReadWrite",
            "Calendars.ReadWrite",
            "Contacts.ReadWrite",
        ],
    ),
    role("Mail-Advanced.ReadWrite", &["Mail-Advanced.ReadWrite"]),
];

impl ApplicationRole {
    /// Full name, such as `Application Mail.Read`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("Application {}", self.short)
    }

    /// Id of the role definition.
    #[must_use]
    pub fn id(&self) -> Uuid {
        stable_id(&self.name())
    }
}

/// An id that follows from a text, for objects that have none of their own.
#[must_use]
pub fn stable_id(text: &str) -> Uuid {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The role of a name or id.
#[must_use]
pub fn find(name_or_id: &str) -> Option<&'static ApplicationRole> {
    let id = name_or_id.parse::<Uuid>().ok();
    ROLES
        .iter()
        .find(|role| role.name().eq_ignore_ascii_case(name_or_id.trim()) || Some(role.id()) == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_found_by_name_in_any_case_and_by_id() {
        let role = find("application mail.read").expect("a role");
        assert_eq!(role.permissions, ["Mail.Read"]);
        assert_eq!(find(&role.id().to_string()), Some(role));
        assert_eq!(find("Mail.Read"), None);
    }

    #[test]
    fn no_two_roles_share_an_id() {
        let mut ids: Vec<Uuid> = ROLES.iter().map(ApplicationRole::id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ROLES.len());
    }
}
