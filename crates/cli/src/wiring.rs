//! Puts the crates together: store, vault, transport and Graph client from the configuration.

use std::{path::PathBuf, sync::Arc};

use guichet_graph::{ClientCredentials, DeviceCodePrompt, Endpoints, GraphClient, Metered, RetryPolicy, Time, Traffic};
use guichet_net::{NetConfig, ReqwestTransport, Transport};
use guichet_setup::{Connect, Desired, KeySource, SignIn, Vault, administrator};
use guichet_store::{
    OpenOptions, Store,
    records::{Credential, Integration},
};
use url::Url;

use crate::{
    config::Config,
    failure::{Exit, Failure},
    system::{SystemEntropy, SystemTime},
};

/// Name of the environment variable that may hold the master key, base 64.
pub const KEY_VARIABLE: &str = "GUICHET_MASTER_KEY";

/// Opens the store of a configuration.
///
/// # Errors
/// A [`Failure`] that names the file and the fix.
pub async fn open_store(config: &Config) -> Result<Store, Failure> {
    Ok(Store::open(OpenOptions {
        data_dir: config.data_dir.clone(),
        database: config.database.clone(),
    })
    .await?)
}

/// Name of the systemd credential that may hold the master key.
pub const KEY_CREDENTIAL: &str = "guichet-master-key";

/// Opens the vault.
///
/// # Errors
/// A [`Failure`] that names the source of the key and the fix.
pub fn open_vault(config: &Config) -> Result<Vault, Failure> {
    Vault::open(key_source(config)).map_err(|error| Failure::new(Exit::Local, error.to_string(), ""))
}

/// Where the master key comes from: the environment, a credential of systemd (`LoadCredential=`), else its file.
pub fn key_source(config: &Config) -> KeySource {
    if let Ok(value) = std::env::var(KEY_VARIABLE) {
        return KeySource::Environment(value);
    }
    let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|dir| PathBuf::from(dir).join(KEY_CREDENTIAL));
    match credential.filter(|file| file.exists()) {
        Some(file) => KeySource::Credential(file),
        None => KeySource::File(config.master_key_file()),
    }
}

/// Address of the notification endpoint below `server.public_url`; `None` for polling only.
///
/// # Errors
/// A [`Failure`] if the address can't be made.
pub fn notification_url(config: &Config) -> Result<Option<Url>, Failure> {
    let Some(base) = &config.server.public_url else {
        return Ok(None);
    };
    let text = format!("{}/notifications/graph", base.as_str().trim_end_matches('/'));
    Url::parse(&text).map(Some).map_err(|error| {
        let title = format!("server.public_url: {text} is no URL: {error}");
        Failure::new(Exit::Configuration, title, "correct `public_url`")
    })
}

/// The transport for everything that goes out.
///
/// # Errors
/// A [`Failure`] naming the CA file or proxy that is wrong.
pub fn transport(config: &Config) -> Result<Arc<dyn Transport>, Failure> {
    let net = NetConfig {
        extra_ca_files: config.microsoft.ca_files.clone(),
        proxy: config.microsoft.proxy.clone(),
        user_agent: concat!("guichet/", env!("CARGO_PKG_VERSION")).to_owned(),
        ..NetConfig::default()
    };
    let transport = ReqwestTransport::new(&net).map_err(|error| {
        Failure::new(
            Exit::Configuration,
            error.to_string(),
            "correct `ca_files` or `proxy` in [microsoft]",
        )
    })?;
    Ok(Arc::new(transport))
}

/// What the client talks to.
pub fn endpoints(config: &Config) -> Endpoints {
    Endpoints {
        authority: config.microsoft.authority(),
        graph: config.microsoft.graph(),
    }
}

/// The recorded integration with its newest credential.
///
/// # Errors
/// A [`Failure`] saying that `connect apply` comes first.
pub async fn integration(config: &Config, store: &Store) -> Result<(Integration, Credential), Failure> {
    let missing = |what: &str| {
        let title = format!("{what} in {}", config.data_dir.display());
        Failure::new(Exit::Configuration, title, "run `guichet connect apply` first")
    };
    let integration = store
        .integration()
        .await?
        .ok_or_else(|| missing("no integration is recorded"))?;
    let credential = store.credentials(integration.id).await?.into_iter().next();
    Ok((
        integration,
        credential.ok_or_else(|| missing("no client secret is recorded"))?,
    ))
}

/// A Graph client that signs in as the integration's application, and counts its requests.
///
/// # Errors
/// A [`Failure`] if something is missing or the secret can't be unsealed.
pub async fn connected_graph(
    config: &Config,
    store: &Store,
    vault: &Vault,
    traffic: &Arc<Traffic>,
) -> Result<GraphClient, Failure> {
    let (integration, credential) = integration(config, store).await?;
    let opened = guichet_setup::credential::open(vault, &credential, Arc::new(SystemEntropy))
        .map_err(|error| Failure::new(Exit::Local, error.to_string(), ""))?;
    let app_id = integration.app_id.clone().unwrap_or_default();
    let transport = transport(config)?;
    let time: Arc<dyn Time> = Arc::new(SystemTime);
    let tokens = ClientCredentials::new(
        transport.clone(),
        time.clone(),
        token_endpoint(config, &integration)?,
        app_id,
        opened,
    );
    Ok(GraphClient::new(
        Arc::new(Metered::new(transport, traffic.clone(), time.clone())),
        Arc::new(tokens),
        endpoints(config),
        RetryPolicy::default(),
        time,
        Arc::new(SystemEntropy),
    ))
}

/// What plans and applies, signed in as `sign_in` says; `prompt` shows a person where to sign in.
///
/// # Errors
/// Those of the sign-in.
pub async fn signed_in(
    sign_in: SignIn,
    desired: &Desired,
    transport: Arc<dyn Transport>,
    store: &Store,
    vault: &Arc<Vault>,
    prompt: &(dyn Fn(&DeviceCodePrompt) + Send + Sync),
) -> guichet_setup::Result<Connect> {
    let (time, entropy) = (Arc::new(SystemTime), Arc::new(SystemEntropy));
    let signing_in = administrator(
        sign_in,
        desired,
        transport.clone(),
        time.clone(),
        entropy.clone(),
        prompt,
    );
    Ok(Connect {
        administrator: signing_in.await?,
        transport,
        store: store.clone(),
        vault: vault.clone(),
        time,
        entropy,
    })
}

/// Signs in as the application itself, with its newest credential.
///
/// # Errors
/// As [`connected_graph`].
pub async fn own_sign_in(config: &Config, store: &Store, vault: &Vault) -> Result<SignIn, Failure> {
    let (integration, credential) = integration(config, store).await?;
    let credential = guichet_setup::credential::open(vault, &credential, Arc::new(SystemEntropy))
        .map_err(|error| Failure::new(Exit::Local, error.to_string(), ""))?;
    let client_id = integration.app_id.unwrap_or_default();
    Ok(SignIn::Own { client_id, credential })
}

fn token_endpoint(config: &Config, integration: &Integration) -> Result<Url, Failure> {
    let recorded = integration.token_endpoint.as_deref().unwrap_or_default();
    Url::parse(recorded).map_err(|_| {
        let title = format!(
            "the recorded token endpoint `{recorded}` in {} is no URL",
            config.data_dir.display()
        );
        Failure::new(
            Exit::Local,
            title,
            "run `guichet connect apply` again: it discovers the endpoint anew",
        )
    })
}
