//! A configured folder that the mailboxes have under another name, or not yet followed.

use guichet_setup::doctor::Code;
use http::Method;
use serde_json::json;

use crate::{
    fault::{Cure, Fault},
    stage::{SALES, Stage},
};

/// Only the mailbox of sales, with this folder beside the inbox.
fn follow(stage: &mut Stage, folder: &str) {
    stage.desired.mailboxes.retain(|address| address.as_str() == SALES);
    stage.desired.folders = vec!["inbox".to_owned(), folder.to_owned()];
}

async fn language(stage: &Stage, language: &str) {
    let path = format!("/mailboxes/{SALES}/language");
    stage
        .control(Method::PUT, &path, &json!({ "language": language }))
        .await;
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "folder-named-in-another-language",
        how: "`folders` lists `Boîte de réception`, and the mailbox is English; `inbox` is written in its place.",
        code: Code::FolderLocalised,
        inject: |stage| Box::pin(async { follow(stage, "Boîte de réception") }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "folder-of-a-french-mailbox-in-english",
        how: "`folders` lists `Sent Items`, and the mailbox is French (`language`); `sentitems` is written in its place.",
        code: Code::FolderLocalised,
        inject: |stage| {
            Box::pin(async {
                language(stage, "fr-FR").await;
                follow(stage, "Sent Items");
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                follow(stage, "sentitems");
                stage.apply().await;
                language(stage, "en-US").await;
                stage.correct();
                stage.apply().await;
            })
        }),
    },
    Fault {
        name: "folder-unknown",
        how: "`folders` lists a folder that the mailbox does not have; it is made, and applied.",
        code: Code::FolderMissing,
        inject: |stage| Box::pin(async { follow(stage, "Complaints") }),
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                let folder = json!({ "displayName": "Complaints" });
                let path = format!("/users/{SALES}/mailFolders");
                stage.graph_as_application(Method::POST, &path, &folder).await;
                stage.apply().await;
            })
        }),
    },
    Fault {
        name: "folder-added-to-configuration",
        how: "`folders` lists a folder that the mailbox has and that was not connected yet.",
        code: Code::FolderNotConnected,
        inject: |stage| Box::pin(async { follow(stage, "drafts") }),
        cure: Cure::Apply,
    },
];
