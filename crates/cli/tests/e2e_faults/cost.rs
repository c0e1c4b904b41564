//! What mails cost in requests, as the tenant counts them: over the wire, and as Graph evaluates them, where each
//! call of a batch counts. The bounds stand in `docs/operations.md`.

use std::time::Duration;

use futures::future::try_join_all;
use guichet_cli::failure::Failure;
use http::Method;

use crate::world::{NEVER, OFTEN, Told, World, told};

/// How many mails are imported in place of 300.
const IMPORT_MAILS: &str = "GUICHET_IMPORT_MAILS";

/// Requests of the application on the mailboxes: over the wire, and evaluated.
#[derive(Debug)]
struct Cost {
    wire: u64,
    evaluated: u64,
}

/// Subscriptions and sign-in are paid by the day, not by the mail.
async fn cost(world: &World) -> Result<Cost, Failure> {
    let report = world.stage.control.get("/requests").await?;
    let (mut wire, mut evaluated) = (0, 0);
    for line in report["routes"].as_array().into_iter().flatten() {
        let route = line["route"].as_str().unwrap_or_default();
        let (requests, batched) = (line["requests"].as_u64(), line["in_batch"].as_u64());
        let (requests, batched) = (requests.unwrap_or_default(), batched.unwrap_or_default());
        if route.ends_with("$batch") {
            wire += requests;
        } else if route.contains("/messages") {
            wire += requests - batched;
            evaluated += requests;
        }
    }
    Ok(Cost { wire, evaluated })
}

/// Waits until nothing is asked any more: the round after a subscription's creation is not the price of a mail.
/// Then counts anew.
async fn forget(world: &World) -> Told {
    let mut before = cost(world).await?.evaluated;
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = cost(world).await?.evaluated;
        if now == before {
            break;
        }
        before = now;
    }
    let cleared = world.stage.control.send(Method::DELETE, "/requests", &[], Vec::new());
    cleared.await.map(drop)
}

fn at_most(what: &str, cost: &Cost, mails: u64, wire: f64, evaluated: f64) {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let each = |requests: u64| requests as f64 / mails as f64;
    eprintln!(
        "{what}: {:.3} / {:.3} for each mail",
        each(cost.wire),
        each(cost.evaluated)
    );
    assert!(cost.evaluated > 0, "nothing was counted");
    assert!(each(cost.wire) <= wire, "{what}: {cost:?} for {mails} mails");
    assert!(each(cost.evaluated) <= evaluated, "{what}: {cost:?} for {mails} mails");
}

/// A mail is in, marked read, and its cost counted.
async fn one_after_the_other(world: &World, mails: usize) -> Told {
    for number in 0..mails {
        world.inject_into(&world.stage.mailboxes()[0], number).await?;
        world.arrived(number + 1).await?;
        world.settled().await?;
    }
    Ok(())
}

async fn single_mails() -> Told {
    let world = World::new(NEVER).await?;
    let _service = world.stage.serve().await?;
    world.notified().await?;
    forget(&world).await?;
    one_after_the_other(&world, 5).await?;
    at_most("one at a time", &cost(&world).await?, 5, 3.0, 3.0);
    Ok(())
}

#[tokio::test]
async fn one_mail_costs_three_requests() {
    told(single_mails().await);
}

async fn ten_mails() -> Told {
    let world = World::new(NEVER).await?;
    let _service = world.stage.serve().await?;
    world.notified().await?;
    forget(&world).await?;
    let mailbox = world.stage.mailboxes()[0].clone();
    try_join_all((0..10).map(|number| world.inject_into(&mailbox, number))).await?;
    world.arrived(10).await?;
    world.settled().await?;
    at_most("ten together", &cost(&world).await?, 10, 0.6, 2.5);
    world.each_once(10).await
}

#[tokio::test]
async fn ten_mails_together_share_their_requests() {
    told(ten_mails().await);
}

/// A mailbox with a history, as many mails as one round takes several pages for; they are not marked.
async fn import() -> Told {
    let mails = std::env::var(IMPORT_MAILS)
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(300);
    let world = World::new(OFTEN).await?;
    world
        .stage
        .configure(|text| text.replace("[sync]\n", "[sync]\nmark_read = false\n"))?;
    let mailbox = world.stage.mailboxes()[0].clone();
    for number in 0..mails {
        world.inject_into(&mailbox, number).await?;
    }
    forget(&world).await?;
    let _service = world.stage.serve().await?;
    // In steps, since the patience of a test is for a few mails.
    for step in (100..=mails).step_by(100).chain([mails]) {
        world.arrived(step).await?;
    }
    at_most("import", &cost(&world).await?, mails as u64, 0.12, 1.1);
    world.each_once(mails).await
}

#[tokio::test]
async fn imported_mails_share_their_requests() {
    told(import().await);
}
