//! `$filter` in the resource: the window that it makes.

use serde_json::json;

use super::receiver::{Hook, Manners, each, ids, subscribe, wish, with};
use crate::mail::tests::world::{SUPPORT, World, mail, support};

fn unread(hook: &Hook) -> serde_json::Value {
    let resource = format!("users/{SUPPORT}/mailFolders('inbox')/messages?$filter=isRead eq false");
    with(wish(&hook.url), "resource", resource)
}

#[tokio::test]
async fn reading_a_message_takes_it_out_of_the_window() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, unread(&hook)).await.expect(201);
    let arrived = world.inject(mail("a", "1@x")).await;
    let path = support(&format!("messages/{}", arrived.id));
    world.patch(&path, json!({"importance": "high"})).await.expect(200);
    world.patch(&path, json!({"isRead": true})).await.expect(200);
    world.patch(&path, json!({"importance": "low"})).await.expect(200);
    world.patch(&path, json!({"isRead": false})).await.expect(200);
    let told = hook.collect(4).await;
    assert_eq!(each(&told, "changeType"), ["created", "updated", "deleted", "created"]);
    assert_eq!(ids(&told), vec![arrived.id; 4]);
}

#[tokio::test]
async fn a_message_that_was_there_before_is_known_to_be_inside() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let before = world.inject(mail("a", "1@x")).await;
    subscribe(&world, unread(&hook)).await.expect(201);
    let path = support(&format!("messages/{}", before.id));
    world.patch(&path, json!({"isRead": true})).await.expect(200);
    assert_eq!(each(&hook.collect(1).await, "changeType"), ["deleted"]);
}

#[tokio::test]
async fn only_what_passes_is_told() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let resource = format!("users/{SUPPORT}/messages?$filter=contains(subject,'order') and importance eq 'normal'");
    subscribe(&world, with(wish(&hook.url), "resource", resource))
        .await
        .expect(201);
    world.inject(mail("something else", "1@x")).await;
    let wanted = world.inject(mail("An Order", "2@x")).await;
    assert_eq!(ids(&hook.collect(1).await), [wanted.id]);
}

#[tokio::test]
async fn a_moved_message_leaves_one_window_and_enters_another() {
    let world = World::new();
    let (mut inbox, mut archive) = (
        Hook::start(&world, Manners::Echo).await,
        Hook::start(&world, Manners::Echo).await,
    );
    let arrived = world.inject(mail("a", "1@x")).await;
    subscribe(&world, unread(&inbox)).await.expect(201);
    let other = format!("users/{SUPPORT}/mailFolders/archive/messages?$filter=isRead eq false");
    subscribe(&world, with(wish(&archive.url), "resource", other))
        .await
        .expect(201);
    let path = support(&format!("messages/{}/move", arrived.id));
    let moved = world.post(&path, json!({"destinationId": "archive"})).await.expect(201);
    let left = inbox.collect(1).await;
    assert_eq!(
        (each(&left, "changeType"), ids(&left)),
        (vec!["deleted".to_owned()], vec![arrived.id])
    );
    let entered = archive.collect(1).await;
    assert_eq!(
        (each(&entered, "changeType"), ids(&entered)),
        (vec!["created".to_owned()], vec![moved.text("id").to_owned()])
    );
}

#[tokio::test]
async fn the_whole_mailbox_sees_a_move_as_deleted_and_created() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let arrived = world.inject(mail("a", "1@x")).await;
    let resource = format!("/users/{SUPPORT}/messages");
    subscribe(&world, with(wish(&hook.url), "resource", resource))
        .await
        .expect(201);
    let path = support(&format!("messages/{}/move", arrived.id));
    let moved = world.post(&path, json!({"destinationId": "archive"})).await.expect(201);
    let told = hook.collect(2).await;
    assert_eq!(each(&told, "changeType"), ["deleted", "created"]);
    assert_eq!(ids(&told), [arrived.id, moved.text("id").to_owned()]);
}

#[tokio::test]
async fn a_filter_on_what_messages_do_not_have_is_refused() {
    let world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    for filter in ["nonsense eq 1", "isRead eq", "frobnicate(subject,'x')"] {
        let resource = format!("users/{SUPPORT}/messages?$filter={filter}");
        subscribe(&world, with(wish(&hook.url), "resource", resource))
            .await
            .expect(400);
    }
}

#[tokio::test]
async fn the_same_folder_under_another_filter_is_another_subscription() {
    let world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    subscribe(&world, wish(&hook.url)).await.expect(201);
    subscribe(&world, unread(&hook)).await.expect(201);
    let spelled = format!("/users('{SUPPORT}')/mailfolders/Inbox/messages?filter=isRead  eq false");
    subscribe(&world, with(wish(&hook.url), "resource", spelled))
        .await
        .expect(409);
}
