//! `guichet connect values`: what another program needs to use the application, to be pasted there.
//!
//! Needs the store, and the vault only if the secret is asked for. Never prints the secret unasked.

use guichet_domain::ports::Clock;
use guichet_setup::{client_secret, credential::CredentialKind};
use guichet_store::{Store, records::Credential};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    args::ValuesArgs,
    config::Config,
    failure::{Exit, Failure},
    system::SystemClock,
    wiring,
};

const HIDDEN: &str = "stored encrypted; --show-secret prints it";

pub(super) async fn run(config: &Config, arguments: &ValuesArgs, json: bool) -> Result<Exit, Failure> {
    let store = wiring::open_store(config).await?;
    let ended = act(&store, config, arguments, json).await;
    store.close().await;
    ended
}

async fn act(store: &Store, config: &Config, arguments: &ValuesArgs, json: bool) -> Result<Exit, Failure> {
    let missing = |what: &str| {
        let title = format!("{what} is recorded in {}", config.data_dir.display());
        Failure::new(Exit::NotRight, title, "run `guichet connect apply` first")
    };
    let integration = store.integration().await?;
    let integration = integration.ok_or_else(|| missing("no integration"))?;
    let app_id = integration.app_id.as_deref();
    let app_id = app_id.ok_or_else(|| missing("no application"))?;
    let credentials = store.credentials(integration.id).await?;
    let other = credentials.first().map(|credential| credential.kind.clone());
    let credential = credentials.into_iter().find(|credential| credential.kind == "secret");
    let credential = credential.ok_or_else(|| match other {
        None => missing("no client secret"),
        Some(kind) => {
            let title = format!("the application is used with a {kind}, which can't be pasted elsewhere");
            let fix = "set `application.credential` to `secret` and run `guichet connect apply`";
            Failure::new(Exit::NotRight, title, fix)
        }
    })?;
    let secret = if arguments.show_secret {
        Some(open(config, &credential)?)
    } else {
        None
    };
    let endpoint = integration.token_endpoint.as_deref().unwrap_or_default();
    let value = secret.as_ref().map(ExposeSecret::expose_secret);
    if json {
        crate::commands::print_json(&serde_json::json!({
            "application_id": app_id,
            "tenant_id": integration.tenant_id,
            "token_endpoint": endpoint,
            "secret_id": credential.key_id,
            "secret_value": value,
            "secret_expires_at": credential.expires_at,
        }))?;
    } else {
        println!("application id  {app_id}");
        println!("tenant id       {}", integration.tenant_id);
        println!("token endpoint  {endpoint}");
        println!("secret id       {}", credential.key_id);
        println!("secret value    {}", value.unwrap_or(HIDDEN));
        println!("secret expires  {}", credential.expires_at);
    }
    if credential.expires_at <= SystemClock.now() {
        eprintln!("The secret has expired: run `guichet connect apply` for a new one.");
        return Ok(Exit::NotRight);
    }
    Ok(Exit::Success)
}

fn open(config: &Config, credential: &Credential) -> Result<SecretString, Failure> {
    if CredentialKind::of(credential) == CredentialKind::Certificate {
        let title = "the application signs in with a certificate, and its private key is not given away";
        let fix = "for a secret to paste, set `credential = \"secret\"` and run `guichet connect apply`";
        return Err(Failure::new(Exit::Configuration, title, fix));
    }
    let vault = wiring::open_vault(config)?;
    client_secret::unseal(&vault, credential).map_err(|error| Failure::new(Exit::Local, error.to_string(), ""))
}
