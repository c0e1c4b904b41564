//! A certificate as the application's credential: made here or brought, registered beside what is there.

use guichet_setup::{Desired, Error, Replaced, Why};
use jiff::SignedDuration;
use serde_json::json;

use crate::{
    fake::Cut,
    world::{World, desired, wanted},
};

fn certified() -> Desired {
    desired(|json| json["application"]["credential"] = json!("certificate"))
}

/// A certificate and its key in one PEM text.
fn pem() -> (String, String) {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    (certificate.pem(), key.serialize_pem())
}

impl World {
    fn certificates(&self) -> Vec<String> {
        let state = self.tenant.state();
        let keys = state.applications[0]["keyCredentials"].as_array().unwrap();
        keys.iter()
            .map(|key| key["keyId"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn stored(&self) -> Vec<String> {
        self.credentials().await.into_iter().map(|row| row.key_id).collect()
    }
}

#[tokio::test]
async fn a_certificate_is_made_registered_and_gives_the_token() {
    let world = World::new().await;
    let applied = world.apply(&certified()).await.unwrap();
    assert_eq!(world.certificates(), std::slice::from_ref(&applied.key_id));
    assert_eq!(world.key_ids(), Vec::<String>::new(), "a secret was made too");
    let days = applied
        .secret_expires_at
        .duration_since("2026-03-01T12:00:00Z".parse().unwrap());
    assert_eq!(days, SignedDuration::from_hours(24 * 180));
    assert_eq!(world.apply(&certified()).await.unwrap().changes, []);
    assert_eq!(world.troubles(&world.doctor()).await, []);
    let sealed = world.credentials().await.remove(0).sealed;
    assert!(!sealed.windows(11).any(|window| window == b"PRIVATE KEY"));
}

#[tokio::test]
async fn a_change_of_kind_is_planned_overlaps_and_ends_with_a_rotation() {
    let world = World::new().await;
    let secret = world.apply(&wanted()).await.unwrap().key_id;
    world.time.advance(SignedDuration::from_secs(1));
    let plan = world.plan(&certified()).await.unwrap();
    assert_eq!(plan.changes.len(), 1);
    assert_eq!(plan.changes[0].why, Why::CredentialKindDiffers);
    let first = world.apply(&certified()).await.unwrap().key_id;
    assert_eq!(world.stored().await, [first.clone(), secret.clone()]);
    world.time.advance(SignedDuration::from_secs(1));
    let connect = world.connect().await.unwrap();
    let rotated = connect
        .rotate(&certified(), Replaced::Removed, &world.told)
        .await
        .unwrap();
    assert_eq!(rotated.removed, [first, secret]);
    assert_eq!(world.certificates(), [rotated.key_id]);
    assert_eq!(world.key_ids(), Vec::<String>::new());
}

#[tokio::test]
async fn certificates_of_others_stay_as_they_are() {
    let world = World::new().await;
    world.apply(&wanted()).await.unwrap();
    let (certificate, _) = pem();
    let foreign = json!({
        "keyId": "eeeeeeee-0000-4000-8000-000000000002", "displayName": "theirs", "type": "AsymmetricX509Cert",
        "usage": "Verify", "customKeyIdentifier": "AA",
        "key": certificate.lines().filter(|line| !line.starts_with('-')).collect::<String>(),
    });
    world.tenant.state().applications[0]["keyCredentials"] = json!([foreign]);
    world.apply(&certified()).await.unwrap();
    let connect = world.connect().await.unwrap();
    let rotated = connect
        .rotate(&certified(), Replaced::Removed, &world.told)
        .await
        .unwrap();
    let state = world.tenant.state();
    let keys = state.applications[0]["keyCredentials"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], foreign);
    assert_eq!(keys[1]["keyId"], rotated.key_id);
}

#[tokio::test]
async fn a_brought_certificate_is_used_and_replaced_by_bringing_another() {
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let (file, key_file) = (dir.path().join("a.pem"), dir.path().join("a.key"));
    let bring = || {
        let (certificate, key) = pem();
        std::fs::write(&file, certificate).unwrap();
        std::fs::write(&key_file, key).unwrap();
    };
    bring();
    let wanted = desired(|json| {
        json["application"]["credential"] = json!("certificate");
        json["application"]["certificate_file"] = json!(file);
        json["application"]["key_file"] = json!(key_file);
    });
    world.apply(&wanted).await.unwrap();
    assert_eq!(world.apply(&wanted).await.unwrap().changes, []);
    world.time.advance(SignedDuration::from_secs(1));
    bring();
    let changes = world.apply(&wanted).await.unwrap().changes;
    assert_eq!(
        changes.iter().map(|change| change.why).collect::<Vec<_>>(),
        [Why::CertificateDiffers]
    );
    assert_eq!(world.certificates().len(), 2, "they overlap");
    assert_eq!(world.troubles(&world.doctor()).await, []);

    let (_, stranger) = pem();
    std::fs::write(&key_file, stranger).unwrap();
    let error = world.apply(&wanted).await.unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error}");
    assert!(error.to_string().contains("another certificate"), "{error}");
    std::fs::write(&key_file, "no key").unwrap();
    let error = world.apply(&wanted).await.unwrap_err();
    assert!(error.to_string().contains("no private key"), "{error}");
    std::fs::remove_file(&file).unwrap();
    let error = world.apply(&wanted).await.unwrap_err();
    assert!(error.to_string().contains("a.pem"), "{error}");
}

#[tokio::test]
async fn a_run_that_dies_anywhere_leaves_no_certificate_that_nobody_knows() {
    let undisturbed = World::new().await;
    undisturbed.apply(&certified()).await.unwrap();
    let before = undisturbed.tenant.state().requests;
    let connect = undisturbed.connect().await.unwrap();
    connect
        .rotate(&certified(), Replaced::Removed, &undisturbed.told)
        .await
        .unwrap();
    let requests = undisturbed.tenant.state().requests;
    // Every request of a first run, then those of a rotation.
    for (rotation, numbers) in [(false, 1..=before), (true, before + 1..=requests)] {
        for number in numbers {
            for cut in [Cut::Before(number), Cut::After(number)] {
                let case = format!("{cut:?}");
                let world = World::new().await;
                if rotation {
                    world.apply(&certified()).await.unwrap();
                }
                world.tenant.state().cut = Some(cut);
                world.time.advance(SignedDuration::from_secs(20));
                let run = async || -> Result<(), Error> {
                    if rotation {
                        let connect = world.connect().await?;
                        return connect
                            .rotate(&certified(), Replaced::Removed, &world.told)
                            .await
                            .map(drop);
                    }
                    world.apply(&certified()).await.map(drop)
                };
                run().await.expect_err(&case);
                world.tenant.state().cut = None;
                world.time.advance(SignedDuration::from_secs(20));
                run().await.unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_eq!(world.certificates(), world.stored().await, "{case}");
                assert_eq!(world.certificates().len(), 1, "{case}");
                assert_eq!(world.apply(&certified()).await.unwrap().changes, [], "{case}");
            }
        }
    }
}
