//! Check: does a rule of the inbox take mail away before it is read?
//!
//! Needs the optional permission MailboxSettings.Read; without it, it says so once. Never changes a rule, and never
//! shows what a rule looks for.

use guichet_graph::{Class, GraphClient, MailFolder, MessageRule};
use guichet_store::records::{Folder, Mailbox};

use super::{Code, DoctorContext, Problem, diagnose};

/// Rules of one mailbox whose target is asked for; Exchange keeps 256 KB of rules at most.
const MOST: usize = 50;

/// Nothing where nothing is configured, or no mailbox opens.
pub(super) async fn check(
    context: &DoctorContext,
    client: &GraphClient,
    mailboxes: &[Mailbox],
) -> guichet_store::Result<Vec<Problem>> {
    let Some(desired) = context.desired.as_ref().filter(|_| !mailboxes.is_empty()) else {
        return Ok(Vec::new());
    };
    if !desired.access.read_mailbox_settings {
        let evidence = "`read_mailbox_settings` is off";
        return Ok(vec![Problem::new(Code::RulesUnseen, "", evidence)]);
    }
    let mut problems = Vec::new();
    for mailbox in mailboxes {
        let folders = context.store.folders_of(mailbox.id).await?;
        match client.message_rules(&mailbox.graph_user_id).await {
            Ok(rules) => problems.extend(judge(client, mailbox, &folders, &rules).await),
            Err(error) if error.class == Class::Denied => {
                // One for all: what lacks is a permission of the application.
                problems.push(Problem::new(Code::RulesUnseen, "", diagnose::evidence(&error)));
                break;
            }
            // What is wrong with the mailbox or with Graph, other checks have said.
            Err(_) => {}
        }
    }
    Ok(problems)
}

async fn judge(client: &GraphClient, mailbox: &Mailbox, folders: &[Folder], rules: &[MessageRule]) -> Vec<Problem> {
    let (mut all, mut some) = (Vec::new(), Vec::new());
    for rule in rules.iter().filter(|rule| rule.is_in_force()).take(MOST) {
        if takes_away(client, mailbox, folders, rule).await {
            let list = if rule.is_unconditional() { &mut all } else { &mut some };
            list.push(format!("`{}`", rule.display_name));
        }
    }
    let found = [(Code::MailboxRuleAll, all), (Code::MailboxRuleSome, some)];
    let named = found.into_iter().filter(|(_, names)| !names.is_empty());
    let problem = |(code, names): (Code, Vec<String>)| {
        let names = names.join(", ");
        Problem::new(code, mailbox.address.as_str(), format!("rules of the inbox: {names}")).with("rules", &names)
    };
    named.map(problem).collect()
}

async fn takes_away(client: &GraphClient, mailbox: &Mailbox, folders: &[Folder], rule: &MessageRule) -> bool {
    let actions = &rule.actions;
    if actions.delete == Some(true) || actions.permanent_delete == Some(true) {
        return true;
    }
    let Some(target) = &actions.move_to_folder else {
        return false;
    };
    // The rule may name the folder by another form of its id than we do.
    leads_away(&client.folder(&mailbox.graph_user_id, target).await, folders)
}

/// Whether what Graph said of a rule's target proves that it is none of the followed folders.
fn leads_away(target: &guichet_graph::Result<MailFolder>, folders: &[Folder]) -> bool {
    match target {
        Ok(found) => !folders.iter().any(|folder| folder.graph_folder_id.as_str() == found.id),
        // A busy or unreachable Graph says nothing about the folder: no rule is accused on its account.
        Err(error) => matches!(error.class, Class::Gone | Class::Invalid),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use guichet_graph::Error;

    use super::*;

    fn failed(class: Class) -> guichet_graph::Result<MailFolder> {
        Err(Error::new(class, "read folder", "code", "text"))
    }

    #[test]
    fn a_target_that_could_not_be_asked_for_accuses_no_rule() {
        let after = Duration::ZERO;
        for class in [Class::Retry { after }, Class::Reauthorise, Class::Denied, Class::Bug] {
            assert!(!leads_away(&failed(class), &[]), "{class:?}");
        }
    }

    #[test]
    fn a_target_that_the_mailbox_does_not_have_leads_away() {
        for class in [Class::Gone, Class::Invalid] {
            assert!(leads_away(&failed(class), &[]), "{class:?}");
        }
    }
}
