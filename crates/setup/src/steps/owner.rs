//! Part of step 4: the application as its own owner, where it is to renew its own client secret.
//!
//! Application.ReadWrite.OwnedBy reaches only what the application owns. Never takes an owner away: who else owns
//! the registration is the tenant's affair.

use guichet_graph::{Application, Ensured, ServicePrincipal};

use super::{Run, refused, replicated};
use crate::{
    Change, Connect, Desired, Error,
    plan::{StepId, Why},
};

const STEP: StepId = StepId::Consent;

/// Whether the application is its own owner; what does not exist yet is not.
pub(crate) async fn observe(
    connect: &Connect,
    desired: &Desired,
    application: Option<&Application>,
    principal: Option<&ServicePrincipal>,
) -> Result<bool, Error> {
    let (Some(application), Some(principal)) = (application, principal) else {
        return Ok(false);
    };
    if !desired.renews_own_secret() {
        return Ok(false);
    }
    match connect.administrator.application_owners(&application.id).await {
        // A new registration is not on every server yet.
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(refused(STEP)(error)),
        Ok(owners) => Ok(owners.iter().any(|owner| owner.eq_ignore_ascii_case(&principal.id))),
    }
}

pub(crate) fn changes(desired: &Desired, is_owner: bool) -> Vec<Change> {
    if !desired.renews_own_secret() || is_owner {
        return Vec::new();
    }
    vec![change(desired)]
}

fn change(desired: &Desired) -> Change {
    let name = desired.application.name.as_str();
    Change::add(STEP, name, "owner", Why::OwnerMissing)
}

pub(crate) async fn apply(
    run: Run<'_>,
    application: &Application,
    principal: &ServicePrincipal,
) -> Result<Vec<Change>, Error> {
    let Run { connect, desired, .. } = run;
    if !desired.renews_own_secret() || observe(connect, desired, Some(application), Some(principal)).await? {
        return Ok(Vec::new());
    }
    let add = || {
        connect
            .administrator
            .add_application_owner(&application.id, &principal.id)
    };
    Ok(match replicated!(run, STEP, add()) {
        Ensured::Created => vec![change(desired)],
        Ensured::Existed => Vec::new(),
    })
}
