//! One module for each command.

mod connect;
mod dead_letters;
mod doctor;
mod integration;
mod key;
mod migrate;
mod quarantine;
mod sandbox;
mod serve;
mod trace;

use crate::{
    args::{Cli, Command, LanguageArg},
    config::Config,
    demo,
    failure::{Exit, Failure},
};
use guichet_setup::Language;

/// Runs the command.
///
/// # Errors
/// The command's [`Failure`].
pub async fn run(cli: Cli) -> Result<Exit, Failure> {
    match &cli.command {
        Command::Sandbox(args) => sandbox::run(args, cli.json).await,
        Command::Connect(command) => connect::run(&cli.config, command, cli.json).await,
        Command::Serve(args) => serve::run(load(&cli)?, args, cli.json).await,
        Command::Doctor(args) => doctor::run(&load(&cli)?, args, cli.json).await,
        Command::Trace { id } => trace::run(&load(&cli)?, id, cli.json).await,
        Command::Integration(command) => integration::run(&load(&cli)?, command, cli.json).await,
        Command::Quarantine(command) => quarantine::run(&load(&cli)?, command, cli.json).await,
        Command::DeadLetters(command) => dead_letters::run(&load(&cli)?, command, cli.json).await,
        Command::Migrate => migrate::run(&load(&cli)?, cli.json).await,
        Command::Key(command) => key::run(&load(&cli)?, command, cli.json).await,
        Command::Openapi => {
            let text = guichet_api::openapi().to_pretty_json();
            println!(
                "{}",
                text.map_err(|error| Failure::new(Exit::Internal, error.to_string(), ""))?
            );
            Ok(Exit::Success)
        }
        Command::Demo(args) => demo::run(args, cli.json).await,
    }
}

fn load(cli: &Cli) -> Result<Config, Failure> {
    Config::load(&cli.config)
}

/// The language asked for, else the one of the environment.
fn language(asked: Option<LanguageArg>) -> Language {
    match asked {
        Some(LanguageArg::En) => Language::English,
        Some(LanguageArg::Fr) => Language::French,
        None => {
            let variables = ["LC_ALL", "LC_MESSAGES", "LANG"];
            let value = variables
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
            Language::from_env(value.as_deref().unwrap_or_default())
        }
    }
}

/// Prints a value as JSON on stdout.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Exit::Internal, format!("the result is no JSON: {error}"), ""))?;
    println!("{text}");
    Ok(())
}

/// Waits for Ctrl-C or, on Unix, SIGTERM.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
