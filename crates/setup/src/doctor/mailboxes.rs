//! Check: can each mailbox and each followed folder be read?
//!
//! Owns the probe that Microsoft's documentation and practice agree on: one folder's id. Never
//! reads a mail.

use guichet_graph::GraphClient;
use guichet_store::records::{Folder, Integration, Mailbox};
use jiff::{SignedDuration, Timestamp};

use super::{Code, DoctorContext, Problem, diagnose};
use crate::steps::mailboxes::problem;

/// A folder is read every minute or so; after this long without an end of a walk something is stuck.
const BEHIND_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Asks Graph for each folder of each served mailbox.
pub(super) async fn check(
    context: &DoctorContext,
    integration: &Integration,
    client: &GraphClient,
) -> guichet_store::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for mailbox in served(context, integration).await? {
        let folders = context.store.folders_of(mailbox.id).await?;
        let found = probe(client, &mailbox, &folders).await;
        let hopeless = diagnose::is_of_graph(found.code);
        problems.push(found);
        let now = context.time.now();
        problems.extend(folders.iter().filter_map(|folder| behind(&mailbox, folder, now)));
        if hopeless {
            break;
        }
    }
    Ok(problems)
}

/// Whether what is configured is what is recorded; needs no answer from Microsoft.
pub(super) async fn listed(context: &DoctorContext, integration: &Integration) -> guichet_store::Result<Vec<Problem>> {
    let served = served(context, integration).await?;
    let mut problems = Vec::new();
    for address in context.desired.iter().flat_map(|desired| &desired.mailboxes) {
        if !served.iter().any(|mailbox| mailbox.address == *address) {
            let evidence = "listed in guichet.toml, not recorded";
            problems.push(Problem::new(Code::MailboxNotConnected, address.as_str(), evidence));
        }
    }
    if served.is_empty() && problems.is_empty() {
        problems.push(Problem::new(Code::MailboxesAbsent, "", "no mailbox is recorded"));
    }
    Ok(problems)
}

pub(super) async fn served(context: &DoctorContext, integration: &Integration) -> guichet_store::Result<Vec<Mailbox>> {
    let mut mailboxes = context.store.mailboxes().await?;
    mailboxes.retain(|mailbox| mailbox.enabled && mailbox.integration == integration.id);
    Ok(mailboxes)
}

async fn probe(client: &GraphClient, mailbox: &Mailbox, folders: &[Folder]) -> Problem {
    let address = mailbox.address.as_str();
    let mut seen = Vec::with_capacity(folders.len());
    for folder in folders {
        let found = client
            .folder(&mailbox.graph_user_id, folder.graph_folder_id.as_str())
            .await;
        match found {
            Ok(found) => seen.push(if found.display_name.is_empty() {
                folder.name.clone()
            } else {
                found.display_name
            }),
            Err(error) => return problem(&error, address, &folder.name),
        }
    }
    Problem::new(Code::MailboxOk, address, format!("folders: {}", seen.join(", ")))
}

fn behind(mailbox: &Mailbox, folder: &Folder, now: Timestamp) -> Option<Problem> {
    let synced_at = folder.synced_at?;
    (now.duration_since(synced_at) > BEHIND_AFTER).then(|| {
        let evidence = format!("last complete round at {synced_at}");
        Problem::new(Code::FolderBehind, mailbox.address.as_str(), evidence)
            .with("folder", &folder.name)
            .with("since", &synced_at)
    })
}
