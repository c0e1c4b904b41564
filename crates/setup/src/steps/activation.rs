//! Step 9: what the operator wants of the integration.
//!
//! Owns the intended state. Never claims that mail flows: the reported state belongs to the service.

use guichet_store::records::{Integration, Report};

use super::Run;
use crate::{
    Change, Error,
    plan::{StepId, Why},
};

const ACTIVE: &str = "active";

pub(crate) fn changes(name: &str, integration: Option<&Integration>) -> Vec<Change> {
    match integration.map(|row| row.intended_state.as_str()) {
        Some(ACTIVE) => Vec::new(),
        Some(other) => vec![Change::replace(
            StepId::Activation,
            name,
            other,
            ACTIVE,
            Why::IntegrationInactive,
        )],
        None => vec![Change::add(StepId::Activation, name, ACTIVE, Why::IntegrationInactive)],
    }
}

pub(crate) async fn apply(run: Run<'_>, integration: &Integration) -> Result<Vec<Change>, Error> {
    let changes = changes(&run.desired.application.name, Some(integration));
    if !changes.is_empty() {
        let (id, now) = (integration.id, run.connect.time.now());
        let store = &run.connect.store;
        store.intend(id, ACTIVE, now).await?;
        // The service reports `active` once it runs.
        if integration.reported_state != ACTIVE {
            store.report(id, &Report::plain("activating"), now).await?;
        }
    }
    Ok(changes)
}
