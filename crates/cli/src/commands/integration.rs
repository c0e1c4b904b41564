//! `guichet integration`: what the operator intends, and what the service reports.

use guichet_domain::ports::Clock;
use guichet_setup::Language;
use guichet_store::{Store, records::Integration};

use crate::{
    args::IntegrationCommand,
    config::Config,
    failure::{Exit, Failure},
    system::SystemClock,
    wiring,
};

pub(super) async fn run(config: &Config, command: &IntegrationCommand, json: bool) -> Result<Exit, Failure> {
    let store = wiring::open_store(config).await?;
    let ended = act(&store, config, command, json).await;
    store.close().await;
    ended
}

async fn act(store: &Store, config: &Config, command: &IntegrationCommand, json: bool) -> Result<Exit, Failure> {
    let find = async || {
        store.integration().await?.ok_or_else(|| {
            let title = format!("no integration is recorded in {}", config.data_dir.display());
            Failure::new(Exit::Configuration, title, "run `guichet connect apply` first")
        })
    };
    let integration = find().await?;
    let intended = match command {
        IntegrationCommand::Show { .. } => None,
        IntegrationCommand::Enable => Some("active"),
        IntegrationCommand::Disable => Some("inactive"),
    };
    if let Some(intended) = intended.filter(|intended| *intended != integration.intended_state) {
        store.intend(integration.id, intended, SystemClock.now()).await?;
        eprintln!("A running `guichet serve` follows within seconds.");
    }
    let language = match command {
        IntegrationCommand::Show { language } => super::language(*language),
        _ => super::language(None),
    };
    let integration = find().await?;
    print(&integration, language, json)?;
    let failing = intended.is_none() && integration.reported_state == "error";
    Ok(if failing { Exit::NotRight } else { Exit::Success })
}

fn print(integration: &Integration, language: Language, json: bool) -> Result<(), Failure> {
    let fixes: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&integration.reported_fix).unwrap_or_default();
    let fix = fixes.get(language.code()).map(String::as_str).unwrap_or_default();
    let (code, text) = (&integration.reported_code, &integration.reported_text);
    if json {
        return super::print_json(&serde_json::json!({
            "application_name": integration.application_name,
            "app_id": integration.app_id,
            "tenant_id": integration.tenant_id,
            "intended_state": integration.intended_state,
            "reported": {
                "state": integration.reported_state,
                "code": code,
                "text": text,
                "fix": fix,
                "since": integration.reported_since,
            },
        }));
    }
    let since = integration
        .reported_since
        .map(|at| format!(" since {at}"))
        .unwrap_or_default();
    println!("integration  {}", integration.application_name);
    println!("intended     {}", integration.intended_state);
    println!("reported     {}{since}", integration.reported_state);
    for (name, value) in [("code", code.as_str()), ("evidence", text), ("fix", fix)] {
        if !value.is_empty() {
            println!("{name:<12} {value}");
        }
    }
    Ok(())
}
