//! Step 2: the application registration.
//!
//! Owns finding it again, creating it, and correcting its drift. Never removes what somebody else
//! put there: other redirect addresses and other permissions stay (`doctor` names an excess).

use guichet_graph::{
    AccessKind, Application, ApplicationPatch, NewApplication, RequiredResourceAccess, ResourceAccess,
};
use guichet_store::records::Integration;
use jiff::SignedDuration;

use super::{Run, refused, replicated};
use crate::{
    Change, Connect, Desired, DesiredApplication, Error,
    permissions::{self, GRAPH_APP_ID, Permission},
    plan::{StepId, Why},
    progress::Waiting,
};

const STEP: StepId = StepId::Application;

/// An application recorded this short a time ago may be missing on the server that is asked.
const REPLICATION: SignedDuration = SignedDuration::from_mins(5);

/// What the integration reports between the request to create the application and its answer.
const CREATING: &str = "creating the application registration";

/// Finds the application by its recorded id, else by its display name.
pub(crate) async fn observe(
    connect: &Connect,
    desired: &Desired,
    integration: Option<&Integration>,
) -> Result<Option<Application>, Error> {
    let administrator = &connect.administrator;
    if let Some(app_id) = integration.and_then(|row| row.app_id.as_deref()) {
        let found = administrator.find_application_by_app_id(app_id).await;
        if let Some(application) = found.map_err(refused(STEP))? {
            return Ok(Some(application));
        }
    }
    let name = &desired.application.name;
    let mut named = administrator
        .find_applications_by_display_name(name)
        .await
        .map_err(refused(STEP))?;
    if named.len() > 1 {
        return Err(Error::ApplicationAmbiguous {
            name: name.clone(),
            app_ids: named.into_iter().map(|application| application.app_id).collect(),
        });
    }
    Ok(named.pop())
}

pub(crate) fn changes(
    desired: &Desired,
    integration: Option<&Integration>,
    application: Option<&Application>,
) -> Vec<Change> {
    let wanted = &desired.application;
    let name = wanted.name.as_str();
    let Some(found) = application else {
        let audience = wanted.account_types.sign_in_audience();
        return vec![
            Change::add(STEP, name, audience, Why::ApplicationMissing),
            Change::add(STEP, name, wanted.redirect_text(), Why::RedirectMissing),
        ]
        .into_iter()
        .chain(
            desired
                .permissions()
                .iter()
                .map(|permission| ask(permission, Why::PermissionNotRequested)),
        )
        .collect();
    };
    let mut changes = Vec::new();
    if integration.and_then(|row| row.app_id.as_deref()) != Some(found.app_id.as_str()) {
        changes.push(Change::add(STEP, name, &found.app_id, Why::ApplicationNotRecorded));
    }
    if found.display_name != wanted.name {
        changes.push(Change::replace(STEP, name, &found.display_name, name, Why::NameDiffers));
    }
    let audience = wanted.account_types.sign_in_audience();
    let actual = found.sign_in_audience.as_deref().unwrap_or_default();
    if actual != audience {
        changes.push(Change::replace(STEP, name, actual, audience, Why::AccountTypesDiffer));
    }
    if !has_redirect(wanted, found) {
        let redirect = wanted.redirect_text();
        changes.push(Change::add(STEP, name, redirect, Why::RedirectMissing));
    }
    for permission in &desired.permissions() {
        if !is_requested(permission, found) {
            changes.push(ask(permission, Why::PermissionNotRequested));
        }
    }
    changes
}

fn ask(permission: &Permission, why: Why) -> Change {
    Change::add(STEP, permission.name, permission.kind.portal_word(), why)
}

/// Makes the registration as wanted, and records its ids.
pub(crate) async fn apply(run: Run<'_>, integration: &mut Integration) -> Result<(Application, Vec<Change>), Error> {
    let Run { connect, desired, .. } = run;
    let found = observe_patiently(run, integration).await?;
    let changes = changes(desired, Some(integration), found.as_ref());
    let created = found.is_none();
    let application = match found {
        None => create(run, integration).await?,
        Some(found) => match drift(desired, &found) {
            None => found,
            Some(patch) => {
                replicated!(run, STEP, connect.administrator.update_application(&found.id, &patch));
                found
            }
        },
    };
    record(connect, desired, integration, &application, created).await?;
    Ok((application, changes))
}

/// Leaves a mark before it asks, so that a run which dies before the answer is followed by one that
/// looks longer: a second application of the same name would be worse than to wait.
async fn create(run: Run<'_>, integration: &mut Integration) -> Result<Application, Error> {
    let Run { connect, desired, .. } = run;
    integration.reported_text = CREATING.to_owned();
    connect.record(integration).await?;
    let created = connect.administrator.create_application(&registration(desired)).await;
    let nothing_happened = created.as_ref().is_err_and(|error| !error.may_have_had_effect);
    if nothing_happened {
        integration.reported_text.clear();
        connect.record(integration).await?;
    }
    created.map_err(refused(STEP))
}

/// An application that was made a moment ago, by a run that recorded it or died over it, may be
/// missing on the server that is asked.
async fn observe_patiently(run: Run<'_>, integration: &Integration) -> Result<Option<Application>, Error> {
    let Run { connect, desired, .. } = run;
    let made = integration.app_id.is_some() || integration.reported_text == CREATING;
    let young = connect.time.now().duration_since(integration.updated_at) < REPLICATION;
    let mut patience = run.patience(STEP);
    loop {
        let found = observe(connect, desired, Some(integration)).await?;
        if found.is_some() || !(made && young) {
            return Ok(found);
        }
        let name = integration.app_id.as_deref().unwrap_or(&desired.application.name);
        let last = format!("no application {name}");
        if patience.pause(Waiting::DirectoryReplication, &last).await.is_err() {
            // It is not coming: it was deleted, or never made.
            return Ok(None);
        }
    }
}

async fn record(
    connect: &Connect,
    desired: &Desired,
    integration: &mut Integration,
    application: &Application,
    created: bool,
) -> Result<(), Error> {
    let same = integration.app_id.as_deref() == Some(application.app_id.as_str());
    let unchanged = same
        && integration.reported_text != CREATING
        && integration.application_object_id.as_deref() == Some(application.id.as_str())
        && integration.application_name == desired.application.name;
    if unchanged {
        return Ok(());
    }
    if !same {
        // One that bears our mark was made by a run that died before it could say so.
        integration.application_created = created || integration.reported_text == CREATING;
        forget_other(connect, integration).await?;
    }
    if integration.reported_text == CREATING {
        integration.reported_text.clear();
    }
    integration.app_id = Some(application.app_id.clone());
    integration.application_object_id = Some(application.id.clone());
    integration.application_name.clone_from(&desired.application.name);
    connect.record(integration).await
}

/// Records an application that somebody else made. Its registration can't be seen from here.
pub(crate) async fn adopt(run: Run<'_>, integration: &mut Integration, app_id: &str) -> Result<Vec<Change>, Error> {
    let Run { connect, desired, .. } = run;
    let same = integration.app_id.as_deref() == Some(app_id);
    if same {
        return Ok(Vec::new());
    }
    forget_other(connect, integration).await?;
    integration.app_id = Some(app_id.to_owned());
    integration.application_object_id = None;
    integration.application_created = false;
    integration.application_name.clone_from(&desired.application.name);
    connect.record(integration).await?;
    let name = desired.application.name.as_str();
    Ok(vec![Change::add(STEP, name, app_id, Why::ApplicationNotRecorded)])
}

/// Secrets and principal belonged to another application.
async fn forget_other(connect: &Connect, integration: &mut Integration) -> Result<(), Error> {
    integration.service_principal_id = None;
    if integration.app_id.is_some() {
        for credential in connect.store.credentials(integration.id).await? {
            connect.store.remove_credential(credential.id).await?;
        }
    }
    Ok(())
}

fn registration(desired: &Desired) -> NewApplication {
    let wanted = &desired.application;
    NewApplication {
        display_name: wanted.name.clone(),
        sign_in_audience: wanted.account_types.sign_in_audience().to_owned(),
        redirect_uris: vec![wanted.redirect_text().to_owned()],
        required_resource_access: requested(&desired.permissions(), &[]),
    }
}

/// What differs; `None` if nothing does.
fn drift(desired: &Desired, found: &Application) -> Option<ApplicationPatch> {
    let wanted = &desired.application;
    let audience = wanted.account_types.sign_in_audience();
    let mut patch = ApplicationPatch::default();
    let mut differs = false;
    if found.display_name != wanted.name {
        patch.display_name = Some(wanted.name.clone());
        differs = true;
    }
    if found.sign_in_audience.as_deref() != Some(audience) {
        patch.sign_in_audience = Some(audience.to_owned());
        differs = true;
    }
    if !has_redirect(wanted, found) {
        let mut redirects = found.web.redirect_uris.clone();
        redirects.push(wanted.redirect_text().to_owned());
        patch.redirect_uris = Some(redirects);
        differs = true;
    }
    if desired
        .permissions()
        .iter()
        .any(|permission| !is_requested(permission, found))
    {
        patch.required_resource_access = Some(requested(&desired.permissions(), &found.required_resource_access));
        differs = true;
    }
    differs.then_some(patch)
}

fn has_redirect(wanted: &DesiredApplication, found: &Application) -> bool {
    // Entra takes a slash at the end of a bare host for the same address.
    let wanted = wanted.redirect_text().trim_end_matches('/');
    let mut redirects = found.web.redirect_uris.iter();
    redirects.any(|redirect| redirect.trim_end_matches('/') == wanted)
}

fn is_requested(permission: &Permission, found: &Application) -> bool {
    found
        .required_resource_access
        .iter()
        .filter(|resource| resource.resource_app_id.eq_ignore_ascii_case(GRAPH_APP_ID))
        .flat_map(|resource| &resource.resource_access)
        .any(|access| access.id.eq_ignore_ascii_case(permission.id) && access.kind == kind_of(permission))
}

fn kind_of(permission: &Permission) -> AccessKind {
    match permission.kind {
        permissions::Kind::Role => AccessKind::Role,
        permissions::Kind::Scope => AccessKind::Scope,
    }
}

/// The wanted permissions together with those that are there: the list is replaced as a whole.
fn requested(wanted: &[Permission], present: &[RequiredResourceAccess]) -> Vec<RequiredResourceAccess> {
    let mut all = present.to_vec();
    let position = all
        .iter()
        .position(|resource| resource.resource_app_id.eq_ignore_ascii_case(GRAPH_APP_ID));
    let index = position.unwrap_or_else(|| {
        all.push(RequiredResourceAccess {
            resource_app_id: GRAPH_APP_ID.to_owned(),
            resource_access: Vec::new(),
        });
        all.len() - 1
    });
    for permission in wanted {
        let access = ResourceAccess {
            id: permission.id.to_owned(),
            kind: kind_of(permission),
        };
        let list = &mut all[index].resource_access;
        let present = list
            .iter()
            .any(|other| other.id.eq_ignore_ascii_case(&access.id) && other.kind == access.kind);
        if !present {
            list.push(access);
        }
    }
    all
}
