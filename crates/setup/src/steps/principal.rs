//! Step 3: the service principal, which the portal calls enterprise application.
//!
//! Owns the recording of its object id. Never switches a disabled one on: somebody switched it off.

use guichet_graph::{Application, ServicePrincipal};
use guichet_store::records::Integration;

use super::{Run, refused, replicated};
use crate::{
    Change, Connect, Error,
    plan::{StepId, Why},
};

const STEP: StepId = StepId::ServicePrincipal;

pub(crate) async fn observe(
    connect: &Connect,
    application: Option<&Application>,
) -> Result<Option<ServicePrincipal>, Error> {
    match application {
        Some(application) => connect
            .administrator
            .find_service_principal(&application.app_id)
            .await
            .map_err(refused(STEP)),
        None => Ok(None),
    }
}

pub(crate) fn changes(
    name: &str,
    integration: Option<&Integration>,
    principal: Option<&ServicePrincipal>,
) -> Vec<Change> {
    let recorded = integration.and_then(|row| row.service_principal_id.as_deref());
    match principal {
        None => vec![Change::add(STEP, name, "service principal", Why::PrincipalMissing)],
        Some(found) if recorded != Some(found.id.as_str()) => {
            vec![Change::add(STEP, name, &found.id, Why::PrincipalNotRecorded)]
        }
        Some(_) => Vec::new(),
    }
}

pub(crate) async fn apply(
    run: Run<'_>,
    integration: &mut Integration,
    application: &Application,
) -> Result<(ServicePrincipal, Vec<Change>), Error> {
    let connect = run.connect;
    let name = run.desired.application.name.as_str();
    let found = observe(connect, Some(application)).await?;
    let (principal, existed) = match found {
        Some(principal) => (principal, true),
        None => create(run, application).await?,
    };
    let changes = changes(name, Some(integration), existed.then_some(&principal));
    if integration.service_principal_id.as_deref() != Some(principal.id.as_str()) {
        integration.service_principal_id = Some(principal.id.clone());
        connect.record(integration).await?;
    }
    Ok((principal, changes))
}

/// The principal, and whether it existed although it was not found.
async fn create(run: Run<'_>, application: &Application) -> Result<(ServicePrincipal, bool), Error> {
    let administrator = &run.connect.administrator;
    let created = administrator.create_service_principal(&application.app_id).await;
    match created {
        // A run that was cut off has made it, and the search did not show it yet.
        Err(error) if error.is_already_exists() => {
            let mut patience = run.patience(STEP);
            loop {
                if let Some(principal) = observe(run.connect, Some(application)).await? {
                    return Ok((principal, true));
                }
                let last = crate::doctor::evidence(&error);
                patience
                    .pause(crate::progress::Waiting::DirectoryReplication, &last)
                    .await?;
            }
        }
        Err(error) if super::is_lag(&error) => {
            let create = || administrator.create_service_principal(&application.app_id);
            Ok((replicated!(run, STEP, create()), false))
        }
        other => other.map(|principal| (principal, false)).map_err(refused(STEP)),
    }
}
