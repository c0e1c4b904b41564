//! Check: does the credential give a token?
//!
//! Never shows the token; of its claims only names of permissions and ids.

use std::sync::Arc;

use guichet_graph::{ClientCredential, ClientCredentials, GraphClient, TokenClaims, TokenSource};
use guichet_store::records::Integration;
use url::Url;

use super::{Code, DoctorContext, Place, Problem, SignInNames, once, sign_in};
use crate::ports::GraphEntropy;

/// What a token allows to look at.
pub(super) struct SignedIn {
    pub claims: TokenClaims,
    pub client: GraphClient,
}

pub(super) async fn check(
    context: &DoctorContext,
    place: &Place,
    integration: &Integration,
    credential: ClientCredential,
    problems: &mut Vec<Problem>,
) -> Option<SignedIn> {
    let app_id = integration.app_id.as_deref().unwrap_or_default();
    let names = SignInNames {
        authority: &place.endpoints.authority,
        graph: &place.endpoints.graph,
        tenant: &place.tenant,
        app_id,
    };
    // What is recorded counts only for the sign-in service that is asked.
    let recorded = integration
        .token_endpoint
        .as_deref()
        .and_then(|text| Url::parse(text).ok());
    let recorded = recorded.filter(|url| url.origin() == place.endpoints.authority.origin());
    let endpoint = match recorded.map_or_else(|| place.endpoints.token_endpoint(&place.tenant), Ok) {
        Ok(endpoint) => endpoint,
        Err(error) => {
            problems.push(sign_in(&error, names));
            return None;
        }
    };
    let source = ClientCredentials::new(
        context.transport.clone(),
        context.time.clone(),
        endpoint,
        app_id,
        credential,
    );
    let source = Arc::new(source.with_retry(once()));
    match source.token(place.endpoints.graph_resource()).await {
        Ok(token) => {
            let claims = token.claims().unwrap_or_default();
            let evidence = format!("token for {app_id} until {}", token.expires_at());
            problems.push(Problem::new(Code::TokenOk, app_id, evidence));
            let entropy = Arc::new(GraphEntropy(context.entropy.clone()));
            let client = GraphClient::new(
                context.transport.clone(),
                source,
                place.endpoints.clone(),
                once(),
                context.time.clone(),
                entropy,
            );
            Some(SignedIn { claims, client })
        }
        Err(error) => {
            problems.push(sign_in(&error, names));
            None
        }
    }
}
