//! The Graph client: what every call shares.
//!
//! Owns the ports and the policy; the calls themselves stand in `mail`, `subscription` and
//! `directory`. Cheap to clone; holds no state besides the token source's.

use std::sync::Arc;

use guichet_net::Transport;

use crate::endpoints::{Endpoints, Resource};
use crate::error::Result;
use crate::ports::{Entropy, Time};
use crate::retry::RetryPolicy;
use crate::token::{AccessToken, TokenSource};

/// A client for one tenant, signed in as one application or person.
#[derive(Debug, Clone)]
pub struct GraphClient {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub transport: Arc<dyn Transport>,
    pub tokens: Arc<dyn TokenSource>,
    pub endpoints: Endpoints,
    pub retry: RetryPolicy,
    pub time: Arc<dyn Time>,
    pub entropy: Arc<dyn Entropy>,
    /// Graph's base with the version, from `endpoints`.
    pub base: String,
    resource: Resource,
}

impl GraphClient {
    /// A client over the given ports.
    pub fn new(
        transport: Arc<dyn Transport>,
        tokens: Arc<dyn TokenSource>,
        endpoints: Endpoints,
        retry: RetryPolicy,
        time: Arc<dyn Time>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let (base, resource) = (endpoints.base(), endpoints.graph_resource());
        Self {
            shared: Arc::new(Shared {
                transport,
                tokens,
                endpoints,
                retry,
                time,
                entropy,
                base,
                resource,
            }),
        }
    }

    /// The token that calls go with, for diagnosis.
    ///
    /// # Errors
    /// The sign-in service's refusal, or the transport's failure.
    pub async fn token(&self) -> Result<AccessToken> {
        self.shared.tokens.token(self.resource()).await
    }

    /// Whether a token can be had.
    ///
    /// # Errors
    /// As [`GraphClient::token`].
    pub async fn check_token(&self) -> Result<()> {
        self.token().await.map(drop)
    }

    /// Where this client sends its calls.
    pub fn endpoints(&self) -> &Endpoints {
        &self.shared.endpoints
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn resource(&self) -> Resource {
        self.shared.resource.clone()
    }
}
