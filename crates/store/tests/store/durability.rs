//! What was acknowledged is there after a reopening, however the store ended.

use std::{fs, path::Path};

use guichet_store::{Error, Item};

use crate::{
    backend::{self, open},
    fixture::{World, immutable, mail},
};

#[tokio::test]
async fn everything_survives_a_close_and_a_drop() {
    let directory = tempfile::tempdir().expect("directory");
    let world = World::over(open(directory.path()).await).await;
    world.commit(vec![mail(1)]).await;
    let before = world.picture().await;
    world.store.clone().close().await;
    assert!(
        !directory.path().join("guichet.db-wal").exists(),
        "a clean end leaves no log behind"
    );
    let (mailbox, lease) = (world.mailbox, world.lease.clone());
    let world = World {
        store: open(directory.path()).await,
        mailbox,
        lease,
    };
    assert_eq!(world.picture().await, before);
    world.commit(vec![mail(2)]).await;
    let before = world.picture().await;
    let World { store, mailbox, lease } = world;
    drop(store);
    let world = World {
        store: open(directory.path()).await,
        mailbox,
        lease,
    };
    assert_eq!(world.picture().await, before);
}

#[tokio::test]
async fn closed_store_says_so_to_every_clone() {
    let directory = tempfile::tempdir().expect("directory");
    for store in [open(directory.path()).await, backend::fresh().await] {
        store.clone().close().await;
        assert_eq!(store.check().await, Err(Error::Closed));
        assert_eq!(store.last_event().await, Err(Error::Closed));
        store.close().await;
    }
}

/// Copies the files as a power cut would leave them, while pages are being written.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copy_taken_mid_write_holds_whole_pages_and_every_acknowledged_one() {
    let directory = tempfile::tempdir().expect("directory");
    let world = World::over(open(directory.path()).await).await;
    // A checkpoint moves pages out of the log and starts it anew; files copied before and after it do
    // not belong together, as no power cut could leave them. An open read keeps the log from restarting.
    let reader = rusqlite::Connection::open(directory.path().join("guichet.db")).expect("open");
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM receipt;")
        .expect("read");
    for round in 0..5u128 {
        let acknowledged = world.store.totals().await.expect("totals").receipts;
        let first = 1 + round * 40;
        let writes = (0..10).map(|page| world.commit((0..4).map(|n| mail(first + page * 4 + n)).collect()));
        let copied = tempfile::tempdir().expect("directory");
        let (from, to) = (directory.path().to_owned(), copied.path().to_owned());
        let copy = tokio::task::spawn_blocking(move || snapshot(&from, &to));
        futures::future::join_all(writes).await;
        copy.await.expect("copied");
        let store = open(copied.path()).await;
        let found = store.receipts(None, None, 1000).await.expect("list");
        let count = i64::try_from(found.len()).expect("small");
        assert!(count >= acknowledged, "{count} of {acknowledged} acknowledged");
        assert_eq!(count % 4, 0, "a page is there whole or not at all");
        let totals = store.totals().await.expect("totals");
        assert_eq!((totals.receipts, totals.messages_inbound), (count, count));
        store.close().await;
    }
    drop(reader);
    let known: Vec<_> = (1..=200).map(immutable).collect();
    assert_eq!(
        world
            .store
            .known_receipts(world.mailbox, &known)
            .await
            .expect("read")
            .len(),
        200
    );
    world.store.close().await;
}

fn snapshot(from: &Path, to: &Path) {
    for name in ["guichet.db", "guichet.db-wal"] {
        fs::copy(from.join(name), to.join(name)).expect("copy");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watcher_wakes_for_committed_events_only() {
    let directory = tempfile::tempdir().expect("directory");
    let world = World::over(open(directory.path()).await).await;
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
    let again = open(directory.path()).await;
    assert_eq!(*again.watch_events().borrow(), seen);
}
