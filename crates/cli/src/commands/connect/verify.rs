//! `guichet connect verify`: each part of the procedure, proven with the application's own sign-in.
//!
//! Needs no administrator: what only an administrator may see comes from the report of the exported script.

use guichet_domain::finding::{Finding, Severity};
use guichet_setup::{
    catalogue,
    doctor::{self, Problem},
    procedure::{self, Facts, Item, State},
};
use guichet_store::Store;

use super::print;
use crate::{
    args::VerifyArgs,
    commands,
    config::Config,
    failure::{Exit, Failure},
    wiring,
};

/// What was seen.
pub(super) struct Proven {
    pub items: Vec<Item>,
    /// What is not in order and belongs to no part.
    rest: Vec<Problem>,
}

pub(super) async fn run(mut config: Config, arguments: &VerifyArgs, json: bool) -> Result<Exit, Failure> {
    let language = commands::language(arguments.language);
    if let Some(report) = &arguments.exchange_report {
        config.doctor.exchange_report = Some(report.clone());
    }
    let store = wiring::open_store(&config).await?;
    let proven = procedure(&config, &store).await;
    store.close().await;
    let proven = proven?;
    let rest: Vec<Finding> = proven.rest.iter().map(|p| catalogue::finding(p, language)).collect();
    if json {
        commands::print_json(&serde_json::json!({ "procedure": proven.items, "findings": rest }))?;
    } else {
        print::procedure(&proven.items, language);
        if !rest.is_empty() {
            println!("\n{}", catalogue::also_found(language));
        }
        for finding in &rest {
            commands::doctor::print(finding);
        }
    }
    let open = proven.items.iter().any(|item| item.state == State::Open);
    let broken = proven.rest.iter().any(|p| p.code.severity() >= Severity::Error);
    Ok(if open || broken { Exit::NotRight } else { Exit::Success })
}

/// Looks at everything and judges each part.
pub(super) async fn procedure(config: &Config, store: &Store) -> Result<Proven, Failure> {
    let context = commands::doctor::context(config, store)?;
    let problems = doctor::problems(&context).await;
    let facts = Facts::read(store, config.desired(), !context.ranges.is_empty()).await?;
    let items = procedure::list(&facts, &problems);
    let rest = problems.into_iter().filter(|problem| {
        problem.code.severity() >= Severity::Warning && !problem.code.is_of_service()
            || items.iter().any(|item| item.findings.contains(&problem.code))
    });
    Ok(Proven {
        rest: rest.collect(),
        items,
    })
}
