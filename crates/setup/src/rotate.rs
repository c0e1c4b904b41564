//! `connect rotate`: a new credential takes the place of the old one, with overlap.
//!
//! Owns the order: make, store, prove, and only then remove what it replaces. Invariant: at every
//! moment one credential that works is stored here, wherever the run is cut off; the next run
//! removes what such a run left over.

use guichet_store::records::Credential;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Change, Connect, Desired, Error, Progress,
    plan::StepId,
    steps::{self, Run},
};

/// What becomes of the credentials that are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// They are removed as soon as the new one is proven.
    Removed,
    /// They stay until they expire.
    Kept,
}

/// What a rotation achieved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// Application (client) id.
    pub app_id: String,
    /// Id of the new credential in the tenant.
    pub key_id: String,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Ids of the credentials that are gone.
    pub removed: Vec<String>,
    /// Ids of the older credentials that still work.
    pub kept: Vec<String>,
    /// The changes that were made, in order.
    pub changes: Vec<Change>,
}

impl Connect {
    /// Replaces the credential in use. May be dropped or killed at any moment and run again.
    ///
    /// # Errors
    /// [`Error::NotConnected`] before the first `apply`. Where the new credential can't be made or
    /// proven, the old one stays in use; the new one is withdrawn if the tenant can still be asked.
    pub async fn rotate(
        &self,
        desired: &Desired,
        replaced: Replaced,
        progress: &dyn Progress,
    ) -> Result<Rotated, Error> {
        desired.validate()?;
        let run = Run {
            connect: self,
            desired,
            progress,
        };
        let mut made = Vec::new();
        let mut done = |step: StepId, changes: Vec<Change>| {
            progress.done(step, &changes);
            made.extend(changes);
        };

        progress.started(StepId::Tenant);
        let tenant = steps::tenant::resolve(self, desired).await?;
        let integration = steps::tenant::recorded(self, &tenant).await?;
        let integration = integration.filter(|row| row.app_id.is_some());
        let integration = integration.ok_or(Error::NotConnected)?;
        done(StepId::Tenant, Vec::new());

        progress.started(StepId::Application);
        let application = steps::application::observe(self, desired, Some(&integration)).await?;
        let recorded = integration.app_id.as_deref();
        let application = application.filter(|found| Some(found.app_id.as_str()) == recorded);
        let application = application.ok_or(Error::NotConnected)?;
        done(StepId::Application, Vec::new());

        progress.started(StepId::Secret);
        let before = self.store.credentials(integration.id).await?;
        let (new, mut changes) = steps::secret::renew(run, &integration, &application).await?;
        done(StepId::Secret, std::mem::take(&mut changes));

        progress.started(StepId::Token);
        if let Err(error) = steps::token::prove(run, &integration, &new).await {
            withdraw(self, &application.id, &new).await;
            return Err(error);
        }
        done(StepId::Token, Vec::new());

        progress.started(StepId::Retirement);
        let judged = steps::secret::observe(self, desired, Some(&integration), Some(&application)).await?;
        let (mut removed, mut kept) = (Vec::new(), Vec::new());
        for old in before {
            match judged.why_gone(&old, replaced) {
                Some(why) => {
                    steps::secret::retire(self, &application.id, &old).await?;
                    changes.push(Change::remove(StepId::Retirement, &old.key_id, &old.description, why));
                    removed.push(old.key_id);
                }
                None => kept.push(old.key_id),
            }
        }
        done(StepId::Retirement, changes);
        Ok(Rotated {
            app_id: application.app_id,
            key_id: new.key_id,
            expires_at: new.expires_at,
            removed,
            kept,
            changes: made,
        })
    }
}

/// A credential that gives no token must not stay the newest, which is the one in use. If the tenant
/// can't be asked any more, it stays on both sides, and the next run replaces it.
async fn withdraw(connect: &Connect, application_object_id: &str, new: &Credential) {
    if let Err(error) = steps::secret::retire(connect, application_object_id, new).await {
        tracing::warn!(key_id = %new.key_id, %error, "a credential that could not be proven was not withdrawn");
    }
}
