//! `connect destroy`: what Guichet made in the tenant goes, and nothing else.
//!
//! Owns the order: switch off, take the access away, remove what was made, forget. An application
//! that was there before Guichet keeps its registration and its consents, and loses our credentials
//! only. Never deletes mail, conversations or a mailbox's record. Invariant: a run that was killed
//! anywhere is continued by the next, and a second run changes nothing.

use guichet_graph::{Application, ServicePrincipal};
use guichet_store::records::{Credential, Integration, Report};
use serde::Serialize;

use crate::{
    Change, Connect, Desired, Error,
    plan::{StepId, Why},
    steps,
};

/// What is there to be removed.
struct Found {
    integration: Integration,
    application: Option<Application>,
    principal: Option<ServicePrincipal>,
    credentials: Vec<Credential>,
    /// Key ids of ours whose value was never stored.
    orphans: Vec<String>,
    scope: steps::scope::Observed,
}

/// What `destroy` removed, or would remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Destroyed {
    /// In order; empty when there is nothing of ours.
    pub changes: Vec<Change>,
    /// Name of the application that stays, because it was there before Guichet.
    pub kept_application: Option<String>,
}

impl Connect {
    /// What [`destroy`](Self::destroy) would remove. Changes nothing.
    ///
    /// # Errors
    /// [`Error::NotConnected`] where nothing is recorded, and those of reading the tenant.
    pub async fn plan_destroy(&self, desired: &Desired) -> Result<Destroyed, Error> {
        let found = self.find(desired).await?;
        Ok(found.destroyed())
    }

    /// Removes what Guichet made in the tenant, and forgets it here.
    ///
    /// # Errors
    /// As [`plan_destroy`](Self::plan_destroy), and the tenant's refusals; the next run continues.
    pub async fn destroy(&self, desired: &Desired) -> Result<Destroyed, Error> {
        let mut found = self.find(desired).await?;
        let destroyed = found.destroyed();
        let id = found.integration.id;
        // First of all the running service lets go.
        if found.integration.intended_state != INACTIVE {
            self.store.intend(id, INACTIVE, self.time.now()).await?;
        }
        steps::scope::remove(self, &found.scope).await?;
        let refused = steps::refused(StepId::Application);
        match (&found.application, found.integration.application_created) {
            (Some(application), true) => {
                if let Some(principal) = &found.principal {
                    let deleted = self.administrator.delete_service_principal(&principal.id).await;
                    deleted.map_err(&refused)?;
                }
                let deleted = self.administrator.delete_application(&application.id).await;
                deleted.map_err(&refused)?;
            }
            (Some(application), false) => {
                for key_id in &found.orphans {
                    steps::secret::remove(self, &application.id, key_id).await?;
                }
                for credential in &found.credentials {
                    steps::secret::retire(self, &found.integration, &application.id, credential).await?;
                }
            }
            (None, _) => {}
        }
        for credential in &found.credentials {
            self.store.remove_credential(credential.id).await?;
        }
        let row = &mut found.integration;
        if row.app_id.is_some() {
            INACTIVE.clone_into(&mut row.intended_state);
            row.app_id = None;
            row.application_object_id = None;
            row.service_principal_id = None;
            row.application_created = false;
            self.record(row).await?;
            self.store.report(id, &Report::plain(INACTIVE), self.time.now()).await?;
        }
        Ok(destroyed)
    }

    async fn find(&self, desired: &Desired) -> Result<Found, Error> {
        desired.validate()?;
        let tenant = steps::tenant::resolve(self, desired).await?;
        let integration = steps::tenant::recorded(self, &tenant).await?;
        let integration = integration.ok_or(Error::NotConnected)?;
        // Found by its recorded id alone: one that merely has the same name is somebody else's.
        let application = match &integration.app_id {
            Some(app_id) => {
                let found = self.administrator.find_application_by_app_id(app_id).await;
                found.map_err(steps::refused(StepId::Application))?
            }
            None => None,
        };
        let principal = steps::principal::observe(self, application.as_ref()).await?;
        let orphans = match &application {
            Some(application) => {
                let observed = steps::secret::observe(self, desired, Some(&integration), Some(application)).await?;
                observed.orphans
            }
            None => Vec::new(),
        };
        Ok(Found {
            scope: steps::scope::observe(self, desired, principal.as_ref()).await?,
            credentials: self.store.credentials(integration.id).await?,
            integration,
            application,
            principal,
            orphans,
        })
    }
}

const INACTIVE: &str = "inactive";

impl Found {
    fn destroyed(&self) -> Destroyed {
        let gone = |step, subject: &str, from: &str| Change::remove(step, subject, from, Why::Disconnected);
        let name = self.integration.application_name.as_str();
        let mut changes = Vec::new();
        if self.integration.intended_state != INACTIVE {
            let from = &self.integration.intended_state;
            let why = Why::Disconnected;
            changes.push(Change::replace(StepId::Activation, name, from, INACTIVE, why));
        }
        changes.extend(self.scope.parts().map(|part| gone(StepId::Scope, name, part)));
        for credential in &self.credentials {
            changes.push(gone(StepId::Secret, &credential.key_id, &credential.description));
        }
        for key_id in &self.orphans {
            changes.push(gone(StepId::Secret, key_id, name));
        }
        let mut kept_application = None;
        if let Some(application) = &self.application {
            if self.integration.application_created {
                if let Some(principal) = &self.principal {
                    changes.push(gone(StepId::ServicePrincipal, name, &principal.id));
                }
                changes.push(gone(StepId::Application, name, &application.app_id));
            } else {
                kept_application = Some(application.display_name.clone());
            }
        }
        Destroyed {
            changes,
            kept_application,
        }
    }
}
