//! `connect rotate`: a new credential takes the place of the old one, with overlap.
//!
//! Owns the order: make, store, prove, and only then remove what it replaces. Invariant: at every
//! moment one credential that works is stored here, wherever the run is cut off; the next run
//! removes what such a run left over.

use guichet_store::records::{Credential, Integration};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Change, Connect, Desired, Error, Progress,
    credential::CredentialKind,
    plan::StepId,
    progress::Steps,
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
    /// Kind of the new credential.
    pub kind: CredentialKind,
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
        if desired.application.credential == CredentialKind::Federated {
            return Err(Error::Desired {
                field: "application.credential",
                problem: "a federated credential has nothing to rotate: its issuer replaces the token by itself"
                    .to_owned(),
            });
        }
        let run = Run {
            connect: self,
            desired,
            progress,
        };
        let mut told = Steps::new(progress);

        told.started(StepId::Tenant);
        let tenant = steps::tenant::resolve(self, desired).await?;
        let integration = steps::tenant::recorded(self, &tenant).await?;
        let integration = integration.filter(|row| row.app_id.is_some());
        let integration = integration.ok_or(Error::NotConnected)?;
        told.done(StepId::Tenant, Vec::new());

        told.started(StepId::Application);
        let own = steps::certificate::is_own(self, &integration).await?;
        let application = match steps::application::observe(self, desired, Some(&integration)).await {
            Ok(found) => Some(found.ok_or(Error::NotConnected)?),
            // The application itself needs no right to look, only to change its credential.
            Err(Error::NotAllowed { .. }) if own => None,
            Err(error) => return Err(error),
        };
        let object_id = match (&application, &integration.application_object_id) {
            (Some(found), _) if integration.app_id.as_deref() == Some(found.app_id.as_str()) => found.id.clone(),
            (None, Some(recorded)) => recorded.clone(),
            _ => return Err(Error::NotConnected),
        };
        let by_itself = |error: Error| match error {
            Error::NotAllowed { source, .. } if own => Error::SelfRotationNotAllowed { source },
            other => other,
        };
        told.done(StepId::Application, Vec::new());

        told.started(StepId::Secret);
        let before = self.store.credentials(integration.id).await?;
        let judged = match &application {
            Some(found) => steps::secret::observe(self, desired, Some(&integration), Some(found)).await?,
            None => steps::secret::Secrets::default(),
        };
        let renewed = steps::secret::renew(run, &integration, &object_id, &judged).await;
        let (new, changes) = renewed.map_err(by_itself)?;
        told.done(StepId::Secret, changes);

        told.started(StepId::Token);
        if let Err(error) = steps::token::prove(run, &integration, &new).await {
            withdraw(self, &integration, &object_id, &new).await;
            return Err(error);
        }
        told.done(StepId::Token, Vec::new());

        told.started(StepId::Retirement);
        let (mut removed, mut kept, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for old in before {
            let Some(why) = judged.why_gone(&old, replaced) else {
                kept.push(old.key_id);
                continue;
            };
            match steps::secret::retire(self, &integration, &object_id, &old).await {
                Ok(()) => {
                    changes.push(Change::remove(StepId::Retirement, &old.key_id, &old.description, why));
                    removed.push(old.key_id);
                }
                // What the application may not take from itself stays until it expires.
                Err(Error::NotAllowed { .. }) if own => kept.push(old.key_id),
                Err(error) => return Err(error),
            }
        }
        told.done(StepId::Retirement, changes);
        Ok(Rotated {
            app_id: integration.app_id.unwrap_or_default(),
            kind: CredentialKind::of(&new),
            key_id: new.key_id,
            expires_at: new.expires_at,
            removed,
            kept,
            changes: told.made,
        })
    }
}

impl Connect {
    /// [`Connect::rotate`] if the newest credential is in the last 30 days of its life, or in the last
    /// third if that is shorter; else `None`. A certificate that was brought is never due: bring
    /// another and apply.
    ///
    /// # Errors
    /// As [`Connect::rotate`].
    pub async fn rotate_if_due(
        &self,
        desired: &Desired,
        replaced: Replaced,
        progress: &dyn Progress,
    ) -> Result<Option<Rotated>, Error> {
        let integration = self.store.integration().await?.ok_or(Error::NotConnected)?;
        let newest = self.store.credentials(integration.id).await?.into_iter().next();
        let now = self.time.now();
        let due = newest.is_none_or(|newest| steps::secret::is_due(&newest, now));
        if !due || desired.application.certificate_file.is_some() {
            return Ok(None);
        }
        self.rotate(desired, replaced, progress).await.map(Some)
    }
}

/// A credential that gives no token must not stay the newest, which is the one in use. If the tenant
/// can't be asked any more, it stays on both sides, and the next run replaces it.
async fn withdraw(connect: &Connect, integration: &Integration, application_object_id: &str, new: &Credential) {
    if let Err(error) = steps::secret::retire(connect, integration, application_object_id, new).await {
        tracing::warn!(key_id = %new.key_id, %error, "a credential that could not be proven was not withdrawn");
    }
}
