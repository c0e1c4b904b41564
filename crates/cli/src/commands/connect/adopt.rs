//! `guichet connect adopt`: the values that an administrator copied from the portal or from an exported script.
//!
//! Needs no administrator. Never takes the secret from the command line, where other users of the machine could read it.

use std::{
    io::{IsTerminal, Read, stdin},
    sync::Arc,
};

use guichet_setup::{Language, SignIn, Values, catalogue, catalogue::Label};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Teller, failure, print, verify};
use crate::{
    args::AdoptArgs,
    config::Config,
    failure::{Exit, Failure},
    wiring,
};

const SECRET_VARIABLE: &str = "GUICHET_CLIENT_SECRET";
/// A secret value has some 40 characters.
const LONGEST_SECRET: u64 = 1024;

pub(super) async fn run(config: &Config, arguments: &AdoptArgs, json: bool) -> Result<Exit, Failure> {
    let language = crate::commands::language(arguments.language);
    let values = Values::parse(
        &arguments.application_id,
        &secret(language)?,
        &arguments.secret_id,
        end_of(arguments.secret_expires)?,
        arguments.token_endpoint.as_deref(),
    )
    .map_err(|error| failure(&error, language))?;
    let desired = config.desired();
    let store = wiring::open_store(config).await?;
    let vault = Arc::new(wiring::open_vault(config)?);
    let itself = SignIn::Own {
        client_id: values.app_id.clone(),
        credential: values.credential(),
    };
    let transport = wiring::transport(config)?;
    let connect = wiring::signed_in(itself, &desired, transport, &store, &vault, &|_| {})
        .await
        .map_err(|error| failure(&error, language))?;
    let ended = match connect.adopt(&desired, &values, &Teller::new(language)).await {
        Ok(applied) => {
            let proven = verify::procedure(config, &store).await?;
            print::applied(&applied, &proven, language, json)
        }
        Err(error) => Err(failure(&error, language)),
    };
    store.close().await;
    ended
}

/// From the environment, from a person at the terminal, or from stdin.
fn secret(language: Language) -> Result<String, Failure> {
    if let Ok(value) = std::env::var(SECRET_VARIABLE) {
        return Ok(value);
    }
    if stdin().is_terminal() {
        let prompt = format!("{}:", catalogue::label(Label::SecretValue, language));
        let asked = inquire::Password::new(&prompt)
            .without_confirmation()
            .with_display_mode(inquire::PasswordDisplayMode::Masked)
            .prompt();
        return asked.map_err(|error| {
            let fix = format!("paste the value, or set {SECRET_VARIABLE}");
            Failure::new(Exit::Configuration, format!("no client secret: {error}"), fix)
        });
    }
    let mut text = String::new();
    let read = stdin().take(LONGEST_SECRET).read_to_string(&mut text);
    read.map_err(|error| {
        let fix = format!("set {SECRET_VARIABLE}, or hand the value over on stdin");
        Failure::new(Exit::Configuration, format!("no client secret: {error}"), fix)
    })?;
    Ok(text)
}

/// The portal shows a day; the secret works until some hour of it.
fn end_of(day: Date) -> Result<Timestamp, Failure> {
    let start = day.to_zoned(TimeZone::UTC);
    start.map(|start| start.timestamp()).map_err(|error| {
        let fix = "write it as the portal shows it: 2027-05-31";
        Failure::new(Exit::Configuration, format!("--secret-expires: {error}"), fix)
    })
}
