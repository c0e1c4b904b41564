//! What the administrator consented to.

use guichet_setup::doctor::Code;
use http::Method;
use serde_json::{Value, json};

use crate::{
    fault::{Cure, Fault},
    stage::{Stage, text},
};

const READ_WRITE: &str = "e2a3a72e-5f79-4c64-b1b1-878b674786c9";
const SEND: &str = "b633e1c5-b582-4048-a93e-9f11b44c7e96";
const USER_READ_ALL: &str = "df021288-bdef-4463-88db-98f22de89214";

async fn assignments(stage: &Stage) -> Vec<Value> {
    let path = format!(
        "/servicePrincipals/{}/appRoleAssignments",
        text(&stage.principal().await["id"])
    );
    let found = stage.graph(Method::GET, &path, &Value::Null).await;
    found["value"].as_array().unwrap().clone()
}

/// Takes these permissions back.
async fn withdraw(stage: &Stage, roles: &[&str]) {
    let principal = stage.principal().await;
    for assignment in assignments(stage).await {
        if roles.contains(&text(&assignment["appRoleId"])) {
            let path = format!(
                "/servicePrincipals/{}/appRoleAssignments/{}",
                text(&principal["id"]),
                text(&assignment["id"])
            );
            stage.graph(Method::DELETE, &path, &Value::Null).await;
        }
    }
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "consent-to-reading-withdrawn",
        how: "An administrator takes the consent to Mail.ReadWrite back (`DELETE appRoleAssignments`).",
        code: Code::ConsentMissingRead,
        inject: |stage| Box::pin(async { withdraw(stage, &[READ_WRITE]).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "consent-to-sending-withdrawn",
        how: "An administrator takes the consent to Mail.Send back (`DELETE appRoleAssignments`).",
        code: Code::ConsentMissingSend,
        inject: |stage| Box::pin(async { withdraw(stage, &[SEND]).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "consent-withdrawn",
        how: "An administrator takes the whole consent back (`DELETE appRoleAssignments`).",
        code: Code::ConsentMissing,
        inject: |stage| Box::pin(async { withdraw(stage, &[READ_WRITE, SEND]).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "feature-switched-on-and-not-applied",
        how: "`self_rotation = true` is set, and `guichet connect apply` was not run since.",
        code: Code::ConsentMissingOptional,
        inject: |stage| Box::pin(async { stage.desired.application.self_rotation = true }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.desired.application.self_rotation = false })),
    },
    Fault {
        name: "consent-to-more",
        how: "An administrator also grants User.Read.All (`POST appRoleAssignments`).",
        code: Code::ConsentExcess,
        inject: |stage| {
            Box::pin(async {
                let principal = stage.principal().await["id"].clone();
                let resource = assignments(stage).await[0]["resourceId"].clone();
                let path = format!("/servicePrincipals/{}/appRoleAssignments", text(&principal));
                let link = json!({ "principalId": principal, "resourceId": resource, "appRoleId": USER_READ_ALL });
                stage.graph(Method::POST, &path, &link).await;
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { withdraw(stage, &[USER_READ_ALL]).await })),
    },
];
