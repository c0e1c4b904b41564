//! The integration: what the operator intends, and what the service reports.

use std::collections::BTreeMap;

use guichet_store as store;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::state::Language;

/// The connection to one tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Integration {
    pub id: Uuid,
    /// Directory (tenant) id.
    pub tenant_id: String,
    /// Application (client) id; null before the application is registered.
    pub app_id: Option<String>,
    pub application_name: String,
    /// What the operator wants: `active` or `inactive`.
    pub intended_state: String,
    pub reported: Reported,
}

/// What the service reports. One sick mailbox does not make the integration fail: see the mailboxes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reported {
    /// `inactive`, `activating`, `active`, `deactivating` or `error`.
    pub state: String,
    /// Code of the finding that explains `error`; null otherwise.
    pub code: Option<String>,
    /// What was seen; null unless the state is `error`.
    pub text: Option<String>,
    /// What to do; null unless the state is `error`.
    pub fix: Option<String>,
    /// Since when state and code are so.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
}

/// What shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntegrationChange {
    pub intended_state: IntendedState,
}

/// `active` takes mail in and sends answers; `inactive` does neither, and keeps everything.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IntendedState {
    Active,
    Inactive,
}

impl IntendedState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}

impl Integration {
    pub fn new(row: &store::Integration, language: Language) -> Self {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let mut fixes: BTreeMap<String, String> = serde_json::from_str(&row.reported_fix).unwrap_or_default();
        let code = match language {
            Language::English => "en",
            Language::French => "fr",
        };
        let fix = fixes.remove(code).filter(|text| !text.is_empty());
        Self {
            id: row.id.as_uuid(),
            tenant_id: row.tenant_id.clone(),
            app_id: row.app_id.clone(),
            application_name: row.application_name.clone(),
            intended_state: row.intended_state.clone(),
            reported: Reported {
                state: row.reported_state.clone(),
                code: some(&row.reported_code),
                text: some(&row.reported_text),
                fix,
                since: row.reported_since,
            },
        }
    }
}
