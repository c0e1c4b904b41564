//! Check: does each followed folder have a living subscription, where notifications are wanted?

use guichet_store::records::{Folder, Mailbox, Subscription};
use jiff::Timestamp;
use url::Url;

use super::{Code, DoctorContext, Problem};

pub(super) async fn check(context: &DoctorContext) -> guichet_store::Result<Vec<Problem>> {
    let Some(wanted) = &context.notification_url else {
        let evidence = "no notification address is configured";
        return Ok(vec![Problem::new(Code::NotificationsOff, "", evidence)]);
    };
    let subscriptions = context.store.subscriptions().await?;
    let mut problems = Vec::new();
    for mailbox in context.store.mailboxes().await? {
        if !mailbox.enabled {
            continue;
        }
        for folder in context.store.folders_of(mailbox.id).await? {
            // The one that lives longest counts: an older one may be left from before a restart.
            let newest = subscriptions
                .iter()
                .filter(|subscription| subscription.folder == folder.id)
                .max_by_key(|subscription| subscription.expires_at);
            problems.push(judge(&mailbox, &folder, newest, wanted, context.time.now()));
        }
    }
    Ok(problems)
}

fn judge(
    mailbox: &Mailbox,
    folder: &Folder,
    subscription: Option<&Subscription>,
    wanted: &Url,
    now: Timestamp,
) -> Problem {
    let address = mailbox.address.as_str();
    let Some(subscription) = subscription else {
        return Problem::new(Code::SubscriptionAbsent, address, "no subscription is recorded")
            .with("folder", &folder.name);
    };
    let code = if subscription.expires_at <= now {
        Code::SubscriptionExpired
    } else if leads_elsewhere(&subscription.notification_url, wanted) {
        Code::SubscriptionElsewhere
    } else {
        Code::SubscriptionOk
    };
    let evidence = format!(
        "subscription {}, made at {}, until {}",
        subscription.id, subscription.created_at, subscription.expires_at
    );
    Problem::new(code, address, evidence)
        .with("folder", &folder.name)
        .with("date", &subscription.expires_at)
        .with("actual", &subscription.notification_url)
        .with("wanted", wanted)
}

/// Paths below the public address are the service's own affair; another host is not.
fn leads_elsewhere(actual: &str, wanted: &Url) -> bool {
    Url::parse(actual).is_ok_and(|actual| actual.origin() != wanted.origin())
}
