//! Customers' mails and the answers to them, and what must be true in the end: the ledger has each mail once, and
//! each accepted reply has arrived outside once.
//!
//! Shared by the tests that kill the service while mail flows.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use guichet_cli::{
    demo::{
        http::{Client, rows},
        stage::Stage,
    },
    failure::Failure,
};
use http::Method;
use serde_json::{Value, json};

/// Answers the first customers' mails. A client repeats a request until it has an answer, under the
/// same key.
pub async fn reply_to_all(api: Client, replies: usize) -> Result<(), Failure> {
    let mut accepted = BTreeSet::new();
    while accepted.len() < replies {
        tokio::time::sleep(Duration::from_millis(300)).await;
        // The service is down now and then: errors are part of the exercise.
        let Ok(conversations) = api.get_all("/v1/conversations").await else {
            continue;
        };
        for conversation in conversations {
            let number = digits(conversation["contact"]["address"].as_str().unwrap_or_default());
            if number >= replies || accepted.contains(&number) {
                continue;
            }
            let id = conversation["id"].as_str().unwrap_or_default();
            let key = format!("reply-{number}");
            let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
            let body = json!({
                "text": format!("Answer {number}"),
                "attachments": [{ "name": "a.txt", "content_type": "text/plain", "content_base64": "YQ==" }],
            });
            let path = format!("/v1/conversations/{id}/replies");
            let answer = api
                .send(Method::POST, &path, &headers, body.to_string().into_bytes())
                .await;
            if answer.is_ok_and(|answer| answer.status == 202) {
                accepted.insert(number);
            }
        }
    }
    Ok(())
}

fn digits(text: &str) -> usize {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(usize::MAX)
}

pub async fn check_ledger(api: &Client, mails: usize, replies: usize) -> Result<(), Failure> {
    let receipts = api.get_all("/v1/receipts").await?;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for receipt in &receipts {
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
    assert_eq!(
        totals["conversations"], mails,
        "each customer's mail opened one conversation: {totals}"
    );
    assert_eq!(totals["outbox_dead"], 0, "{totals}");
    assert_eq!(totals["quarantined"], 0, "{totals}");
    Ok(())
}

pub async fn check_outside(stage: &Stage, replies: usize) -> Result<(), Failure> {
    let list = stage.control.get("/outside").await?;
    let mut arrived: BTreeMap<usize, usize> = BTreeMap::new();
    for mail in rows(&list) {
        let recipients = mail["recipients"].as_array().cloned().unwrap_or_default();
        for recipient in recipients.iter().filter_map(Value::as_str) {
            *arrived.entry(digits(recipient)).or_default() += 1;
        }
        let raw = stage
            .control
            .get_bytes(&format!("/outside/{}/mime", mail["seq"]))
            .await?;
        let parsed = guichet_mime::parse(&raw);
        let names: Vec<&str> = parsed.attachments.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["a.txt"], "attachments of the answer {}", mail["seq"]);
    }
    let expected: BTreeMap<usize, usize> = (0..replies).map(|number| (number, 1)).collect();
    assert_eq!(arrived, expected, "each accepted reply arrives outside exactly once");
    Ok(())
}
