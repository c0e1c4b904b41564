//! What is recorded on this machine: integration, master key, credential.

use guichet_setup::{client_secret, doctor::Code};
use guichet_store::{Store, records::Report};
use serde_json::json;

use crate::{
    fault::{Cure, Fault},
    stage::Stage,
};

/// Puts another sealed value in the place of the one in use.
async fn reseal(stage: &Stage, change: impl FnOnce(&mut Vec<u8>)) {
    let mut credential = stage.credential().await;
    stage.store.remove_credential(credential.id).await.unwrap();
    change(&mut credential.sealed);
    stage.store.add_credential(&credential).await.unwrap();
}

async fn report(stage: &Stage, report: Report) {
    let id = stage.integration().await.id;
    stage.store.report(id, &report, stage.now()).await.unwrap();
}

fn failing() -> Report {
    Report {
        state: "error",
        code: "secret-wrong".to_owned(),
        text: "the token is refused".to_owned(),
        fix: String::new(),
    }
}

async fn switch_off(stage: &Stage) {
    let id = stage.integration().await.id;
    stage.store.intend(id, "inactive", stage.now()).await.unwrap();
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "data-directory-empty",
        how: "The data directory is a new one: nothing was connected with it.",
        code: Code::IntegrationAbsent,
        inject: |stage| Box::pin(async { stage.store = Store::in_memory().await.unwrap() }),
        cure: Cure::Apply,
    },
    Fault {
        name: "master-key-of-another-installation",
        how: "The environment gives another master key than the one that sealed the secret.",
        code: Code::CredentialWrongKey,
        inject: |stage| Box::pin(async { stage.key = "//////////////////////////////////////////8=".to_owned() }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "master-key-lost-for-good",
        how: "The master key is lost and a new one is given.",
        code: Code::CredentialWrongKey,
        inject: |stage| Box::pin(async { stage.key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".to_owned() }),
        cure: Cure::Apply,
    },
    Fault {
        name: "master-key-too-short",
        how: "The environment gives a text that is no master key.",
        code: Code::KeyUnusable,
        inject: |stage| Box::pin(async { stage.kept = json!(std::mem::replace(&mut stage.key, "short".to_owned())) }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.key = stage.kept.as_str().unwrap().to_owned() })),
    },
    Fault {
        name: "credential-record-lost",
        how: "The record of the credential is gone from the store.",
        code: Code::CredentialAbsent,
        inject: |stage| {
            Box::pin(async {
                let id = stage.credential().await.id;
                stage.store.remove_credential(id).await.unwrap();
            })
        },
        cure: Cure::Apply,
    },
    Fault {
        name: "credential-record-damaged",
        how: "A bit of the sealed secret is turned over.",
        code: Code::CredentialDamaged,
        inject: |stage| Box::pin(async { reseal(stage, |sealed| *sealed.last_mut().unwrap() ^= 1).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "secret-id-in-place-of-value",
        how: "The id of the secret was stored in place of its value.",
        code: Code::CredentialIsSecretId,
        inject: |stage| {
            Box::pin(async {
                let credential = stage.credential().await;
                let purpose = format!("client-secret/{}", credential.id);
                let id = credential.key_id.as_str().into();
                let sealed_id = stage.vault().unwrap().seal(&purpose, &id).unwrap();
                reseal(stage, |sealed| *sealed = sealed_id).await;
                let stored = stage.credential().await;
                client_secret::unseal(&stage.vault().unwrap(), &stored).unwrap();
            })
        },
        cure: Cure::Apply,
    },
    Fault {
        name: "integration-switched-off",
        how: "The integration is switched off.",
        code: Code::IntegrationInactive,
        inject: |stage| Box::pin(async { switch_off(stage).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "service-reports-error",
        how: "`guichet serve` has reported that it cannot go on.",
        code: Code::IntegrationError,
        inject: |stage| Box::pin(async { report(stage, failing()).await }),
        cure: Cure::Undo(|stage| Box::pin(async { report(stage, Report::plain("active")).await })),
    },
];
