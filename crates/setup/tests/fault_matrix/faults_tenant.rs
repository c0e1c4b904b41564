//! The tenant and the cloud that the configuration names.

use guichet_setup::doctor::Code;
use http::Method;
use serde_json::json;

use crate::fault::{Cure, Fault};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "tenant-id-mistyped",
        how: "`tenant` is an id that no tenant has.",
        code: Code::TenantUnknown,
        inject: |stage| Box::pin(async { stage.desired.tenant = "99999999-0000-4000-8000-000000000000".to_owned() }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "tenant-by-display-name",
        how: "`tenant` is the tenant's name in place of its id or domain.",
        code: Code::TenantInvalid,
        inject: |stage| Box::pin(async { stage.desired.tenant = "Contoso Ltd".to_owned() }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "tenant-common",
        how: "`tenant` is `common`.",
        code: Code::TenantNotSpecific,
        inject: |stage| Box::pin(async { stage.desired.tenant = "common".to_owned() }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "tenant-in-other-cloud",
        how: "The tenant lives in the cloud of the US government (`other_clouds`).",
        code: Code::TenantOtherCloud,
        inject: |stage| {
            Box::pin(async {
                let clouds = json!({ "other_clouds": { "fabrikam.example": "login.microsoftonline.us" } });
                stage.control(Method::PATCH, "/policies", &clouds).await;
                stage.desired.tenant = "fabrikam.example".to_owned();
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                stage.correct();
                stage
                    .control(Method::PATCH, "/policies", &json!({ "other_clouds": {} }))
                    .await;
            })
        }),
    },
    Fault {
        name: "graph-of-other-cloud",
        how: "`graph` is the one of the US government's cloud, and the tenant is in the global cloud.",
        code: Code::CloudMismatch,
        inject: |stage| Box::pin(async { stage.desired.graph = "https://graph.microsoft.us".parse().unwrap() }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "tenant-of-another-organisation",
        how: "`tenant` and `authority` lead to another tenant than the one that was connected.",
        code: Code::TenantMismatch,
        inject: |stage| {
            Box::pin(async {
                let other = stage.elsewhere().await;
                stage.trust_only(&other);
                stage.desired.authority = other.authority.parse().unwrap();
                stage.desired.tenant = other.tenant_domain;
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "discovery-of-another-host",
        how: "The sign-in service describes endpoints on another host.",
        code: Code::DiscoveryMismatch,
        inject: |stage| {
            Box::pin(async {
                let tenant = stage.description().tenant_id;
                let base = format!("https://login.elsewhere.example/{tenant}");
                let document = json!({
                    "issuer": format!("{base}/v2.0"),
                    "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
                    "token_endpoint": format!("{base}/oauth2/v2.0/token"),
                    "jwks_uri": format!("{base}/discovery/v2.0/keys"),
                });
                let action = json!({ "kind": "status", "status": 200, "body": document.to_string() });
                stage
                    .rule(json!({ "path_contains": "openid-configuration", "action": action }))
                    .await;
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "graph-not-in-tenant",
        how: "Entra answers AADSTS500011: Microsoft Graph has no principal in the tenant (`status`).",
        code: Code::ResourceNotInTenant,
        inject: |stage| {
            Box::pin(async {
                let text = "The resource principal named https://graph.microsoft.com was not found in the tenant.";
                stage.refuse_tokens(400, "invalid_resource", 500_011, text).await;
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
];
