//! Step 4: admin consent: the two application permissions, and the delegated one for everybody.
//!
//! Owns the comparison of grants. Never takes a grant away, for another program may share the
//! application; with one exception: the tenant-wide grants that would defeat the scope of access, and
//! those only where the configuration says so.

use std::collections::BTreeMap;

use guichet_graph::{Ensured, PermissionGrant, ServicePrincipal};

use super::{Run, refused, replicated};
use crate::{
    Change, Connect, Desired, Error,
    doctor::{Code, Problem},
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
    /// Ids of the granted app roles, each with the id of its assignment.
    roles: BTreeMap<String, String>,
    /// The grant of delegated permissions for everybody, if there is one.
    grant: Option<PermissionGrant>,
}

impl Consent {
    fn has(&self, permission: &Permission) -> bool {
        match permission.kind {
            Kind::Role => self.roles.contains_key(permission.id),
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
        .map(|assignment| (assignment.app_role_id.to_ascii_lowercase(), assignment.id))
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

pub(crate) fn changes(desired: &Desired, consent: &Consent) -> Vec<Change> {
    let wanted = desired.permissions();
    wanted
        .iter()
        .filter(|permission| !consent.has(permission))
        .map(granting)
        .collect()
}

/// The grants that [`narrow`] takes away.
pub(crate) fn narrowing(desired: &Desired, consent: &Consent) -> Vec<Change> {
    if !desired.access.remove_tenant_wide_grants {
        return Vec::new();
    }
    let taken = defeating(desired, consent);
    taken.map(|(permission, _)| taking(permission)).collect()
}

/// Takes the grants away that defeat the scope, where the configuration says so. Comes after Exchange
/// has opened the listed mailboxes, so that mail never stops between.
pub(crate) async fn narrow(run: Run<'_>, principal: &ServicePrincipal) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    if !run.desired.access.remove_tenant_wide_grants {
        return Ok(changes);
    }
    let administrator = &run.connect.administrator;
    let consent = observe(run.connect, Some(principal)).await?;
    for (permission, assignment) in defeating(run.desired, &consent) {
        let removed = administrator.remove_app_role(&principal.id, assignment).await;
        removed.map_err(refused(STEP))?;
        changes.push(taking(permission));
    }
    Ok(changes)
}

/// What defeats the scope and stays, because nobody said that it may be taken away.
pub(crate) fn problems(desired: &Desired, consent: &Consent) -> Vec<Problem> {
    if desired.access.remove_tenant_wide_grants {
        return Vec::new();
    }
    let names: Vec<&str> = defeating(desired, consent)
        .map(|(permission, _)| permission.name)
        .collect();
    if names.is_empty() {
        return Vec::new();
    }
    let evidence = format!("app role assignments: {}", names.join(", "));
    let problem = Problem::new(Code::ScopeDefeated, &desired.application.name, evidence);
    vec![problem.with("permissions", &names.join(", "))]
}

/// Grants of every mailbox beside a scope of a few, with the ids of their assignments.
fn defeating<'a>(
    desired: &Desired,
    consent: &'a Consent,
) -> impl Iterator<Item = (&'static Permission, &'a String)> + use<'a> {
    let roles: &'static [Permission] = if desired.is_scoped() { &permissions::ROLES } else { &[] };
    roles
        .iter()
        .filter_map(|permission| Some((permission, consent.roles.get(permission.id)?)))
}

fn taking(permission: &Permission) -> Change {
    Change::remove(
        StepId::Scope,
        permission.name,
        permission.kind.portal_word(),
        Why::GrantDefeatsScope,
    )
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
    let desired = run.desired;
    let consent = observe(run.connect, Some(principal)).await?;
    let administrator = &run.connect.administrator;
    let mut changes = Vec::new();
    for permission in &desired.permissions() {
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
