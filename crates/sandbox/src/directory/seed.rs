//! The objects a tenant is born with.
//!
//! Owns the administrator, the licensed users, Microsoft's own service principals and the administrative application
//! that automation uses. Runs once, before the first request.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use uuid::{Uuid, uuid};

use crate::config::AdministratorDescription;
use crate::directory::model::{AppRoleAssignment, Application, GLOBAL_ADMINISTRATOR, Secret};
use crate::directory::permissions::{self, EXCHANGE_APP_ID, GRAPH_APP_ID};
use crate::directory::tenant::{NewUser, Tenant};
use crate::directory::{UserRef, templates};

/// Microsoft's own tenant, the owner of its service principals.
const MICROSOFT_TENANT: Uuid = uuid!("f8cdef31-a31e-4b4a-93e4-5f571e91255a");

/// What the administrative application may do.
const ADMINISTRATIVE_ROLES: [&str; 7] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
    "Organization.Read.All",
    "RoleManagement.ReadWrite.Exchange",
    "User.Read.All",
];

/// Characters of generated passwords and secrets.
const SECRET_LENGTH: usize = 40;
/// The administrative secret outlives every test: advancing the clock must not lock the door.
const ADMINISTRATIVE_SECRET_LIFE: SignedDuration = SignedDuration::from_hours(20 * 365 * 24);

/// Fills an empty tenant and gives the administrator's credentials.
#[must_use]
pub fn populate(tenant: &Tenant) -> AdministratorDescription {
    tenant.ensure_service_principal(GRAPH_APP_ID, "Microsoft Graph", MICROSOFT_TENANT);
    tenant.ensure_service_principal(EXCHANGE_APP_ID, "Office 365 Exchange Online", MICROSOFT_TENANT);
    let user_principal_name = format!("administrator@{}", tenant.domain);
    let password = SecretString::from(tenant.entropy.secret(SECRET_LENGTH));
    tenant.add_user(NewUser {
        user_principal_name: &user_principal_name,
        display_name: "Administrator",
        mailbox: false,
        password: Some(password.clone()),
        roles: vec![GLOBAL_ADMINISTRATOR],
    });
    tenant.add_user(NewUser {
        user_principal_name: &format!("unlicensed@{}", tenant.domain),
        display_name: "Unlicensed",
        mailbox: false,
        password: None,
        roles: Vec::new(),
    });
    let (client_id, client_secret) = administrative_application(tenant);
    AdministratorDescription {
        user_principal_name,
        password: password.expose_secret().to_owned(),
        client_id,
        client_secret,
    }
}

/// Adds a user with a mail address, who can sign in if there is a password; `None` when the address is taken.
pub fn add_mail_user(
    tenant: &Tenant,
    address: &str,
    display_name: Option<&str>,
    password: Option<SecretString>,
) -> Option<UserRef> {
    let local = address.split('@').next().unwrap_or(address);
    let mut letters = local.chars();
    let capitalised: String = letters
        .next()
        .map_or_else(String::new, |letter| letter.to_uppercase().chain(letters).collect());
    tenant.add_user(NewUser {
        user_principal_name: address,
        display_name: display_name.unwrap_or(&capitalised),
        mailbox: true,
        password,
        roles: Vec::new(),
    })
}

fn administrative_application(tenant: &Tenant) -> (Uuid, String) {
    let now = tenant.clock.now();
    let (id, app_id) = (tenant.entropy.uuid(), tenant.entropy.uuid());
    let mut document = templates::application(id, app_id, &tenant.domain, now);
    let name = "Sandbox administration";
    document.insert("displayName".to_owned(), Value::from(name));
    let text = tenant.entropy.secret(SECRET_LENGTH);
    let secret = Secret {
        key_id: tenant.entropy.uuid(),
        display_name: Some("Sandbox".to_owned()),
        start: now,
        known_from: now,
        end: now.checked_add(ADMINISTRATIVE_SECRET_LIFE).unwrap_or(Timestamp::MAX),
        text: SecretString::from(text.clone()),
    };
    let application = Application {
        id,
        app_id,
        document,
        secrets: vec![secret],
        keys: Vec::new(),
        federated: Vec::new(),
        owners: Vec::new(),
    };
    tenant.write().applications.push(application);
    let principal_id = tenant.ensure_service_principal(app_id, name, tenant.id);
    let graph = tenant.ensure_service_principal(GRAPH_APP_ID, "Microsoft Graph", MICROSOFT_TENANT);
    for role in ADMINISTRATIVE_ROLES {
        let Some(role) = permissions::role_by_value(GRAPH_APP_ID, role) else {
            continue;
        };
        let assignment = AppRoleAssignment {
            id: tenant.link_id(),
            app_role_id: role.id,
            principal_id,
            resource_id: graph,
            created_at: now,
        };
        tenant.write().assignments.push(assignment);
    }
    (app_id, text)
}
