//! `guichet doctor`: every check, with what was seen and what to do.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use guichet_api::FindingsSource;
use guichet_domain::finding::{Finding, Severity};
use guichet_setup::{
    Language, Vault, catalogue,
    doctor::{self, Code, DoctorContext},
};
use guichet_store::Store;
use jiff::Timestamp;

use crate::{
    args::DoctorArgs,
    config::Config,
    failure::{Exit, Failure},
    system::{SystemEntropy, SystemTime},
    wiring,
};

pub(super) async fn run(config: &Config, args: &DoctorArgs, json: bool) -> Result<Exit, Failure> {
    let store = wiring::open_store(config).await?;
    let mut context = context(config, &store)?;
    context.options.round_trip = args.round_trip;
    let language = super::language(args.language);
    let mut findings = doctor::run(&context, language).await;
    if json {
        super::print_json(&findings)?;
    } else {
        findings.iter().for_each(print);
    }
    if let Some(seconds) = args.watch {
        let pause = Duration::from_secs(seconds);
        while tokio::time::timeout(pause, super::asked_to_stop()).await.is_err() {
            // One probe is enough: each is a mail.
            context.options.round_trip = false;
            let seen = doctor::run(&context, language).await;
            if json {
                super::print_json(&seen)?;
            } else {
                tell_changes(&findings, &seen, language, context.time.now());
            }
            findings = seen;
        }
    }
    store.close().await;
    let worst = findings.iter().map(|f| f.severity).max().unwrap_or(Severity::Ok);
    let bad = if args.strict {
        Severity::Warning
    } else {
        Severity::Error
    };
    Ok(if worst >= bad { Exit::NotRight } else { Exit::Success })
}

/// What came and what went between two looks; silent where nothing did.
fn tell_changes(before: &[Finding], now: &[Finding], language: Language, at: Timestamp) {
    let is_new = |finding: &&Finding| !before.iter().any(|other| same(finding, other));
    // What was asked once was not asked again.
    let is_gone = |finding: &&Finding| {
        let is_of_moment = Code::named(&finding.code).is_some_and(Code::is_of_moment);
        finding.severity > Severity::Ok && !is_of_moment && !now.iter().any(|other| same(finding, other))
    };
    let (new, gone): (Vec<_>, Vec<_>) = (
        now.iter().filter(is_new).collect(),
        before.iter().filter(is_gone).collect(),
    );
    if new.is_empty() && gone.is_empty() {
        return;
    }
    println!("\n{}", at.round(jiff::Unit::Second).unwrap_or(at));
    for finding in gone {
        println!("{:7} {}", catalogue::resolved(language), finding.title);
    }
    new.into_iter().for_each(print);
}

fn same(one: &Finding, other: &Finding) -> bool {
    one.code == other.code && one.subject == other.subject
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
        ranges: config.addresses.all(),
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

pub(super) fn print(finding: &Finding) {
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
