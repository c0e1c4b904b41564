//! Jobs: who works on them, what survives, how they end.

use guichet_domain::{ImmutableId, event::EventKind, reply::Progress, trace::Step};
use guichet_store::{Error, JobKind, JobOutcome, LeasedJob, TraceStep};

use crate::fixture::{World, add_folder, add_mailbox, at, conversation_id, immutable, job_id, mail, message_id, reply};

async fn lease(world: &World, now: i64, owner: &str, limit: u32) -> Vec<LeasedJob> {
    let leased = world.store.lease_jobs(at(now), at(now + 30), owner, limit).await;
    leased.expect("lease")
}

async fn with_reply() -> World {
    let world = World::fresh().await;
    world.commit(vec![mail(1)]).await;
    world.accept(reply(1, conversation_id(1), "k")).await;
    world
}

fn step(detail: &str) -> TraceStep {
    TraceStep {
        mailbox: World::first_mailbox(),
        immutable_id: immutable(1),
        at: at(1001),
        step: Step::ReplyDrafted,
        detail: detail.to_owned(),
    }
}

#[tokio::test]
async fn job_has_one_owner_and_is_taken_over_when_the_lease_ends() {
    let world = with_reply().await;
    assert_eq!(lease(&world, 999, "a", 10).await, [], "not due yet");
    let first = lease(&world, 1000, "a", 10).await.remove(0);
    assert_eq!((first.attempts, first.epoch), (1, 1));
    assert_eq!(lease(&world, 1029, "b", 10).await, []);
    assert_eq!(world.store.next_job_due().await, Ok(Some(at(1030))));
    let begun = Progress {
        draft_begun: true,
        draft: Some(ImmutableId::new("draft")),
        send_begun: false,
        ..Progress::default()
    };
    let saved = world
        .store
        .save_progress(first.id, first.epoch, &begun, vec![step("begun")])
        .await;
    assert_eq!(saved, Ok(()));
    let second = lease(&world, 1030, "b", 10).await.remove(0);
    assert_eq!((second.attempts, second.epoch), (2, 2));
    assert_eq!(
        second.progress, begun,
        "the next owner knows how far the first one came"
    );
    // The first owner wakes up and can do nothing.
    let before = world.picture().await;
    let late = Progress::default();
    let fenced = Err(Error::Fenced);
    let (id, epoch) = (first.id, first.epoch);
    assert_eq!(
        world.store.save_progress(id, epoch, &late, vec![step("late")]).await,
        fenced
    );
    for outcome in [
        JobOutcome::Done,
        JobOutcome::Retry {
            at: at(1),
            reason: "late".to_owned(),
        },
        JobOutcome::Dead {
            reason: "late".to_owned(),
        },
    ] {
        let done = world
            .store
            .finish_job(id, epoch, outcome, vec![step("late")], at(1031))
            .await;
        assert_eq!(done, fenced);
    }
    assert_eq!(world.picture().await, before);
    assert_eq!(lease(&world, 1060, "c", 10).await.remove(0).progress, begun);
}

#[tokio::test]
async fn failed_attempt_is_repeated_at_its_time() {
    let world = with_reply().await;
    let job = lease(&world, 1000, "a", 1).await.remove(0);
    let retry = JobOutcome::Retry {
        at: at(1500),
        reason: "503".to_owned(),
    };
    world
        .store
        .finish_job(job.id, job.epoch, retry, vec![step("503")], at(1001))
        .await
        .expect("retry");
    assert_eq!(lease(&world, 1499, "a", 1).await, []);
    assert_eq!(world.store.next_job_due().await, Ok(Some(at(1500))));
    assert_eq!(lease(&world, 1500, "a", 1).await.remove(0).attempts, 2);
}

#[tokio::test]
async fn reply_that_is_given_up_fails_visibly_and_can_be_revived() {
    let world = with_reply().await;
    let job = lease(&world, 1000, "a", 1).await.remove(0);
    let progress = Progress {
        draft_begun: true,
        ..Progress::default()
    };
    world
        .store
        .save_progress(job.id, job.epoch, &progress, Vec::new())
        .await
        .expect("save");
    let dead = JobOutcome::Dead {
        reason: "the mailbox is gone".to_owned(),
    };
    world
        .store
        .finish_job(job.id, job.epoch, dead, Vec::new(), at(1002))
        .await
        .expect("dead");
    let failed = world.message(0x9001).await;
    assert_eq!(
        (failed.state.as_str(), failed.state_reason.as_str()),
        ("failed", "the mailbox is gone")
    );
    let last = world.store.events_after(0, 100).await.expect("events").pop();
    assert_eq!(last.map(|e| e.kind), Some(EventKind::ReplyFailed));
    let letters = world.store.dead_jobs(10).await.expect("list");
    assert_eq!(
        (letters[0].id, letters[0].died_at, letters[0].attempts),
        (job.id, at(1002), 1)
    );
    let totals = world.store.totals().await.expect("totals");
    assert_eq!((totals.outbox_pending, totals.outbox_dead), (0, 1));
    assert_eq!(lease(&world, 9000, "a", 1).await, []);
    assert_eq!(world.store.next_job_due().await, Ok(None));

    assert_eq!(world.store.revive_job(job_id(4711), at(5000)).await, Ok(false));
    assert_eq!(world.store.revive_job(job.id, at(5000)).await, Ok(true));
    assert_eq!(world.store.revive_job(job.id, at(5000)).await, Ok(false));
    let again = lease(&world, 5000, "a", 1).await.remove(0);
    assert_eq!((again.attempts, again.deadline), (1, at(5000 + 3600)));
    assert_eq!(again.progress, progress);
    assert_eq!(world.message(0x9001).await.state, "queued");
    assert!(world.store.dead_jobs(10).await.expect("list").is_empty());
}

#[tokio::test]
async fn mark_read_ends_with_done_but_a_reply_does_not() {
    let world = with_reply().await;
    let mut item = mail(2);
    item.mark_read = true;
    world.commit(vec![item]).await;
    let jobs = lease(&world, 1000, "a", 10).await;
    assert!(matches!(jobs[0].kind, JobKind::SendReply { message, .. } if message == message_id(0x9001)));
    assert!(matches!(&jobs[1].kind, JobKind::MarkRead { immutable_id } if *immutable_id == immutable(2)));
    let done = |job: &LeasedJob| {
        world
            .store
            .finish_job(job.id, job.epoch, JobOutcome::Done, Vec::new(), at(1001))
    };
    assert_eq!(done(&jobs[1]).await, Ok(()));
    assert!(matches!(done(&jobs[0]).await, Err(Error::Invalid(_))));
    assert_eq!(
        world.store.totals().await.expect("totals").outbox_pending,
        1,
        "the reply's job is still there"
    );
}

#[tokio::test]
async fn busy_mailbox_does_not_keep_the_others_waiting() {
    let world = World::fresh().await;
    let marked = |n| {
        let mut item = mail(n);
        item.mark_read = true;
        item
    };
    world.commit((1..=50).map(marked).collect()).await;
    let mailbox = add_mailbox(&world.store, 2, "sales@contoso.example").await;
    let lease_2 = add_folder(&world.store, mailbox, 2).await;
    let other = World {
        store: world.store.clone(),
        mailbox,
        lease: lease_2,
    };
    other.commit((61..=62).map(marked).collect()).await;
    let taken = lease(&world, 10, "a", 6).await;
    assert_eq!(taken.len(), 6);
    assert_eq!(taken.iter().filter(|j| j.mailbox == mailbox).count(), 2);
    // With one mailbox left, its jobs use the whole limit.
    assert_eq!(lease(&world, 10, "a", 6).await.len(), 6);
}
