//! Mailboxes with what the engine says of them, and routes.

use guichet_domain::routing;
use guichet_engine as engine;
use guichet_store as store;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A mailbox that is served.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Mailbox {
    pub id: Uuid,
    pub address: String,
    pub display_name: String,
    pub enabled: bool,
    /// `ok`, `failing` (a folder failed in its last rounds, see `folders`), or `idle` while the engine
    /// does not follow it.
    pub health: &'static str,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The folders that the engine follows now; empty while it is not running.
    pub folders: Vec<Folder>,
}

/// How a followed folder is doing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Folder {
    /// Configured name, for example `inbox`.
    pub name: String,
    /// End of the last round that reached the end of the folder's changes.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub synced_at: Option<Timestamp>,
    /// Failed rounds in a row.
    pub failures: u32,
    /// Why the last round failed; empty if it did not.
    pub last_error: String,
    /// Whether a live subscription wakes the folder; otherwise it is polled only.
    pub notified: bool,
}

impl Mailbox {
    pub fn new(row: &store::Mailbox, status: &engine::EngineStatus) -> Self {
        let ours = status.folders.iter().filter(|folder| folder.mailbox == row.id);
        let health = match ours.clone().map(engine::FolderStatus::is_failing).reduce(|a, b| a || b) {
            None => "idle",
            Some(true) => "failing",
            Some(false) => "ok",
        };
        Self {
            id: row.id.as_uuid(),
            address: row.address.to_string(),
            display_name: row.display_name.clone(),
            enabled: row.enabled,
            health,
            created_at: row.created_at,
            folders: ours.map(Into::into).collect(),
        }
    }
}

impl From<&engine::FolderStatus> for Folder {
    fn from(status: &engine::FolderStatus) -> Self {
        Self {
            name: status.folder.clone(),
            synced_at: status.synced_at,
            failures: status.failures,
            last_error: status.last_error.clone(),
            notified: status.notified,
        }
    }
}

/// A round was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SyncAccepted {
    /// Folders that will be looked at.
    pub folders: usize,
}

/// A configured route.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Route {
    pub name: String,
    /// Address pattern: `local@domain`, `*@domain` or `*`.
    pub address: String,
    /// Languages of mail that it is for, as codes of ISO 639-1; empty for any.
    pub languages: Vec<String>,
    pub queue: String,
    /// Priority of new conversations: 0 is the highest, 9 the lowest.
    pub priority: u8,
    /// Days after its close within which a conversation takes replies.
    pub threading_window_days: u16,
}

/// The address ranges of one region.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddressRegion {
    /// Name of the region.
    pub region: String,
    /// IPv4 addresses, and ranges of at most 256 addresses in CIDR form.
    pub ranges: Vec<String>,
}

impl From<&routing::Route> for Route {
    fn from(route: &routing::Route) -> Self {
        Self {
            name: route.name.clone(),
            address: route.address.to_string(),
            languages: route.languages.iter().map(ToString::to_string).collect(),
            queue: route.queue.clone(),
            priority: route.priority,
            threading_window_days: route.threading_window_days,
        }
    }
}
