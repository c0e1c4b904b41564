//! The running service: its reading, its subscriptions and its work.

use guichet_domain::{
    BlobId, ConversationId, ImmutableId, JobId, MessageId, SubscriptionId,
    loop_guard::{Author, Verdict},
    round::Cursor,
    routing::RouteDecision,
    threading::Evidence,
};
use guichet_setup::doctor::Code;
use guichet_store::{
    JobOutcome,
    records::{IngestItem, Item, MessageContent, Page, Subscription, Traffic},
};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::{
    fault::{Cure, Fault},
    stage::Stage,
};

const NOTIFICATIONS: &str = "https://guichet.contoso.example/notifications";

/// One mailbox, so that one finding is one.
async fn serve_one(stage: &mut Stage) {
    stage.desired.mailboxes.truncate(1);
    stage.apply().await;
}

/// The service reads the folder to its end and finds nothing.
async fn read(stage: &Stage) {
    take_in(stage, Vec::new()).await;
}

/// The service reads the folder to its end, with these mails.
async fn take_in(stage: &Stage, items: Vec<Item>) {
    let now = stage.now();
    let folder = stage.folder().await;
    let until = now + SignedDuration::from_secs(60);
    let lease = stage.store.acquire_folder(folder.id, now, until, "test").await.unwrap();
    let page = Page {
        folder: folder.id,
        mailbox: folder.mailbox,
        epoch: lease.unwrap().epoch,
        items,
        steps: Vec::new(),
        cursor: Cursor::Delta("https://localhost/v1.0/delta".to_owned()),
        now,
    };
    stage.store.commit_page(page).await.unwrap();
}

/// A mail that is to be marked as read.
fn mail(number: u128) -> Item {
    let id = |kind: u128| Uuid::from_u128(kind << 64 | number);
    Item::Ingest(Box::new(IngestItem {
        message: MessageId::from_uuid(id(1)),
        new_conversation: ConversationId::from_uuid(id(2)),
        immutable_id: ImmutableId::new(format!("mail-{number}")),
        internet_message_id: None,
        graph_conversation_id: None,
        received_at: jiff::Timestamp::UNIX_EPOCH,
        sent_at: None,
        content: MessageContent::default(),
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

/// The service does what waits, each job with this outcome.
async fn work(stage: &Stage, outcome: JobOutcome) {
    let now = stage.now();
    let until = now + SignedDuration::from_secs(60);
    loop {
        let jobs = stage.store.lease_jobs(now, until, "test", 100).await.unwrap();
        if jobs.is_empty() {
            return;
        }
        for job in jobs {
            let finish = stage
                .store
                .finish_job(job.id, job.epoch, outcome.clone(), Vec::new(), now);
            finish.await.unwrap();
        }
    }
}

/// The service subscribes, for so many hours and to this address.
pub(crate) async fn subscribe(stage: &Stage, hours: i64, url: &str) {
    for subscription in stage.store.subscriptions().await.unwrap() {
        stage.store.remove_subscription(&subscription.id).await.unwrap();
    }
    let now = stage.now();
    let subscription = Subscription {
        id: SubscriptionId::new("subscription-1"),
        folder: stage.folder().await.id,
        client_state: "state".to_owned(),
        notification_url: url.to_owned(),
        expires_at: now + SignedDuration::from_hours(hours),
        created_at: now,
    };
    stage.store.save_subscription(&subscription).await.unwrap();
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "service-stopped",
        how: "`guichet serve` has not read the folder for an hour.",
        code: Code::FolderBehind,
        inject: |stage| {
            Box::pin(async {
                serve_one(stage).await;
                read(stage).await;
                stage.advance(SignedDuration::from_mins(61)).await;
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { read(stage).await })),
    },
    Fault {
        name: "no-subscription",
        how: "A notification address is configured and the folder has no subscription.",
        code: Code::SubscriptionAbsent,
        inject: |stage| Box::pin(async { stage.notification_url = Some(NOTIFICATIONS.parse().unwrap()) }),
        cure: Cure::Undo(|stage| Box::pin(async { subscribe(stage, 24, NOTIFICATIONS).await })),
    },
    Fault {
        name: "subscription-not-renewed",
        how: "The subscription has expired and nobody renewed it.",
        code: Code::SubscriptionExpired,
        inject: |stage| Box::pin(async { subscribe(stage, -1, NOTIFICATIONS).await }),
        cure: Cure::Undo(|stage| Box::pin(async { subscribe(stage, 24, NOTIFICATIONS).await })),
    },
    Fault {
        name: "subscription-to-former-address",
        how: "The subscription delivers to the address from before a move.",
        code: Code::SubscriptionElsewhere,
        inject: |stage| Box::pin(async { subscribe(stage, 24, "https://former.contoso.example/notifications").await }),
        cure: Cure::Undo(|stage| Box::pin(async { subscribe(stage, 24, NOTIFICATIONS).await })),
    },
    Fault {
        name: "mailboxes-taken-out",
        how: "`mailboxes` is empty.",
        code: Code::MailboxesAbsent,
        inject: |stage| {
            Box::pin(async {
                stage.notification_url = None;
                stage.desired.mailboxes.clear();
                stage.apply().await;
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                stage.correct();
                serve_one(stage).await;
            })
        }),
    },
    Fault {
        name: "jobs-given-up",
        how: "A job of the outbox was given up; it is revived and done.",
        code: Code::OutboxDead,
        inject: |stage| {
            Box::pin(async {
                take_in(stage, vec![mail(1)]).await;
                let reason = "the mailbox is gone".to_owned();
                work(stage, JobOutcome::Dead { reason }).await;
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                for job in stage.store.dead_jobs(10).await.unwrap() {
                    assert!(stage.store.revive_job(job.id, stage.now()).await.unwrap());
                }
                work(stage, JobOutcome::Done).await;
            })
        }),
    },
    Fault {
        name: "jobs-piled-up",
        how: "More than a thousand jobs wait, and nobody does them.",
        code: Code::OutboxBacklog,
        inject: |stage| {
            Box::pin(async {
                for page in 0..11 {
                    take_in(
                        stage,
                        (0..100).map(|number| mail(1_000 + 100 * page + number)).collect(),
                    )
                    .await;
                }
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { work(stage, JobOutcome::Done).await })),
    },
    Fault {
        name: "requests-refused-for-their-number",
        how: "Microsoft answered every fifth request for a mailbox with 429 in the last hour; an hour later none.",
        code: Code::ThrottledOften,
        inject: |stage| {
            Box::pin(async {
                let mailboxes = stage.store.mailboxes().await.unwrap();
                let counts = mailboxes.iter().enumerate().map(|(at, mailbox)| Traffic {
                    graph_user: mailbox.graph_user_id.clone(),
                    requests: 200,
                    // Nine of 200 are few, and forty are not.
                    throttled: if at == 0 { 40 } else { 9 },
                });
                let counts: Vec<Traffic> = counts.collect();
                stage.store.add_traffic(&counts, stage.now()).await.unwrap();
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                stage.advance(SignedDuration::from_hours(2)).await;
                // The service went on reading.
                take_in(stage, Vec::new()).await;
            })
        }),
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_requests_of_no_mailbox_are_named_after_the_application() {
    let stage = Stage::connected().await;
    let count = Traffic {
        graph_user: String::new(),
        requests: 200,
        throttled: 40,
    };
    stage.store.add_traffic(&[count], stage.now()).await.unwrap();
    let found = stage.doctor(guichet_setup::Language::English).await;
    let said = found
        .iter()
        .find(|finding| finding.code == Code::ThrottledOften.as_str());
    let title = said.map(|finding| finding.title.as_str()).unwrap_or_default();
    let name = &stage.desired.application.name;
    assert!(title.contains(&format!("requests for {name} in")), "{found:?}");
}
