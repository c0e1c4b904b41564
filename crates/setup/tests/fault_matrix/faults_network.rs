//! Between this machine and the sign-in service.

use guichet_setup::doctor::Code;
use http::Method;
use serde_json::json;

use crate::{
    fault::{Cure, Fault},
    stage::{Stage, closed_port},
};

const DISCOVERY: &str = "/v2.0/.well-known/openid-configuration";

async fn spoil_discovery(stage: &Stage, action: serde_json::Value) {
    stage
        .rule(json!({ "path_contains": DISCOVERY, "action": action }))
        .await;
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "authority-mistyped",
        how: "`authority` names a host that does not exist.",
        code: Code::AuthorityDns,
        inject: |stage| Box::pin(async { stage.desired.authority = "https://login.guichet.invalid".parse().unwrap() }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "authority-port-closed",
        how: "Nothing listens at the address of `authority`.",
        code: Code::AuthorityConnect,
        inject: |stage| Box::pin(async { stage.desired.authority = closed_port() }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "authority-certificate-untrusted",
        how: "The certificate authority of the sign-in service is not among `extra_ca_files`.",
        code: Code::AuthorityTls,
        inject: |stage| {
            Box::pin(async {
                let other = stage.elsewhere().await;
                stage.trust_only(&other);
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "authority-silent",
        how: "The sign-in service answers after the time that the program waits (`latency`).",
        code: Code::AuthorityTimeout,
        inject: |stage| {
            Box::pin(async {
                stage.become_impatient();
                spoil_discovery(stage, json!({ "kind": "latency", "milliseconds": 1500 })).await;
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                stage.without_rules().await;
                stage.correct();
            })
        }),
    },
    Fault {
        name: "authority-cut",
        how: "The connection breaks before the sign-in service answers (`cut_before`).",
        code: Code::AuthorityCut,
        inject: |stage| Box::pin(async { spoil_discovery(stage, json!({ "kind": "cut_before" })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "authority-behind-portal",
        how: "A sign-on page of the network answers with 200 and HTML in place of the sign-in service.",
        code: Code::AuthorityNotEntra,
        inject: |stage| {
            Box::pin(async {
                spoil_discovery(
                    stage,
                    json!({ "kind": "status", "status": 200, "body": "<html>Welcome</html>" }),
                )
                .await;
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "authority-refused-by-proxy",
        how: "A proxy answers 403 with a page of its own (`gateway_page`).",
        code: Code::AuthorityNotEntra,
        inject: |stage| {
            Box::pin(async { spoil_discovery(stage, json!({ "kind": "gateway_page", "status": 403 })).await })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "authority-overloaded",
        how: "The sign-in service answers 503 (`status`).",
        code: Code::AuthorityBusy,
        inject: |stage| Box::pin(async { spoil_discovery(stage, json!({ "kind": "status", "status": 503 })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "tokens-out-of-order",
        how: "The token endpoint answers 503 with AADSTS90033 (`status`).",
        code: Code::AuthorityBusy,
        inject: |stage| {
            Box::pin(async {
                let action = json!({ "kind": "status", "status": 503 });
                stage
                    .rule(json!({ "path_contains": "/oauth2/v2.0/token", "action": action }))
                    .await;
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "tokens-throttled",
        how: "The sandbox's limit of sign-ins is used up: 429 at the token endpoint (`POST /throttling`).",
        code: Code::AuthorityThrottled,
        inject: |stage| {
            Box::pin(async {
                let limits = json!({ "enabled": true, "sign_ins": { "limit": 1, "seconds": 30 } });
                stage.control(Method::POST, "/throttling", &limits).await;
                // One sign-in of another program, after which nothing is left.
                stage
                    .graph_as_application(
                        Method::GET,
                        "/users/support@contoso.example/mailFolders/inbox",
                        &json!(null),
                    )
                    .await;
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                let limits = json!({ "enabled": false, "sign_ins": { "limit": 200, "seconds": 30 } });
                stage.control(Method::POST, "/throttling", &limits).await;
            })
        }),
    },
    Fault {
        name: "clock-seven-minutes-off",
        how: "The sign-in service's clock is seven minutes ahead (`date_skew_seconds`).",
        code: Code::ClockSkewed,
        inject: |stage| {
            Box::pin(async {
                stage
                    .control(Method::POST, "/clock", &json!({ "date_skew_seconds": 420 }))
                    .await;
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                stage
                    .control(Method::POST, "/clock", &json!({ "date_skew_seconds": 0 }))
                    .await;
            })
        }),
    },
];
