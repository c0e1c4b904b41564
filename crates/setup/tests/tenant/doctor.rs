//! Each trouble gives exactly its finding.

use std::sync::Arc;

use guichet_domain::SubscriptionId;
use guichet_graph::Time;
use guichet_net::TransportErrorKind;
use guichet_setup::{
    Error, KeySource, Language, Vault, client_secret,
    doctor::{self, Code},
};
use guichet_store::records::{Credential, Report, Subscription};
use jiff::SignedDuration;
use serde_json::json;

use crate::{
    fake::State,
    world::{World, desired, vault, wanted},
};

async fn connected() -> World {
    let world = World::new().await;
    world.apply(&wanted()).await.unwrap();
    world
}

/// The troubles of a connected world whose tenant was changed.
async fn codes(change: impl FnOnce(&mut State)) -> Vec<Code> {
    let world = connected().await;
    change(&mut world.tenant.state());
    let problems = world.troubles(&world.doctor()).await;
    problems.iter().map(|problem| problem.code).collect()
}

#[tokio::test]
async fn a_sound_connection_has_no_trouble_and_shows_what_was_checked() {
    assert_eq!(codes(|_| {}).await, []);
    let world = connected().await;
    let all: Vec<Code> = doctor::problems(&world.doctor())
        .await
        .iter()
        .map(|problem| problem.code)
        .collect();
    let expected = [
        Code::IntegrationActive,
        Code::CredentialPresent,
        Code::SecretValid,
        Code::AuthorityOk,
        Code::TokenOk,
        Code::ConsentOk,
        Code::MailboxOk,
        Code::MailboxOk,
        Code::LicencesUnseen,
        Code::RulesUnseen,
        Code::NotificationsOff,
        Code::WorkOk,
    ];
    assert_eq!(all, expected);
}

#[tokio::test]
async fn nothing_connected_is_said_once() {
    let world = World::new().await;
    let problems = world.troubles(&world.doctor()).await;
    assert_eq!(
        problems.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        [Code::IntegrationAbsent]
    );
}

#[tokio::test]
async fn each_way_of_not_reaching_the_sign_in_service_is_told_apart() {
    for (kind, code) in [
        (TransportErrorKind::Dns, Code::AuthorityDns),
        (TransportErrorKind::Connect, Code::AuthorityConnect),
        (TransportErrorKind::Tls, Code::AuthorityTls),
        (TransportErrorKind::Timeout, Code::AuthorityTimeout),
        (TransportErrorKind::Closed, Code::AuthorityCut),
        (TransportErrorKind::BodyTooLarge, Code::AuthorityNotEntra),
    ] {
        assert_eq!(
            codes(|state| state.authority_fault = Some(kind)).await,
            [code],
            "{kind:?}"
        );
    }
    for (answer, code) in [
        ((404, "<html>no such page</html>"), Code::AuthorityNotEntra),
        ((200, "{}"), Code::AuthorityNotEntra),
        ((503, "busy"), Code::AuthorityBusy),
    ] {
        assert_eq!(
            codes(|state| state.authority_error = Some(answer)).await,
            [code],
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn each_answer_of_the_sign_in_service_about_the_tenant_has_its_finding() {
    for (number, code) in [
        (90_002, Code::TenantUnknown),
        (900_023, Code::TenantInvalid),
        (90_038, Code::TenantOtherCloud),
    ] {
        let body = format!(
            r#"{{"error":"invalid_request","error_description":"AADSTS{number}: no","error_codes":[{number}]}}"#
        );
        let body: &'static str = body.leak();
        assert_eq!(
            codes(|state| state.authority_error = Some((400, body))).await,
            [code],
            "{number}"
        );
    }
}

#[tokio::test]
async fn a_domain_of_another_tenant_is_a_mismatch() {
    let elsewhere = "99999999-0000-4000-8000-000000000000";
    assert_eq!(
        codes(|state| state.issuer_tenant = Some(elsewhere)).await,
        [Code::TenantMismatch]
    );
    let world = connected().await;
    world.tenant.state().issuer_tenant = Some(elsewhere);
    let mut context = world.doctor();
    // The recorded id is asked for, and the service describes another one.
    context.desired = None;
    assert_eq!(world.troubles(&context).await[0].code, Code::DiscoveryMismatch);
}

#[tokio::test]
async fn each_refusal_of_a_token_has_its_finding() {
    for (number, code) in [
        (7_000_215, Code::SecretWrong),
        (7_000_222, Code::SecretExpired),
        (700_016, Code::ApplicationNotInTenant),
        (700_038, Code::ApplicationIdInvalid),
        (7_000_112, Code::ApplicationDisabled),
        (7_000_218, Code::ApplicationPublic),
        (700_025, Code::ApplicationPublic),
        (90_002, Code::TenantUnknown),
        (900_382, Code::TenantOtherCloud),
        (500_133, Code::TokenClock),
        (500_011, Code::ResourceNotInTenant),
        (53_003, Code::ConditionalAccess),
        (65_001, Code::ConsentRequired),
        (50_196, Code::TokenLoop),
        (1_234_567, Code::TokenRefused),
    ] {
        assert_eq!(
            codes(|state| state.token_error = Some((400, number))).await,
            [code],
            "{number}"
        );
    }
}

#[tokio::test]
async fn the_clock_is_compared_with_the_service() {
    assert_eq!(codes(|state| state.clock_offset_seconds = 280).await, []);
    assert_eq!(
        codes(|state| state.clock_offset_seconds = -420).await,
        [Code::ClockSkewed]
    );
}

#[tokio::test]
async fn consent_is_compared_both_ways() {
    assert_eq!(
        codes(|state| state.extra_roles = vec!["User.Read.All"]).await,
        [Code::ConsentExcess]
    );
    let world = connected().await;
    let send = "b633e1c5-b582-4048-a93e-9f11b44c7e96";
    world
        .tenant
        .state()
        .assignments
        .retain(|assignment| assignment["appRoleId"] != send);
    let problems = world.troubles(&world.doctor()).await;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code, Code::ConsentMissingSend);
    assert!(
        problems[0].evidence.contains("Mail.ReadWrite"),
        "{}",
        problems[0].evidence
    );
    assert!(problems[0].params.contains(&("permissions", "Mail.Send".to_owned())));
}

#[tokio::test]
async fn each_sick_mailbox_has_its_finding_and_the_other_stays_well() {
    let policy = "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.";
    for (answer, code) in [
        (
            (404, "ErrorInvalidUser", "The requested user is invalid."),
            Code::MailboxUnknown,
        ),
        (
            (
                404,
                "MailboxNotEnabledForRESTAPI",
                "inactive, soft-deleted, or on-premise",
            ),
            Code::MailboxNone,
        ),
        ((403, "ErrorMailboxNotEnabledForRESTAPI", "inactive"), Code::MailboxNone),
        (
            (404, "ErrorItemNotFound", "Default folder Root not found."),
            Code::MailboxNone,
        ),
        ((503, "MailboxInfoStale", "moved"), Code::MailboxStale),
        ((403, "ErrorAccessDenied", "Access is denied."), Code::MailboxDenied),
        ((403, "ErrorAccessDenied", policy), Code::MailboxPolicy),
        (
            (401, "InvalidAuthenticationToken", "wrong audience"),
            Code::MailboxTokenRefused,
        ),
        ((429, "ApplicationThrottled", "slow down"), Code::MailboxBusy),
        ((400, "ErrorInvalidIdMalformed", "odd"), Code::MailboxRefused),
        (
            (
                404,
                "ErrorItemNotFound",
                "The specified object was not found in the store.",
            ),
            Code::FolderMissing,
        ),
    ] {
        let world = connected().await;
        world
            .tenant
            .state()
            .mailbox_errors
            .insert("sales@contoso.example".to_owned(), answer);
        let problems = world.troubles(&world.doctor()).await;
        assert_eq!(
            problems.iter().map(|problem| problem.code).collect::<Vec<_>>(),
            [code],
            "{answer:?}"
        );
        assert_eq!(problems[0].subject, "sales@contoso.example");
        world.tenant.state().mailbox_errors.clear();
        assert_eq!(world.troubles(&world.doctor()).await, [], "{answer:?} did not heal");
    }
    // One trouble of Graph is said once, not for each mailbox.
    assert_eq!(
        codes(|state| state.graph_fault = Some(TransportErrorKind::Dns)).await,
        [Code::GraphDns]
    );
}

#[tokio::test]
async fn the_credential_is_judged_before_it_is_sent() {
    let world = connected().await;
    let mut context = world.doctor();
    context.vault = Ok(vault("//////////////////////////////////////////8="));
    assert_eq!(world.troubles(&context).await[0].code, Code::CredentialWrongKey);
    context.vault = Vault::open(KeySource::Environment("short".to_owned())).map(Arc::new);
    assert!(matches!(context.vault, Err(Error::KeyUnusable { .. })));
    assert_eq!(world.troubles(&context).await[0].code, Code::KeyUnusable);

    let mut credential = world.credentials().await.remove(0);
    world.store.remove_credential(credential.id).await.unwrap();
    assert_eq!(world.troubles(&world.doctor()).await[0].code, Code::CredentialAbsent);

    let purpose = format!("client-secret/{}", credential.id);
    let id = "f0b0b335-1d71-4883-8f98-567911bfdca6";
    credential.sealed = world.vault.seal(&purpose, &id.into()).unwrap();
    world.store.add_credential(&credential).await.unwrap();
    assert_eq!(
        world.troubles(&world.doctor()).await[0].code,
        Code::CredentialIsSecretId
    );

    world.store.remove_credential(credential.id).await.unwrap();
    *credential.sealed.last_mut().unwrap() ^= 1;
    assert!(client_secret::unseal(&world.vault, &credential).is_err());
    world.store.add_credential(&credential).await.unwrap();
    assert_eq!(world.troubles(&world.doctor()).await[0].code, Code::CredentialDamaged);
}

#[tokio::test]
async fn the_end_of_the_secret_is_announced_in_time() {
    for (days_left, code) in [
        (31, Code::SecretValid),
        (30, Code::SecretExpires30),
        (15, Code::SecretExpires30),
        (14, Code::SecretExpires14),
        (8, Code::SecretExpires14),
        (7, Code::SecretExpires7),
        (2, Code::SecretExpires7),
        (1, Code::SecretExpires1),
        (0, Code::SecretExpired),
        (-3, Code::SecretExpired),
    ] {
        let world = connected().await;
        world.time.advance(SignedDuration::from_hours(24 * (180 - days_left)));
        let problems = doctor::problems(&world.doctor()).await;
        let found = problems
            .iter()
            .filter(|problem| problem.code.as_str().starts_with("secret-"));
        assert_eq!(
            found.map(|problem| problem.code).collect::<Vec<_>>(),
            [code],
            "{days_left} days left"
        );
        // The words take every placeholder.
        let _ = world.troubles(&world.doctor()).await;
    }
}

#[tokio::test]
async fn what_is_configured_is_compared_with_what_is_recorded() {
    let world = connected().await;
    let mut context = world.doctor();
    context.desired = Some(desired(|json| {
        json["tenant"] = json!("99999999-0000-4000-8000-000000000000");
        json["mailboxes"] = json!(["support@contoso.example", "billing@contoso.example"]);
    }));
    let problems = world.troubles(&context).await;
    let found: Vec<_> = problems
        .iter()
        .map(|problem| (problem.code, problem.subject.as_str()))
        .collect();
    let expected = [
        (Code::TenantUnknown, "99999999-0000-4000-8000-000000000000"),
        (Code::MailboxNotConnected, "billing@contoso.example"),
    ];
    assert_eq!(found, expected);

    let none = World::new().await;
    none.apply(&desired(|json| json["mailboxes"] = json!([])))
        .await
        .unwrap();
    let mut context = none.doctor();
    context.desired = None;
    assert_eq!(none.troubles(&context).await[0].code, Code::MailboxesAbsent);
}

#[tokio::test]
async fn the_reported_state_is_shown_with_its_text() {
    let world = connected().await;
    let (id, now) = (world.integration().await.id, jiff::Timestamp::UNIX_EPOCH);
    world
        .store
        .report(
            id,
            &Report {
                state: "error",
                code: "secret-wrong".to_owned(),
                text: "the token is refused".to_owned(),
                fix: String::new(),
            },
            now,
        )
        .await
        .unwrap();
    let problems = world.troubles(&world.doctor()).await;
    assert_eq!(problems[0].code, Code::IntegrationError);
    assert!(problems[0].evidence.contains("the token is refused"));
    world.store.report(id, &Report::plain("inactive"), now).await.unwrap();
    world.store.intend(id, "inactive", now).await.unwrap();
    let problems = doctor::problems(&world.doctor()).await;
    assert_eq!(problems[0].code, Code::IntegrationInactive);
}

#[tokio::test]
async fn subscriptions_are_judged_where_notifications_are_wanted() {
    let world = connected().await;
    let mut context = world.doctor();
    context.notification_url = Some("https://guichet.contoso.example/notifications".parse().unwrap());
    context.options.probe_endpoint = false;
    let absent = world.troubles(&context).await;
    assert_eq!(
        absent.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        [Code::SubscriptionAbsent; 2]
    );

    let now = guichet_graph::Time::now(world.time.as_ref());
    for (number, folder) in world.store.folders().await.unwrap().iter().enumerate() {
        let subscription = Subscription {
            id: SubscriptionId::new(format!("subscription-{number}")),
            folder: folder.id,
            client_state: "state".to_owned(),
            notification_url: "https://guichet.contoso.example/notifications/graph".to_owned(),
            expires_at: now + SignedDuration::from_hours(48),
            created_at: now,
        };
        world.store.save_subscription(&subscription).await.unwrap();
    }
    assert_eq!(world.troubles(&context).await, []);
    world.time.advance(SignedDuration::from_hours(49));
    let expired = world.troubles(&context).await;
    assert_eq!(
        expired.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        [Code::SubscriptionExpired; 2]
    );
    world.time.advance(SignedDuration::from_hours(-49));
    context.notification_url = Some("https://moved.contoso.example/notifications".parse().unwrap());
    let elsewhere = world.troubles(&context).await;
    assert_eq!(
        elsewhere.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        [Code::SubscriptionElsewhere; 2]
    );
}

#[tokio::test]
async fn evidence_holds_no_secret() {
    let world = connected().await;
    world.tenant.state().token_error = Some((401, 7_000_215));
    let credential: Credential = world.credentials().await.remove(0);
    let secret = client_secret::unseal(&world.vault, &credential).unwrap();
    let text = format!("{:?} {:?}", world.doctor(), doctor::problems(&world.doctor()).await);
    assert!(!text.contains(secrecy::ExposeSecret::expose_secret(&secret)), "{text}");
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_a_finding() {
    let directory = tempfile::tempdir().unwrap();
    let mut world = connected().await;
    let data_dir = directory.path().to_owned();
    world.store = guichet_store::Store::open(guichet_store::OpenOptions::in_directory(data_dir))
        .await
        .unwrap();
    world.store.clone().close().await;
    let problems = world.troubles(&world.doctor()).await;
    assert_eq!(
        problems.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        [Code::StoreUnusable]
    );
}

#[tokio::test]
async fn findings_are_remembered_since_their_first_sight_and_resolve_themselves() {
    let world = connected().await;
    let look = async || doctor::run(&world.doctor(), Language::English).await;
    let sick = "sales@contoso.example";
    let denied = (403, "ErrorAccessDenied", "Access is denied.");
    world.tenant.state().mailbox_errors.insert(sick.to_owned(), denied);
    let begin = world.time.now();
    look().await;
    world.time.advance(SignedDuration::from_hours(1));
    let findings = look().await;
    let found = findings
        .iter()
        .find(|finding| finding.code == "mailbox-denied")
        .unwrap();
    assert_eq!(found.first_seen, Some(begin));

    // While nothing can be asked, nothing is resolved.
    world.tenant.state().mailbox_errors.clear();
    world.tenant.state().authority_fault = Some(TransportErrorKind::Dns);
    look().await;
    let is_open = async |code: &str| {
        let rows = world.store.findings().await.unwrap();
        rows.iter().any(|row| row.code == code && row.resolved_at.is_none())
    };
    assert!(is_open("mailbox-denied").await && is_open("authority-dns").await);
    world.tenant.state().authority_fault = None;
    look().await;
    assert!(!is_open("mailbox-denied").await && !is_open("authority-dns").await);
}
