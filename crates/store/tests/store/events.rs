//! One total order, and a wake-up that never runs ahead.

use guichet_store::Item;

use crate::fixture::{World, mail};

#[tokio::test]
async fn numbers_have_no_gap_and_follow_the_commits() {
    let world = World::in_memory().await;
    world.commit(vec![mail(1), mail(2)]).await;
    world.commit(vec![mail(3)]).await;
    let events = world.store.events_after(0, 100).await.expect("events");
    assert_eq!(
        events.iter().map(|e| e.seq).collect::<Vec<_>>(),
        (1..=6).collect::<Vec<_>>()
    );
    assert_eq!(world.store.last_event().await, Ok(6));
    let rest = world.store.events_after(4, 1).await.expect("events");
    assert_eq!(rest.iter().map(|e| e.seq).collect::<Vec<_>>(), [5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watcher_wakes_for_committed_events_only() {
    let directory = tempfile::tempdir().expect("directory");
    let world = World::on_disk(directory.path()).await;
    let mut watch = world.store.watch_events();
    assert_eq!(*watch.borrow_and_update(), 0);
    let mut stale = world.page(vec![Item::Ingest(Box::new(mail(9)))]);
    stale.epoch += 1;
    world.store.commit_page(stale).await.expect_err("fenced");
    assert!(!watch.has_changed().expect("store lives"), "nothing was committed");
    world.commit(vec![mail(1)]).await;
    assert!(watch.has_changed().expect("store lives"));
    let seen = *watch.borrow_and_update();
    let events = world.store.events_after(0, 100).await.expect("events");
    assert_eq!(events.last().map(|e| e.seq), Some(seen));
    world.store.clone().close().await;
    // A new process knows where it stands before anything happens.
    let again = crate::fixture::open(directory.path()).await;
    assert_eq!(*again.watch_events().borrow(), seen);
}
