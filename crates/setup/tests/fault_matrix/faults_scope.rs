//! A connection whose access Exchange limits to the listed mailboxes.

use guichet_domain::EmailAddress;
use guichet_setup::{Scope, doctor::Code};
use http::Method;
use serde_json::{Value, json};

use crate::{
    fault::{Cure, Fault},
    stage::{SALES, Stage, text},
};

const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
const READ_WRITE: &str = "e2a3a72e-5f79-4c64-b1b1-878b674786c9";

/// A stage for these faults: one mailbox, reached by a role of Exchange.
pub(crate) async fn stage() -> Stage {
    let mut stage = Stage::connected().await;
    stage.desired.mailboxes.truncate(1);
    stage.desired.access.scope = Scope::Mailboxes;
    stage.desired.access.remove_tenant_wide_grants = true;
    stage.options.outside_mailbox = EmailAddress::parse(SALES).ok();
    stage.apply().await;
    stage
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "consent-beside-scope",
        how: "An administrator consents to Mail.ReadWrite for the whole tenant (`POST appRoleAssignments`).",
        code: Code::ScopeDefeated,
        inject: |stage| {
            Box::pin(async {
                let principal = stage.principal().await["id"].clone();
                let graph = format!("/servicePrincipals(appId='{GRAPH}')");
                let graph = stage.graph(Method::GET, &graph, &Value::Null).await["id"].clone();
                let path = format!("/servicePrincipals/{}/appRoleAssignments", text(&principal));
                let link = json!({ "principalId": principal, "resourceId": graph, "appRoleId": READ_WRITE });
                stage.graph(Method::POST, &path, &link).await;
            })
        },
        cure: Cure::Apply,
    },
    Fault {
        name: "role-in-exchange-removed",
        how: "An administrator takes the application's roles in Exchange away (`Remove-ManagementRoleAssignment`).",
        code: Code::MailboxDenied,
        inject: |stage| {
            Box::pin(async {
                let held = stage.cmdlet("Get-ManagementRoleAssignment", json!({})).await;
                let principal = stage.principal().await["id"].clone();
                let mut removed = 0;
                for assignment in held["value"].as_array().unwrap() {
                    if assignment.to_string().contains(text(&principal)) {
                        let one = json!({ "Identity": assignment["Identity"], "Confirm": false });
                        stage.cmdlet("Remove-ManagementRoleAssignment", one).await;
                        removed += 1;
                    }
                }
                assert!(removed > 0, "{held}");
            })
        },
        cure: Cure::Apply,
    },
    Fault {
        name: "role-without-scope",
        how: "An administrator gives the application a role for every mailbox (`New-ManagementRoleAssignment` without a scope).",
        code: Code::ScopeTooWide,
        inject: |stage| {
            Box::pin(async {
                let principal = stage.principal().await["id"].clone();
                let assignment = json!({ "Role": "Application Mail.ReadWrite", "App": principal });
                stage.cmdlet("New-ManagementRoleAssignment", assignment).await;
            })
        },
        cure: Cure::Apply,
    },
    Fault {
        name: "no-mailbox-to-try",
        how: "No mailbox outside the scope is configured.",
        code: Code::ScopeUntested,
        inject: |stage| Box::pin(async { stage.options.outside_mailbox = None }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.options.outside_mailbox = EmailAddress::parse(SALES).ok() })),
    },
    Fault {
        name: "mailbox-to-try-is-none",
        how: "The mailbox outside the scope does not exist.",
        code: Code::ScopeUntested,
        inject: |stage| {
            Box::pin(async { stage.options.outside_mailbox = EmailAddress::parse("nobody@contoso.example").ok() })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.options.outside_mailbox = EmailAddress::parse(SALES).ok() })),
    },
];
