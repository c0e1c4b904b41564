//! `guichet key`: keys of the HTTP API. A key is shown once; the store holds its digest.

use comfy_table::{Table, presets};
use guichet_domain::{ApiKeyId, ports::Clock};

use crate::{
    args::KeyCommand,
    config::Config,
    failure::{Exit, Failure},
    system::{SystemClock, SystemEntropy},
    wiring,
};

pub(super) async fn run(config: &Config, command: &KeyCommand, json: bool) -> Result<Exit, Failure> {
    let store = wiring::open_store(config).await?;
    match command {
        KeyCommand::Create { name } => {
            let key = guichet_api::new_api_key(&SystemEntropy);
            let id = ApiKeyId::generate(&SystemClock, &SystemEntropy);
            store
                .add_api_key(id, name, &guichet_api::hash_api_key(&key), SystemClock.now())
                .await?;
            if json {
                super::print_json(&serde_json::json!({ "id": id, "name": name, "key": key }))?;
            } else {
                println!("{key}");
                eprintln!("key `{name}` made; it is shown this once. Send it as `Authorization: Bearer …`.");
            }
        }
        KeyCommand::List => {
            let keys = store.api_keys().await?;
            if json {
                let rows: Vec<_> = keys
                    .iter()
                    .map(|k| {
                        let (id, name, created, revoked) = (k.id, &k.name, k.created_at, k.revoked_at);
                        serde_json::json!({ "id": id, "name": name, "created_at": created, "revoked_at": revoked })
                    })
                    .collect();
                super::print_json(&rows)?;
            } else {
                let mut table = Table::new();
                table
                    .load_preset(presets::NOTHING)
                    .set_header(["ID", "NAME", "CREATED", "REVOKED"]);
                for key in keys {
                    let revoked = key.revoked_at.map(|at| at.to_string()).unwrap_or_default();
                    table.add_row([key.id.to_string(), key.name, key.created_at.to_string(), revoked]);
                }
                println!("{}", table.trim_fmt());
            }
        }
        KeyCommand::Revoke { id } => {
            let unknown = || {
                Failure::new(
                    Exit::NotRight,
                    format!("there is no key `{id}`"),
                    "see `guichet key list` for the ids",
                )
            };
            let parsed: ApiKeyId = id.parse().map_err(|_| unknown())?;
            if !store.api_keys().await?.iter().any(|key| key.id == parsed) {
                return Err(unknown());
            }
            store.revoke_api_key(parsed, SystemClock.now()).await?;
            eprintln!("key {parsed} is revoked");
        }
    }
    store.close().await;
    Ok(Exit::Success)
}
