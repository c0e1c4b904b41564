//! `guichet doctor`: every check, with what was seen and what to do.

use std::sync::Arc;

use futures::future::BoxFuture;
use guichet_api::FindingsSource;
use guichet_domain::finding::{Finding, Severity};
use guichet_setup::{
    Language, Vault,
    doctor::{self, DoctorContext},
};
use guichet_store::Store;

use crate::{
    args::DoctorArgs,
    config::Config,
    failure::{Exit, Failure},
    system::{SystemEntropy, SystemTime},
    wiring,
};

pub(super) async fn run(config: &Config, args: &DoctorArgs, json: bool) -> Result<Exit, Failure> {
    let store = wiring::open_store(config).await?;
    let context = context(config, &store)?;
    let findings = doctor::run(&context, super::language(args.language)).await;
    store.close().await;
    if json {
        super::print_json(&findings)?;
    } else {
        for finding in &findings {
            print(finding);
        }
    }
    let worst = findings.iter().map(|f| f.severity).max().unwrap_or(Severity::Ok);
    Ok(if worst >= Severity::Error {
        Exit::NotRight
    } else {
        Exit::Success
    })
}

pub(super) fn context(config: &Config, store: &Store) -> Result<DoctorContext, Failure> {
    Ok(DoctorContext {
        store: store.clone(),
        vault: Vault::open(wiring::key_source(config)).map(Arc::new),
        transport: wiring::transport(config)?,
        time: Arc::new(SystemTime),
        entropy: Arc::new(SystemEntropy),
        desired: Some(config.desired()),
        notification_url: wiring::notification_url(config)?,
        options: config.doctor.clone(),
    })
}

/// The same checks for the API.
#[derive(Debug)]
pub(super) struct Checks(DoctorContext);

impl Checks {
    pub fn new(config: &Config, store: &Store) -> Result<Self, Failure> {
        context(config, store).map(Self)
    }
}

impl FindingsSource for Checks {
    fn findings(&self, language: guichet_api::Language) -> BoxFuture<'_, Vec<Finding>> {
        let language = match language {
            guichet_api::Language::English => Language::English,
            guichet_api::Language::French => Language::French,
        };
        Box::pin(doctor::run(&self.0, language))
    }
}

fn print(finding: &Finding) {
    let mark = match finding.severity {
        Severity::Ok => "ok     ",
        Severity::Info => "info   ",
        Severity::Warning => "warning",
        Severity::Error => "ERROR  ",
    };
    let subject = if finding.subject.is_empty() {
        String::new()
    } else {
        format!(" [{}]", finding.subject)
    };
    println!("{mark} {}{subject}", finding.title);
    if finding.severity > Severity::Ok {
        println!("        code      {}", finding.code);
        if let Some(since) = finding.first_seen {
            println!("        since     {since}");
        }
        if !finding.evidence.is_empty() {
            println!("        evidence  {}", finding.evidence);
        }
        if !finding.fix.is_empty() {
            println!("        fix       {}", finding.fix);
        }
    }
}
