//! One mailbox is sick, and the other stays well.

use guichet_setup::doctor::Code;
use http::Method;
use serde_json::{Value, json};

use crate::{
    fault::{Cure, Fault},
    stage::{SALES, SUPPORT, Stage, text},
};

async fn profile(stage: &Stage, change: Value) {
    let path = format!("/mailboxes/{SALES}/profile");
    stage.control(Method::PATCH, &path, &change).await;
}

/// Answers of Exchange about the mailbox of sales.
async fn answers(stage: &Stage, status: u16, code: &str, message: &str) {
    let action = json!({ "kind": "status", "status": status, "code": code, "message": message });
    stage
        .rule(json!({ "path_prefix": "/v1.0", "mailbox": SALES, "action": action }))
        .await;
}

/// An application access policy over a group with one member.
async fn access_policy(stage: &mut Stage, right: &str, member: &str) {
    let group = json!({ "Name": "Desk", "Type": "Security", "Members": [member], "PrimarySmtpAddress": "desk@contoso.example" });
    stage.cmdlet("New-DistributionGroup", group).await;
    let policy = json!({
        "AppId": stage.app_id().await,
        "PolicyScopeGroupId": "desk@contoso.example",
        "AccessRight": right,
        "Description": "test",
    });
    let made = stage.cmdlet("New-ApplicationAccessPolicy", policy).await;
    stage.kept = made["value"][0]["Identity"].clone();
}

async fn no_access_policy(stage: &mut Stage) {
    let identity = stage.kept.take();
    stage
        .cmdlet(
            "Remove-ApplicationAccessPolicy",
            json!({ "Identity": identity, "Confirm": false }),
        )
        .await;
    stage
        .cmdlet(
            "Remove-DistributionGroup",
            json!({ "Identity": "Desk", "Confirm": false }),
        )
        .await;
}

async fn folder_id(stage: &Stage, name: &str) -> String {
    for parent in ["msgfolderroot", "deleteditems"] {
        let path = format!("/users/{SALES}/mailFolders/{parent}/childFolders");
        let folders = stage.graph_as_application(Method::GET, &path, &Value::Null).await;
        let mut folders = folders["value"].as_array().unwrap().iter();
        if let Some(found) = folders.find(|folder| folder["displayName"] == name) {
            return text(&found["id"]).to_owned();
        }
    }
    panic!("no folder {name}")
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "mailbox-without-licence",
        how: "The Exchange licence of the mailbox is taken away (`licensed: false`).",
        code: Code::MailboxNone,
        inject: |stage| Box::pin(async { profile(stage, json!({ "licensed": false })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { profile(stage, json!({ "licensed": true })).await })),
    },
    Fault {
        name: "mailbox-deleted",
        how: "The mailbox is deleted and could still be restored (`soft_deleted`).",
        code: Code::MailboxNone,
        inject: |stage| Box::pin(async { profile(stage, json!({ "condition": "soft_deleted" })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { profile(stage, json!({ "condition": "active" })).await })),
    },
    Fault {
        name: "mailbox-on-premises",
        how: "The mailbox is moved to a server of the organisation's own (`on_premises`).",
        code: Code::MailboxNone,
        inject: |stage| Box::pin(async { profile(stage, json!({ "condition": "on_premises" })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { profile(stage, json!({ "condition": "active" })).await })),
    },
    Fault {
        name: "mailbox-being-moved",
        how: "The mailbox is being moved (`moving`).",
        code: Code::MailboxStale,
        inject: |stage| Box::pin(async { profile(stage, json!({ "condition": "moving" })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { profile(stage, json!({ "condition": "active" })).await })),
    },
    Fault {
        name: "mailbox-user-deleted",
        how: "The user is deleted in the directory (`DELETE /users`).",
        code: Code::MailboxUnknown,
        inject: |stage| {
            Box::pin(async {
                let path = format!("/users/{SALES}");
                stage.control(Method::DELETE, &path, &Value::Null).await;
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                let path = format!("/users/{SALES}/restore");
                stage.control(Method::POST, &path, &Value::Null).await;
            })
        }),
    },
    Fault {
        name: "access-policy-denies",
        how: "An application access policy denies a group in which the mailbox is (`New-ApplicationAccessPolicy`).",
        code: Code::MailboxPolicy,
        inject: |stage| Box::pin(async { access_policy(stage, "DenyAccess", SALES).await }),
        cure: Cure::Undo(|stage| Box::pin(async { no_access_policy(stage).await })),
    },
    Fault {
        name: "access-policy-restricts-to-others",
        how: "An application access policy restricts to a group without the mailbox (`New-ApplicationAccessPolicy`).",
        code: Code::MailboxPolicy,
        inject: |stage| Box::pin(async { access_policy(stage, "RestrictAccess", SUPPORT).await }),
        cure: Cure::Undo(|stage| Box::pin(async { no_access_policy(stage).await })),
    },
    Fault {
        name: "mailbox-access-denied",
        how: "Exchange denies this mailbox although the token carries the permission (`status`).",
        code: Code::MailboxDenied,
        inject: |stage| {
            Box::pin(async {
                let message = "Access is denied. Check credentials and try again.";
                answers(stage, 403, "ErrorAccessDenied", message).await;
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "mailbox-throttled",
        how: "Another program has used the mailbox's limit of requests up (`POST /throttling`).",
        code: Code::MailboxBusy,
        inject: |stage| {
            Box::pin(async {
                let limits = json!({ "enabled": true, "mailbox_requests": { "limit": 2, "seconds": 600 } });
                stage.control(Method::POST, "/throttling", &limits).await;
                for _ in 0..2 {
                    let path = format!("/users/{SALES}/mailFolders/inbox");
                    stage.graph_as_application(Method::GET, &path, &Value::Null).await;
                }
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                let limits = json!({ "enabled": false, "mailbox_requests": { "limit": 10_000, "seconds": 600 } });
                stage.control(Method::POST, "/throttling", &limits).await;
                stage.control(Method::DELETE, "/throttling", &Value::Null).await;
            })
        }),
    },
    Fault {
        name: "tokens-revoked",
        how: "Each token for the mailbox is refused with a claims challenge (`claims_challenge`).",
        code: Code::MailboxTokenRefused,
        inject: |stage| {
            Box::pin(async {
                let action = json!({ "kind": "claims_challenge" });
                stage
                    .rule(json!({ "path_prefix": "/v1.0", "mailbox": SALES, "action": action }))
                    .await;
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "mailbox-added-to-configuration",
        how: "`mailboxes` lists an address that was not connected yet.",
        code: Code::MailboxNotConnected,
        inject: |stage| {
            Box::pin(async {
                let new = json!({ "address": "orders@contoso.example" });
                stage.control(Method::POST, "/mailboxes", &new).await;
                let three = json!([SUPPORT, SALES, "orders@contoso.example"]);
                stage.desired.mailboxes = serde_json::from_value(three).unwrap();
            })
        },
        cure: Cure::Apply,
    },
    Fault {
        name: "folder-deleted",
        how: "Somebody deletes a followed folder in the mailbox for good (`DELETE mailFolders`); it is made anew, and applied.",
        code: Code::FolderMissing,
        inject: |stage| {
            Box::pin(async {
                stage.correct();
                let mailboxes = json!([SALES]);
                stage.desired.mailboxes = serde_json::from_value(mailboxes).unwrap();
                stage.desired.folders = vec!["inbox".to_owned(), "Returns".to_owned()];
                let path = format!("/users/{SALES}/mailFolders");
                let folder = json!({ "displayName": "Returns" });
                stage.graph_as_application(Method::POST, &path, &folder).await;
                stage.apply().await;
                // Out of the deleted folders too.
                for _ in 0..2 {
                    let path = format!("{path}/{}", folder_id(stage, "Returns").await);
                    stage.graph_as_application(Method::DELETE, &path, &Value::Null).await;
                }
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                let folder = json!({ "displayName": "Returns" });
                let path = format!("/users/{SALES}/mailFolders");
                stage.graph_as_application(Method::POST, &path, &folder).await;
                stage.apply().await;
            })
        }),
    },
];
