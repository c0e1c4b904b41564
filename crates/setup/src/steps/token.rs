//! Step 7: the proof that what was made works: a token, for this tenant, with both permissions.
//!
//! Owns the waits for secret and consent to spread. Never keeps the token longer than the run.

use std::sync::Arc;

use guichet_graph::{ClientCredentials, Endpoints, GraphClient, TokenClaims, TokenSource};
use guichet_store::records::{Credential, Integration};

use super::{Run, secret};
use crate::{
    Desired, Error, credential,
    doctor::{self, SignInNames, aadsts},
    permissions::{self, Permission},
    plan::StepId,
    progress::Waiting,
};

const STEP: StepId = StepId::Token;

/// Gets a token and returns the client of the application itself.
pub(crate) async fn prove(run: Run<'_>, integration: &Integration, stored: &Credential) -> Result<GraphClient, Error> {
    let Run { connect, desired, .. } = run;
    let app_id = integration.app_id.as_deref().unwrap_or_default();
    let young = secret::is_young(connect, stored);
    let mut patience = run.patience(STEP);
    loop {
        let opened = credential::open(&connect.vault, stored, connect.entropy.clone())?;
        let endpoints = endpoints(desired);
        let endpoint = match integration.token_endpoint.as_deref().map(str::parse) {
            Some(Ok(url)) => url,
            _ => endpoints
                .token_endpoint(&integration.tenant_id)
                .map_err(|source| Error::Graph { step: STEP, source })?,
        };
        // A new source each time: the old one would answer from its cache.
        let source = Arc::new(ClientCredentials::new(
            connect.transport.clone(),
            connect.time.clone(),
            endpoint,
            app_id,
            opened,
        ));
        match source.token(endpoints.graph_resource()).await {
            Ok(token) => {
                let claims = token.claims().unwrap_or_default();
                check_tenant(&claims, integration)?;
                let missing = missing(&desired.permissions(), &claims);
                if missing.is_empty() {
                    return Ok(connect.client(endpoints, source));
                }
                let last = format!("the token carries no {}", missing.join(", "));
                patience.pause(Waiting::ConsentPropagation, &last).await?;
            }
            Err(error) if young && is_unknown_yet(&error) => {
                patience
                    .pause(Waiting::SecretPropagation, &doctor::evidence(&error))
                    .await?;
            }
            Err(error) => {
                let names = SignInNames {
                    authority: &desired.authority,
                    graph: &desired.graph,
                    tenant: &desired.tenant,
                    app_id,
                };
                return Err(Error::Diagnosed {
                    problems: vec![doctor::sign_in(&error, names)],
                });
            }
        }
    }
}

pub(crate) fn endpoints(desired: &Desired) -> Endpoints {
    Endpoints {
        authority: desired.authority.clone(),
        graph: desired.graph.clone(),
    }
}

/// The permissions that the token lacks. What Exchange itself gives appears in no token.
pub(crate) fn missing(wanted: &[Permission], claims: &TokenClaims) -> Vec<&'static str> {
    let needed = wanted
        .iter()
        .filter(|permission| permission.kind == permissions::Kind::Role)
        .map(|permission| permission.name);
    needed
        .filter(|name| !claims.roles.iter().any(|role| role == name))
        .collect()
}

fn check_tenant(claims: &TokenClaims, integration: &Integration) -> Result<(), Error> {
    match &claims.tid {
        Some(tid) if !tid.eq_ignore_ascii_case(&integration.tenant_id) => Err(Error::TenantMismatch {
            configured: integration.tenant_id.clone(),
            found: tid.clone(),
            whose: "the token",
        }),
        _ => Ok(()),
    }
}

/// What the sign-in service answers while it does not know a new application, principal or secret.
fn is_unknown_yet(error: &guichet_graph::Error) -> bool {
    matches!(
        aadsts(error),
        Some(7_000_215 | 700_016 | 700_027 | 700_038 | 700_211..=700_213)
    )
}
