//! The service is killed again and again while mail comes in and replies go out: nothing is lost and
//! nothing is doubled.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use guichet_cli::{
    demo::{
        http::{Client, rows},
        mails::customer_mail,
        processes::Launcher,
        stage::{Stage, wait_until},
    },
    failure::Failure,
};
use http::Method;
use serde_json::{Value, json};

const MAILS: usize = 500;
const REPLIES: usize = 30;
const KILLS: u64 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_kills_lose_and_double_nothing() {
    guichet_net::install_tls_provider();
    if let Err(failure) = story().await {
        panic!("{}\n{}", failure.title, failure.fix);
    }
}

async fn story() -> Result<(), Failure> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let launcher = Launcher::new(PathBuf::from(env!("CARGO_BIN_EXE_guichet")), dir.path());
    let stage = Arc::new(Stage::set(launcher, 2).await?);
    let api = stage.api()?;
    let injected = Arc::new(AtomicBool::new(false));

    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(inject_all(stage.clone(), injected.clone()));
    tasks.spawn(reply_to_all(api.clone()));
    for kill in 0..KILLS {
        let service = stage.serve().await?;
        // Moments spread over start, import, notification and delivery; the same in every run.
        let pause = Duration::from_millis(40 + (kill * 7919) % 1400);
        tokio::time::sleep(pause).await;
        service.kill().await?;
    }
    let service = stage.serve().await?;
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no task panics")?;
    }
    assert!(injected.load(Ordering::SeqCst));

    wait_until("every mail and every reply", || async {
        let totals = api.get("/v1/totals").await?;
        let done = totals["messages_inbound"].as_u64() >= Some(MAILS as u64) && totals["outbox_pending"] == 0;
        Ok(done.then_some(()))
    })
    .await?;
    check_ledger(&api).await?;
    check_outside(&stage).await?;
    drop(service);
    Ok(())
}

async fn inject_all(stage: Arc<Stage>, injected: Arc<AtomicBool>) -> Result<(), Failure> {
    let mailboxes = stage.mailboxes();
    for number in 0..MAILS {
        let mailbox = &mailboxes[number % mailboxes.len()];
        stage
            .inject(mailbox, customer_mail(number, mailbox, &format!("Parcel {number}")))
            .await?;
        // Spread over the kills, in bursts of different sizes.
        if number % 7 == 0 {
            tokio::time::sleep(Duration::from_millis(350)).await;
        }
    }
    injected.store(true, Ordering::SeqCst);
    Ok(())
}

/// Answers the first customers' mails. A client repeats a request until it has an answer, under the
/// same key.
async fn reply_to_all(api: Client) -> Result<(), Failure> {
    let mut accepted = BTreeSet::new();
    while accepted.len() < REPLIES {
        tokio::time::sleep(Duration::from_millis(300)).await;
        // The service is down half of the time: errors are part of the exercise.
        let Ok(conversations) = api.get_all("/v1/conversations").await else {
            continue;
        };
        for conversation in conversations {
            let address = conversation["contact"]["address"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let number: usize = digits(&address);
            if number >= REPLIES || accepted.contains(&number) {
                continue;
            }
            let path = format!(
                "/v1/conversations/{}/replies",
                conversation["id"].as_str().unwrap_or_default()
            );
            let key = format!("reply-{number}");
            let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
            let body = json!({
                "text": format!("Answer {number}"),
                "attachments": [{ "name": "a.txt", "content_type": "text/plain", "content_base64": "YQ==" }],
            });
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

async fn check_ledger(api: &Client) -> Result<(), Failure> {
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
    assert_eq!(seen.len(), MAILS, "mails in the ledger");

    let totals = api.get("/v1/totals").await?;
    assert_eq!(totals["messages_inbound"], MAILS, "{totals}");
    assert_eq!(totals["messages_outbound"], REPLIES, "{totals}");
    assert_eq!(
        totals["conversations"], MAILS,
        "each customer's mail opened one conversation: {totals}"
    );
    assert_eq!(totals["outbox_dead"], 0, "{totals}");
    assert_eq!(totals["quarantined"], 0, "{totals}");
    Ok(())
}

async fn check_outside(stage: &Stage) -> Result<(), Failure> {
    let list = stage.control.get("/outside").await?;
    let mails = rows(&list);
    let mut arrived: BTreeMap<usize, usize> = BTreeMap::new();
    for mail in &mails {
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
    let expected: BTreeMap<usize, usize> = (0..REPLIES).map(|number| (number, 1)).collect();
    assert_eq!(arrived, expected, "each accepted reply arrives outside exactly once");
    Ok(())
}
