//! The directory's objects and how Graph shows them.
//!
//! Owns the shapes of users, applications, service principals, assignments and grants, each with an `entity` that
//! lists every property the sandbox knows. Never decides who may see or change them. A secret's text leaves only
//! through the one answer that creates it.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;
use uuid::{Uuid, uuid};

use crate::directory::federated::FederatedCredential;
use crate::directory::key_credentials::KeyCredential;
use crate::directory::mailbox_profile::{MailboxKind, MailboxProfile};
use crate::directory::{UserRef, licences, permissions};

/// Template id of the Global Administrator directory role.
pub const GLOBAL_ADMINISTRATOR: Uuid = uuid!("62e90394-69f5-4237-9190-012177145e10");
/// Template id of the Exchange Administrator directory role.
pub const EXCHANGE_ADMINISTRATOR: Uuid = uuid!("29232cdf-9323-42fd-ade2-1d097af3e4de");

/// A person or shared mailbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// Object id.
    pub id: Uuid,
    /// Sign-in name.
    pub user_principal_name: String,
    /// Name shown to people.
    pub display_name: String,
    /// Mail address; none means no mailbox.
    pub mail: Option<String>,
    /// Whether the user may sign in.
    pub account_enabled: bool,
    /// Password of the sign-in page; none means nobody can sign in as this user.
    #[serde(with = "crate::persist::encoding::optional_secret")]
    pub password: Option<SecretString>,
    /// Template ids of directory roles.
    pub roles: Vec<Uuid>,
    /// The mailbox as an administrator sees it; means nothing without a mail address.
    #[serde(default)]
    pub mailbox: MailboxProfile,
    /// Whether the user belongs to another organisation.
    pub guest: bool,
    /// Whether the only licence is one whose Exchange plan gives no mailbox.
    pub foundation_only: bool,
    /// Creation by the tenant's clock.
    pub created_at: Timestamp,
}

impl User {
    /// Whether the user's licence contains a mailbox.
    #[must_use]
    pub fn is_licensed(&self) -> bool {
        self.mail.is_some() && self.mailbox.licensed && self.mailbox.kind == MailboxKind::User
    }

    /// What the mail half may know.
    #[must_use]
    pub fn reference(&self) -> UserRef {
        UserRef {
            id: self.id,
            user_principal_name: self.user_principal_name.clone(),
            display_name: self.display_name.clone(),
            mail: self.mail.clone(),
        }
    }

    /// Whether the user is a Global Administrator.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.roles.contains(&GLOBAL_ADMINISTRATOR)
    }

    /// Every property the sandbox knows.
    #[must_use]
    pub fn entity(&self) -> Value {
        let local = self.user_principal_name.split('@').next().unwrap_or_default();
        let primary = self.mail.iter().map(|mail| format!("SMTP:{mail}"));
        let aliases = self.mailbox.aliases.iter().map(|alias| format!("smtp:{alias}"));
        let proxies: Vec<String> = primary.chain(aliases).collect();
        json!({
            "id": self.id,
            "businessPhones": [],
            "displayName": self.display_name,
            "givenName": null,
            "jobTitle": null,
            "mail": self.mail,
            "mobilePhone": null,
            "officeLocation": null,
            "preferredLanguage": null,
            "surname": null,
            "userPrincipalName": self.user_principal_name,
            "accountEnabled": self.account_enabled,
            "ageGroup": null,
            "assignedLicenses": licences::assigned_licenses(self),
            "assignedPlans": licences::assigned_plans(self),
            "city": null,
            "companyName": null,
            "country": null,
            "createdDateTime": time(self.created_at),
            "creationType": null,
            "deletedDateTime": null,
            "department": null,
            "employeeId": null,
            "imAddresses": [],
            "lastPasswordChangeDateTime": time(self.created_at),
            "mailNickname": local,
            "onPremisesSyncEnabled": null,
            "otherMails": [],
            "postalCode": null,
            "provisionedPlans": licences::provisioned_plans(self),
            "proxyAddresses": proxies,
            "showInAddressList": null,
            "signInSessionsValidFromDateTime": time(self.created_at),
            "state": null,
            "streetAddress": null,
            "usageLocation": "FR",
            "userType": if self.guest { "Guest" } else { "Member" },
        })
    }
}

/// One client secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Secret {
    /// Id by which it is removed; clients sometimes send it in place of the text.
    pub key_id: Uuid,
    /// Name given by the administrator.
    pub display_name: Option<String>,
    /// Valid from.
    pub start: Timestamp,
    /// Valid until.
    pub end: Timestamp,
    /// When every part of the login service knows it.
    pub known_from: Timestamp,
    /// The secret itself.
    #[serde(with = "crate::persist::encoding::secret")]
    pub text: SecretString,
}

impl Secret {
    /// Compares in constant time.
    #[must_use]
    pub fn is(&self, presented: &str) -> bool {
        self.text.expose_secret().as_bytes().ct_eq(presented.as_bytes()).into()
    }

    /// As listed after creation: the text stays hidden.
    #[must_use]
    pub fn entity(&self) -> Value {
        let hint: String = self.text.expose_secret().chars().take(3).collect();
        json!({
            "customKeyIdentifier": null,
            "displayName": self.display_name,
            "endDateTime": time(self.end),
            "hint": hint,
            "keyId": self.key_id,
            "secretText": null,
            "startDateTime": time(self.start),
        })
    }

    /// As answered once, at creation.
    #[must_use]
    pub fn entity_with_text(&self) -> Value {
        let mut entity = self.entity();
        entity["secretText"] = Value::from(self.text.expose_secret());
        entity
    }
}

/// An application registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Application {
    /// Object id.
    pub id: Uuid,
    /// Application (client) id.
    pub app_id: Uuid,
    /// Every plain property.
    pub document: Map<String, Value>,
    /// Client secrets.
    pub secrets: Vec<Secret>,
    /// Certificates.
    pub keys: Vec<KeyCredential>,
    /// Outside issuers it trusts.
    pub federated: Vec<FederatedCredential>,
    /// Object ids of users and service principals that own it.
    pub owners: Vec<Uuid>,
}

/// A service principal (enterprise application).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServicePrincipal {
    /// Object id.
    pub id: Uuid,
    /// Application id it stands for.
    pub app_id: Uuid,
    /// Every plain property.
    pub document: Map<String, Value>,
    /// Secrets added to the principal itself.
    pub secrets: Vec<Secret>,
    /// Certificates added to the principal itself.
    pub keys: Vec<KeyCredential>,
    /// Template ids of directory roles.
    #[serde(default)]
    pub roles: Vec<Uuid>,
    /// Object ids of users and service principals that own it.
    pub owners: Vec<Uuid>,
}

macro_rules! documented {
    ($type:ty) => {
        impl $type {
            /// Name shown to people.
            #[must_use]
            pub fn display_name(&self) -> &str {
                self.document
                    .get("displayName")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            }
        }
    };
}
documented!(Application);
documented!(ServicePrincipal);

impl Application {
    /// Every property the sandbox knows.
    #[must_use]
    pub fn entity(&self) -> Value {
        let mut document = self.document.clone();
        document.insert(
            "passwordCredentials".to_owned(),
            self.secrets.iter().map(Secret::entity).collect(),
        );
        let keys = self.keys.iter().map(|key| key.entity(false));
        document.insert("keyCredentials".to_owned(), keys.collect());
        Value::Object(document)
    }

    /// Whether the application may sign users in without a credential.
    #[must_use]
    pub fn is_public_client(&self) -> bool {
        self.document
            .get("isFallbackPublicClient")
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }
}

impl ServicePrincipal {
    /// Every property the sandbox knows.
    #[must_use]
    pub fn entity(&self) -> Value {
        let mut document = self.document.clone();
        document.insert(
            "passwordCredentials".to_owned(),
            self.secrets.iter().map(Secret::entity).collect(),
        );
        let keys = self.keys.iter().map(|key| key.entity(false));
        document.insert("keyCredentials".to_owned(), keys.collect());
        if !permissions::published_by(self.app_id).is_empty() {
            document.insert("appRoles".to_owned(), permissions::app_roles(self.app_id));
            let scopes = permissions::oauth2_permission_scopes(self.app_id);
            document.insert("oauth2PermissionScopes".to_owned(), scopes);
        }
        Value::Object(document)
    }

    /// Whether tokens may be issued.
    #[must_use]
    pub fn account_enabled(&self) -> bool {
        self.document
            .get("accountEnabled")
            .and_then(Value::as_bool)
            .unwrap_or(true)
    }

    /// Whether its owner deactivated it (`isDisabled`).
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.document.get("isDisabled") == Some(&Value::Bool(true))
    }

    /// The name of an application permission this principal publishes.
    #[must_use]
    pub fn role_value(&self, role_id: Uuid) -> Option<String> {
        if let Some(role) = permissions::role_by_id(self.app_id, role_id) {
            return Some(role.value.to_owned());
        }
        let roles = self.document.get("appRoles").and_then(Value::as_array)?;
        let wanted = role_id.to_string();
        let role = roles
            .iter()
            .find(|role| role["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(&wanted)))?;
        role["value"].as_str().map(str::to_owned)
    }
}

/// An application permission granted to a principal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppRoleAssignment {
    /// Id by which it is deleted.
    pub id: String,
    /// The permission.
    pub app_role_id: Uuid,
    /// Who holds it.
    pub principal_id: Uuid,
    /// Whose permission it is.
    pub resource_id: Uuid,
    /// Creation by the tenant's clock.
    pub created_at: Timestamp,
}

/// Delegated permissions granted to a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grant {
    /// Id by which it is changed and deleted.
    pub id: String,
    /// Object id of the client's service principal.
    pub client_id: Uuid,
    /// The one user it holds for; none means all.
    pub principal_id: Option<Uuid>,
    /// Object id of the resource's service principal.
    pub resource_id: Uuid,
    /// Names separated by spaces.
    pub scope: String,
}

impl Grant {
    /// As Graph shows it.
    #[must_use]
    pub fn entity(&self) -> Value {
        json!({
            "id": self.id,
            "clientId": self.client_id,
            "consentType": if self.principal_id.is_some() { "Principal" } else { "AllPrincipals" },
            "principalId": self.principal_id,
            "resourceId": self.resource_id,
            "scope": self.scope,
        })
    }
}

/// A time as the directory writes it: whole seconds, UTC.
#[must_use]
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
