//! Plan and apply.

use guichet_setup::{Error, Language, StepId, Waiting, Why, client_secret};
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    fake::{Lag, TENANT},
    world::{World, desired, vault, wanted},
};

#[tokio::test]
async fn an_empty_tenant_is_connected_as_the_portal_page_asks() {
    let world = World::new().await;
    let applied = world.apply(&wanted()).await.unwrap();
    // Tenant-wide access has no scope.
    let expected: Vec<StepId> = StepId::ALL.into_iter().filter(|step| *step != StepId::Scope).collect();
    assert_eq!(*world.told.steps.lock().unwrap(), expected);
    {
        let state = world.tenant.state();
        let application = &state.applications[0];
        assert_eq!(application["displayName"], "Guichet of Contoso");
        assert_eq!(application["signInAudience"], "AzureADMyOrg");
        assert_eq!(application["web"]["redirectUris"], json!(["http://localhost"]));
        let access = &application["requiredResourceAccess"];
        assert_eq!(
            *access,
            json!([{ "resourceAppId": "00000003-0000-0000-c000-000000000000", "resourceAccess": [
                { "id": "e2a3a72e-5f79-4c64-b1b1-878b674786c9", "type": "Role" },
                { "id": "b633e1c5-b582-4048-a93e-9f11b44c7e96", "type": "Role" },
                { "id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "type": "Scope" },
            ]}])
        );
        assert_eq!(state.assignments.len(), 2);
        assert_eq!(state.grants[0]["scope"], "User.Read");
        assert_eq!(state.grants[0]["consentType"], "AllPrincipals");
        let password = &application["passwordCredentials"][0];
        assert_eq!(password["displayName"], "Guichet");
        assert_eq!(password["endDateTime"], "2026-08-28T12:00:00Z", "180 days");
    }
    let integration = world.integration().await;
    assert_eq!(integration.tenant_id, TENANT);
    assert_eq!(integration.intended_state, "active");
    assert_eq!(integration.reported_text, "");
    assert_eq!(integration.app_id.as_deref(), Some(applied.app_id.as_str()));
    assert!(applied.token_endpoint.ends_with(&format!("{TENANT}/oauth2/v2.0/token")));
    assert_eq!(applied.mailboxes, 2);
    let mailboxes = world.store.mailboxes().await.unwrap();
    assert_eq!(mailboxes.len(), 2);
    for mailbox in mailboxes {
        assert!(
            mailbox.enabled && mailbox.graph_user_id.starts_with("bbbbbbbb"),
            "{mailbox:?}"
        );
        let folders = world.store.folders_of(mailbox.id).await.unwrap();
        assert_eq!(folders[0].name, "inbox");
        assert_eq!(
            folders[0].graph_folder_id.as_str(),
            format!("{}/Inbox", mailbox.address)
        );
    }
}

#[tokio::test]
async fn the_secret_rests_sealed_and_opens_with_the_key_only() {
    let world = World::new().await;
    world.apply(&wanted()).await.unwrap();
    let credential = world.credentials().await.remove(0);
    let value = client_secret::unseal(&world.vault, &credential).unwrap();
    let value = value.expose_secret();
    assert!(value.contains("~value."), "the value that the tenant gave");
    let sealed = &credential.sealed;
    assert!(!sealed.windows(value.len()).any(|window| window == value.as_bytes()));
    let other = vault("//////////////////////////////////////////8=");
    assert!(matches!(
        client_secret::unseal(&other, &credential),
        Err(Error::WrongKey { .. })
    ));
}

#[tokio::test]
async fn a_plan_promises_what_apply_does_and_changes_nothing() {
    let world = World::new().await;
    let plan = world.plan(&wanted()).await.unwrap();
    assert!(world.store.integration().await.unwrap().is_none());
    assert!(world.tenant.state().applications.is_empty());
    let applied = world.apply(&wanted()).await.unwrap();
    let outline = |changes: &[guichet_setup::Change]| -> Vec<_> {
        changes.iter().map(|change| (change.step, change.why)).collect()
    };
    let mut promised = outline(&plan.changes);
    let mut made = outline(&applied.changes);
    // A plan lists a new application's parts one by one, and so does apply.
    promised.sort_by_key(|(step, why)| (*step, format!("{why:?}")));
    made.sort_by_key(|(step, why)| (*step, format!("{why:?}")));
    assert_eq!(promised, made);
    let lines: Vec<String> = plan
        .changes
        .iter()
        .map(|change| guichet_setup::catalogue::change(change, Language::French))
        .collect();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("Mail.ReadWrite") && line.contains("consentement")),
        "{lines:?}"
    );
    assert!(world.plan(&wanted()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_second_apply_changes_nothing() {
    let world = World::new().await;
    let first = world.apply(&wanted()).await.unwrap();
    assert!(!first.changes.is_empty());
    for days in [0, 1, 100] {
        world.time.advance(SignedDuration::from_hours(24 * days));
        let next = world.apply(&wanted()).await.unwrap();
        assert_eq!(next.changes, [], "after {days} days");
        assert_eq!(next.key_id, first.key_id);
    }
}

#[tokio::test]
async fn drift_is_planned_and_repaired_and_additions_of_others_stay() {
    let world = World::new().await;
    world.apply(&wanted()).await.unwrap();
    {
        let mut state = world.tenant.state();
        let application = &mut state.applications[0];
        application["displayName"] = json!("renamed");
        application["signInAudience"] = json!("AzureADMultipleOrgs");
        application["web"]["redirectUris"] = json!(["https://other.example/back"]);
        application["requiredResourceAccess"] = json!([{ "resourceAppId": "00000002-0000-0ff1-ce00-000000000000",
            "resourceAccess": [{ "id": "dc50a0fb-09a3-484d-be87-e023b12c6440", "type": "Role" }] }]);
        state.assignments.remove(0);
        state.grants[0]["scope"] = json!("profile");
    }
    let plan = world.plan(&wanted()).await.unwrap();
    let whys: Vec<Why> = plan.changes.iter().map(|change| change.why).collect();
    let expected = [
        Why::NameDiffers,
        Why::AccountTypesDiffer,
        Why::RedirectMissing,
        Why::PermissionNotRequested,
        Why::PermissionNotRequested,
        Why::PermissionNotRequested,
        Why::ConsentMissing,
        Why::ConsentMissing,
    ];
    assert_eq!(whys, expected);
    assert_eq!(world.apply(&wanted()).await.unwrap().changes, plan.changes);
    let state = world.tenant.state();
    let application = &state.applications[0];
    assert_eq!(application["displayName"], "Guichet of Contoso");
    let redirects = &application["web"]["redirectUris"];
    assert_eq!(*redirects, json!(["https://other.example/back", "http://localhost"]));
    assert_eq!(application["requiredResourceAccess"].as_array().unwrap().len(), 2);
    assert_eq!(state.grants[0]["scope"], "profile User.Read");
    assert_eq!(state.assignments.len(), 2);
}

#[tokio::test]
async fn an_application_of_the_same_name_is_taken_over_and_two_are_refused() {
    let world = World::new().await;
    let existing = json!({ "id": "o1", "appId": "a1", "displayName": "Guichet of Contoso", "passwordCredentials": [] });
    world.tenant.state().applications.push(existing.clone());
    let applied = world.apply(&wanted()).await.unwrap();
    assert_eq!(applied.app_id, "a1");

    let ambiguous = World::new().await;
    let mut other = existing.clone();
    other["appId"] = json!("a2");
    ambiguous.tenant.state().applications.extend([existing, other]);
    let error = ambiguous.apply(&wanted()).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("a1, a2") && text.contains("Guichet of Contoso"), "{text}");
}

#[tokio::test]
async fn a_deleted_application_is_made_anew_with_a_new_secret() {
    let world = World::new().await;
    let first = world.apply(&wanted()).await.unwrap();
    world.time.advance(SignedDuration::from_hours(1));
    {
        let mut state = world.tenant.state();
        state.applications.clear();
        state.principals.truncate(1);
        state.assignments.clear();
        state.grants.clear();
    }
    let second = world.apply(&wanted()).await.unwrap();
    assert_ne!(first.app_id, second.app_id);
    assert_eq!(world.key_ids(), [second.key_id.as_str()]);
    assert_eq!(world.credentials().await.len(), 1);
    assert_eq!(world.apply(&wanted()).await.unwrap().changes, []);
}

#[tokio::test]
async fn a_secret_is_replaced_when_it_is_lost_revoked_or_old() {
    let world = World::new().await;
    let first = world.apply(&wanted()).await.unwrap();
    world.time.advance(SignedDuration::from_hours(1));

    // Revoked in the portal.
    world.tenant.state().applications[0]["passwordCredentials"] = json!([]);
    let second = world.apply(&wanted()).await.unwrap();
    assert_ne!(first.key_id, second.key_id);
    assert!(second.changes.iter().any(|change| change.why == Why::SecretRevoked));
    assert_eq!(world.key_ids(), [second.key_id.as_str()]);

    // Close to its end: a new one, and the old one still works.
    world.time.advance(SignedDuration::from_hours(24 * 151));
    let third = world.apply(&wanted()).await.unwrap();
    assert_eq!(
        third.changes.iter().map(|change| change.why).collect::<Vec<_>>(),
        [Why::SecretExpiring]
    );
    assert_eq!(world.key_ids(), [second.key_id.clone(), third.key_id.clone()]);
    assert_eq!(world.apply(&wanted()).await.unwrap().changes, []);

    // Past its end: it goes.
    world.time.advance(SignedDuration::from_hours(24 * 30));
    let fourth = world.apply(&wanted()).await.unwrap();
    assert_eq!(fourth.key_id, third.key_id);
    assert_eq!(world.key_ids(), [third.key_id.as_str()]);

    // Under a lost master key.
    let mut moved = world;
    moved.vault = vault("//////////////////////////////////////////8=");
    let fifth = moved.apply(&wanted()).await.unwrap();
    assert!(fifth.changes.iter().any(|change| change.why == Why::SecretUnreadable));
    assert_eq!(moved.key_ids(), [fifth.key_id.as_str()]);
}

#[tokio::test]
async fn waits_are_told_with_their_reason_and_bounded() {
    let world = World::new().await;
    world.tenant.state().lag = Lag {
        directory: 2,
        secret: 2,
        consent: 2,
        mailbox: 2,
    };
    world.apply(&wanted()).await.unwrap();
    let waits = world.told.waits.lock().unwrap().clone();
    for expected in [
        (StepId::ServicePrincipal, Waiting::DirectoryReplication),
        (StepId::Token, Waiting::SecretPropagation),
        (StepId::Token, Waiting::ConsentPropagation),
        (StepId::Mailboxes, Waiting::MailboxAccess),
    ] {
        assert!(waits.contains(&expected), "{expected:?} is missing in {waits:?}");
    }

    let never = World::new().await;
    never.tenant.state().lag.consent = u32::MAX;
    let error = never.apply(&wanted()).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::StillWaiting {
                reason: Waiting::ConsentPropagation,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("Mail.ReadWrite, Mail.Send"), "{error}");
}

#[tokio::test]
async fn one_sick_mailbox_does_not_stop_the_others() {
    let world = World::new().await;
    let stale = (
        404,
        "MailboxNotEnabledForRESTAPI",
        "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    );
    world
        .tenant
        .state()
        .mailbox_errors
        .insert("sales@contoso.example".to_owned(), stale);
    let three = desired(|json| {
        json["mailboxes"] = json!([
            "sales@contoso.example",
            "nobody@contoso.example",
            "support@contoso.example"
        ]);
    });
    let error = world.apply(&three).await.unwrap_err();
    let findings = error.findings(Language::English);
    let codes: Vec<(&str, &str)> = findings.iter().map(|f| (f.code.as_str(), f.subject.as_str())).collect();
    assert_eq!(
        codes,
        [
            ("mailbox-none", "sales@contoso.example"),
            ("mailbox-unknown", "nobody@contoso.example")
        ]
    );
    let served = world.store.mailboxes().await.unwrap();
    assert_eq!(served.len(), 1);
    assert_eq!(world.integration().await.intended_state, "active");

    world.tenant.state().mailbox_errors.clear();
    let healed = desired(|json| json["mailboxes"] = json!(["sales@contoso.example", "support@contoso.example"]));
    assert_eq!(world.apply(&healed).await.unwrap().mailboxes, 2);
}

#[tokio::test]
async fn a_mailbox_that_is_no_longer_configured_is_kept_and_not_served() {
    let world = World::new().await;
    world.apply(&wanted()).await.unwrap();
    let one = desired(|json| json["mailboxes"] = json!(["support@contoso.example"]));
    let applied = world.apply(&one).await.unwrap();
    assert_eq!(
        applied.changes.iter().map(|change| change.why).collect::<Vec<_>>(),
        [Why::MailboxNotWanted]
    );
    let mailboxes = world.store.mailboxes().await.unwrap();
    let enabled: Vec<_> = mailboxes
        .iter()
        .map(|mailbox| (mailbox.address.as_str(), mailbox.enabled))
        .collect();
    assert_eq!(
        enabled,
        [("sales@contoso.example", false), ("support@contoso.example", true)]
    );
    assert_eq!(world.apply(&one).await.unwrap().changes, []);
    let back = world.apply(&wanted()).await.unwrap();
    assert_eq!(
        back.changes.iter().map(|change| change.why).collect::<Vec<_>>(),
        [Why::MailboxDisabled]
    );
}

#[tokio::test]
async fn folders_are_found_by_their_name_and_a_missing_one_is_named() {
    let world = World::new().await;
    world.tenant.state().folders = vec!["Réclamations"];
    let more = desired(|json| json["folders"] = json!(["Inbox", "réclamations"]));
    world.apply(&more).await.unwrap();
    let mailbox = world.store.mailboxes().await.unwrap().remove(0);
    let folders = world.store.folders_of(mailbox.id).await.unwrap();
    assert!(
        folders
            .iter()
            .any(|folder| folder.graph_folder_id.as_str().ends_with("/Réclamations")),
        "{folders:?}"
    );
    assert_eq!(world.apply(&more).await.unwrap().changes, []);

    let wrong = desired(|json| json["folders"] = json!(["inbox", "Returns"]));
    let finding = World::new()
        .await
        .apply(&wrong)
        .await
        .unwrap_err()
        .findings(Language::English)
        .remove(0);
    assert_eq!(finding.code, "folder-missing");
    assert!(finding.title.contains("Returns"), "{}", finding.title);
}

#[tokio::test]
async fn the_missing_directory_role_is_named_with_its_step() {
    for (forbidden, step, role) in [
        ("applications", StepId::Application, "Cloud Application Administrator"),
        (
            "servicePrincipals/aaaaaaaa",
            StepId::Consent,
            "Privileged Role Administrator",
        ),
    ] {
        let world = World::new().await;
        world.tenant.state().forbidden = Some(forbidden);
        let error = world.apply(&wanted()).await.unwrap_err();
        assert!(
            matches!(&error, Error::NotAllowed { step: at, .. } if *at == step),
            "{error}"
        );
        assert!(error.to_string().contains(role), "{error}");
        // With the role, at once and without a wait, it goes on.
        world.tenant.state().forbidden = None;
        world.apply(&wanted()).await.unwrap();
        assert_eq!(*world.told.waits.lock().unwrap(), []);
    }
}

#[tokio::test]
async fn a_policy_against_long_secrets_is_named_as_such() {
    let world = World::new().await;
    world.tenant.state().password_error = Some("CredentialInvalidLifetimeAsPerAppPolicy");
    let finding = world
        .apply(&wanted())
        .await
        .unwrap_err()
        .findings(Language::English)
        .remove(0);
    assert_eq!(finding.code, "secret-policy");
    assert!(finding.title.contains("180 days"), "{}", finding.title);
}

#[tokio::test]
async fn tenants_that_disagree_are_refused() {
    let world = World::new().await;
    world.tenant.state().organization = Some("99999999-0000-4000-8000-000000000000");
    let error = world.apply(&wanted()).await.unwrap_err();
    assert!(matches!(error, Error::TenantMismatch { .. }), "{error}");
    assert!(world.store.integration().await.unwrap().is_none());

    let world = World::new().await;
    world.apply(&wanted()).await.unwrap();
    let other = "77777777-0000-4000-8000-000000000000";
    {
        let mut state = world.tenant.state();
        state.issuer_tenant = Some(other);
        state.organization = Some(other);
    }
    let error = world.apply(&wanted()).await.unwrap_err();
    assert!(matches!(error, Error::OtherTenant { .. }), "{error}");
}

#[tokio::test]
async fn nothing_secret_is_in_the_debug_text_of_what_connects() {
    let world = World::new().await;
    let connect = world.connect().await.unwrap();
    connect.apply(&wanted(), &world.told).await.unwrap();
    let text = format!("{connect:?}");
    assert!(
        !text.contains("administrator~secret") && !text.contains("~value."),
        "{text}"
    );
}
