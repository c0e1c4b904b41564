//! `connect rotate`: a new secret takes the place of the old one, with overlap, wherever it dies.

use guichet_setup::{Error, Replaced, Rotated, StepId, Waiting, Why, doctor::Code};
use jiff::SignedDuration;

use crate::{
    fake::{Cut, Lag},
    world::{World, wanted},
};

impl World {
    async fn rotate(&self, replaced: Replaced) -> Result<Rotated, Error> {
        self.connect().await?.rotate(&wanted(), replaced, &self.told).await
    }

    /// Stored credentials, newest first, and what the tenant lists: the same, whatever happened.
    async fn secrets(&self, case: &str) -> Vec<String> {
        let stored: Vec<String> = self.credentials().await.into_iter().map(|row| row.key_id).collect();
        let (mut ours, mut theirs) = (stored.clone(), self.key_ids());
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{case}: a secret is an orphan");
        stored
    }
}

#[tokio::test]
async fn the_old_secret_goes_only_after_the_new_one_gave_a_token() {
    let world = World::new().await;
    let old = world.apply(&wanted()).await.unwrap().key_id;
    world.tenant.state().lag.secret = 2;
    let rotated = world.rotate(Replaced::Removed).await.unwrap();
    assert_eq!(rotated.removed, [old]);
    assert_eq!(rotated.kept, Vec::<String>::new());
    assert_eq!(world.secrets("rotated").await, std::slice::from_ref(&rotated.key_id));
    let reasons: Vec<Why> = rotated.changes.iter().map(|change| change.why).collect();
    assert_eq!(reasons, [Why::SecretRotated, Why::SecretSuperseded]);
    let waits = world.told.waits.lock().unwrap().clone();
    assert_eq!(waits, [(StepId::Token, Waiting::SecretPropagation); 2]);
    assert_eq!(world.troubles(&world.doctor()).await, []);
    assert_eq!(world.plan(&wanted()).await.unwrap().changes, []);
}

#[tokio::test]
async fn the_old_secret_is_kept_on_request_and_goes_with_the_next_rotation() {
    let world = World::new().await;
    let first = world.apply(&wanted()).await.unwrap().key_id;
    world.time.advance(SignedDuration::from_secs(1));
    let second = world.rotate(Replaced::Kept).await.unwrap();
    assert_eq!(second.kept, std::slice::from_ref(&first));
    assert_eq!(world.secrets("kept").await, [second.key_id.clone(), first.clone()]);
    assert_eq!(
        world.plan(&wanted()).await.unwrap().changes,
        [],
        "the overlap is as wanted"
    );
    world.time.advance(SignedDuration::from_secs(1));
    let third = world.rotate(Replaced::Removed).await.unwrap();
    assert_eq!(third.removed, [second.key_id, first]);
    assert_eq!(world.secrets("removed").await, [third.key_id]);
}

#[tokio::test]
async fn a_rotation_that_is_not_due_does_nothing_until_it_is() {
    let world = World::new().await;
    let old = world.apply(&wanted()).await.unwrap().key_id;
    let if_due = async || {
        world
            .connect()
            .await?
            .rotate_if_due(&wanted(), Replaced::Kept, &world.told)
            .await
    };
    assert_eq!(if_due().await.unwrap(), None);
    world.time.advance(SignedDuration::from_hours(24 * 150 + 1));
    let rotated = if_due().await.unwrap().expect("it is due");
    assert_eq!(rotated.kept, [old]);
    assert_eq!(if_due().await.unwrap(), None);
}

#[tokio::test]
async fn a_new_secret_that_gives_no_token_is_withdrawn_and_the_old_one_stays() {
    let world = World::new().await;
    let old = world.apply(&wanted()).await.unwrap().key_id;
    world.tenant.state().token_error = Some((400, 700_016));
    world.time.advance(SignedDuration::from_secs(1));
    let error = world.rotate(Replaced::Removed).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::StillWaiting {
                step: StepId::Token,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(world.secrets("withdrawn").await, [old]);
    world.tenant.state().token_error = None;
    assert_eq!(world.troubles(&world.doctor()).await, []);
}

#[tokio::test]
async fn a_tenant_that_forbids_secrets_keeps_the_old_one() {
    let world = World::new().await;
    let old = world.apply(&wanted()).await.unwrap().key_id;
    world.tenant.state().password_error = Some("CredentialTypeNotAllowedAsPerAppPolicy");
    let Err(Error::Diagnosed { problems }) = world.rotate(Replaced::Removed).await else {
        panic!("it was not refused");
    };
    assert_eq!(problems[0].code, Code::SecretPolicy);
    assert_eq!(world.secrets("refused").await, [old]);
}

#[tokio::test]
async fn rotation_before_the_first_apply_says_what_comes_first() {
    let world = World::new().await;
    let error = world.rotate(Replaced::Removed).await.unwrap_err();
    assert!(error.to_string().contains("connect apply"), "{error}");
}

async fn kill_everywhere(lag: Lag) {
    let undisturbed = World::new().await;
    undisturbed.apply(&wanted()).await.unwrap();
    undisturbed.tenant.state().lag = lag;
    let before = undisturbed.tenant.state().requests;
    undisturbed.rotate(Replaced::Removed).await.unwrap();
    let requests = undisturbed.tenant.state().requests;
    assert!(
        requests - before >= 7,
        "a rotation took only {} requests",
        requests - before
    );

    for number in before + 1..=requests {
        for cut in [Cut::Before(number), Cut::After(number)] {
            let world = World::new().await;
            let first = world.apply(&wanted()).await.unwrap().key_id;
            {
                let mut state = world.tenant.state();
                state.lag = lag;
                state.cut = Some(cut);
            }
            world.time.advance(SignedDuration::from_secs(20));
            let case = format!("{cut:?}");
            world.rotate(Replaced::Removed).await.expect_err(&case);
            let left: Vec<String> = world.credentials().await.into_iter().map(|row| row.key_id).collect();
            let alive = left.iter().filter(|key_id| world.key_ids().contains(key_id)).count();
            assert!(alive > 0, "{case}: no stored secret works");
            world.tenant.state().cut = None;
            world.time.advance(SignedDuration::from_secs(20));
            let rotated = world
                .rotate(Replaced::Removed)
                .await
                .unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_ne!(rotated.key_id, first, "{case}");
            assert_eq!(world.secrets(&case).await, [rotated.key_id], "{case}");
            assert_eq!(world.apply(&wanted()).await.unwrap().changes, [], "{case}");
        }
    }
}

#[tokio::test]
async fn a_rotation_that_dies_anywhere_is_continued() {
    kill_everywhere(Lag::default()).await;
}

#[tokio::test]
async fn a_rotation_that_dies_anywhere_is_continued_in_a_slow_directory() {
    kill_everywhere(Lag {
        directory: 0,
        secret: 2,
        consent: 0,
        mailbox: 0,
    })
    .await;
}
