//! Step 8: each mailbox: its user, its folders, its row.
//!
//! Owns what is served. Never lets one sick mailbox stop the others: its problem is reported when
//! the rest is done. Never deletes a mailbox's data.

use guichet_domain::{EmailAddress, FolderId, GraphFolderId, MailboxId};
use guichet_graph::{Class, GraphClient, User};
use guichet_store::records::{Folder, Integration, Mailbox};

use super::{Run, certificate, refused};
use crate::{
    Change, Connect, Desired, Error,
    doctor::{self, Code, Problem},
    plan::{StepId, Why},
    ports::TimeAsClock,
    progress::{Patience, Waiting},
    well_known,
};

const STEP: StepId = StepId::Mailboxes;

/// A wanted mailbox as it is.
pub(crate) struct Observed {
    address: EmailAddress,
    user: Result<User, Problem>,
    stored: Option<(Mailbox, Vec<Folder>)>,
}

/// All mailboxes, wanted and stored.
#[derive(Default)]
pub(crate) struct Mailboxes {
    wanted: Vec<Observed>,
    unwanted: Vec<Mailbox>,
}

pub(crate) async fn observe(
    connect: &Connect,
    desired: &Desired,
    integration: Option<&Integration>,
) -> Result<Mailboxes, Error> {
    let mut stored = match integration {
        Some(integration) => {
            let mut mailboxes = connect.store.mailboxes().await?;
            mailboxes.retain(|mailbox| mailbox.integration == integration.id);
            mailboxes
        }
        None => Vec::new(),
    };
    let by_itself = match integration {
        Some(integration) => certificate::is_own(connect, integration).await?,
        None => false,
    };
    let mut wanted = Vec::with_capacity(desired.mailboxes.len());
    for address in &desired.mailboxes {
        let known = stored.iter().position(|mailbox| mailbox.address == *address);
        let stored = match known.map(|index| stored.swap_remove(index)) {
            Some(mailbox) => {
                let folders = connect.store.folders_of(mailbox.id).await?;
                Some((mailbox, folders))
            }
            None => None,
        };
        wanted.push(Observed {
            user: user(connect, address, stored.as_ref().map(|(mailbox, _)| mailbox), by_itself).await?,
            address: address.clone(),
            stored,
        });
    }
    stored.retain(|mailbox| mailbox.enabled);
    stored.sort_by(|one, other| one.address.cmp(&other.address));
    Ok(Mailboxes {
        wanted,
        unwanted: stored,
    })
}

async fn user(
    connect: &Connect,
    address: &EmailAddress,
    stored: Option<&Mailbox>,
    by_itself: bool,
) -> Result<Result<User, Problem>, Error> {
    match connect.administrator.user(address.as_str()).await {
        Ok(user) => Ok(Ok(user)),
        // The application needs no right to read users: Graph takes the address in place of the id, and whether
        // there is a mailbox, its folders tell.
        Err(error) if by_itself && error.class == Class::Denied => {
            let mut user = User::at(address.as_str());
            if let Some(stored) = stored {
                user.id.clone_from(&stored.graph_user_id);
                user.display_name.clone_from(&stored.display_name);
            }
            Ok(Ok(user))
        }
        Err(error) if error.is_not_found() => Ok(Err(doctor::mailbox(&error, address.as_str()))),
        Err(error) => Err(refused(STEP)(error)),
    }
}

pub(crate) fn changes(desired: &Desired, mailboxes: &Mailboxes) -> (Vec<Change>, Vec<Problem>) {
    let mut changes = Vec::new();
    let mut problems = Vec::new();
    for observed in &mailboxes.wanted {
        match &observed.user {
            Err(problem) => problems.push(problem.clone()),
            Ok(user) => {
                changes.extend(row_change(observed, user));
                let known = observed.stored.as_ref().map_or(&[][..], |(_, folders)| folders);
                for name in &desired.folders {
                    if !known.iter().any(|folder| folder.name == *name) {
                        changes.push(folder_change(&observed.address, name));
                    }
                }
            }
        }
    }
    changes.extend(mailboxes.unwanted.iter().map(no_longer_served));
    (changes, problems)
}

fn row_change(observed: &Observed, user: &User) -> Option<Change> {
    let address = observed.address.as_str();
    match &observed.stored {
        None => Some(Change::add(STEP, address, &user.id, Why::MailboxNew)),
        // One that was adopted is served by its address, which names the same user.
        Some((mailbox, _)) if mailbox.graph_user_id != user.id && mailbox.graph_user_id != address => {
            let from = &mailbox.graph_user_id;
            Some(Change::replace(STEP, address, from, &user.id, Why::MailboxUserDiffers))
        }
        // Exchange puts this name before the address of every answer, whatever a program asks for.
        Some((mailbox, _)) if mailbox.enabled && mailbox.display_name != user.display_name => {
            let (from, to) = (&mailbox.display_name, &user.display_name);
            Some(Change::replace(STEP, address, from, to, Why::MailboxNameDiffers))
        }
        Some((mailbox, _)) if !mailbox.enabled => Some(Change::add(STEP, address, &user.id, Why::MailboxDisabled)),
        Some(_) => None,
    }
}

fn folder_change(address: &EmailAddress, name: &str) -> Change {
    Change::add(STEP, address.as_str(), name, Why::FolderNew)
}

fn no_longer_served(mailbox: &Mailbox) -> Change {
    Change::remove(
        STEP,
        mailbox.address.as_str(),
        &mailbox.graph_user_id,
        Why::MailboxNotWanted,
    )
}

/// Reaches and records every wanted mailbox. `settling` says that access was granted a moment ago.
/// The problems are those of mailboxes that could not be reached.
pub(crate) async fn apply(
    run: Run<'_>,
    integration: &Integration,
    application: &GraphClient,
    settling: bool,
) -> Result<(Vec<Change>, Vec<Problem>), Error> {
    let Run { connect, desired, .. } = run;
    let mailboxes = observe(connect, desired, Some(integration)).await?;
    let mut changes = Vec::new();
    let mut problems = Vec::new();
    // One for all: access that does not come, does not come for any of them.
    let mut patience = settling.then(|| run.patience(STEP));
    for observed in &mailboxes.wanted {
        let user = match &observed.user {
            Ok(user) => user,
            Err(problem) => {
                problems.push(problem.clone());
                continue;
            }
        };
        match reach(application, desired, &observed.address, user, &mut patience).await {
            Ok(folders) => changes.extend(keep(connect, integration, observed, user, &folders).await?),
            Err(problem) => problems.push(problem),
        }
    }
    for mailbox in &mailboxes.unwanted {
        let mut disabled = mailbox.clone();
        disabled.enabled = false;
        connect.store.upsert_mailbox(&disabled).await?;
        changes.push(no_longer_served(mailbox));
    }
    Ok((changes, problems))
}

/// The configured name of a folder and its id in the mailbox.
type Found = (String, GraphFolderId);

async fn reach(
    application: &GraphClient,
    desired: &Desired,
    address: &EmailAddress,
    user: &User,
    patience: &mut Option<Patience<'_>>,
) -> Result<Vec<Found>, Problem> {
    let mut found = Vec::with_capacity(desired.folders.len());
    for name in &desired.folders {
        loop {
            match find_folder(application, &user.id, name).await {
                Ok(Some(id)) => {
                    found.push((name.clone(), id));
                    break;
                }
                Ok(None) => return Err(nameless(application, &user.id, address.as_str(), name).await),
                Err(error) => {
                    let problem = problem(&error, address.as_str(), name);
                    if problem.code != Code::MailboxDenied {
                        return Err(problem);
                    }
                    let Some(waiting) = patience else {
                        return Err(problem);
                    };
                    if waiting.pause(Waiting::MailboxAccess, &problem.evidence).await.is_err() {
                        *patience = None;
                        return Err(problem);
                    }
                }
            }
        }
    }
    Ok(found)
}

/// Why a folder could not be reached.
pub(crate) fn problem(error: &guichet_graph::Error, address: &str, folder: &str) -> Problem {
    if error.class == Class::Gone {
        folder_missing(address, folder, &doctor::evidence(error))
    } else {
        doctor::mailbox(error, address)
    }
}

fn folder_missing(address: &str, folder: &str, evidence: &str) -> Problem {
    Problem::new(Code::FolderMissing, address, evidence).with("folder", folder)
}

/// Why a mailbox has no folder of that display name: it may have it under the name of another language.
pub(crate) async fn nameless(client: &GraphClient, user: &str, address: &str, name: &str) -> Problem {
    let absent = "not among the mailbox's folders";
    let Some(fixed) = well_known::named(name) else {
        return folder_missing(address, name, absent);
    };
    match client.folder(user, fixed).await {
        Ok(folder) => {
            let evidence = format!("{absent}; `{fixed}` is there and is named `{}`", folder.display_name);
            Problem::new(Code::FolderLocalised, address, evidence)
                .with("folder", name)
                .with("shown", &folder.display_name)
                .with("well_known", fixed)
        }
        Err(_) => folder_missing(address, name, absent),
    }
}

/// A folder's id, by well-known name or by display name. `None` if there is none of that name.
pub(crate) async fn find_folder(
    client: &GraphClient,
    user: &str,
    name: &str,
) -> guichet_graph::Result<Option<GraphFolderId>> {
    let lower = name.to_lowercase();
    if well_known::NAMES.contains(&lower.as_str()) {
        let folder = client.folder(user, &lower).await?;
        return Ok(Some(GraphFolderId::new(folder.id)));
    }
    let folders = client.list_folders(user).await?;
    let same = folders
        .into_iter()
        .find(|folder| folder.display_name.to_lowercase() == lower);
    Ok(same.map(|folder| GraphFolderId::new(folder.id)))
}

async fn keep(
    connect: &Connect,
    integration: &Integration,
    observed: &Observed,
    user: &User,
    folders: &[Found],
) -> Result<Vec<Change>, Error> {
    let clock = TimeAsClock(connect.time.as_ref());
    let entropy = connect.entropy.as_ref();
    let mut changes = Vec::new();
    let row = row_change(observed, user);
    let (mailbox, known) = match (&observed.stored, &row) {
        (Some((mailbox, folders)), None) => (mailbox.clone(), folders.clone()),
        (stored, _) => {
            let wanted = Mailbox {
                id: MailboxId::generate(&clock, entropy),
                integration: integration.id,
                address: observed.address.clone(),
                graph_user_id: user.id.clone(),
                display_name: user.display_name.clone(),
                enabled: true,
                created_at: connect.time.now(),
            };
            let known = stored.as_ref().map(|(_, folders)| folders.clone()).unwrap_or_default();
            (connect.store.upsert_mailbox(&wanted).await?, known)
        }
    };
    changes.extend(row);
    for (name, id) in folders {
        if !known.iter().any(|folder| folder.graph_folder_id == *id) {
            let folder_id = FolderId::generate(&clock, entropy);
            connect.store.ensure_folder(folder_id, mailbox.id, id, name).await?;
            changes.push(folder_change(&observed.address, name));
        }
        // One of the same name that was deleted in the mailbox and made anew.
        let gone = known
            .iter()
            .filter(|old| old.name == *name && old.graph_folder_id != *id);
        for old in gone {
            connect.store.remove_folder(old.id).await?;
        }
    }
    Ok(changes)
}
