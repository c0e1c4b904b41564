//! Least privilege: Exchange opens the listed mailboxes, and Entra opens none.

use guichet_setup::{
    Desired, Error, StepId, Why,
    doctor::{self, Code},
};
use serde_json::json;

use crate::world::{World, desired, wanted};

fn scoped(mailboxes: &[&str], remove: bool) -> Desired {
    desired(|json| {
        json["access"] = json!({ "scope": "mailboxes", "remove_tenant_wide_grants": remove });
        json["mailboxes"] = json!(mailboxes);
    })
}

const BOTH: [&str; 2] = ["support@contoso.example", "sales@contoso.example"];

fn whys(changes: &[guichet_setup::Change]) -> Vec<Why> {
    changes.iter().map(|change| change.why).collect()
}

#[tokio::test]
async fn listed_mailboxes_are_opened_by_exchange_and_no_mail_permission_is_consented() {
    let world = World::new().await;
    let wanted = scoped(&BOTH, false);
    let planned = world.plan(&wanted).await.unwrap();
    let applied = world.apply(&wanted).await.unwrap();
    assert_eq!(applied.mailboxes, 2);
    assert!(world.told.steps.lock().unwrap().contains(&StepId::Scope));
    let planned: Vec<Why> = whys(&planned.changes);
    for why in [Why::ScopeMissing, Why::RoleMissing] {
        assert!(planned.contains(&why), "{planned:?}");
    }
    {
        let state = world.tenant.state();
        assert!(state.assignments.is_empty(), "{:?}", state.assignments);
        let filter = &state.app_scopes[0]["customAttributes"]["RecipientFilter"];
        assert_eq!(
            filter,
            "PrimarySmtpAddress -eq 'support@contoso.example' -or PrimarySmtpAddress -eq 'sales@contoso.example'"
        );
        assert_eq!(state.exchange_assignments.len(), 2);
    }
    let again = world.apply(&wanted).await.unwrap();
    assert_eq!(again.changes, []);
}

#[tokio::test]
async fn changed_list_changes_the_scope_in_its_place() {
    let world = World::new().await;
    world.apply(&scoped(&BOTH, false)).await.unwrap();
    let fewer = scoped(&BOTH[..1], false);
    let planned = world.plan(&fewer).await.unwrap();
    assert!(whys(&planned.changes).contains(&Why::ScopeDiffers), "{planned:?}");
    world.apply(&fewer).await.unwrap();
    assert_eq!(world.tenant.state().app_scopes.len(), 1);
    let planned = world.plan(&fewer).await.unwrap();
    assert!(planned.is_empty(), "{planned:?}");
}

#[tokio::test]
async fn tenant_wide_grant_is_named_and_taken_away_only_on_request() {
    let world = World::new().await;
    world.apply(&wanted()).await.unwrap();
    assert_eq!(world.tenant.state().assignments.len(), 2);

    let kept = scoped(&BOTH, false);
    let planned = world.plan(&kept).await.unwrap();
    assert_eq!(
        planned.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        [Code::ScopeDefeated]
    );
    world.apply(&kept).await.unwrap();
    assert_eq!(world.tenant.state().assignments.len(), 2, "the grants stay");
    let mut context = world.doctor();
    context.desired = Some(kept);
    let troubles = world.troubles(&context).await;
    let codes: Vec<Code> = troubles.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::ScopeDefeated]);

    let removed = scoped(&BOTH, true);
    let planned = world.plan(&removed).await.unwrap();
    assert_eq!(whys(&planned.changes), [Why::GrantDefeatsScope, Why::GrantDefeatsScope]);
    world.apply(&removed).await.unwrap();
    assert!(world.tenant.state().assignments.is_empty());
    context.desired = Some(removed);
    let troubles = doctor::problems(&context).await;
    assert!(!troubles.iter().any(|problem| problem.code == Code::ScopeDefeated));
}

#[tokio::test]
async fn missing_exchange_role_of_the_administrator_is_named() {
    let world = World::new().await;
    world.tenant.state().forbidden = Some("roleManagement");
    let error = world.apply(&scoped(&BOTH, false)).await.unwrap_err();
    let Error::NotAllowed { step, role, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*step, StepId::Scope);
    assert!(role.contains("Exchange Administrator"), "{role}");
}

#[tokio::test]
async fn scope_without_mailboxes_is_refused() {
    let world = World::new().await;
    let error = world.apply(&scoped(&[], false)).await.unwrap_err();
    assert!(error.to_string().contains("access.scope"), "{error}");
}

#[tokio::test]
async fn access_that_exchange_gives_is_not_taken_for_a_missing_consent() {
    let world = World::new().await;
    world.apply(&scoped(&BOTH, false)).await.unwrap();
    // The same tenant, looked at by a configuration that expects consents.
    let context = world.doctor();
    assert_eq!(world.troubles(&context).await, []);
    let problems = doctor::problems(&context).await;
    assert!(problems.iter().any(|problem| problem.code == Code::ConsentByRbac));
    // Where a mailbox is closed, the consent is what is missing.
    world.tenant.state().exchange_assignments.clear();
    let troubles = world.troubles(&context).await;
    let codes: Vec<Code> = troubles.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::ConsentMissing]);
}
