//! What Guichet made goes, what was there before stays, wherever a run dies.

use guichet_setup::{Desired, Destroyed, Error};
use serde_json::{Value, json};

use crate::{
    fake::Cut,
    world::{World, desired, wanted},
};

impl World {
    async fn destroy(&self, desired: &Desired) -> Result<Destroyed, Error> {
        self.connect().await?.destroy(desired).await
    }
}

fn scoped() -> Desired {
    desired(|json| json["access"] = json!({ "scope": "mailboxes" }))
}

/// Nothing of ours is left, there or here, but the mailboxes' records.
async fn nothing_is_left(world: &World, case: &str) {
    {
        let state = world.tenant.state();
        assert!(state.applications.is_empty(), "{case}");
        assert_eq!(state.principals.len(), 1, "{case}: Microsoft Graph's own stays");
        assert!(state.assignments.is_empty() && state.grants.is_empty(), "{case}");
        assert!(
            state.app_scopes.is_empty() && state.exchange_assignments.is_empty(),
            "{case}"
        );
    }
    assert!(world.credentials().await.is_empty(), "{case}");
    let integration = world.integration().await;
    assert_eq!(
        (integration.intended_state.as_str(), integration.app_id),
        ("inactive", None),
        "{case}"
    );
    assert_eq!(world.store.mailboxes().await.unwrap().len(), 2, "{case}");
}

#[tokio::test]
async fn everything_that_was_made_goes_and_can_be_made_again() {
    for wanted in [wanted(), scoped()] {
        let world = World::new().await;
        world.apply(&wanted).await.unwrap();
        let connect = world.connect().await.unwrap();
        let planned = connect.plan_destroy(&wanted).await.unwrap();
        assert_eq!(world.tenant.state().applications.len(), 1, "a plan changes nothing");
        let destroyed = world.destroy(&wanted).await.unwrap();
        assert_eq!(planned, destroyed);
        assert_eq!(destroyed.kept_application, None);
        nothing_is_left(&world, "destroyed").await;
        assert_eq!(world.destroy(&wanted).await.unwrap(), Destroyed::default());
        let again = world.apply(&wanted).await.unwrap();
        assert_eq!(again.mailboxes, 2);
    }
}

#[tokio::test]
async fn application_that_was_there_before_keeps_all_but_our_secret() {
    let world = World::new().await;
    let foreign = json!({ "keyId": "eeeeeeee-0000-4000-8000-000000000001", "displayName": "other" });
    world.tenant.state().applications.push(json!({
        "id": "99999999-0000-4000-8000-000000000001",
        "appId": "99999999-0000-4000-8000-000000000002",
        "displayName": "Guichet of Contoso",
        "signInAudience": "AzureADMyOrg",
        "web": { "redirectUris": [] },
        "requiredResourceAccess": [],
        "passwordCredentials": [foreign],
    }));
    world.apply(&wanted()).await.unwrap();
    let destroyed = world.destroy(&wanted()).await.unwrap();
    assert_eq!(destroyed.kept_application.as_deref(), Some("Guichet of Contoso"));
    {
        let state = world.tenant.state();
        let left: &Value = &state.applications[0]["passwordCredentials"];
        assert_eq!(*left, json!([foreign]));
        assert_eq!(state.assignments.len(), 2, "another program may use the consents");
    }
    assert!(world.credentials().await.is_empty());
}

#[tokio::test]
async fn nothing_connected_is_said() {
    let world = World::new().await;
    assert!(matches!(world.destroy(&wanted()).await, Err(Error::NotConnected)));
}

#[tokio::test]
async fn a_run_that_dies_anywhere_is_continued() {
    let undisturbed = World::new().await;
    undisturbed.apply(&scoped()).await.unwrap();
    let before = undisturbed.tenant.state().requests;
    undisturbed.destroy(&scoped()).await.unwrap();
    let requests = undisturbed.tenant.state().requests - before;
    assert!(requests > 8, "only {requests} requests");
    for number in 1..=requests {
        for cut in [Cut::Before(before + number), Cut::After(before + number)] {
            let world = World::new().await;
            world.apply(&scoped()).await.unwrap();
            world.tenant.state().cut = Some(cut);
            let case = format!("{cut:?}");
            world.destroy(&scoped()).await.expect_err(&case);
            world.tenant.state().cut = None;
            world
                .destroy(&scoped())
                .await
                .unwrap_or_else(|error| panic!("{case}: {error}"));
            nothing_is_left(&world, &case).await;
        }
    }
}
