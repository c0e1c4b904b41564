//! What the commands of `guichet connect` print on stdout.
//!
//! Never prints a secret, nor anything that is only in one language.

use guichet_setup::{
    Applied, Change, Destroyed, Language, Plan, Rotated,
    catalogue::{self, Label},
    procedure::{Item, State},
};

use super::verify::Proven;
use crate::failure::{Exit, Failure};

pub(super) fn plan(plan: &Plan, language: Language, json: bool) -> Result<Exit, Failure> {
    let problems: Vec<_> = plan.problems.iter().map(|p| catalogue::finding(p, language)).collect();
    if json {
        crate::commands::print_json(&serde_json::json!({ "changes": plan.changes, "problems": problems }))?;
    } else {
        changes(&plan.changes, language);
        if !problems.is_empty() {
            println!();
        }
        problems.iter().for_each(crate::commands::doctor::print);
        if plan.is_empty() && problems.is_empty() {
            println!("{}", catalogue::nothing_to_change(language));
        } else {
            println!("\n{}", catalogue::change_count(plan.changes.len(), language));
        }
    }
    Ok(if problems.is_empty() {
        Exit::Success
    } else {
        Exit::NotRight
    })
}

pub(super) fn applied(applied: &Applied, proven: &Proven, language: Language, json: bool) -> Result<Exit, Failure> {
    if json {
        let mut value = serde_json::to_value(applied).unwrap_or_default();
        value["procedure"] = serde_json::to_value(&proven.items).unwrap_or_default();
        crate::commands::print_json(&value)?;
        return Ok(Exit::Success);
    }
    rows(
        language,
        &[
            (Label::Tenant, applied.tenant_id.clone()),
            (Label::Application, applied.app_id.clone()),
            (Label::TokenEndpoint, applied.token_endpoint.clone()),
            (Label::CredentialId, applied.key_id.clone()),
            (Label::Expires, catalogue::end(applied.secret_expires_at, language)),
            (Label::Mailboxes, applied.mailboxes.to_string()),
            (Label::Changes, applied.changes.len().to_string()),
        ],
    );
    println!();
    procedure(&proven.items, language);
    Ok(Exit::Success)
}

/// The parts of the procedure, each with a mark, a word for who can't see the mark, and what proves it.
pub(super) fn procedure(items: &[Item], language: Language) {
    println!("{}", catalogue::procedure_heading(language));
    for item in items {
        let mark = match item.state {
            State::Done => "✓",
            State::NotNeeded => "–",
            State::Open => "✗",
            State::NotSeen => "?",
        };
        println!("{mark} {}", catalogue::part(item, language));
        let note = catalogue::part_note(item, language);
        if !note.is_empty() {
            println!("    {note}");
        }
    }
}

/// Nothing is `null`: the credential is not due.
pub(super) fn rotated(rotated: Option<&Rotated>, language: Language, json: bool) -> Result<Exit, Failure> {
    if json {
        crate::commands::print_json(&rotated)?;
        return Ok(Exit::Success);
    }
    let Some(rotated) = rotated else {
        println!("{}", catalogue::label(Label::NotDue, language));
        return Ok(Exit::Success);
    };
    let mut all = vec![
        (Label::Application, rotated.app_id.clone()),
        (Label::Kind, rotated.kind.as_str().to_owned()),
        (Label::CredentialId, rotated.key_id.clone()),
        (Label::Expires, catalogue::end(rotated.expires_at, language)),
    ];
    all.extend(rotated.removed.iter().map(|id| (Label::Removed, id.clone())));
    all.extend(rotated.kept.iter().map(|id| (Label::Kept, id.clone())));
    rows(language, &all);
    Ok(Exit::Success)
}

pub(super) fn destroyed(destroyed: &Destroyed, done: bool, language: Language, json: bool) -> Result<Exit, Failure> {
    if json {
        crate::commands::print_json(&serde_json::json!({
            "done": done,
            "changes": destroyed.changes,
            "kept_application": destroyed.kept_application,
        }))?;
        return Ok(Exit::Success);
    }
    changes(&destroyed.changes, language);
    if destroyed.changes.is_empty() {
        println!("{}", catalogue::nothing_to_remove(language));
    }
    if let Some(name) = &destroyed.kept_application {
        println!("{}", catalogue::application_stays(name, language));
    }
    if !done && !destroyed.changes.is_empty() {
        eprintln!("{}", catalogue::say_yes(language));
    }
    Ok(Exit::Success)
}

/// Changes below the steps that make them.
fn changes(changes: &[Change], language: Language) {
    let mut step = None;
    for change in changes {
        if step.replace(change.step) != Some(change.step) {
            println!("{}", catalogue::step(change.step, language));
        }
        println!("    {}", catalogue::change(change, language));
    }
}

/// A label and a value on each line, the values below each other.
fn rows(language: Language, rows: &[(Label, String)]) {
    let labelled = rows.iter().map(|(label, _)| catalogue::label(*label, language));
    let width = labelled.map(|text| text.chars().count()).max().unwrap_or_default();
    for (label, value) in rows {
        println!("{:width$}  {value}", catalogue::label(*label, language));
    }
}
