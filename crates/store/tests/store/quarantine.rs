//! Mails that were set aside: tried again, they come in once; discarded, they do not come again.

use guichet_domain::trace::Step;
use guichet_store::{Error, Item, JobKind, LeasedJob};

use crate::fixture::{World, at, immutable, ingest, job_id, mail, set_aside};

async fn with_quarantined() -> World {
    let world = World::fresh().await;
    world
        .store
        .commit_page(world.page(vec![set_aside(1)]))
        .await
        .expect("commit");
    world
}

async fn ask(world: &World, job: u128) -> bool {
    world
        .store
        .ask_replay(&immutable(1), job_id(job), "a test", at(1100))
        .await
        .expect("asked")
}

async fn leased(world: &World) -> Vec<LeasedJob> {
    let jobs = world
        .store
        .lease_jobs(at(1100), at(1200), "node", 10)
        .await
        .expect("leased");
    assert!(
        jobs.iter()
            .all(|job| matches!(&job.kind, JobKind::Replay { immutable_id } if *immutable_id == immutable(1)))
    );
    jobs
}

async fn finish(world: &World, job: &LeasedJob, item: Item) -> Result<bool, Error> {
    world
        .store
        .finish_replay(job.id, job.epoch, World::first_mailbox(), item, at(1101))
        .await
}

#[tokio::test]
async fn a_mail_asked_for_twice_is_taken_in_once() {
    let world = with_quarantined().await;
    assert!(ask(&world, 0x71).await && ask(&world, 0x72).await);
    let jobs = leased(&world).await;
    assert_eq!(jobs.len(), 2);
    assert_eq!(finish(&world, &jobs[0], ingest(1)).await, Ok(true));
    assert_eq!(finish(&world, &jobs[1], ingest(1)).await, Ok(false));
    let totals = world.store.totals().await.expect("totals");
    assert_eq!(
        (totals.receipts, totals.quarantined, totals.messages_inbound),
        (1, 0, 1)
    );
    let receipt = world.store.receipts(None, None, 10).await.expect("receipts").remove(0);
    assert!(receipt.message.is_some() && receipt.quarantined.is_none() && receipt.mime.is_some());
    assert_eq!(leased(&world).await, [], "both jobs are done");
    world.commit(vec![mail(1)]).await;
    assert_eq!(
        world.store.totals().await.expect("totals").messages_inbound,
        1,
        "known from now on"
    );
}

#[tokio::test]
async fn a_replay_that_fails_keeps_the_mail_with_the_new_reason() {
    let world = with_quarantined().await;
    assert!(ask(&world, 0x71).await);
    let job = leased(&world).await.remove(0);
    let Item::Quarantine {
        immutable_id,
        internet_message_id,
        steps,
        ..
    } = set_aside(1)
    else {
        unreachable!()
    };
    let again = Item::Quarantine {
        immutable_id,
        internet_message_id,
        mime: None,
        size: 0,
        reason: "still broken".to_owned(),
        steps,
    };
    assert_eq!(finish(&world, &job, again).await, Ok(true));
    let receipt = world
        .store
        .quarantined_mail(&immutable(1))
        .await
        .expect("read")
        .expect("kept");
    assert_eq!(receipt.quarantined.as_deref(), Some("still broken"));
    assert_eq!(world.store.totals().await.expect("totals").quarantined, 1);
}

#[tokio::test]
async fn the_owner_of_an_old_lease_takes_nothing_in() {
    let world = with_quarantined().await;
    assert!(ask(&world, 0x71).await);
    let job = leased(&world).await.remove(0);
    let later = world
        .store
        .lease_jobs(at(1201), at(1300), "other", 10)
        .await
        .expect("leased")
        .remove(0);
    assert_eq!(finish(&world, &job, ingest(1)).await, Err(Error::Fenced));
    assert_eq!(world.store.totals().await.expect("totals").messages_inbound, 0);
    assert_eq!(finish(&world, &later, ingest(1)).await, Ok(true));
}

#[tokio::test]
async fn a_discarded_mail_does_not_come_again_and_a_late_replay_changes_nothing() {
    let world = with_quarantined().await;
    assert!(ask(&world, 0x71).await);
    let job = leased(&world).await.remove(0);
    let id = immutable(1);
    let discard = || world.store.discard_quarantined(&id, "a test", at(1100));
    assert_eq!((discard().await, discard().await), (Ok(true), Ok(false)));
    assert_eq!(finish(&world, &job, ingest(1)).await, Ok(false));
    world.commit(vec![mail(1)]).await;
    let totals = world.store.totals().await.expect("totals");
    assert_eq!(
        (totals.receipts, totals.quarantined, totals.messages_inbound),
        (1, 0, 0)
    );
    let traces = world.store.trace(immutable(1).as_str()).await.expect("trace");
    assert!(
        traces[0]
            .steps
            .iter()
            .any(|step| step.step == Step::Discarded && step.detail.contains("a test"))
    );
}

#[tokio::test]
async fn only_a_dead_job_can_be_discarded() {
    let world = with_quarantined().await;
    assert!(ask(&world, 0x71).await);
    let job = leased(&world).await.remove(0);
    let discard = || world.store.discard_job(job.id, "no use", at(1102));
    assert_eq!(discard().await, Ok(false), "it is under way");
    let dead = guichet_store::JobOutcome::Dead {
        reason: "gone".to_owned(),
    };
    world
        .store
        .finish_job(job.id, job.epoch, dead, Vec::new(), at(1101))
        .await
        .expect("given up");
    assert_eq!((discard().await, discard().await), (Ok(true), Ok(false)));
    assert_eq!(world.store.dead_jobs(10).await.expect("list"), []);
}
