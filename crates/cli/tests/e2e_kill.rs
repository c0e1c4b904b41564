//! The service is killed again and again while mail comes in and replies go out: nothing is lost and
//! nothing is doubled.

mod exactly_once;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use guichet_cli::{
    demo::{
        mails::customer_mail,
        processes::Launcher,
        stage::{Stage, wait_until},
    },
    failure::Failure,
};

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
    tasks.spawn(exactly_once::reply_to_all(api.clone(), REPLIES));
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
    exactly_once::check_ledger(&api, MAILS, REPLIES).await?;
    exactly_once::check_outside(&stage, REPLIES).await?;
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
