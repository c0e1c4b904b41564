//! The limits, as Microsoft documents them, each of which can be set.
//!
//! Owns defaults and their check. Where reports differ the most documented form is the default and the other one can
//! be chosen: `concurrency_scope`.

use serde::{Deserialize, Serialize};

/// Longest window.
const MAX_SECONDS: u32 = 7 * 24 * 3600;
/// Users from which a tenant is medium, and large.
const MEDIUM: usize = 50;
const LARGE: usize = 500;

/// So much within so many seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How much.
    pub limit: u64,
    /// Length of the window.
    pub seconds: u32,
}

/// What the limit of concurrent requests counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConcurrencyScope {
    /// The requests of an application to one mailbox (documentation of 2021, current quotations).
    Mailbox,
    /// All requests of an application to mailboxes (documentation of 2023).
    Application,
}

/// How large the directory counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantSize {
    /// By its number of users.
    Automatic,
    /// Fewer than 50 users.
    Small,
    /// 50 to 500 users.
    Medium,
    /// More than 500 users.
    Large,
}

/// All limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Whether anything is counted and refused.
    pub enabled: bool,
    /// Requests of one application to one mailbox.
    pub mailbox_requests: Limit,
    /// Bytes of POST, PATCH and PUT of one application to one mailbox.
    pub mailbox_upload: Limit,
    /// Requests at a time.
    pub concurrency: u32,
    /// What `concurrency` counts.
    pub concurrency_scope: ConcurrencyScope,
    /// `Retry-After` of a refusal for concurrency, which no clock can tell.
    pub concurrency_retry_after_seconds: u64,
    /// Requests of one application.
    pub application_requests: Limit,
    /// Requests of one application below `/subscriptions`.
    pub subscriptions: Limit,
    /// How large the directory counts as.
    pub tenant_size: TenantSize,
    /// Resource units of a small, a medium and a large tenant.
    pub identity_units_by_size: [u32; 3],
    /// Length of the window of resource units.
    pub identity_seconds: u32,
    /// Changes of directory objects.
    pub identity_writes: Limit,
    /// Requests of one application to the token endpoint, above which it answers 429 in plain text.
    pub sign_ins: Limit,
    /// Equal requests for a token, above which the token endpoint sees a loop (AADSTS50196).
    pub sign_in_loop: Limit,
}

impl Default for Settings {
    fn default() -> Self {
        let of = |limit, seconds| Limit { limit, seconds };
        Self {
            enabled: false,
            mailbox_requests: of(10_000, 600),
            mailbox_upload: of(150_000_000, 300),
            concurrency: 4,
            concurrency_scope: ConcurrencyScope::Mailbox,
            concurrency_retry_after_seconds: 10,
            application_requests: of(130_000, 10),
            subscriptions: of(5_000, 20),
            tenant_size: TenantSize::Automatic,
            identity_units_by_size: [3_500, 5_000, 8_000],
            identity_seconds: 10,
            identity_writes: of(3_000, 150),
            sign_ins: of(200, 30),
            sign_in_loop: of(15, 300),
        }
    }
}

impl Settings {
    /// Resource units that a tenant with so many users has.
    #[must_use]
    pub fn identity_units(&self, users: usize) -> u32 {
        let [small, medium, large] = self.identity_units_by_size;
        match self.tenant_size {
            TenantSize::Small => small,
            TenantSize::Medium => medium,
            TenantSize::Large => large,
            TenantSize::Automatic if users < MEDIUM => small,
            TenantSize::Automatic if users <= LARGE => medium,
            TenantSize::Automatic => large,
        }
    }

    /// Refuses windows that cannot be kept.
    ///
    /// # Errors
    /// Text for the control interface.
    pub fn check(&self) -> Result<(), String> {
        let windows = [
            self.mailbox_requests.seconds,
            self.mailbox_upload.seconds,
            self.application_requests.seconds,
            self.subscriptions.seconds,
            self.identity_seconds,
            self.identity_writes.seconds,
            self.sign_ins.seconds,
            self.sign_in_loop.seconds,
        ];
        if windows.iter().any(|seconds| !(1..=MAX_SECONDS).contains(seconds)) {
            return Err(format!("seconds of a limit are 1 to {MAX_SECONDS}"));
        }
        Ok(())
    }
}
