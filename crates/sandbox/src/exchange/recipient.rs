//! Mailboxes and groups as Exchange's recipients: names, addresses, and which one an administrator means.
//!
//! Owns distinguished names, the properties a filter reads, and the look-up by any identity Exchange accepts. It
//! changes nothing. An identity that fits several recipients is refused, as Exchange refuses it.

use uuid::Uuid;

use crate::directory::model::User;
use crate::directory::tenant::{Objects, Tenant};
use crate::exchange::failure::Failure;
use crate::exchange::restriction::Subject;
use crate::exchange::rules::{Group, Rules};

/// A recipient of the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientId {
    /// A user with a mailbox.
    Mailbox(Uuid),
    /// A group.
    Group(Uuid),
}

impl RecipientId {
    /// Object id.
    #[must_use]
    pub fn id(self) -> Uuid {
        match self {
            Self::Mailbox(id) | Self::Group(id) => id,
        }
    }
}

/// The distinguished name of a recipient.
#[must_use]
pub fn distinguished_name(tenant: &Tenant, name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    format!(
        "CN={escaped},OU={},OU=Microsoft Exchange Hosted Organizations,DC=EURPR01A001,DC=PROD,DC=OUTLOOK,DC=COM",
        tenant.initial_domain()
    )
}

/// The name Exchange gives a mailbox: its nickname.
#[must_use]
pub fn alias(user: &User) -> &str {
    user.user_principal_name.split('@').next().unwrap_or_default()
}

/// A mailbox with the groups it may belong to, for filters.
pub struct MailboxSubject<'a> {
    /// The tenant.
    pub tenant: &'a Tenant,
    /// Whose mailbox.
    pub user: &'a User,
    /// Where the groups are.
    pub rules: &'a Rules,
}

impl Subject for MailboxSubject<'_> {
    fn values(&self, property: &str) -> Vec<String> {
        let user = self.user;
        let one = |text: &str| vec![text.to_owned()];
        let optional = |text: Option<&str>| text.map(str::to_owned).into_iter().collect::<Vec<String>>();
        match property {
            "Alias" | "Name" => one(alias(user)),
            "DisplayName" => one(&user.display_name),
            "DistinguishedName" => vec![distinguished_name(self.tenant, alias(user))],
            "EmailAddresses" => {
                let primary = user.mail.iter().flat_map(|mail| [format!("SMTP:{mail}"), mail.clone()]);
                let aliases = user.mailbox.aliases.iter();
                primary
                    .chain(aliases.flat_map(|alias| [format!("smtp:{alias}"), alias.clone()]))
                    .collect()
            }
            "ExternalDirectoryObjectId" | "Guid" => vec![user.id.to_string()],
            "MemberOfGroup" => {
                let groups = self
                    .rules
                    .groups
                    .iter()
                    .filter(|group| group.members.contains(&user.id));
                groups
                    .map(|group| distinguished_name(self.tenant, &group.name))
                    .collect()
            }
            "PrimarySmtpAddress" | "WindowsEmailAddress" => optional(user.mail.as_deref()),
            "RecipientType" => one("UserMailbox"),
            "RecipientTypeDetails" => one(user.mailbox.kind.recipient_type_details()),
            "UserPrincipalName" | "WindowsLiveID" => one(&user.user_principal_name),
            "HiddenFromAddressListsEnabled" => {
                let stored = user.mailbox.attributes.get(property).map(String::as_str);
                one(stored.unwrap_or("False"))
            }
            other => optional(user.mailbox.attributes.get(other).map(String::as_str)),
        }
    }
}

/// The mailbox of an identity: object id, sign-in name, any address, alias, display name or distinguished name.
///
/// # Errors
/// Nothing or too much has that identity.
pub fn mailbox(tenant: &Tenant, objects: &Objects, identity: &str) -> Result<Uuid, Failure> {
    let identity = identity.trim();
    let exact = objects
        .user(identity)
        .or_else(|| objects.user_of_address(identity))
        .filter(|user| user.mail.is_some());
    if let Some(user) = exact {
        return Ok(user.id);
    }
    let lower = identity.to_lowercase();
    let found = objects.users().filter(|user| user.mail.is_some()).filter(|user| {
        alias(user).to_lowercase() == lower
            || user.display_name.to_lowercase() == lower
            || (lower.starts_with("cn=") && distinguished_name(tenant, alias(user)).to_lowercase() == lower)
    });
    only(found.map(|user| user.id), identity)
}

/// The group of an identity: object id, name, display name, alias, address or distinguished name.
///
/// # Errors
/// Nothing or too much has that identity.
pub fn group<'a>(tenant: &Tenant, rules: &'a Rules, identity: &str) -> Result<&'a Group, Failure> {
    let lower = identity.trim().to_lowercase();
    let id = lower.parse::<Uuid>().ok();
    let found = rules.groups.iter().filter(|group| {
        Some(group.id) == id
            || group.name.to_lowercase() == lower
            || group.alias.to_lowercase() == lower
            || group.display_name.to_lowercase() == lower
            || group
                .address
                .as_ref()
                .is_some_and(|address| address.to_lowercase() == lower)
            || (lower.starts_with("cn=") && distinguished_name(tenant, &group.name).to_lowercase() == lower)
    });
    let id = only(found.map(|group| group.id), identity)?;
    rules.group(id).ok_or_else(|| Failure::not_found(identity))
}

/// The mailbox or group of an identity.
///
/// # Errors
/// Nothing or too much has that identity.
pub fn any(tenant: &Tenant, objects: &Objects, rules: &Rules, identity: &str) -> Result<RecipientId, Failure> {
    match group(tenant, rules, identity) {
        Ok(group) => Ok(RecipientId::Group(group.id)),
        Err(_) => mailbox(tenant, objects, identity).map(RecipientId::Mailbox),
    }
}

fn only(mut found: impl Iterator<Item = Uuid>, identity: &str) -> Result<Uuid, Failure> {
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(Failure::not_found(identity)),
        (Some(_), Some(_)) => Err(Failure::ambiguous(identity)),
    }
}
