//! Step 4: admin consent: the two application permissions, and the delegated one for everybody.
//!
//! Owns the comparison of grants. Never takes a grant away: another program may share the
//! application.

use std::collections::BTreeSet;

use guichet_graph::{Ensured, PermissionGrant, ServicePrincipal};

use super::{Run, refused, replicated};
use crate::{
    Change, Connect, Error,
    permissions::{self, GRAPH_APP_ID, Kind, Permission},
    plan::{StepId, Why},
};

const STEP: StepId = StepId::Consent;
const ALL_PRINCIPALS: &str = "AllPrincipals";

/// What is granted, and to whom a grant is addressed.
#[derive(Default)]
pub(crate) struct Consent {
    /// Object id of Microsoft Graph's own service principal in the tenant.
    resource: String,
    /// Ids of the granted app roles.
    roles: BTreeSet<String>,
    /// The grant of delegated permissions for everybody, if there is one.
    grant: Option<PermissionGrant>,
}

impl Consent {
    fn has(&self, permission: &Permission) -> bool {
        match permission.kind {
            Kind::Role => self.roles.contains(permission.id),
            Kind::Scope => self
                .grant
                .as_ref()
                .is_some_and(|grant| grant.scope.split_whitespace().any(|scope| scope == permission.name)),
        }
    }
}

pub(crate) async fn observe(connect: &Connect, principal: Option<&ServicePrincipal>) -> Result<Consent, Error> {
    let Some(principal) = principal else {
        return Ok(Consent::default());
    };
    let administrator = &connect.administrator;
    let resource = administrator
        .find_service_principal(GRAPH_APP_ID)
        .await
        .map_err(refused(STEP))?
        .ok_or_else(|| Error::Graph {
            step: STEP,
            source: guichet_graph::Error::new(
                guichet_graph::Class::Denied,
                "find Microsoft Graph",
                "graph_not_in_tenant",
                "the tenant has no service principal of Microsoft Graph",
            ),
        })?
        .id;
    // A new principal that is not on every server yet has no grants.
    let assignments = absent_is_empty(administrator.app_role_assignments(&principal.id).await)?;
    let grants = absent_is_empty(administrator.permission_grants(&principal.id).await)?;
    let roles = assignments
        .into_iter()
        .filter(|assignment| assignment.resource_id == resource)
        .map(|assignment| assignment.app_role_id.to_ascii_lowercase())
        .collect();
    let grant = grants
        .into_iter()
        .find(|grant| grant.resource_id == resource && grant.consent_type == ALL_PRINCIPALS);
    Ok(Consent { resource, roles, grant })
}

fn absent_is_empty<T>(found: guichet_graph::Result<Vec<T>>) -> Result<Vec<T>, Error> {
    match found {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        other => other.map_err(refused(STEP)),
    }
}

pub(crate) fn changes(consent: &Consent) -> Vec<Change> {
    let missing = permissions::ALL.iter().filter(|permission| !consent.has(permission));
    missing.map(granting).collect()
}

fn granting(permission: &Permission) -> Change {
    Change::add(
        STEP,
        permission.name,
        permission.kind.portal_word(),
        Why::ConsentMissing,
    )
}

/// Grants what is missing. A grant that the directory has and did not list yet is no change.
pub(crate) async fn apply(run: Run<'_>, principal: &ServicePrincipal) -> Result<Vec<Change>, Error> {
    let consent = observe(run.connect, Some(principal)).await?;
    let administrator = &run.connect.administrator;
    let mut changes = Vec::new();
    for permission in &permissions::ALL {
        if consent.has(permission) {
            continue;
        }
        let ensured = match permission.kind {
            Kind::Role => {
                let assign = || administrator.assign_app_role(&principal.id, &consent.resource, permission.id);
                replicated!(run, STEP, assign())
            }
            Kind::Scope => allow(run, principal, &consent, permission).await?,
        };
        if ensured == Ensured::Created {
            changes.push(granting(permission));
        }
    }
    Ok(changes)
}

/// A delegated permission for everybody: there is one grant for each pair of client and resource.
async fn allow(
    run: Run<'_>,
    principal: &ServicePrincipal,
    consent: &Consent,
    permission: &Permission,
) -> Result<Ensured, Error> {
    let administrator = &run.connect.administrator;
    let Some(grant) = &consent.grant else {
        let create = || async {
            let (client, resource) = (&principal.id, &consent.resource);
            let created = administrator.create_permission_grant(client, resource, permission.name);
            match created.await {
                // An earlier run has made it, and the list did not show it yet.
                Err(error) if error.is_already_exists() => Ok(Ensured::Existed),
                other => other.map(|_| Ensured::Created),
            }
        };
        return Ok(replicated!(run, STEP, create()));
    };
    let scope = format!("{} {}", grant.scope.trim(), permission.name);
    let update = || administrator.update_permission_grant(&grant.id, scope.trim());
    replicated!(run, STEP, update());
    Ok(Ensured::Created)
}
