//! A process that dies at any request, before or after the request's effect, is continued by the
//! next one: the same end state, and no secret that nobody knows.

use guichet_setup::Desired;
use jiff::SignedDuration;

use crate::{
    fake::{Cut, Lag},
    world::{World, desired, wanted},
};

async fn end_state(world: &World, case: &str) -> String {
    let integration = world.integration().await;
    let credentials = world.credentials().await;
    let mailboxes = world.store.mailboxes().await.unwrap();
    let mut folders = 0;
    for mailbox in &mailboxes {
        folders += world.store.folders_of(mailbox.id).await.unwrap().len();
    }
    let stored: Vec<String> = credentials.iter().map(|credential| credential.key_id.clone()).collect();
    assert_eq!(stored, world.key_ids(), "{case}: a secret is an orphan");
    let state = world.tenant.state();
    assert_eq!(state.applications.len(), 1, "{case}");
    let application = &state.applications[0];
    assert_eq!(integration.app_id.as_deref(), application["appId"].as_str(), "{case}");
    assert_eq!(
        integration.application_object_id.as_deref(),
        application["id"].as_str(),
        "{case}"
    );
    assert_eq!(
        integration.service_principal_id.as_deref(),
        state.principals[1]["id"].as_str(),
        "{case}"
    );
    format!(
        "{} owners, {} scopes, {} roles, {} principals, {} assignments, {} grants, {} secrets, {} mailboxes, {folders} folders, {}",
        application["owners"].as_array().map_or(0, Vec::len),
        state.app_scopes.len(),
        state.exchange_assignments.len(),
        state.principals.len(),
        state.assignments.len(),
        state.grants.len(),
        credentials.len(),
        mailboxes.len(),
        integration.intended_state,
    )
}

async fn kill_everywhere(lag: Lag) {
    kill_with(lag, &wanted()).await;
}

async fn kill_with(lag: Lag, wanted: &Desired) {
    let undisturbed = World::new().await;
    undisturbed.tenant.state().lag = lag;
    undisturbed.apply(wanted).await.unwrap();
    let expected = end_state(&undisturbed, "undisturbed").await;
    let requests = undisturbed.tenant.state().requests;
    assert!(requests > 15, "the whole procedure took only {requests} requests");

    for number in 1..=requests {
        for cut in [Cut::Before(number), Cut::After(number)] {
            let world = World::new().await;
            {
                let mut state = world.tenant.state();
                state.lag = lag;
                state.cut = Some(cut);
            }
            let case = format!("{cut:?}");
            world.apply(wanted).await.expect_err(&case);
            world.tenant.state().cut = None;
            world.time.advance(SignedDuration::from_secs(20));
            world
                .apply(wanted)
                .await
                .unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_eq!(end_state(&world, &case).await, expected, "{case}");
            let again = world.apply(wanted).await.unwrap();
            assert_eq!(again.changes, [], "{case}");
        }
    }
}

#[tokio::test]
async fn a_run_that_dies_anywhere_is_continued() {
    kill_everywhere(Lag::default()).await;
}

#[tokio::test]
async fn a_run_that_limits_access_and_dies_anywhere_is_continued() {
    let scoped = desired(|json| json["access"] = serde_json::json!({ "scope": "mailboxes" }));
    kill_with(Lag::default(), &scoped).await;
}

#[tokio::test]
async fn a_run_that_makes_the_application_its_own_owner_and_dies_anywhere_is_continued() {
    let self_rotation = desired(|json| json["application"]["self_rotation"] = true.into());
    kill_with(Lag::default(), &self_rotation).await;
}

#[tokio::test]
async fn a_run_that_dies_anywhere_is_continued_in_a_slow_directory() {
    kill_everywhere(Lag {
        directory: 2,
        secret: 1,
        consent: 1,
        mailbox: 1,
    })
    .await;
}

#[tokio::test]
async fn a_secret_whose_answer_was_lost_is_removed_and_replaced() {
    let world = World::new().await;
    world.apply(&wanted()).await.unwrap();
    // Another installation's secret, older than our integration, with the same description.
    let foreign = "eeeeeeee-0000-4000-8000-000000000001";
    world.tenant.state().applications[0]["passwordCredentials"]
        .as_array_mut()
        .unwrap()
        .push(serde_json::json!({
            "keyId": foreign, "displayName": "Guichet", "startDateTime": "2025-01-01T00:00:00Z",
            "endDateTime": "2027-01-01T00:00:00Z",
        }));
    let before = world.tenant.state().requests;
    let removed = world.credentials().await.remove(0);
    world.store.remove_credential(removed.id).await.unwrap();
    let applied = world.apply(&wanted()).await.unwrap();
    assert!(world.tenant.state().requests > before);
    assert!(!world.key_ids().contains(&removed.key_id), "the orphan stayed");
    assert!(
        world.key_ids().contains(&foreign.to_owned()),
        "another installation's secret was removed"
    );
    assert!(world.key_ids().contains(&applied.key_id));
}
