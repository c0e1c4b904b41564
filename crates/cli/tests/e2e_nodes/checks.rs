//! What must be true in the end: the ledger has each mail once, and each reply has arrived outside once.

use std::{collections::BTreeMap, time::Duration};

use guichet_cli::{
    demo::{
        http::{Client, rows},
        stage::Stage,
    },
    failure::{Exit, Failure},
};
use serde_json::Value;

/// Longest wait for what must come. A bound, not a measurement.
const PATIENCE: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The longest pause that the program makes after repeated failures is five minutes.
const LOOKS_IN_VAIN: u32 = 720;

pub fn digits(text: &str) -> usize {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(usize::MAX)
}

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

pub async fn ledger(api: &Client, mails: usize, replies: usize) -> Result<(), Failure> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for receipt in &api.get_all("/v1/receipts").await? {
        let id = receipt["internet_message_id"].as_str().unwrap_or_default();
        if id.starts_with("customer-") {
            *seen.entry(id.to_owned()).or_default() += 1;
        }
    }
    let doubled: Vec<&String> = seen.iter().filter(|(_, n)| **n > 1).map(|(id, _)| id).collect();
    assert!(doubled.is_empty(), "received twice: {doubled:?}");
    assert_eq!(seen.len(), mails, "mails in the ledger");
    let totals = api.get("/v1/totals").await?;
    assert_eq!(totals["messages_inbound"], mails, "{totals}");
    assert_eq!(totals["messages_outbound"], replies, "{totals}");
    assert_eq!(totals["conversations"], mails, "{totals}");
    assert_eq!(totals["outbox_dead"], 0, "{totals}");
    assert_eq!(totals["quarantined"], 0, "{totals}");
    Ok(())
}

pub async fn outside(stage: &Stage, replies: usize) -> Result<(), Failure> {
    let list = stage.control.get("/outside").await?;
    let mut arrived: BTreeMap<usize, usize> = BTreeMap::new();
    for mail in &rows(&list) {
        let recipients = mail["recipients"].as_array().cloned().unwrap_or_default();
        for recipient in recipients.iter().filter_map(Value::as_str) {
            *arrived.entry(digits(recipient)).or_default() += 1;
        }
    }
    let expected: BTreeMap<usize, usize> = (0..replies).map(|number| (number, 1)).collect();
    assert_eq!(arrived, expected, "each accepted reply arrives outside exactly once");
    Ok(())
}
