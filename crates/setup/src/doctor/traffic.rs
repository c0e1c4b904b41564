//! Check: does Microsoft refuse many requests for their number?
//!
//! A running service records what it sends. Single refusals are usual and waited out; many mean that mail comes late.

use guichet_store::records::{Integration, Traffic};
use jiff::SignedDuration;

use super::{Code, DoctorContext, Problem, mailboxes::served};

/// With the hour before, so that the first minutes of an hour do not look like silence.
const BACK: SignedDuration = SignedDuration::from_hours(1);
/// Fewer are chance.
const AT_LEAST: i64 = 20;
/// One in so many requests.
const ONE_IN: i64 = 20;

pub(super) async fn check(context: &DoctorContext, integration: &Integration) -> guichet_store::Result<Vec<Problem>> {
    let mailboxes = served(context, integration).await?;
    let counted = context.store.traffic(context.time.now() - BACK).await?;
    let often = |count: &&Traffic| count.throttled >= AT_LEAST && count.throttled * ONE_IN >= count.requests;
    let problem = |count: &Traffic| {
        let subject = match mailboxes
            .iter()
            .find(|mailbox| mailbox.graph_user_id == count.graph_user)
        {
            Some(mailbox) => mailbox.address.as_str(),
            // Those of no mailbox, such as about subscriptions, are the application's.
            None if count.graph_user.is_empty() => integration.application_name.as_str(),
            None => count.graph_user.as_str(),
        };
        let evidence = format!(
            "{} of {} requests since the hour before were answered 429",
            count.throttled, count.requests
        );
        Problem::new(Code::ThrottledOften, subject, evidence)
            .with("throttled", &count.throttled)
            .with("requests", &count.requests)
    };
    Ok(counted.iter().filter(often).map(problem).collect())
}
