//! Integrations, credentials, mailboxes, subscriptions and API keys.

use guichet_domain::{ApiKeyId, CredentialId, GraphFolderId, IntegrationId, SubscriptionId};
use guichet_store::{Credential, Error, Report, Subscription};

use crate::{
    backend,
    fixture::{World, add_folder, add_mailbox, at, integration, uuid},
};

#[tokio::test]
async fn integration_is_one_for_tenant_and_name() {
    let store = backend::fresh().await;
    assert_eq!(store.integration().await, Ok(None));
    let mut first = integration();
    store.upsert_integration(&first).await.expect("store it");
    first.app_id = Some("app".to_owned());
    store.upsert_integration(&first).await.expect("store it again");
    let found = store.integration_for(&first.tenant_id, "Guichet").await;
    assert_eq!(found.expect("read").as_ref(), Some(&first));
    let mut second = first.clone();
    second.id = IntegrationId::from_uuid(uuid(2));
    assert!(matches!(
        store.upsert_integration(&second).await,
        Err(Error::Conflict(_))
    ));
    assert_eq!(store.integration().await.expect("read").as_ref(), Some(&first));
    let nobody = store.intend(second.id, "active", at(9)).await;
    assert!(matches!(nobody, Err(Error::Invalid(_))));
    let nobody = store.report(second.id, &Report::plain("active"), at(9)).await;
    assert!(matches!(nobody, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn reported_state_keeps_the_time_since_when_it_is_so_and_leaves_the_intention() {
    let store = backend::fresh().await;
    let id = integration().id;
    store.upsert_integration(&integration()).await.expect("store it");
    store.intend(id, "inactive", at(1)).await.expect("intend");
    let failing = |code: &str, text: &str| Report {
        state: "error",
        code: code.to_owned(),
        text: text.to_owned(),
        fix: String::new(),
    };
    for (report, now, since) in [
        (failing("secret-wrong", "first"), 2, 2),
        (failing("secret-wrong", "again"), 3, 2),
        (failing("secret-expired", "again"), 4, 4),
        (Report::plain("active"), 5, 5),
        (Report::plain("active"), 6, 5),
    ] {
        store.report(id, &report, at(now)).await.expect("report");
        let row = store.integration().await.expect("read").expect("there");
        assert_eq!(row.intended_state, "inactive");
        assert_eq!(
            (row.reported_state.as_str(), row.reported_code, row.reported_text),
            (report.state, report.code, report.text)
        );
        assert_eq!((row.reported_since, row.updated_at), (Some(at(since)), at(now)));
    }
}

#[tokio::test]
async fn credentials_come_newest_first_and_do_not_print_their_secret() {
    let world = World::fresh().await;
    let credential = |n: u128| Credential {
        id: CredentialId::from_uuid(uuid(n)),
        integration: integration().id,
        kind: "secret".to_owned(),
        key_id: format!("key-{n}"),
        description: "first".to_owned(),
        sealed: vec![0, 159, 146, 150, 250],
        expires_at: at(1000),
        created_at: at(i64::try_from(n).expect("small")),
    };
    for n in [1, 2] {
        world.store.add_credential(&credential(n)).await.expect("add");
    }
    let found = world.store.credentials(integration().id).await.expect("read");
    assert!(found == [credential(2), credential(1)]);
    assert!(!format!("{found:?}").contains("250"));
    world.store.remove_credential(credential(2).id).await.expect("remove");
    assert_eq!(world.store.credentials(integration().id).await.expect("read").len(), 1);
}

#[tokio::test]
async fn mailbox_and_folder_keep_their_ids() {
    let world = World::fresh().await;
    let again = add_mailbox(&world.store, 77, "Support@Contoso.example").await;
    assert_eq!(again, world.mailbox, "the address was there already");
    let stored = world.store.mailbox(again).await.expect("read").expect("there");
    assert_eq!(stored.graph_user_id, "user-77");
    let other = guichet_domain::FolderId::from_uuid(uuid(999));
    let graph = GraphFolderId::new("folder-1");
    let folder = world
        .store
        .ensure_folder(other, world.mailbox, &graph, "Inbox")
        .await
        .expect("ensure");
    assert_eq!((folder.id, folder.name.as_str()), (world.lease.folder.id, "Inbox"));
    let second = add_mailbox(&world.store, 2, "sales@contoso.example").await;
    add_folder(&world.store, second, 2).await;
    assert_eq!(world.store.mailboxes().await.expect("list").len(), 2);
    assert_eq!(world.store.folders().await.expect("list").len(), 2);
    assert_eq!(world.store.folders_of(second).await.expect("list").len(), 1);
}

#[tokio::test]
async fn subscriptions_are_replaced_by_id() {
    let world = World::fresh().await;
    let mut subscription = Subscription {
        id: SubscriptionId::new("s1"),
        folder: world.lease.folder.id,
        client_state: "state".to_owned(),
        notification_url: "https://guichet.example/notify".to_owned(),
        expires_at: at(10),
        created_at: at(0),
    };
    world.store.save_subscription(&subscription).await.expect("save");
    subscription.expires_at = at(20);
    world.store.save_subscription(&subscription).await.expect("save");
    assert_eq!(world.store.subscriptions().await.expect("list"), [subscription.clone()]);
    world.store.remove_subscription(&subscription.id).await.expect("remove");
    assert!(world.store.subscriptions().await.expect("list").is_empty());
}

#[tokio::test]
async fn revoked_key_is_still_known_as_revoked() {
    let store = backend::fresh().await;
    let id = ApiKeyId::from_uuid(uuid(1));
    store.add_api_key(id, "console", "hash", at(0)).await.expect("add");
    let taken = store
        .add_api_key(ApiKeyId::from_uuid(uuid(2)), "other", "hash", at(0))
        .await;
    assert!(matches!(taken, Err(Error::Conflict(_))));
    assert_eq!(store.revoke_api_key(id, at(5)).await, Ok(true));
    assert_eq!(store.revoke_api_key(id, at(6)).await, Ok(false));
    let key = store.api_key_by_hash("hash").await.expect("read").expect("there");
    assert_eq!((key.name.as_str(), key.revoked_at), ("console", Some(at(5))));
    assert_eq!(store.api_key_by_hash("nope").await, Ok(None));
    assert_eq!(store.api_keys().await.expect("list").len(), 1);
}
