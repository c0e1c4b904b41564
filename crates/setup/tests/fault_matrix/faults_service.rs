//! The running service: its reading, its subscriptions and its work.

use guichet_domain::{SubscriptionId, round::Cursor};
use guichet_setup::doctor::Code;
use guichet_store::records::{Page, Subscription};
use jiff::SignedDuration;

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

/// The service reads the folder to its end.
async fn read(stage: &Stage) {
    let now = stage.now();
    let folder = stage.folder().await;
    let until = now + SignedDuration::from_secs(60);
    let lease = stage.store.acquire_folder(folder.id, now, until, "test").await.unwrap();
    let page = Page {
        folder: folder.id,
        mailbox: folder.mailbox,
        epoch: lease.unwrap().epoch,
        items: Vec::new(),
        steps: Vec::new(),
        cursor: Cursor::Delta("https://localhost/v1.0/delta".to_owned()),
        now,
    };
    stage.store.commit_page(page).await.unwrap();
}

/// The service subscribes, for so many hours and to this address.
async fn subscribe(stage: &Stage, hours: i64, url: &str) {
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
];
