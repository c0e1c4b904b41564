//! The administrator's sign-in.
//!
//! Owns the scopes that are asked for. Never stores the token: it lives in the client that is
//! returned, and asks for no refresh token.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use guichet_domain::ports::Entropy;
use guichet_graph::{
    AuthorizationCode, ClientCredential, ClientCredentials, DeviceCode, DeviceCodePrompt, Endpoints, FixedToken,
    GraphClient, RetryPolicy, Time, TokenSource, discover,
};
use guichet_net::Transport;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    Desired, Error, client_secret,
    doctor::{self, SignInNames},
    ports::GraphEntropy,
    steps::token::endpoints,
};

/// Microsoft Graph Command Line Tools: a public client that every tenant knows.
pub const COMMAND_LINE_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

/// What the steps need: register and read applications, grant consent, look users and the
/// organisation up.
const SCOPES: [&str; 5] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Organization.Read.All",
    "User.Read.All",
];

/// What the step that limits access to the listed mailboxes needs besides.
const SCOPE_OF_EXCHANGE: &str = "RoleManagement.ReadWrite.Exchange";

/// Shows a sign-in page, and receives what it sends back to this machine.
#[async_trait]
pub trait Browser: Send + Sync + fmt::Debug {
    /// Where it listens: `http://localhost:PORT`.
    fn redirect_uri(&self) -> String;

    /// Opens the address and waits for the query that carries this state; `None` when time is up.
    async fn visit(&self, address: &Url, state: &str) -> Option<String>;
}

/// How the administrator signs in.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// As an existing administrative application.
    Application {
        /// Its application (client) id.
        client_id: String,
        /// Its client secret's value.
        secret: SecretString,
    },
    /// As a person, in a browser of this machine.
    Browser {
        /// A public client of the tenant with the redirect address `http://localhost`.
        client_id: String,
        /// Opens the page and waits for the return.
        browser: Arc<dyn Browser>,
    },
    /// As the application itself, to renew its own credential.
    Own {
        /// Its application (client) id.
        client_id: String,
        /// What it signs in with; from [`crate::credential::open`].
        credential: ClientCredential,
    },
    /// As a person, on another device.
    DeviceCode {
        /// A public client of the tenant; [`COMMAND_LINE_TOOLS`] unless configured otherwise.
        client_id: String,
    },
}

/// With the resource, which is another one in each cloud.
fn scopes(desired: &Desired, endpoints: &Endpoints) -> Vec<String> {
    let resource = endpoints.graph_resource();
    let exchange = desired.is_scoped().then_some(SCOPE_OF_EXCHANGE);
    let names = SCOPES.into_iter().chain(exchange);
    names.map(|scope| format!("{}/{scope}", resource.as_str())).collect()
}

impl Default for SignIn {
    fn default() -> Self {
        Self::DeviceCode {
            client_id: COMMAND_LINE_TOOLS.to_owned(),
        }
    }
}

/// Signs the administrator in and returns Graph as the administrator. `prompt` shows where to type
/// the code in; it is called once, and only for a device sign-in.
///
/// # Errors
/// [`Error::SecretIsId`] for a secret that is an id; [`Error::Diagnosed`] and [`Error::SignIn`] for
/// a refusal.
pub async fn administrator(
    sign_in: SignIn,
    desired: &Desired,
    transport: Arc<dyn Transport>,
    time: Arc<dyn Time>,
    entropy: Arc<dyn Entropy>,
    prompt: &(dyn Fn(&DeviceCodePrompt) + Send + Sync),
) -> Result<GraphClient, Error> {
    desired.validate()?;
    let endpoints = endpoints(desired);
    let diagnosed = |error: guichet_graph::Error, app_id: &str| {
        let names = SignInNames {
            authority: &desired.authority,
            graph: &desired.graph,
            tenant: &desired.tenant,
            app_id,
        };
        Error::Diagnosed {
            problems: vec![doctor::sign_in(&error, names)],
        }
    };
    let configuration = discover(&transport, &desired.authority, &desired.tenant)
        .await
        .map_err(|error| diagnosed(error, ""))?;
    let as_application = async |client_id: String, credential, token_endpoint| {
        let (transport, time) = (transport.clone(), time.clone());
        let source = ClientCredentials::new(transport, time, token_endpoint, client_id.as_str(), credential);
        // A wrong secret shall fail here, and not in the middle of the first step.
        let token = source.token(endpoints.graph_resource()).await;
        token.map_err(|error| diagnosed(error, &client_id))?;
        Ok::<_, Error>(Arc::new(source))
    };
    let source: Arc<dyn TokenSource> = match sign_in {
        SignIn::Application { client_id, secret } => {
            let secret = client_secret::parse(secret.expose_secret())?;
            as_application(
                client_id,
                ClientCredential::Secret(secret),
                configuration.token_endpoint,
            )
            .await?
        }
        SignIn::Own { client_id, credential } => {
            as_application(client_id, credential, configuration.token_endpoint).await?
        }
        SignIn::Browser { client_id, browser } => {
            let scopes = scopes(desired, &endpoints);
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            let flow = AuthorizationCode::new(
                transport.clone(),
                time.clone(),
                Arc::new(GraphEntropy(entropy.clone())),
                configuration.authorization_endpoint,
                configuration.token_endpoint,
            );
            let begun = flow.start(&client_id, &browser.redirect_uri(), &scopes);
            let query = browser.visit(&begun.address, &begun.state).await.ok_or_else(|| {
                Error::SignIn(guichet_graph::Error::new(
                    guichet_graph::Class::Reauthorise,
                    "sign in with a browser",
                    "browser_timeout",
                    "nobody came back from the sign-in page in time: run the command again, or sign in with a device \
                     code",
                ))
            })?;
            let user = flow.finish(&begun, &query).await.map_err(Error::SignIn)?;
            Arc::new(FixedToken::new(user.token))
        }
        SignIn::DeviceCode { client_id } => {
            let scopes = scopes(desired, &endpoints);
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            let endpoint = configuration.device_authorization_endpoint.ok_or_else(|| {
                Error::SignIn(guichet_graph::Error::new(
                    guichet_graph::Class::Invalid,
                    "start device sign-in",
                    "no_device_endpoint",
                    "the sign-in service offers no device sign-in; use an administrative application",
                ))
            })?;
            let device = DeviceCode::new(transport.clone(), time.clone(), endpoint, configuration.token_endpoint);
            let shown = device.start(&client_id, &scopes).await;
            let shown = shown.map_err(|error| diagnosed(error, &client_id))?;
            prompt(&shown);
            let user = device.poll(&shown).await.map_err(Error::SignIn)?;
            Arc::new(FixedToken::new(user.token))
        }
    };
    let entropy = Arc::new(GraphEntropy(entropy));
    let retry = RetryPolicy::default();
    Ok(GraphClient::new(transport, source, endpoints, retry, time, entropy))
}
