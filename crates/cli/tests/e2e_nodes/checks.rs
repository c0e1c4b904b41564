//! Waits for what the nodes must have done, while they die.

use std::time::Duration;

use guichet_cli::{
    demo::http::Client,
    failure::{Exit, Failure},
};
use serde_json::Value;

/// Longest wait for what must come. A bound, not a measurement.
const PATIENCE: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The longest pause that the program makes after repeated failures is five minutes.
const LOOKS_IN_VAIN: u32 = 720;

/// Waits until the mail of this customer is in the ledger. Nodes die meanwhile: errors are part of it.
pub async fn arrived(api: &Client, number: usize) -> Result<(), Failure> {
    let path = format!("/v1/trace/customer-{number}@fabrikam.example");
    let looking = async {
        while !api
            .get(&path)
            .await
            .is_ok_and(|trace| trace.to_string().contains("committed"))
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, looking).await.is_ok() {
        return Ok(());
    }
    let (trace, totals, mailboxes) = tokio::join!(api.get(&path), api.get("/v1/totals"), api.get("/v1/mailboxes"));
    let title = format!("customer {number} waited in vain: {trace:?}\n{totals:?}\n{mailboxes:?}");
    Err(Failure::new(Exit::NotRight, title, "see the logs"))
}

/// Waits until everything is in and out, as long as there is progress.
pub async fn settled(api: &Client, mails: usize) -> Result<(), Failure> {
    let mut last = Value::Null;
    let mut looks_without_change = 0;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Ok(totals) = api.get("/v1/totals").await else {
            continue;
        };
        let all = totals["messages_inbound"].as_u64() >= u64::try_from(mails).ok();
        if all && totals["outbox_pending"] == 0 {
            return Ok(());
        }
        looks_without_change = if totals == last { looks_without_change + 1 } else { 0 };
        if looks_without_change == LOOKS_IN_VAIN {
            let title = format!("nothing moves any more before {mails} mails are in: {last}");
            return Err(Failure::new(Exit::NotRight, title, "see the logs"));
        }
        last = totals;
    }
}
