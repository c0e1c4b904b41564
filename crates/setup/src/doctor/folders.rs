//! Check: are the configured folders followed in each mailbox, and can they be found by their names?
//!
//! Owns folders that are configured and not recorded; those that are recorded are read by the check of mailboxes. Never
//! reads a mail.

use guichet_graph::GraphClient;
use guichet_store::records::Integration;

use super::{Code, DoctorContext, Problem, mailboxes::served};
use crate::steps::mailboxes::{find_folder, nameless, problem};

/// Looks in each served mailbox that is configured; `reachable` are the addresses that answered a moment ago.
pub(super) async fn check(
    context: &DoctorContext,
    integration: &Integration,
    client: &GraphClient,
    reachable: &[String],
) -> guichet_store::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let Some(desired) = &context.desired else {
        return Ok(problems);
    };
    for mailbox in served(context, integration).await? {
        let address = mailbox.address.as_str();
        if !desired.mailboxes.contains(&mailbox.address) || !reachable.iter().any(|one| one == address) {
            continue;
        }
        let followed = context.store.folders_of(mailbox.id).await?;
        for name in &desired.folders {
            if followed.iter().any(|folder| folder.name == *name) {
                continue;
            }
            let user = mailbox.graph_user_id.as_str();
            problems.push(match find_folder(client, user, name).await {
                Ok(Some(_)) => {
                    let evidence = "listed in guichet.toml and in the mailbox, not recorded";
                    Problem::new(Code::FolderNotConnected, address, evidence).with("folder", name)
                }
                Ok(None) => nameless(client, user, address, name).await,
                Err(error) => problem(&error, address, name),
            });
        }
    }
    Ok(problems)
}
