//! A connection whose application proves itself by tokens of its platform. The platform is a managed identity of the
//! same tenant, for which the administrative application stands.

use guichet_setup::{Federated, credential::CredentialKind, doctor::Code};
use http::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    fault::{Act, Cure, Fault},
    stage::{Stage, text},
};

/// A stage for these faults.
pub(crate) async fn stage() -> Stage {
    let mut stage = Stage::connected().await;
    let subject = platform_token(&stage).await.1;
    let tenant = stage.description().tenant_id;
    stage.desired.application.credential = CredentialKind::Federated;
    stage.desired.application.federated = Some(Federated {
        issuer: format!("https://sts.windows.net/{tenant}/"),
        subject,
        audience: "https://graph.microsoft.com".to_owned(),
        token_file: stage.file("platform-token"),
    });
    refresh(&stage).await;
    stage.apply().await;
    stage
}

/// A token of the managed identity, and its subject.
async fn platform_token(stage: &Stage) -> (String, String) {
    let token = stage.administrator().token().await.unwrap();
    (
        token.secret().expose_secret().to_owned(),
        token.claims().unwrap().oid.unwrap(),
    )
}

/// What the platform does by itself within the hour.
async fn refresh(stage: &Stage) {
    let (token, _) = platform_token(stage).await;
    std::fs::write(stage.file("platform-token"), token).unwrap();
}

const REFRESH: Act = |stage| Box::pin(async { refresh(stage).await });

async fn records(stage: &Stage) -> (String, Value) {
    let id = stage.integration().await.application_object_id.unwrap();
    let path = format!("/applications/{id}/federatedIdentityCredentials");
    let listed = stage.graph(Method::GET, &path, &Value::Null).await;
    (path, listed["value"].clone())
}

/// Changes the one record.
async fn change(stage: &Stage, method: Method, body: &Value) {
    refresh(stage).await;
    let (path, records) = records(stage).await;
    let records = records.as_array().unwrap();
    assert_eq!(records.len(), 1, "{records:?}");
    let path = format!("{path}/{}", text(&records[0]["id"]));
    stage.graph(method, &path, body).await;
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "platform-token-missing",
        how: "The platform's token file does not exist.",
        code: Code::AssertionUnreadable,
        inject: |stage| Box::pin(async { std::fs::remove_file(stage.file("platform-token")).unwrap() }),
        cure: Cure::Undo(REFRESH),
    },
    Fault {
        name: "platform-token-is-none",
        how: "What is in the platform's token file is no token.",
        code: Code::AssertionUnreadable,
        inject: |stage| Box::pin(async { std::fs::write(stage.file("platform-token"), "not yet").unwrap() }),
        cure: Cure::Undo(REFRESH),
    },
    Fault {
        name: "federated-record-removed",
        how: "An administrator removes the federated credential (`DELETE federatedIdentityCredentials`).",
        code: Code::FederatedIssuer,
        inject: |stage| Box::pin(async { change(stage, Method::DELETE, &Value::Null).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "federated-subject-changed",
        how: "An administrator changes the subject of the federated credential (`PATCH`).",
        code: Code::FederatedSubject,
        inject: |stage| Box::pin(async { change(stage, Method::PATCH, &json!({ "subject": "someone else" })).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "federated-audience-changed",
        how: "An administrator changes the audience of the federated credential (`PATCH`).",
        code: Code::FederatedAudience,
        inject: |stage| {
            Box::pin(async { change(stage, Method::PATCH, &json!({ "audiences": ["api://other"] })).await })
        },
        cure: Cure::Apply,
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_federated_credential_is_registered_once_and_never_rotated() {
    let stage = stage().await;
    let (_, records) = records(&stage).await;
    assert_eq!(records.as_array().unwrap().len(), 1, "{records}");
    let again = stage
        .connect()
        .apply(&stage.desired, &guichet_setup::Silent)
        .await
        .unwrap();
    assert_eq!(again.changes, []);
    assert_eq!(json!(again.key_id), records[0]["id"]);
    let refused = stage
        .connect()
        .rotate(&stage.desired, guichet_setup::Replaced::Removed, &guichet_setup::Silent)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("nothing to rotate"), "{refused}");
    let sealed = stage.credential().await;
    let opened = guichet_setup::credential::open(&stage.vault().unwrap(), &sealed, stage.entropy.clone()).unwrap();
    let token = stage.token_by(&stage.app_id().await, opened).await.unwrap();
    assert_eq!(token.claims().unwrap().appid, Some(stage.app_id().await));
}
