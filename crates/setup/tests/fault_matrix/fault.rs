//! What a fault is, and the walk over faults: inject, diagnose, remove the cause, diagnose again.

use std::{future::Future, pin::Pin};

use guichet_domain::finding::Severity;
use guichet_setup::{Language, catalogue, doctor::Code};
use jiff::SignedDuration;

use crate::stage::Stage;

pub(crate) type Doing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
/// Something done to a stage.
pub(crate) type Act = for<'a> fn(&'a mut Stage) -> Doing<'a>;

/// One misconfiguration or outage.
pub(crate) struct Fault {
    /// Its name, in kebab case.
    pub name: &'static str,
    /// How it is injected, for people.
    pub how: &'static str,
    /// The one finding that explains it.
    pub code: Code,
    pub inject: Act,
    pub cure: Cure,
}

/// What makes it go.
pub(crate) enum Cure {
    /// The cause is removed, and nothing else is done.
    Undo(Act),
    /// `guichet connect apply` and nothing else.
    Apply,
}

/// Takes a stage through faults, one after the other.
pub(crate) async fn walk(mut stage: Stage, faults: &[Fault]) {
    assert_eq!(findings(&stage).await, [], "the stage is not sound");
    for fault in faults {
        // What was made a moment ago is waited for; a fault meets a connection that has settled.
        stage.advance(SignedDuration::from_mins(15)).await;
        (fault.inject)(&mut stage).await;
        check(&stage, fault).await;
        match fault.cure {
            Cure::Undo(act) => act(&mut stage).await,
            Cure::Apply => stage.apply().await,
        }
        assert_eq!(findings(&stage).await, [], "{} did not heal", fault.name);
    }
}

async fn check(stage: &Stage, fault: &Fault) {
    let found = findings(stage).await;
    let codes: Vec<&str> = found.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, [fault.code.as_str()], "{}: {found:#?}", fault.name);
    let text = catalogue::finding_text(fault.code);
    for language in Language::ALL {
        for finding in stage.doctor(language).await {
            let words = format!("{} {}", finding.title, finding.fix);
            assert!(!words.contains(['{', '}']), "{}: {words}", fault.name);
            assert!(!finding.evidence.is_empty(), "{} has no evidence", fault.name);
        }
        assert!(!text.fix.get(language).is_empty(), "{} has no fix", fault.name);
    }
}

/// What a sound connection says too: what is off by choice.
const UNTROUBLED: [Code; 3] = [Code::NotificationsOff, Code::RulesUnseen, Code::LicencesUnseen];

/// Codes and evidence of what is not in order.
async fn findings(stage: &Stage) -> Vec<(String, String)> {
    let found = stage.doctor(Language::English).await;
    let troubles = found.into_iter().filter(|finding| {
        finding.severity > Severity::Ok && !UNTROUBLED.iter().any(|code| finding.code == code.as_str())
    });
    troubles.map(|finding| (finding.code, finding.evidence)).collect()
}
