//! Check: is a mailbox outside the scope of access denied?
//!
//! Owns the negative test: that the listed mailboxes open says nothing about the others. Never reads a
//! mail; where the scope does not hold, it has read the name of one folder.

use guichet_graph::GraphClient;

use super::{Code, DoctorContext, Problem, diagnose};

/// Nothing where every mailbox may be reached, or where a consent has been named that opens all.
pub(super) async fn check(context: &DoctorContext, client: &GraphClient, defeated: bool) -> Option<Problem> {
    let desired = context.desired.as_ref().filter(|desired| desired.is_scoped())?;
    if defeated {
        return None;
    }
    let Some(outside) = &context.options.outside_mailbox else {
        let evidence = "no mailbox outside the scope is configured to try";
        return Some(Problem::new(Code::ScopeUntested, "", evidence));
    };
    let subject = outside.as_str();
    if desired.mailboxes.contains(outside) {
        let evidence = format!("{subject} is one of the listed mailboxes");
        return Some(Problem::new(Code::ScopeUntested, subject, evidence));
    }
    Some(match client.folder(subject, "inbox").await {
        Ok(folder) => {
            let evidence = format!("its folder `{}` can be read", folder.display_name);
            Problem::new(Code::ScopeTooWide, subject, evidence)
        }
        Err(error) => {
            let evidence = diagnose::evidence(&error);
            let code = match diagnose::mailbox(&error, subject).code {
                Code::MailboxDenied | Code::MailboxPolicy => Code::ScopeOk,
                // Neither a mailbox that is none nor a failed request proves that the scope holds.
                _ => Code::ScopeUntested,
            };
            Problem::new(code, subject, evidence)
        }
    })
}
