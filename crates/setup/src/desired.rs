//! What the operator wants the tenant to look like.
//!
//! Owns the shape of the `[connect]` part of the configuration and its rules. Never asks the tenant
//! anything. Invariant: a [`Desired`] that passed [`Desired::validate`] can be applied without a
//! further look at its fields.

use std::{collections::BTreeSet, path::PathBuf};

use guichet_domain::EmailAddress;
use serde::{Deserialize, Deserializer, Serialize};
use url::{Host, Url};
use uuid::Uuid;

use crate::{
    Cloud, Error, cloud,
    credential::CredentialKind,
    federated::Federated,
    permissions::{self, Permission},
};

/// Longest life of a client secret that the portal offers: 24 months.
const LIFETIME_DAYS: std::ops::RangeInclusive<u16> = 1..=730;
/// A plan must stay readable, and each mailbox costs three requests.
const MAX_MAILBOXES: usize = 500;
/// Each folder is a cursor and a subscription of its own; Graph allows 1,000 subscriptions for each mailbox and
/// application, and far fewer are of use.
const MAX_FOLDERS: usize = 20;
/// Entra's limit for a display name.
const MAX_NAME: usize = 256;

/// The desired state of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desired {
    /// Directory (tenant) id, or one of the tenant's domain names.
    pub tenant: String,
    /// Base address of the sign-in service.
    #[serde(default = "default_authority")]
    pub authority: Url,
    /// Base address of Graph, without a version.
    #[serde(default = "default_graph")]
    pub graph: Url,
    /// The application registration.
    pub application: DesiredApplication,
    /// Addresses of the mailboxes to serve.
    #[serde(default)]
    pub mailboxes: Vec<EmailAddress>,
    /// Which mailboxes of the tenant the application may reach.
    #[serde(default)]
    pub access: DesiredAccess,
    /// Folders to follow in each mailbox: well-known names such as `inbox`, or display names.
    #[serde(default = "default_folders")]
    pub folders: Vec<String>,
}

/// The desired application registration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DesiredApplication {
    /// Display name.
    #[serde(default = "default_name")]
    pub name: String,
    /// Who may sign in with it.
    #[serde(default)]
    pub account_types: AccountTypes,
    /// Redirect address of the web platform; Guichet never receives anything there.
    #[serde(default = "default_redirect")]
    pub redirect_uri: Url,
    /// What the application proves itself with.
    #[serde(default)]
    pub credential: CredentialKind,
    /// A certificate of the operator's own, PEM; without it one is made.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// Its private key, PEM; without it the key stands in the certificate's file.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// Whose tokens speak for the application, for the kind `federated`.
    #[serde(default)]
    pub federated: Option<Federated>,
    /// Description of the client secret or certificate, as the portal shows it.
    #[serde(default = "default_description")]
    pub secret_description: String,
    /// Whether the application may renew its own client secret, for which it gets
    /// Application.ReadWrite.OwnedBy and becomes its own owner.
    #[serde(default)]
    pub self_rotation: bool,
    /// Life of a client secret or of a certificate that is made here, in days, 1 to 730.
    #[serde(default = "default_lifetime", deserialize_with = "lifetime")]
    pub secret_lifetime_days: u16,
}

/// How far the application's access reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DesiredAccess {
    /// The whole tenant, or the listed mailboxes.
    pub scope: Scope,
    /// Whether `apply` takes away the tenant-wide grants of Mail.ReadWrite and Mail.Send that would
    /// defeat the scope `mailboxes`. Without it they are named, and stay.
    pub remove_tenant_wide_grants: bool,
    /// Whether the doctor may look at the rules of the mailboxes: MailboxSettings.Read, or the same as a role of
    /// Exchange for the listed mailboxes.
    pub read_mailbox_settings: bool,
    /// Whether the doctor may look at users and their licences: User.Read.All.
    pub read_users: bool,
}

/// Scope of access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Admin consent in Entra: every mailbox of the tenant.
    #[default]
    TenantWide,
    /// RBAC for Applications in Exchange: only the listed mailboxes.
    Mailboxes,
}

/// The portal's *supported account types*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountTypes {
    /// Accounts in this organisational directory only.
    #[default]
    SingleTenant,
    /// Accounts in any organisational directory.
    AnyOrganisation,
}

impl AccountTypes {
    /// Graph's `signInAudience`.
    pub const fn sign_in_audience(self) -> &'static str {
        match self {
            Self::SingleTenant => "AzureADMyOrg",
            Self::AnyOrganisation => "AzureADMultipleOrgs",
        }
    }
}

impl Default for DesiredApplication {
    fn default() -> Self {
        Self {
            name: default_name(),
            account_types: AccountTypes::default(),
            redirect_uri: default_redirect(),
            credential: CredentialKind::default(),
            certificate_file: None,
            key_file: None,
            federated: None,
            secret_description: default_description(),
            self_rotation: false,
            secret_lifetime_days: default_lifetime(),
        }
    }
}

impl DesiredApplication {
    /// The redirect address as a human types it: without the slash that a parsed address gains when
    /// it has no path.
    pub fn redirect_text(&self) -> &str {
        let text = self.redirect_uri.as_str();
        if self.redirect_uri.path() == "/" {
            text.trim_end_matches('/')
        } else {
            text
        }
    }
}

impl Desired {
    /// Whether Exchange, and not Entra, gives access to the mailboxes.
    pub fn is_scoped(&self) -> bool {
        self.access.scope == Scope::Mailboxes
    }

    /// The permissions that the registration asks for and that are consented to. Where Exchange gives
    /// access to the listed mailboxes, a consent to the application permissions would open all.
    pub fn permissions(&self) -> Vec<Permission> {
        let needed: &[Permission] = if self.is_scoped() {
            &permissions::DELEGATED
        } else {
            &permissions::ALL
        };
        [needed, &self.optional_permissions()].concat()
    }

    /// Those that only a feature needs which the configuration switches on. Mail flows without them.
    pub fn optional_permissions(&self) -> Vec<Permission> {
        let mut optional = Vec::new();
        if self.renews_own_secret() {
            optional.push(permissions::MANAGE_OWN_APPLICATION);
        }
        // Where Exchange gives access, its own role does.
        if self.access.read_mailbox_settings && !self.is_scoped() {
            optional.push(permissions::READ_MAILBOX_SETTINGS);
        }
        if self.access.read_users {
            optional.push(permissions::READ_USERS);
        }
        optional
    }

    /// Whether the application renews its own client secret. A certificate renews itself without a permission.
    pub fn renews_own_secret(&self) -> bool {
        self.application.self_rotation && self.application.credential == CredentialKind::Secret
    }

    /// Checks what the types can't.
    ///
    /// # Errors
    /// [`Error::Desired`] naming the field and what to write instead.
    pub fn validate(&self) -> Result<(), Error> {
        let refuse = |field: &'static str, problem: String| Err(Error::Desired { field, problem });
        if !is_tenant(&self.tenant) {
            let meant = crate::token_endpoint::Pasted::parse(&self.tenant).filter(|pasted| is_tenant(&pasted.tenant));
            let hint = meant.map_or_else(String::new, |meant| format!(": write `{}`", meant.tenant));
            return refuse(
                "tenant",
                format!(
                    "`{}` is neither a directory (tenant) id nor a domain name{hint}",
                    self.tenant
                ),
            );
        }
        for (field, url) in [("authority", &self.authority), ("graph", &self.graph)] {
            if !is_base(url) {
                return refuse(
                    field,
                    format!("`{url}` is not a base address: expected https://host without path and query"),
                );
            }
        }
        if let Some(problem) = cloud::mismatch(&self.authority, &self.graph) {
            return refuse("graph", problem);
        }
        let application = &self.application;
        for (field, text) in [
            ("application.name", &application.name),
            ("application.secret_description", &application.secret_description),
        ] {
            let length = text.chars().count();
            if text.trim().is_empty() || length > MAX_NAME {
                return refuse(field, format!("it has {length} characters, expected 1 to {MAX_NAME}"));
            }
            if text.chars().any(char::is_control) {
                return refuse(field, format!("{text:?} has a line break or another control character"));
            }
        }
        if !is_redirect(&application.redirect_uri) {
            return refuse(
                "application.redirect_uri",
                format!(
                    "`{}` is refused by Entra: use https, or http://localhost",
                    application.redirect_uri
                ),
            );
        }
        let days = application.secret_lifetime_days;
        if !LIFETIME_DAYS.contains(&days) {
            return refuse("application.secret_lifetime_days", format!("{days} is not 1 to 730"));
        }
        if application.certificate_file.is_none() && application.key_file.is_some() {
            return refuse(
                "application.key_file",
                "a key without a certificate: name `certificate_file` too".to_owned(),
            );
        }
        match (&application.federated, application.credential) {
            (None, CredentialKind::Federated) => {
                return refuse(
                    "application.federated",
                    "whose tokens? set `issuer`, `subject` and `token_file` in [application.federated]".to_owned(),
                );
            }
            (Some(_), CredentialKind::Secret | CredentialKind::Certificate) => {
                return refuse(
                    "application.federated",
                    "it is not used: set `credential = \"federated\"`".to_owned(),
                );
            }
            (Some(federated), CredentialKind::Federated) => {
                if let Some((field, problem)) = federated.check() {
                    return refuse(field, problem);
                }
            }
            (None, _) => {}
        }
        if application.certificate_file.is_some() && application.credential != CredentialKind::Certificate {
            return refuse(
                "application.certificate_file",
                "it is not used: set `credential = \"certificate\"`".to_owned(),
            );
        }
        if self.mailboxes.len() > MAX_MAILBOXES {
            return refuse(
                "mailboxes",
                format!(
                    "{} addresses, at most {MAX_MAILBOXES} are supported",
                    self.mailboxes.len()
                ),
            );
        }
        if self.is_scoped() && self.mailboxes.is_empty() {
            return refuse(
                "access.scope",
                "`mailboxes` limits access to the listed mailboxes, and none is listed".to_owned(),
            );
        }
        if let Some(twice) = repeated(self.mailboxes.iter().map(|address| address.as_str().to_owned())) {
            return refuse("mailboxes", format!("`{twice}` is listed twice"));
        }
        if self.folders.is_empty() || self.folders.len() > MAX_FOLDERS {
            return refuse(
                "folders",
                format!("{} folders, expected 1 to {MAX_FOLDERS}", self.folders.len()),
            );
        }
        if self.folders.iter().any(|name| name.trim().is_empty()) {
            return refuse("folders", "a folder has no name".to_owned());
        }
        if let Some(twice) = repeated(self.folders.iter().map(|name| name.to_lowercase())) {
            return refuse("folders", format!("`{twice}` is listed twice"));
        }
        Ok(())
    }
}

fn repeated(texts: impl Iterator<Item = String>) -> Option<String> {
    let mut seen = BTreeSet::new();
    texts.into_iter().find(|text| !seen.insert(text.clone()))
}

fn is_tenant(text: &str) -> bool {
    let domain = text.contains('.')
        && text
            .split('.')
            .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'));
    Uuid::parse_str(text).is_ok() || domain
}

/// Plain http is left to a loopback address: an emulator runs there, Microsoft never does.
fn is_base(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    scheme && url.has_host() && plain
}

fn is_redirect(url: &Url) -> bool {
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && url.host_str() == Some("localhost"));
    scheme && url.fragment().is_none()
}

fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let days = i64::deserialize(deserializer)?;
    u16::try_from(days)
        .ok()
        .filter(|days| LIFETIME_DAYS.contains(days))
        .ok_or_else(|| serde::de::Error::custom(format!("{days} days is not 1 to 730")))
}

/// The sign-in service of the worldwide cloud.
fn default_authority() -> Url {
    Cloud::Global.authority()
}

/// Microsoft Graph of the worldwide cloud.
fn default_graph() -> Url {
    Cloud::Global.graph()
}

fn default_redirect() -> Url {
    Url::parse("http://localhost").expect("a constant address parses")
}

fn default_name() -> String {
    "Guichet".to_owned()
}

fn default_description() -> String {
    "Guichet".to_owned()
}

const fn default_lifetime() -> u16 {
    180
}

fn default_folders() -> Vec<String> {
    vec!["inbox".to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desired(change: impl FnOnce(&mut serde_json::Value)) -> Result<Desired, String> {
        let mut json = serde_json::json!({ "tenant": "contoso.example", "application": {} });
        change(&mut json);
        let desired: Desired = serde_json::from_value(json).map_err(|e| e.to_string())?;
        desired.validate().map_err(|e| e.to_string())?;
        Ok(desired)
    }

    #[test]
    fn defaults_are_those_of_the_portal_page() {
        let desired = desired(|_| {}).unwrap();
        assert_eq!(desired.application.redirect_text(), "http://localhost");
        assert_eq!(desired.application.account_types.sign_in_audience(), "AzureADMyOrg");
        assert_eq!(desired.application.secret_lifetime_days, 180);
        assert_eq!(desired.folders, ["inbox"]);
        assert_eq!(desired.authority.as_str(), "https://login.microsoftonline.com/");
    }

    #[test]
    fn each_bad_field_is_named() {
        for (field, value) in [
            ("tenant", "not a tenant"),
            ("tenant", "nodots"),
            ("authority", "http://login.microsoftonline.com"),
            ("graph", "https://graph.microsoft.com/v1.0"),
        ] {
            let error = desired(|json| json[field] = value.into()).unwrap_err();
            assert!(error.contains(field) && error.contains(value), "{error}");
        }
        for (field, value) in [
            ("name", serde_json::json!("")),
            ("name", serde_json::json!("two\nlines")),
            ("redirect_uri", serde_json::json!("http://127.0.0.1")),
            ("redirect_uri", serde_json::json!("http://contoso.example")),
        ] {
            let error = desired(|json| json["application"][field] = value).unwrap_err();
            assert!(error.contains(field), "{error}");
        }
        for days in [0, 731, -1, 70_000] {
            let error = desired(|json| json["application"]["secret_lifetime_days"] = days.into()).unwrap_err();
            assert!(error.contains("1 to 730"), "{error}");
        }
    }

    #[test]
    fn a_brought_certificate_that_would_not_be_used_is_refused() {
        let error = desired(|json| json["application"]["certificate_file"] = "a.pem".into()).unwrap_err();
        assert!(error.contains("credential = \"certificate\""), "{error}");
        let error = desired(|json| {
            json["application"]["credential"] = "certificate".into();
            json["application"]["key_file"] = "a.key".into();
        });
        assert!(error.unwrap_err().contains("certificate_file"));
    }

    #[test]
    fn unknown_keys_and_doubles_are_refused() {
        let error = desired(|json| json["tenat"] = "x".into()).unwrap_err();
        assert!(error.contains("tenat"), "{error}");
        let error = desired(|json| json["application"]["colour"] = "x".into()).unwrap_err();
        assert!(error.contains("colour"), "{error}");
        let error = desired(|json| json["mailboxes"] = serde_json::json!(["a@b.example", "A@B.example"])).unwrap_err();
        assert!(error.contains("a@b.example"), "{error}");
        let error = desired(|json| json["folders"] = serde_json::json!(["Inbox", "inbox"])).unwrap_err();
        assert!(error.contains("inbox"), "{error}");
    }

    #[test]
    fn an_emulator_on_the_loopback_address_may_speak_plain_http() {
        let accepted = desired(|json| {
            json["authority"] = "http://127.0.0.1:8080".into();
            json["graph"] = "http://localhost:8080".into();
        });
        assert!(accepted.is_ok(), "{accepted:?}");
    }
}
