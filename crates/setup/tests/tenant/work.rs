//! The doctor on work that is stuck.

use guichet_domain::{
    BlobId, ConversationId, ImmutableId, JobId, MessageId,
    loop_guard::{Author, Verdict},
    round::Cursor,
    routing::RouteDecision,
    threading::Evidence,
};
use guichet_graph::Time;
use guichet_setup::doctor::Code;
use guichet_store::{
    JobOutcome,
    records::{IngestItem, Item, Page},
};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::world::{World, desired};

/// A world with one mailbox whose folder was read to its end, with these items.
async fn having_read(items: Vec<Item>) -> World {
    let world = World::new().await;
    let one = desired(|json| json["mailboxes"] = serde_json::json!(["support@contoso.example"]));
    world.apply(&one).await.unwrap();
    let now = world.time.now();
    let folder = world.store.folders().await.unwrap().remove(0);
    let until = now + SignedDuration::from_secs(60);
    let lease = world.store.acquire_folder(folder.id, now, until, "test").await.unwrap();
    let epoch = lease.unwrap().epoch;
    for items in in_pages(items) {
        let page = Page {
            folder: folder.id,
            mailbox: folder.mailbox,
            epoch,
            items,
            steps: Vec::new(),
            cursor: Cursor::Delta("https://graph.contoso.example/delta".to_owned()),
            now,
        };
        world.store.commit_page(page).await.unwrap();
    }
    world
}

/// One page at least; a page is bounded.
fn in_pages(items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut pages = vec![Vec::new()];
    for item in items {
        if pages.last().unwrap().len() == 100 {
            pages.push(Vec::new());
        }
        pages.last_mut().unwrap().push(item);
    }
    pages
}

async fn troubles(world: &World) -> Vec<(Code, String)> {
    let mut context = world.doctor();
    context.desired = None;
    let problems = world.troubles(&context).await;
    problems
        .into_iter()
        .map(|problem| (problem.code, problem.evidence))
        .collect()
}

fn to_mark_read(number: u128) -> Item {
    let id = |kind: u128| Uuid::from_u128(kind << 64 | number);
    Item::Ingest(Box::new(IngestItem {
        message: MessageId::from_uuid(id(1)),
        new_conversation: ConversationId::from_uuid(id(2)),
        immutable_id: ImmutableId::new(format!("mail-{number}")),
        internet_message_id: None,
        graph_conversation_id: None,
        received_at: jiff::Timestamp::UNIX_EPOCH,
        sent_at: None,
        content: guichet_store::records::MessageContent::default(),
        threading: Evidence::default(),
        verdict: Verdict {
            author: Author::Person,
            may_auto_answer: true,
            reasons: Vec::new(),
        },
        route: RouteDecision {
            route: None,
            queue: "default".to_owned(),
            priority: 5,
            threading_window_days: 30,
            reason: "test".to_owned(),
        },
        mime: BlobId::new("0".repeat(64)),
        size: 1,
        attachments: Vec::new(),
        mark_read: true,
        mark_read_job: JobId::from_uuid(id(3)),
        steps: Vec::new(),
    }))
}

#[tokio::test]
async fn a_folder_that_is_not_read_for_an_hour_is_behind() {
    let world = having_read(Vec::new()).await;
    world.time.advance(SignedDuration::from_mins(59));
    assert_eq!(troubles(&world).await, []);
    world.time.advance(SignedDuration::from_mins(2));
    assert_eq!(troubles(&world).await[0].0, Code::FolderBehind);
}

#[tokio::test]
async fn a_mail_in_quarantine_is_shown_with_its_reason() {
    let item = Item::Quarantine {
        immutable_id: ImmutableId::new("mail-1"),
        internet_message_id: None,
        mime: None,
        size: 0,
        reason: "too deep".to_owned(),
        steps: Vec::new(),
    };
    let world = having_read(vec![item]).await;
    assert_eq!(
        troubles(&world).await,
        [(Code::QuarantinePresent, "mail-1: too deep".to_owned())]
    );
}

#[tokio::test]
async fn a_job_that_was_given_up_is_shown_with_its_reason() {
    let world = having_read(vec![to_mark_read(1)]).await;
    assert_eq!(troubles(&world).await, []);
    let now = world.time.now();
    let until = now + SignedDuration::from_secs(60);
    let job = world.store.lease_jobs(now, until, "test", 1).await.unwrap().remove(0);
    let outcome = JobOutcome::Dead {
        reason: "the mailbox is gone".to_owned(),
    };
    world
        .store
        .finish_job(job.id, job.epoch, outcome, Vec::new(), now)
        .await
        .unwrap();
    let (code, evidence) = troubles(&world).await.remove(0);
    assert_eq!(code, Code::OutboxDead);
    assert!(
        evidence.contains("mail-1") && evidence.contains("the mailbox is gone"),
        "{evidence}"
    );
}

#[tokio::test]
async fn a_thousand_waiting_jobs_are_usual_and_more_are_not() {
    let at_the_bound = having_read((0..1_000).map(to_mark_read).collect()).await;
    assert_eq!(troubles(&at_the_bound).await, []);
    let above = having_read((0..1_001).map(to_mark_read).collect()).await;
    assert_eq!(troubles(&above).await[0].0, Code::OutboxBacklog);
}
