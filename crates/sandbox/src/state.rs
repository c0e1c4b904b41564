//! The tenant as a whole: every service behind one handle.
//!
//! Owns the composition only. Each service guards its own state with a plain lock that is never held across an await;
//! there is no lock over the tenant.

use std::sync::Arc;

use crate::auth::TokenCache;
use crate::clock::SandboxClock;
use crate::directory::tenant::Tenant;
use crate::entra::Entra;
use crate::entropy::Entropy;
use crate::exchange::Exchange;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::mail::MailService;
use crate::persist::saver::Saver;
use crate::revocation::Revocations;
use crate::scenario::Plan;
use crate::throttle::Throttle;

/// A running tenant's state, shared by all listeners.
#[derive(Debug)]
pub struct Sandbox {
    pub(crate) clock: Arc<SandboxClock>,
    pub(crate) entropy: Arc<Entropy>,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) mail: MailService,
    pub(crate) entra: Entra,
    pub(crate) tokens: TokenCache,
    pub(crate) faults: Faults,
    pub(crate) ledger: Ledger,
    /// Saves the state, when there is a place for it.
    pub(crate) saver: Option<Arc<Saver>>,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) revocations: Revocations,
    pub(crate) plan: Plan,
    pub(crate) description: std::sync::OnceLock<crate::config::Description>,
}
