//! Step 1: which tenant this is, and where it issues tokens.
//!
//! Owns the check that configuration, sign-in service, administrator and data directory speak of
//! one tenant. Never goes on with two.

use guichet_domain::IntegrationId;
use guichet_graph::{Class, discover};
use guichet_store::records::Integration;
use url::Url;
use uuid::Uuid;

use super::{Run, refused};
use crate::{
    Change, Connect, Desired, Error,
    doctor::{self, SignInNames},
    plan::{StepId, Why},
    ports::TimeAsClock,
};

const STEP: StepId = StepId::Tenant;

/// What discovery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tenant {
    /// Directory (tenant) id in its usual form.
    pub id: String,
    pub token_endpoint: Url,
}

/// Asks the sign-in service, and the administrator's own tenant.
pub(crate) async fn resolve(connect: &Connect, desired: &Desired) -> Result<Tenant, Error> {
    let tenant = discovered(connect, desired).await?;
    match connect.administrator.organization().await {
        Ok(organization) => {
            if !same_guid(&organization.id, &tenant.id) {
                return Err(Error::TenantMismatch {
                    configured: desired.tenant.clone(),
                    found: organization.id,
                    whose: "the administrator's sign-in",
                });
            }
        }
        // The administrator's token came from this tenant's own endpoint; without the right to read
        // the organisation there is nothing more to compare.
        Err(error) if error.class == Class::Denied => {}
        Err(error) => return Err(refused(STEP)(error)),
    }
    Ok(tenant)
}

pub(crate) async fn discovered(connect: &Connect, desired: &Desired) -> Result<Tenant, Error> {
    let names = SignInNames {
        authority: &desired.authority,
        graph: &desired.graph,
        tenant: &desired.tenant,
        app_id: "",
    };
    // `discover` itself refuses a document that speaks for another tenant or sends us elsewhere.
    let configuration = discover(&connect.transport, &desired.authority, &desired.tenant)
        .await
        .map_err(|error| Error::Diagnosed {
            problems: vec![doctor::sign_in(&error, names)],
        })?;
    if let Some(problem) = doctor::other_cloud(&configuration, &desired.graph) {
        return Err(Error::Diagnosed {
            problems: vec![problem],
        });
    }
    Ok(Tenant {
        id: configuration.tenant_id().to_ascii_lowercase(),
        token_endpoint: configuration.token_endpoint,
    })
}

/// The integration that this data directory holds, if it belongs to the tenant.
pub(crate) async fn recorded(connect: &Connect, tenant: &Tenant) -> Result<Option<Integration>, Error> {
    let integration = connect.store.integration().await?;
    match integration {
        Some(found) if !same_guid(&found.tenant_id, &tenant.id) => Err(Error::OtherTenant {
            recorded: found.tenant_id,
            configured: tenant.id.clone(),
        }),
        other => Ok(other),
    }
}

pub(crate) fn changes(desired: &Desired, tenant: &Tenant, integration: Option<&Integration>) -> Vec<Change> {
    let Some(integration) = integration else {
        let to = tenant.token_endpoint.as_str();
        return vec![Change::add(STEP, &tenant.id, to, Why::TenantNotRecorded)];
    };
    let recorded_endpoint = integration.token_endpoint.as_deref().unwrap_or_default();
    [
        (integration.authority.as_str(), desired.authority.as_str()),
        (integration.graph_url.as_str(), desired.graph.as_str()),
        (recorded_endpoint, tenant.token_endpoint.as_str()),
    ]
    .into_iter()
    .filter(|(from, to)| from != to)
    .map(|(from, to)| Change::replace(STEP, &tenant.id, from, to, Why::AddressDiffers))
    .collect()
}

/// Records the tenant. Returns the integration's row, new or old.
pub(crate) async fn apply(run: Run<'_>) -> Result<(Tenant, Integration, Vec<Change>), Error> {
    let Run { connect, desired, .. } = run;
    let tenant = resolve(connect, desired).await?;
    let recorded = recorded(connect, &tenant).await?;
    let changes = changes(desired, &tenant, recorded.as_ref());
    let now = connect.time.now();
    let mut integration = recorded.unwrap_or_else(|| Integration {
        id: IntegrationId::generate(&TimeAsClock(connect.time.as_ref()), connect.entropy.as_ref()),
        tenant_id: tenant.id.clone(),
        application_name: desired.application.name.clone(),
        app_id: None,
        application_object_id: None,
        application_created: false,
        service_principal_id: None,
        authority: String::new(),
        graph_url: String::new(),
        token_endpoint: None,
        intended_state: "inactive".to_owned(),
        reported_state: "inactive".to_owned(),
        reported_code: String::new(),
        reported_text: String::new(),
        reported_fix: String::new(),
        reported_since: None,
        created_at: now,
        updated_at: now,
    });
    if !changes.is_empty() {
        integration.authority = desired.authority.to_string();
        integration.graph_url = desired.graph.to_string();
        integration.token_endpoint = Some(tenant.token_endpoint.to_string());
        connect.record(&mut integration).await?;
    }
    Ok((tenant, integration, changes))
}

fn same_guid(one: &str, other: &str) -> bool {
    match (Uuid::parse_str(one), Uuid::parse_str(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}
