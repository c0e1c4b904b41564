//! The mailboxes of the tenant, as Exchange Online shows them through Graph.
//!
//! Owns messages, folders, drafts, sending and delivery inside the tenant, and the mailbox of everyone outside it. It
//! never opens a socket except for change notifications. Locks: one per mailbox, plain, never held over an await;
//! a mail on its way between two mailboxes holds one lock at a time.

pub mod attachment;
mod attachment_endpoints;
mod attachment_input;
pub mod attachment_query;
pub mod behaviour;
pub mod body;
pub mod categories;
pub mod change_log;
pub mod compose;
mod control_surface;
pub mod conversation;
mod delta;
mod delta_gone;
mod delta_token;
pub mod draft;
pub mod extended;
pub mod fields;
pub mod folder;
mod folder_delta;
mod folder_endpoints;
mod folder_tree;
mod id_formats;
pub mod ids;
pub mod keeping;
mod links;
mod listing;
mod locale;
pub mod mailbox;
pub mod mailbox_settings;
pub mod meeting;
pub mod message;
mod message_endpoints;
pub mod message_input;
pub mod message_subject;
pub mod mime;
mod outside;
pub mod permissions;
pub mod preferences;
pub mod properties;
mod property_path;
pub mod refusal;
pub mod render;
mod reply;
mod routes;
pub mod rules;
pub mod saved;
mod search;
mod search_listing;
mod send;
mod settings;
mod settings_input;
pub mod shown;
mod time_zones;
mod translate;
pub mod transport;
mod upload;
pub mod view_options;
pub mod well_known;
mod wire;

#[cfg(test)]
pub mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use uuid::Uuid;

use crate::auth::Caller;
use crate::clock::SandboxClock;
use crate::directory::{Directory, UserRef};
use crate::entropy::Entropy;
use crate::mail::behaviour::MailBehaviour;
use crate::mail::ids::FolderKey;
use crate::mail::keeping::{TokenKey, UnsavedMailboxes};
use crate::mail::mailbox::Mailbox;
use crate::mail::message::Seconds;
use crate::mail::outside::Outside;
use crate::mail::permissions::Depth;
use crate::mail::shown::ShownBodies;
use crate::mail::upload::Uploads;
use crate::notify::{Host, Notifier, NotifySettings};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

pub use outside::OutsideMail;
pub use transport::{Arrival, Transport};

/// The mailboxes of the tenant.
#[derive(Debug)]
pub struct MailService {
    clock: Arc<SandboxClock>,
    entropy: Arc<Entropy>,
    directory: Arc<dyn Directory>,
    /// A mailbox that nobody has used yet is not made: it has nothing that others have not.
    mailboxes: RwLock<HashMap<Uuid, Option<Arc<RwLock<Mailbox>>>>>,
    outside: Mutex<Outside>,
    uploads: Mutex<Uploads>,
    transport: Transport,
    notifier: Notifier,
    behaviour: RwLock<MailBehaviour>,
    /// Makes delta tokens that were not given out here recognisable.
    token_key: TokenKey,
    shown: Arc<ShownBodies>,
    /// Whether anything is saved.
    watched: bool,
    unsaved: Mutex<UnsavedMailboxes>,
}

impl MailService {
    /// A tenant without mailboxes.
    #[must_use]
    pub fn new(
        clock: Arc<SandboxClock>,
        entropy: Arc<Entropy>,
        directory: Arc<dyn Directory>,
        settings: NotifySettings,
    ) -> Self {
        let mut token_key = [0; 16];
        entropy.fill(&mut token_key);
        let notifier = Notifier::new(clock.clone(), entropy.clone(), directory.clone(), settings);
        Self {
            clock,
            entropy,
            directory,
            mailboxes: RwLock::default(),
            outside: Mutex::default(),
            uploads: Mutex::default(),
            transport: Transport::default(),
            notifier,
            behaviour: RwLock::default(),
            token_key: TokenKey::new(token_key),
            shown: Arc::default(),
            watched: false,
            unsaved: Mutex::default(),
        }
    }

    /// Gives a user a mailbox; one that exists stays as it is.
    pub fn create_mailbox(&self, user_id: Uuid, address: &str, display_name: &str) {
        let mut mailboxes = self.mailboxes.write().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Vacant(place) = mailboxes.entry(user_id) {
            place.insert(None);
            self.note_unsaved(user_id);
        }
        tracing::debug!(%user_id, address, display_name, "mailbox created");
    }

    /// `/users/{user}/<segments>` and `/me/<segments>`; the user exists, the mailbox may not.
    #[expect(
        clippy::unused_async,
        reason = "the interface to the server leaves room for operations that wait"
    )]
    pub async fn handle(
        &self,
        request: &GraphRequest,
        user: &UserRef,
        segments: &[String],
    ) -> Result<GraphResponse, ODataError> {
        routes::route(self, request, user, segments)
    }

    /// `/subscriptions/<segments>`.
    pub async fn handle_subscriptions(
        &self,
        request: &GraphRequest,
        segments: &[String],
    ) -> Result<GraphResponse, ODataError> {
        self.notifier.handle(request, segments, self).await
    }

    /// The application and the user that an upload address belongs to.
    #[must_use]
    pub fn upload_owner(&self, segments: &[String]) -> Option<(Uuid, Uuid)> {
        upload::owner(self, segments)
    }

    /// `/api/v2.0/<segments>`: upload URLs of attachment sessions; the caller is anonymous.
    #[expect(
        clippy::unused_async,
        reason = "the interface to the server leaves room for operations that wait"
    )]
    pub async fn handle_upload(
        &self,
        request: &GraphRequest,
        segments: &[String],
    ) -> Result<GraphResponse, ODataError> {
        upload::put(self, request, segments)
    }

    fn mailbox(&self, user: Uuid) -> Result<Arc<RwLock<Mailbox>>, ODataError> {
        {
            let mailboxes = self.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(mailbox) = mailboxes.get(&user).ok_or_else(refusal::no_mailbox)? {
                return Ok(Arc::clone(mailbox));
            }
        }
        let mut mailboxes = self.mailboxes.write().unwrap_or_else(PoisonError::into_inner);
        let place = mailboxes.get_mut(&user).ok_or_else(refusal::no_mailbox)?;
        let mailbox = place.get_or_insert_with(|| {
            let mut mailbox = Mailbox::new(user);
            mailbox.shown = Arc::clone(&self.shown);
            if self.watched {
                mailbox.watch();
            }
            Arc::new(RwLock::new(mailbox))
        });
        Ok(Arc::clone(mailbox))
    }

    fn note_unsaved(&self, user: Uuid) {
        if self.watched {
            self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).insert(user);
        }
    }

    fn read<T>(&self, mailbox: &RwLock<Mailbox>, look: impl FnOnce(&Mailbox) -> T) -> T {
        look(&mailbox.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes a mailbox and publishes what changed before the next change can happen, so that notifications keep
    /// their order.
    fn write<T>(&self, mailbox: &RwLock<Mailbox>, change: impl FnOnce(&mut Mailbox) -> T) -> T {
        let mut mailbox = mailbox.write().unwrap_or_else(PoisonError::into_inner);
        // Before the change: a save that begins after it must not overlook this mailbox.
        self.note_unsaved(mailbox.user);
        let result = change(&mut mailbox);
        let changes = mailbox.take_changes();
        if !changes.is_empty() {
            self.notifier.publish(&mailbox, &changes);
        }
        result
    }

    /// The switches as they are now.
    #[must_use]
    pub fn behaviour(&self) -> MailBehaviour {
        self.behaviour.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the switches; the error says what is wrong with them.
    pub fn set_behaviour(&self, behaviour: MailBehaviour) -> Result<(), String> {
        behaviour.check()?;
        *self.behaviour.write().unwrap_or_else(PoisonError::into_inner) = behaviour;
        Ok(())
    }

    /// Sets the switches to what they are in a new tenant.
    pub fn reset_behaviour(&self) {
        *self.behaviour.write().unwrap_or_else(PoisonError::into_inner) = MailBehaviour::default();
    }

    fn now(&self) -> Seconds {
        self.clock.now().as_second()
    }

    fn fresh_conversation(&self) -> [u8; 16] {
        *self.entropy.uuid().as_bytes()
    }

    /// A Message-ID as Exchange Online gives it: it names a server, not the tenant. With angle brackets.
    fn fresh_message_id(&self) -> String {
        let id = self.entropy.uuid().simple().to_string().to_uppercase();
        format!("<{}@{}>", id, transport::HOST)
    }
}

/// The canonical spelling of a locale that a mailbox can have.
#[must_use]
pub fn known_locale(locale: &str) -> Option<&'static str> {
    locale::known(locale).map(|(tag, _)| tag)
}

impl Host for MailService {
    fn may_watch(&self, caller: &Caller, user: &UserRef) -> Result<Depth, ODataError> {
        permissions::check_subscription(&*self.directory, caller, user.id)
    }

    fn folder(&self, user: &UserRef, folder: Option<&str>) -> Result<Option<FolderKey>, ODataError> {
        let mailbox = self.mailbox(user.id)?;
        folder
            .map(|folder| self.read(&mailbox, |mailbox| mailbox.resolve_folder(folder)))
            .transpose()
    }

    fn look(&self, user: Uuid, look: &mut dyn FnMut(&Mailbox)) -> Result<(), ODataError> {
        let mailbox = self.mailbox(user)?;
        self.read(&mailbox, look);
        Ok(())
    }
}
