//! A connection whose application proves itself by a certificate.

use guichet_setup::{credential::CredentialKind, doctor::Code};
use http::Method;
use jiff::SignedDuration;
use serde_json::json;

use crate::{
    fault::{Cure, Fault},
    stage::Stage,
};

/// A stage for these faults.
pub(crate) async fn stage() -> Stage {
    let mut stage = Stage::connected().await;
    stage.desired.application.credential = CredentialKind::Certificate;
    stage.apply().await;
    // What remains of the secret is no longer used, and ends.
    stage.advance(SignedDuration::from_hours(1)).await;
    stage
}

async fn remove_certificates(stage: &Stage) {
    stage.patch_application(&json!({ "keyCredentials": [] })).await;
}

async fn unknown_certificates_are(stage: &Stage, number: &str) {
    let policy = json!({ "unknown_certificate": number });
    stage.control(Method::PATCH, "/policies", &policy).await;
}

async fn leave_days(stage: &Stage, days: i64) {
    let left = stage.credential().await.expires_at.duration_since(stage.now());
    stage.advance(left - SignedDuration::from_hours(24 * days)).await;
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "certificate-removed-in-portal",
        how: "An administrator removes the certificate (`PATCH keyCredentials`); Entra answers AADSTS700027.",
        code: Code::CertificateNotRegistered,
        inject: |stage| Box::pin(async { remove_certificates(stage).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "certificate-removed-older-answer",
        how: "The same, and Entra answers AADSTS50012 (`unknown_certificate`).",
        code: Code::CertificateNotRegistered,
        inject: |stage| {
            Box::pin(async {
                unknown_certificates_are(stage, "50012").await;
                remove_certificates(stage).await;
            })
        },
        cure: Cure::Apply,
    },
    Fault {
        name: "clock-an-hour-off-with-certificate",
        how: "This machine's clock is an hour behind, and what it signs is out of its time.",
        code: Code::ClockSkewed,
        inject: |stage| Box::pin(async { stage.set_back(SignedDuration::from_hours(1)) }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.set_back(SignedDuration::from_hours(-1)) })),
    },
    Fault {
        name: "assertion-out-of-time",
        how: "The same, and a proxy puts a `Date` of its own into the answers (`date_skew_seconds`).",
        code: Code::TokenClock,
        inject: |stage| {
            Box::pin(async {
                stage.set_back(SignedDuration::from_hours(1));
                let skew = json!({ "date_skew_seconds": -3600 });
                stage.control(Method::POST, "/clock", &skew).await;
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                stage.set_back(SignedDuration::from_hours(-1));
                let skew = json!({ "date_skew_seconds": 0 });
                stage.control(Method::POST, "/clock", &skew).await;
            })
        }),
    },
    Fault {
        name: "certificate-application-disabled",
        how: "The enterprise application is disabled while a certificate is used (`accountEnabled: false`).",
        code: Code::ApplicationDisabled,
        inject: |stage| Box::pin(async { stage.patch_principal(&json!({ "accountEnabled": false })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.patch_principal(&json!({ "accountEnabled": true })).await })),
    },
    Fault {
        name: "certificate-two-weeks-left",
        how: "Time passes until the certificate has 13 days left (`POST /clock`).",
        code: Code::SecretExpires14,
        inject: |stage| Box::pin(async { leave_days(stage, 13).await }),
        cure: Cure::Apply,
    },
    Fault {
        name: "certificate-past-its-end",
        how: "Time passes until the certificate is past its end (`POST /clock`).",
        code: Code::SecretExpired,
        inject: |stage| Box::pin(async { leave_days(stage, -1).await }),
        cure: Cure::Apply,
    },
];
