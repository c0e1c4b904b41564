//! The application, its service principal and its secret in the tenant.

use guichet_setup::doctor::Code;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    fault::{Cure, Fault},
    stage::{Stage, text},
};

/// Lets the time come at which the secret has so many days left.
async fn leave_days(stage: &Stage, days: i64) {
    let left = stage.credential().await.expires_at.duration_since(stage.now());
    stage.advance(left - SignedDuration::from_hours(24 * days)).await;
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "secret-removed-in-portal",
        how: "An administrator removes the client secret (`removePassword`).",
        code: Code::SecretWrong,
        inject: |stage| {
            Box::pin(async {
                let path = format!(
                    "/applications/{}/removePassword",
                    text(&stage.application().await["id"])
                );
                let key_id = stage.credential().await.key_id;
                stage.graph(Method::POST, &path, &json!({ "keyId": key_id })).await;
            })
        },
        cure: Cure::Apply,
    },
    Fault {
        name: "application-deleted",
        how: "An administrator deletes the app registration (`DELETE /applications`).",
        code: Code::ApplicationNotInTenant,
        inject: |stage| {
            Box::pin(async {
                let path = format!("/applications/{}", text(&stage.application().await["id"]));
                stage.graph(Method::DELETE, &path, &Value::Null).await;
            })
        },
        cure: Cure::Apply,
    },
    Fault {
        name: "enterprise-application-deleted",
        how: "An administrator deletes the enterprise application only (`DELETE /servicePrincipals`).",
        code: Code::ApplicationNotInTenant,
        inject: |stage| {
            Box::pin(async {
                let path = format!("/servicePrincipals/{}", text(&stage.principal().await["id"]));
                stage.graph(Method::DELETE, &path, &Value::Null).await;
            })
        },
        cure: Cure::Apply,
    },
    Fault {
        name: "enterprise-application-disabled",
        how: "An administrator sets \"Enabled for users to sign in\" to No (`accountEnabled: false`).",
        code: Code::ApplicationDisabled,
        inject: |stage| Box::pin(async { stage.patch_principal(&json!({ "accountEnabled": false })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.patch_principal(&json!({ "accountEnabled": true })).await })),
    },
    Fault {
        name: "application-deactivated-by-owner",
        how: "The owner deactivates the app registration (`isDisabled: true`).",
        code: Code::ApplicationDisabled,
        inject: |stage| Box::pin(async { stage.patch_application(&json!({ "isDisabled": true })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.patch_application(&json!({ "isDisabled": false })).await })),
    },
    Fault {
        name: "conditional-access-blocks",
        how: "A Conditional Access policy for workload identities blocks the application (`blocked`).",
        code: Code::ConditionalAccess,
        inject: |stage| {
            Box::pin(async {
                let blocked = json!({ "blocked": [{ "application": stage.app_id().await }] });
                stage.control(Method::PATCH, "/policies", &blocked).await;
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                stage
                    .control(Method::PATCH, "/policies", &json!({ "blocked": [] }))
                    .await;
            })
        }),
    },
    Fault {
        name: "tokens-asked-in-a-loop",
        how: "Another program asks for the same token again and again (`identical_requests`).",
        code: Code::TokenLoop,
        inject: |stage| {
            Box::pin(async {
                let limit = json!({ "identical_requests": 1 });
                stage.control(Method::PATCH, "/policies", &limit).await;
                for _ in 0..2 {
                    let _ = stage.application_token().await;
                }
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                let limit = json!({ "identical_requests": null });
                stage.control(Method::PATCH, "/policies", &limit).await;
            })
        }),
    },
    Fault {
        name: "secret-two-weeks-left",
        how: "Time passes until the secret has 13 days left (`POST /clock`).",
        code: Code::SecretExpires14,
        inject: |stage| Box::pin(async { leave_days(stage, 13).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "secret-a-week-left",
        how: "Time passes until the secret has 6 days left (`POST /clock`).",
        code: Code::SecretExpires7,
        inject: |stage| Box::pin(async { leave_days(stage, 6).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "secret-a-day-left",
        how: "Time passes until the secret has a day left (`POST /clock`).",
        code: Code::SecretExpires1,
        inject: |stage| Box::pin(async { leave_days(stage, 1).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "secret-a-month-left",
        how: "Time passes until the secret has 29 days left (`POST /clock`).",
        code: Code::SecretExpires30,
        inject: |stage| Box::pin(async { leave_days(stage, 29).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "secret-expired",
        how: "Time passes until the secret is past its end (`POST /clock`).",
        code: Code::SecretExpired,
        inject: |stage| Box::pin(async { leave_days(stage, -1).await }),
        cure: Cure::Apply,
    },
];
