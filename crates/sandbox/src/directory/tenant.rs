//! The directory's state.
//!
//! Owns every directory object behind one read-write lock that is held for look-ups only, never over an await or an
//! answer's rendering of lists. Names and addresses are unique without regard to case. Ids come from the tenant's
//! entropy and are never reused.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::Caller;
use crate::clock::SandboxClock;
use crate::directory::deleted::Deleted;
use crate::directory::delta::Deltas;
use crate::directory::mailbox_profile::{MailboxCondition, MailboxKind, MailboxProfile};
use crate::directory::model::{AppRoleAssignment, Application, Grant, ServicePrincipal, User};
use crate::directory::permissions::GRAPH_APP_ID;
use crate::directory::policies::{Arrivals, Policies};
use crate::directory::templates;
use crate::directory::{Directory, ExchangeRules, SendRight, UserRef};
use crate::entropy::Entropy;
use crate::exchange::Exchange;
use crate::persist::Section;

/// How many objects of one kind a tenant holds: far above any test, and a bound for a client that runs away.
pub const MAX_OBJECTS: usize = 20_000;

/// Users of a tenant: an organisation of a hundred thousand mailboxes fits.
const MAX_USERS: usize = 250_000;

/// The directory.
#[derive(Debug)]
pub struct Tenant {
    /// The tenant's id.
    pub id: Uuid,
    /// The verified domain.
    pub domain: String,
    /// Name of the organisation.
    pub display_name: String,
    /// The tenant's clock.
    pub clock: Arc<SandboxClock>,
    /// The tenant's randomness.
    pub entropy: Arc<Entropy>,
    /// Creation of the tenant.
    pub created_at: Timestamp,
    /// Tokens of delta queries.
    pub deltas: Deltas,
    state: RwLock<Objects>,
    /// Who governs the mailboxes; it holds the tenant, so the tenant must not hold it.
    exchange: OnceLock<Weak<Exchange>>,
    /// How often the objects were opened for writing.
    revision: AtomicU64,
}

/// All objects.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Objects {
    users: HashMap<Uuid, User>,
    user_order: Vec<Uuid>,
    /// Who was deleted and can still come back.
    deleted_users: Vec<User>,
    names: HashMap<String, Uuid>,
    addresses: HashMap<String, Uuid>,
    /// Application registrations in order of creation.
    pub applications: Vec<Application>,
    /// Service principals in order of creation.
    pub service_principals: Vec<ServicePrincipal>,
    /// Granted application permissions.
    pub assignments: Vec<AppRoleAssignment>,
    /// Granted delegated permissions.
    pub grants: Vec<Grant>,
    /// What was deleted and can still be restored.
    pub deleted: Vec<Deleted>,
    /// Switches of the tenant.
    pub policies: Policies,
    /// New objects that are not known everywhere yet.
    pub arrivals: Arrivals,
}

/// What a new user is made of.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// Sign-in name.
    pub user_principal_name: &'a str,
    /// Name shown to people.
    pub display_name: &'a str,
    /// Whether the user has a mail address (the sign-in name).
    pub mailbox: bool,
    /// Password of the sign-in page.
    pub password: Option<SecretString>,
    /// Template ids of directory roles.
    pub roles: Vec<Uuid>,
}

impl Tenant {
    /// An empty directory.
    #[must_use]
    pub fn new(id: Uuid, domain: &str, clock: Arc<SandboxClock>, entropy: Arc<Entropy>) -> Self {
        let first = domain.split('.').next().unwrap_or(domain);
        let mut letters = first.chars();
        let display_name = letters
            .next()
            .map_or_else(String::new, |letter| letter.to_uppercase().chain(letters).collect());
        let created_at = clock.now();
        let (id, domain) = (id, domain.to_ascii_lowercase());
        Self {
            id,
            domain,
            display_name,
            clock,
            entropy,
            created_at,
            deltas: Deltas::default(),
            state: RwLock::default(),
            exchange: OnceLock::new(),
            revision: AtomicU64::new(0),
        }
    }

    /// Puts the mailboxes under Exchange's rules; the first call counts.
    pub fn govern(&self, exchange: &Arc<Exchange>) {
        let _ = self.exchange.set(Arc::downgrade(exchange));
    }

    fn exchange(&self) -> Option<Arc<Exchange>> {
        self.exchange.get()?.upgrade()
    }

    /// The switches as they stand now.
    #[must_use]
    pub fn policies(&self) -> Policies {
        self.read().policies.clone()
    }

    /// The objects for reading.
    pub fn read(&self) -> RwLockReadGuard<'_, Objects> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The objects for writing.
    pub fn write(&self) -> RwLockWriteGuard<'_, Objects> {
        let objects = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.revision.fetch_add(1, Ordering::Release);
        objects
    }

    /// Adds a user; `None` when the name is taken or the tenant is full.
    pub fn add_user(&self, new: NewUser<'_>) -> Option<UserRef> {
        let name = new.user_principal_name.to_lowercase();
        let mut objects = self.write();
        if objects.names.contains_key(&name) || objects.users.len() >= MAX_USERS {
            return None;
        }
        let user = User {
            id: self.entropy.uuid(),
            user_principal_name: new.user_principal_name.to_owned(),
            display_name: new.display_name.to_owned(),
            mail: new.mailbox.then(|| new.user_principal_name.to_owned()),
            account_enabled: true,
            password: new.password,
            roles: new.roles,
            mailbox: MailboxProfile::default(),
            guest: false,
            foundation_only: false,
            created_at: self.clock.now(),
        };
        let reference = user.reference();
        if new.mailbox {
            objects.addresses.insert(name.clone(), user.id);
        }
        objects.names.insert(name, user.id);
        objects.user_order.push(user.id);
        objects.users.insert(user.id, user);
        Some(reference)
    }

    /// A short id as the directory gives assignments and grants.
    #[must_use]
    pub fn link_id(&self) -> String {
        let mut bytes = [0_u8; 32];
        self.entropy.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Adds a service principal for an application and gives its object id; the existing one if there is one.
    pub fn ensure_service_principal(&self, app_id: Uuid, display_name: &str, owner: Uuid) -> Uuid {
        let mut objects = self.write();
        if let Some(existing) = objects.service_principal_of(app_id) {
            return existing.id;
        }
        let id = self.entropy.uuid();
        let publisher = if owner == self.id {
            self.display_name.as_str()
        } else {
            "Microsoft Services"
        };
        let document = templates::service_principal(id, app_id, display_name, owner, publisher, self.clock.now());
        objects.service_principals.push(ServicePrincipal {
            id,
            app_id,
            document,
            secrets: Vec::new(),
            keys: Vec::new(),
            roles: Vec::new(),
            owners: Vec::new(),
        });
        id
    }

    /// The addresses of all users with a mailbox, in order of creation.
    #[must_use]
    pub fn mailbox_addresses(&self) -> Vec<String> {
        self.read().users().filter_map(|user| user.mail.clone()).collect()
    }

    /// Whether this names the tenant: its id, its domain or its initial domain.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.domain)
            || name.eq_ignore_ascii_case(&self.initial_domain())
            || name.parse::<Uuid>().is_ok_and(|id| id == self.id)
    }

    /// The domain every tenant is born with.
    #[must_use]
    pub fn initial_domain(&self) -> String {
        format!(
            "{}.onmicrosoft.com",
            self.domain.split('.').next().unwrap_or(&self.domain)
        )
    }
}

impl Objects {
    /// A user by object id or sign-in name.
    #[must_use]
    pub fn user(&self, id_or_name: &str) -> Option<&User> {
        if let Ok(id) = id_or_name.parse::<Uuid>() {
            return self.users.get(&id);
        }
        self.users.get(self.names.get(&id_or_name.to_lowercase())?)
    }

    /// A user by object id.
    #[must_use]
    pub fn user_by_id(&self, id: Uuid) -> Option<&User> {
        self.users.get(&id)
    }

    /// A user to be changed. Names and addresses are indexed and must stay as they are.
    pub fn user_mut(&mut self, id: Uuid) -> Option<&mut User> {
        self.users.get_mut(&id)
    }

    /// The user an address belongs to.
    #[must_use]
    pub fn user_of_address(&self, address: &str) -> Option<&User> {
        self.users.get(self.addresses.get(&address.to_lowercase())?)
    }

    /// Gives a user these aliases and no others; the one that is another's when there is one.
    ///
    /// # Errors
    /// The address that is taken.
    pub fn set_aliases(&mut self, id: Uuid, aliases: &[String]) -> Result<(), String> {
        let taken = aliases.iter().find(|alias| {
            self.addresses
                .get(&alias.to_lowercase())
                .is_some_and(|owner| *owner != id)
        });
        if let Some(taken) = taken {
            return Err(taken.clone());
        }
        let Some(user) = self.users.get_mut(&id) else {
            return Ok(());
        };
        let primary = user.mail.as_deref().unwrap_or_default().to_lowercase();
        let former = std::mem::take(&mut user.mailbox.aliases);
        user.mailbox.aliases = aliases
            .iter()
            .filter(|alias| alias.to_lowercase() != primary)
            .cloned()
            .collect();
        let now = user.mailbox.aliases.clone();
        for alias in former {
            self.addresses.remove(&alias.to_lowercase());
        }
        for alias in now {
            self.addresses.insert(alias.to_lowercase(), id);
        }
        Ok(())
    }

    /// Users in order of creation.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.user_order.iter().filter_map(|id| self.users.get(id))
    }

    /// Deletes a user; `false` if there is none of that name. What else refers to the user stays.
    pub fn delete_user(&mut self, id_or_name: &str) -> bool {
        let Some(id) = self.user(id_or_name).map(|user| user.id) else {
            return false;
        };
        self.user_order.retain(|other| *other != id);
        self.names.retain(|_, owner| *owner != id);
        self.addresses.retain(|_, owner| *owner != id);
        self.deleted_users.extend(self.users.remove(&id));
        true
    }

    /// Brings a deleted user back; `false` if there is none, or if the name or an address is another's by now.
    pub fn restore_user(&mut self, id_or_name: &str) -> bool {
        let id = id_or_name.parse::<Uuid>().ok();
        let is_meant = |user: &User| Some(user.id) == id || user.user_principal_name.eq_ignore_ascii_case(id_or_name);
        let Some(position) = self.deleted_users.iter().position(is_meant) else {
            return false;
        };
        let user = &self.deleted_users[position];
        let name = user.user_principal_name.to_lowercase();
        let addresses = user.mail.iter().chain(&user.mailbox.aliases);
        let addresses: Vec<String> = addresses.map(|address| address.to_lowercase()).collect();
        let taken = addresses.iter().any(|address| self.addresses.contains_key(address));
        if taken || self.names.contains_key(&name) {
            return false;
        }
        let user = self.deleted_users.remove(position);
        self.names.insert(name, user.id);
        self.addresses
            .extend(addresses.into_iter().map(|address| (address, user.id)));
        self.user_order.push(user.id);
        self.users.insert(user.id, user);
        true
    }

    /// How many users there are.
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.user_order.len()
    }

    /// The registration of an application.
    #[must_use]
    pub fn application_of(&self, app_id: Uuid) -> Option<&Application> {
        self.applications
            .iter()
            .find(|application| application.app_id == app_id)
    }

    /// The service principal of an application.
    #[must_use]
    pub fn service_principal_of(&self, app_id: Uuid) -> Option<&ServicePrincipal> {
        self.service_principals
            .iter()
            .find(|principal| principal.app_id == app_id)
    }

    /// A service principal by object id.
    #[must_use]
    pub fn service_principal(&self, id: Uuid) -> Option<&ServicePrincipal> {
        self.service_principals.iter().find(|principal| principal.id == id)
    }

    /// The names of the application permissions a principal holds on a resource.
    #[must_use]
    pub fn roles(&self, principal: Uuid, resource: Uuid, now: Timestamp) -> Vec<String> {
        let Some(resource) = self.service_principal(resource) else {
            return Vec::new();
        };
        let held = self.assignments.iter().filter(|held| held.principal_id == principal);
        held.filter(|held| held.resource_id == resource.id && self.arrivals.contain(&held.id, now))
            .filter_map(|held| resource.role_value(held.app_role_id))
            .collect()
    }

    /// The names of the delegated permissions a client holds on a resource for a user.
    #[must_use]
    pub fn scopes(&self, client: Uuid, resource: Uuid, user: Uuid, now: Timestamp) -> Vec<String> {
        let grants = self
            .grants
            .iter()
            .filter(|grant| grant.client_id == client && grant.resource_id == resource)
            .filter(|grant| self.arrivals.contain(&grant.id, now));
        let mut scopes: Vec<String> = Vec::new();
        for grant in grants.filter(|grant| grant.principal_id.is_none_or(|principal| principal == user)) {
            for scope in grant.scope.split_whitespace() {
                if !scopes.iter().any(|held| held.eq_ignore_ascii_case(scope)) {
                    scopes.push(scope.to_owned());
                }
            }
        }
        scopes
    }

    /// An assignment as Graph shows it, with the names of both ends.
    #[must_use]
    pub fn assignment_entity(&self, assignment: &AppRoleAssignment) -> Value {
        let (name, kind) = match self.service_principal(assignment.principal_id) {
            Some(principal) => (Some(principal.display_name()), "ServicePrincipal"),
            None => (
                self.users
                    .get(&assignment.principal_id)
                    .map(|user| user.display_name.as_str()),
                "User",
            ),
        };
        serde_json::json!({
            "id": assignment.id,
            "deletedDateTime": null,
            "appRoleId": assignment.app_role_id,
            "createdDateTime": crate::directory::model::time(assignment.created_at),
            "principalDisplayName": name,
            "principalId": assignment.principal_id,
            "principalType": kind,
            "resourceDisplayName": self.service_principal(assignment.resource_id).map(ServicePrincipal::display_name),
            "resourceId": assignment.resource_id,
        })
    }
}

impl Section for Tenant {
    fn name(&self) -> &'static str {
        "directory"
    }

    fn save(&self) -> serde_json::Result<String> {
        serde_json::to_string(&*self.read())
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        *self.write() = serde_json::from_str(saved)?;
        Ok(())
    }

    /// Taken before the objects are read: a change during the save is saved by the next one.
    fn revision(&self) -> Option<u64> {
        Some(self.revision.load(Ordering::Acquire))
    }
}

impl Directory for Tenant {
    fn user(&self, id_or_upn: &str) -> Option<UserRef> {
        self.read().user(id_or_upn).map(User::reference)
    }

    fn user_by_address(&self, address: &str) -> Option<UserRef> {
        let objects = self.read();
        let id = objects.addresses.get(&address.to_lowercase())?;
        objects.users.get(id).map(User::reference)
    }

    fn tenant_id(&self) -> Uuid {
        self.id
    }

    fn exchange_rules(&self, caller: &Caller, mailbox: Uuid) -> ExchangeRules {
        let exchange = self.exchange();
        exchange.map_or_else(ExchangeRules::default, |exchange| {
            exchange.exchange_rules(caller, mailbox)
        })
    }

    fn subscriptions_by_exchange_grant(&self) -> bool {
        self.exchange()
            .is_none_or(|exchange| exchange.subscriptions_by_exchange_grant())
    }

    fn may_open(&self, person: Uuid, mailbox: Uuid) -> bool {
        self.exchange()
            .is_some_and(|exchange| exchange.may_open(person, mailbox))
    }

    fn send_right(&self, sender: Uuid, mailbox: Uuid) -> Option<SendRight> {
        self.exchange()?.send_right(sender, mailbox)
    }

    fn sends_from_alias(&self) -> bool {
        self.exchange().is_some_and(|exchange| exchange.sends_from_alias())
    }

    fn mailbox_standing(&self, mailbox: Uuid) -> (MailboxKind, MailboxCondition) {
        let exchange = self.exchange();
        let active = (MailboxKind::User, MailboxCondition::Active);
        exchange.map_or(active, |exchange| exchange.mailbox_standing(mailbox))
    }

    fn still_allows(&self, app_id: Uuid, user: Option<Uuid>, permissions: &[String]) -> bool {
        let objects = self.read();
        let Some(principal) = objects.service_principal_of(app_id).filter(|one| one.account_enabled()) else {
            return false;
        };
        let person = user.map(|id| objects.users.get(&id));
        if person.is_some_and(|person| person.is_none_or(|person| !person.account_enabled)) {
            return false;
        }
        let Some(graph) = objects.service_principal_of(GRAPH_APP_ID) else {
            return false;
        };
        let held = match user {
            None => objects.roles(principal.id, graph.id, self.clock.now()),
            Some(user) => objects.scopes(principal.id, graph.id, user, self.clock.now()),
        };
        permissions.is_empty()
            || held
                .iter()
                .any(|held| permissions.iter().any(|once| once.eq_ignore_ascii_case(held)))
    }

    fn group_members(&self, address: &str) -> Option<Vec<String>> {
        self.exchange()?.group_members(address)
    }

    fn forwarding(&self, mailbox: Uuid) -> Option<(String, bool)> {
        self.exchange()?.forwarding(mailbox)
    }

    fn accepts_domain(&self, domain: &str) -> bool {
        self.is_called(domain) && domain.contains('.')
    }

    fn mail_domain(&self) -> String {
        self.domain.clone()
    }
}

impl Objects {
    /// Owners and members as `directoryObject`s.
    #[must_use]
    pub fn directory_objects(&self, ids: &[Uuid]) -> Vec<Value> {
        let typed = |mut entity: Value, name: &str| {
            entity["@odata.type"] = name.into();
            entity
        };
        let objects = ids.iter().filter_map(|id| {
            let user = self
                .users
                .get(id)
                .map(|user| typed(user.entity(), "#microsoft.graph.user"));
            user.or_else(|| {
                let principal = self.service_principal(*id)?;
                Some(typed(principal.entity(), "#microsoft.graph.servicePrincipal"))
            })
        });
        objects.collect()
    }

    /// Notes a new object or link, which becomes known everywhere after the tenant's lag.
    pub fn note_new(&mut self, id: impl Into<String>, now: Timestamp) {
        let lag = self.policies.replication_lag_seconds;
        self.arrivals.note(id, now, lag);
    }

    /// Removes everything granted to a service principal or by it.
    pub fn remove_links_of(&mut self, id: Uuid) {
        self.assignments
            .retain(|link| link.principal_id != id && link.resource_id != id);
        self.grants
            .retain(|grant| grant.client_id != id && grant.resource_id != id);
    }
}
