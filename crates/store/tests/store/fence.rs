//! Whoever was overtaken writes nothing.

use guichet_domain::round::Cursor;
use guichet_store::{Error, Item};

use crate::fixture::{World, at, mail};

#[tokio::test]
async fn page_under_an_old_epoch_writes_nothing() {
    let world = World::fresh().await;
    world.commit(vec![mail(1)]).await;
    let taken = world
        .store
        .acquire_folder(world.lease.folder.id, at(61), at(120), "node-b")
        .await
        .expect("acquire")
        .expect("the lease has run out");
    assert_eq!(taken.epoch, world.lease.epoch + 1);
    assert_eq!(
        taken.folder.cursor,
        world.page(Vec::new()).cursor,
        "the new owner goes on where the old one stood"
    );
    let before = world.picture().await;
    let mut late = mail(9);
    late.mark_read = true;
    let mut page = world.page(vec![Item::Ingest(Box::new(late.clone()))]);
    page.steps = late.steps.clone();
    page.cursor = Cursor::Start;
    assert_eq!(world.store.commit_page(page).await, Err(Error::Fenced));
    let moved = world
        .store
        .set_cursor(taken.folder.id, world.lease.epoch, Cursor::Start, at(62))
        .await;
    assert_eq!(moved, Err(Error::Fenced));
    assert_eq!(world.picture().await, before);
    // Control: the same page under the new epoch is written.
    let owner = World { lease: taken, ..world };
    owner.commit(vec![late]).await;
    assert_ne!(owner.picture().await, before);
}

#[tokio::test]
async fn folder_has_one_owner_until_its_lease_ends_or_is_given_back() {
    let world = World::fresh().await;
    let folder = world.lease.folder.id;
    let acquire = async |now, owner: &str| {
        let lease = world.store.acquire_folder(folder, at(now), at(now + 60), owner).await;
        lease.expect("acquire").map(|l| l.epoch)
    };
    assert_eq!(acquire(59, "node-b").await, None, "held until second 60");
    assert_eq!(acquire(59, "node-a").await, Some(2), "a former life of the same node");
    world
        .store
        .release_folder(folder, 1)
        .await
        .expect("release of an old epoch");
    assert_eq!(acquire(60, "node-b").await, None, "the old epoch released nothing");
    world.store.release_folder(folder, 2).await.expect("release");
    assert_eq!(acquire(61, "node-b").await, Some(3));
    assert_eq!(acquire(121, "node-a").await, Some(4), "run out");
}

#[tokio::test]
async fn cursor_goes_back_to_the_start_for_a_new_baseline() {
    let world = World::fresh().await;
    world.commit(vec![mail(1)]).await;
    let (folder, epoch) = (world.lease.folder.id, world.lease.epoch);
    world
        .store
        .set_cursor(folder, epoch, Cursor::Start, at(5))
        .await
        .expect("set");
    let folder = world.store.folders_of(world.mailbox).await.expect("folders").remove(0);
    assert_eq!((folder.cursor, folder.synced_at), (Cursor::Start, Some(at(0))));
    assert_eq!(
        world.commit(vec![mail(1)]).await.known,
        1,
        "receipts outlive the cursor"
    );
}

#[tokio::test]
async fn turn_is_one_owners_until_it_ends() {
    let world = World::fresh().await;
    let store = &world.store;
    let take = |owner: &'static str, now, until| store.take_turn("look", owner, at(now), at(until));
    assert_eq!(take("a", 0, 60).await, Ok(true));
    assert_eq!(take("b", 59, 99).await, Ok(false));
    assert_eq!(take("a", 59, 90).await, Ok(true), "its owner may prolong it");
    assert_eq!(take("b", 90, 150).await, Ok(true), "it is over");
    assert_eq!(take("a", 91, 150).await, Ok(false));
    store.end_turn("look", "a").await.expect("nothing to end");
    assert_eq!(take("a", 91, 150).await, Ok(false), "it was not its own");
    store.end_turn("look", "b").await.expect("end");
    assert_eq!(take("a", 91, 150).await, Ok(true));
    store.release_owner("a", at(92)).await.expect("release");
    assert_eq!(take("b", 92, 150).await, Ok(true));
}
