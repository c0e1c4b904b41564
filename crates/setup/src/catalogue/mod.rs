//! Every text that an administrator reads, in English and French, side by side.
//!
//! Owns the words; the code that decides owns the codes. Never builds a sentence from parts of
//! sentences: a placeholder takes a name, a number or an address. Invariant, held by a test: each
//! code has a text in each language, with the same placeholders.

mod consent;
mod credentials;
mod exchange;
mod graph;
mod labels;
mod language;
mod mail_flow;
mod mailboxes;
mod procedure;
mod recorded;
mod sign_in;
mod steps;
mod text;
mod work;

use guichet_domain::finding::Finding;
use jiff::Timestamp;

pub use labels::Label;
pub use language::Language;
pub use text::{FindingText, Text};

use crate::{
    credential::NEVER,
    doctor::{Code, Problem},
    plan::{Change, StepId, Why},
    procedure::{Item, Part, State},
    progress::Waiting,
};

/// Title of a step.
pub fn step(step: StepId, language: Language) -> &'static str {
    steps::title(step).get(language)
}

/// Why a change is needed.
pub fn why(why: Why, language: Language) -> &'static str {
    steps::why(why).get(language)
}

/// What is being waited for.
pub fn waiting(reason: Waiting, language: Language) -> &'static str {
    steps::waiting(reason).get(language)
}

/// What stands before the address of a sign-in page.
pub fn browser_open(language: Language) -> &'static str {
    steps::BROWSER_OPEN.get(language)
}

/// What the browser shows when it comes back.
pub fn browser_returned(language: Language) -> &'static str {
    steps::BROWSER_RETURNED.get(language)
}

/// One line for a change: what, from, to and why.
pub fn change(change: &Change, language: Language) -> String {
    let reason = why(change.why, language);
    let subject = &change.subject;
    let params = |from: &str, to: &str| {
        [
            ("subject", subject.clone()),
            ("from", from.to_owned()),
            ("to", to.to_owned()),
            ("why", reason.to_owned()),
        ]
    };
    match (&change.from, &change.to) {
        (Some(from), Some(to)) => steps::REPLACE.fill(language, &params(from, to)),
        (None, Some(to)) => steps::ADD.fill(language, &params("", to)),
        (Some(from), None) => steps::REMOVE.fill(language, &params(from, "")),
        (None, None) => steps::TOUCH.fill(language, &params("", "")),
    }
}

/// The tenant is as wanted.
pub fn nothing_to_change(language: Language) -> &'static str {
    steps::NOTHING_TO_CHANGE.get(language)
}

/// What stands before a value.
pub fn label(label: Label, language: Language) -> &'static str {
    labels::text(label).get(language)
}

/// The end of a credential; one that is federated has none.
pub fn end(expires_at: Timestamp, language: Language) -> String {
    if expires_at == NEVER {
        labels::NEVER.get(language).to_owned()
    } else {
        expires_at.to_string()
    }
}

/// How many changes a plan has, and what makes them.
pub fn change_count(count: usize, language: Language) -> String {
    steps::CHANGE_COUNT.fill(language, &[("count", count.to_string())])
}

/// Nothing is left that `destroy` could remove.
pub fn nothing_to_remove(language: Language) -> &'static str {
    steps::NOTHING_TO_REMOVE.get(language)
}

/// The application stays, because it was there before.
pub fn application_stays(name: &str, language: Language) -> String {
    steps::APPLICATION_STAYS.fill(language, &[("subject", name.to_owned())])
}

/// How `destroy` is told that it is meant.
pub fn say_yes(language: Language) -> &'static str {
    steps::SAY_YES.get(language)
}

/// What stands above the parts of the procedure.
pub fn procedure_heading(language: Language) -> &'static str {
    procedure::HEADING.get(language)
}

/// What stands above findings that belong to no part of the procedure.
pub fn also_found(language: Language) -> &'static str {
    procedure::ALSO.get(language)
}

/// A finding is gone.
pub fn resolved(language: Language) -> &'static str {
    procedure::RESOLVED.get(language)
}

/// A part of the procedure, and how far it is.
pub fn part(item: &Item, language: Language) -> String {
    let word = |text: Text| text.get(language).to_owned();
    let params = [
        ("part", word(procedure::part(item.part))),
        ("state", word(procedure::state(item.state))),
    ];
    procedure::LINE.fill(language, &params)
}

/// What proves the part, or what to do where nothing does.
pub fn part_note(item: &Item, language: Language) -> String {
    match procedure::note(item.part, item.state) {
        Some(note) if item.evidence.is_empty() => note.get(language).to_owned(),
        _ => item.evidence.clone(),
    }
}

/// Title and fix of a finding.
pub fn finding_text(code: Code) -> FindingText {
    recorded::text(code)
        .or_else(|| sign_in::text(code))
        .or_else(|| consent::text(code))
        .or_else(|| credentials::text(code))
        .or_else(|| graph::text(code))
        .or_else(|| mailboxes::text(code))
        .or_else(|| mail_flow::text(code))
        .or_else(|| exchange::text(code))
        .or_else(|| work::text(code))
        // A test walks over every code; this is never shown.
        .unwrap_or(FindingText::new([code.as_str(), code.as_str()], ["", ""]))
}

/// A problem in words.
pub fn finding(problem: &Problem, language: Language) -> Finding {
    let text = finding_text(problem.code);
    let mut params = problem.params.clone();
    params.push(("subject", problem.subject.clone()));
    Finding {
        code: problem.code.as_str().to_owned(),
        severity: problem.code.severity(),
        subject: problem.subject.clone(),
        title: text.title.fill(language, &params),
        evidence: problem.evidence.clone(),
        fix: text.fix.fill(language, &params),
        docs: format!("findings.md#{}", problem.code.as_str()),
        first_seen: None,
    }
}

/// Every text with a key that says where it is used; for documentation and for the test of completeness.
pub fn all() -> Vec<(String, Text)> {
    let mut texts = Vec::new();
    for step in StepId::ALL.into_iter().chain([StepId::Retirement]) {
        texts.push((format!("step.{step:?}"), steps::title(step)));
    }
    for why in Why::ALL {
        texts.push((format!("why.{why:?}"), steps::why(why)));
    }
    for reason in Waiting::ALL {
        texts.push((format!("waiting.{reason:?}"), steps::waiting(reason)));
    }
    for label in Label::ALL {
        texts.push((format!("label.{label:?}"), labels::text(label)));
    }
    for part in Part::ALL {
        texts.push((format!("part.{part:?}"), procedure::part(part)));
        for state in State::ALL {
            if let Some(note) = procedure::note(part, state) {
                texts.push((format!("part.{part:?}.{state:?}"), note));
            }
        }
    }
    for state in State::ALL {
        texts.push((format!("state.{state:?}"), procedure::state(state)));
    }
    for (key, text) in [
        ("procedure.heading", procedure::HEADING),
        ("label.never", labels::NEVER),
        ("change.part", procedure::LINE),
        ("procedure.also", procedure::ALSO),
        ("doctor.resolved", procedure::RESOLVED),
        ("browser.open", steps::BROWSER_OPEN),
        ("browser.returned", steps::BROWSER_RETURNED),
        ("change.add", steps::ADD),
        ("change.remove", steps::REMOVE),
        ("change.replace", steps::REPLACE),
        ("change.touch", steps::TOUCH),
        ("plan.count", steps::CHANGE_COUNT),
        ("plan.nothing", steps::NOTHING_TO_CHANGE),
        ("destroy.nothing", steps::NOTHING_TO_REMOVE),
        ("destroy.application", steps::APPLICATION_STAYS),
        ("destroy.yes", steps::SAY_YES),
    ] {
        texts.push((key.to_owned(), text));
    }
    for code in Code::ALL {
        let finding = finding_text(*code);
        texts.push((format!("finding.{}.title", code.as_str()), finding.title));
        texts.push((format!("finding.{}.fix", code.as_str()), finding.fix));
    }
    texts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use guichet_domain::finding::Severity;

    use super::*;

    #[test]
    fn every_text_exists_in_both_languages_with_the_same_placeholders() {
        for (key, text) in all() {
            let [english, french] = Language::ALL.map(|language| text.get(language));
            assert_eq!(english.is_empty(), french.is_empty(), "{key}");
            assert_eq!(text::placeholders(english), text::placeholders(french), "{key}");
            for template in [english, french] {
                let trimmed = template.trim();
                assert_eq!(trimmed, template, "{key} has space around it");
            }
        }
    }

    #[test]
    fn placeholders_are_noticed_when_they_differ() {
        // The negative control of the test above.
        let text = Text::new("a {x} and {y}", "un {x}");
        let [english, french] = Language::ALL.map(|language| text::placeholders(text.get(language)));
        assert_ne!(english, french);
    }

    #[test]
    fn every_code_has_one_text_of_its_own_and_every_trouble_has_a_fix() {
        let mut titles = BTreeSet::new();
        let mut codes = BTreeSet::new();
        for code in Code::ALL {
            let groups = [
                recorded::text(*code),
                sign_in::text(*code),
                consent::text(*code),
                credentials::text(*code),
                graph::text(*code),
                mailboxes::text(*code),
                mail_flow::text(*code),
                exchange::text(*code),
                work::text(*code),
            ];
            assert_eq!(groups.iter().flatten().count(), 1, "{code:?}");
            let text = finding_text(*code);
            assert!(!text.title.get(Language::English).is_empty(), "{code:?}");
            assert!(
                titles.insert(text.title.get(Language::French)),
                "{code:?} shares its title"
            );
            assert!(codes.insert(code.as_str()), "{code:?} shares its code");
            if code.severity() >= Severity::Warning {
                assert!(!text.fix.get(Language::English).is_empty(), "{code:?} has no fix");
            }
        }
    }

    #[test]
    fn languages_are_not_copies_of_each_other() {
        for (key, text) in all() {
            let [english, french] = Language::ALL.map(|language| text.get(language));
            assert!(
                english.is_empty() || english != french || key.starts_with("change."),
                "{key} is not translated"
            );
        }
    }
}
