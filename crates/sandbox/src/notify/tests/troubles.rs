//! Endpoints that hang, refuse for hours, are slow, move or vanish, and what becomes of notifications then.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::receiver::{Hook, Manners, each, ids, mishap, subscribe, tune, until, until_logged, wish, with};
use crate::mail::tests::world::{World, mail, support};

async fn watched(world: &World) -> (Hook, String) {
    let hook = Hook::start(world, Manners::Echo).await;
    let made = subscribe(world, wish(&hook.url)).await.expect(201);
    (hook, format!("/subscriptions/{}", made.text("id")))
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_asked_again() {
    let world = World::new();
    let (mut hook, _) = watched(&world).await;
    tune(&world, |tuning| tuning.delivery_timeout_milliseconds = 100);
    hook.answer(0);
    let sent = world.inject(mail("a", "1@x")).await;
    hook.next().await;
    until_logged(&world, "the attempt times out", |one| {
        one["error"] == "no answer in time"
    })
    .await;
    tune(&world, |tuning| tuning.delivery_timeout_milliseconds = 10_000);
    hook.answer(202);
    world.advance(5);
    assert_eq!(ids(&hook.next().await), [sent.id]);
}

#[tokio::test]
async fn an_endpoint_that_drips_or_closes_is_asked_again() {
    let world = World::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (mut hook, path) = watched(&world).await;
    let (count, mut counted) = tokio::sync::mpsc::unbounded_channel();
    world.tasks.spawn(async move {
        // Echoes the token, then closes, then drips, then takes it.
        for number in 0..4 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 64 * 1024];
            let read = stream.read(&mut head).await.unwrap();
            let text = String::from_utf8_lossy(&head[..read]).into_owned();
            match number {
                0 => {
                    let query = text.split_whitespace().nth(1).unwrap().split_once('?').unwrap().1;
                    let pairs = crate::server::paths::query_pairs(query);
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{}",
                        pairs[0].1.len(),
                        pairs[0].1
                    );
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
                1 => drop(stream),
                2 => {
                    // The head never ends.
                    let mut alive = stream.write_all(b"HTTP/1.1 202 Accepted\r\n").await.is_ok();
                    while alive {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        alive = stream.write_all(b"x: y\r\n").await.is_ok();
                    }
                }
                _ => {
                    let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(answer).await.unwrap();
                    while stream.read(&mut head).await.is_ok_and(|more| more > 0) {}
                }
            }
            count.send(number).unwrap();
        }
    });
    world.patch(&path, json!({"notificationUrl": url})).await.expect(200);
    tune(&world, |tuning| tuning.delivery_timeout_milliseconds = 300);
    world.inject(mail("a", "1@x")).await;
    for expected in 0..4 {
        let reached = async {
            loop {
                tokio::select! {
                    number = counted.recv() => return number.unwrap(),
                    () = tokio::time::sleep(Duration::from_millis(20)) => world.advance(5),
                }
            }
        };
        assert_eq!(reached.await, expected);
    }
    until_logged(&world, "it is delivered", |one| one["status"] == 202).await;
    assert!(hook.is_silent());
}

#[tokio::test]
async fn what_is_given_up_after_hours_is_told_as_missed() {
    let world = World::new();
    tune(&world, |tuning| tuning.authorization_minutes = 0);
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let mut lifecycle = Hook::start(&world, Manners::Echo).await;
    let wish = with(wish(&hook.url), "lifecycleNotificationUrl", lifecycle.url.clone());
    let made = subscribe(&world, wish).await.expect(201);
    hook.answer(500);
    world.inject(mail("lost", "1@x")).await;
    hook.next().await;
    for _ in 0..4 {
        world.advance(3_600);
        hook.next().await;
    }
    world.advance(601);
    let told = lifecycle.next().await;
    assert_eq!(each(&told, "lifecycleEvent"), ["missed"]);
    assert_eq!(told[0]["subscriptionId"], made.text("id"));
    hook.answer(202);
    let next = world.inject(mail("b", "2@x")).await;
    loop {
        let told = ids(&hook.next().await);
        if told == [next.id.clone()] {
            break;
        }
    }
}

#[tokio::test]
async fn a_deleted_subscription_is_not_told_what_waits() {
    let world = World::new();
    let (mut hook, path) = watched(&world).await;
    hook.answer(503);
    world.inject(mail("a", "1@x")).await;
    hook.next().await;
    until_logged(&world, "the attempt fails", |one| one["status"] == 503).await;
    world.delete(&path).await.expect(204);
    hook.answer(202);
    world.advance(3_600);
    let made = subscribe(&world, wish(&hook.url)).await.expect(201);
    let next = world.inject(mail("b", "2@x")).await;
    let told = hook.next().await;
    assert_eq!(
        (ids(&told), each(&told, "subscriptionId")),
        (vec![next.id], vec![made.text("id").to_owned()])
    );
}

#[tokio::test]
async fn what_waits_follows_the_subscription_to_its_new_endpoint() {
    let world = World::new();
    let (mut hook, path) = watched(&world).await;
    let mut other = Hook::start(&world, Manners::Echo).await;
    hook.answer(503);
    let sent = world.inject(mail("a", "1@x")).await;
    hook.next().await;
    until_logged(&world, "the attempt fails", |one| one["status"] == 503).await;
    world
        .patch(&path, json!({"notificationUrl": other.url}))
        .await
        .expect(200);
    world.advance(5);
    assert_eq!(ids(&other.next().await), [sent.id]);
    assert!(hook.is_silent());
}

#[tokio::test]
async fn thousands_of_changes_arrive_in_order_and_share_requests() {
    let world = World::new();
    let (mut hook, _) = watched(&world).await;
    let arrived = world.inject(mail("a", "1@x")).await;
    let path = support(&format!("messages/{}", arrived.id));
    let mut etags = Vec::new();
    for number in 0..3_000 {
        let changed = world.patch(&path, json!({"categories": [number.to_string()]})).await;
        etags.push(changed.expect(200).text("@odata.etag").to_owned());
    }
    let (mut told, mut requests) = (Vec::new(), 0);
    while told.len() < 3_001 {
        told.extend(hook.next().await);
        requests += 1;
    }
    let seen: Vec<&str> = told[1..]
        .iter()
        .map(|one| one["resourceData"]["@odata.etag"].as_str().unwrap())
        .collect();
    assert_eq!(seen, etags);
    assert!(requests < 3_001, "{requests}");
}

#[tokio::test]
async fn a_full_queue_drops_the_newest_and_says_missed() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let mut lifecycle = Hook::start(&world, Manners::Echo).await;
    let wish = with(wish(&hook.url), "lifecycleNotificationUrl", lifecycle.url.clone());
    subscribe(&world, wish).await.expect(201);
    hook.answer(503);
    let first = world.inject(mail("first", "0@x")).await;
    hook.next().await;
    mishap(
        &world,
        json!({"times": 0, "action": {"kind": "duplicate", "copies": 100}}),
    );
    for number in 1..=100 {
        world.inject(mail("many", &format!("{number}@x"))).await;
    }
    assert_eq!(each(&lifecycle.next().await, "lifecycleEvent"), ["missed"]);
    hook.answer(202);
    world.advance(60);
    let mut told = Vec::new();
    while told.len() < 10_000 {
        told.extend(hook.next().await);
    }
    assert_eq!(
        (told.len(), told[0]["resourceData"]["id"].as_str()),
        (10_000, Some(&*first.id))
    );
    assert!(hook.is_silent());
}

#[tokio::test]
async fn a_slow_endpoint_is_told_later() {
    let world = World::new();
    let (mut hook, _) = watched(&world).await;
    tune(&world, |tuning| {
        tuning.slow_after_milliseconds = 0;
        tuning.least_replies = 1;
        tuning.drop_share = 1.0;
    });
    world.inject(mail("a", "1@x")).await;
    hook.next().await;
    until_logged(&world, "the reply is slow", |one| one["status"] == 202).await;
    let late = world.inject(mail("b", "2@x")).await;
    let saved = serde_json::to_value(world.service.notifier().save()).unwrap();
    assert_eq!(saved["waiting"].as_array().unwrap().len(), 1);
    assert!(hook.is_silent());
    world.advance(10);
    assert_eq!(ids(&hook.next().await), [late.id]);
}

#[tokio::test]
async fn a_very_slow_endpoint_gets_nothing_for_a_while_and_then_missed() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let mut lifecycle = Hook::start(&world, Manners::Echo).await;
    let wish = with(wish(&hook.url), "lifecycleNotificationUrl", lifecycle.url.clone());
    subscribe(&world, wish).await.expect(201);
    tune(&world, |tuning| {
        tuning.slow_after_milliseconds = 0;
        tuning.least_replies = 2;
    });
    for number in 0..2 {
        world.inject(mail("slow", &format!("{number}@x"))).await;
        hook.next().await;
        until("the reply is entered", || {
            let answered = |one: &&serde_json::Value| one["status"] == 202;
            world.service.notification_log().iter().filter(answered).count() > number
        })
        .await;
    }
    world.inject(mail("dropped", "d@x")).await;
    assert_eq!(each(&lifecycle.next().await, "lifecycleEvent"), ["missed"]);
    assert!(hook.is_silent());
    tune(&world, |tuning| tuning.slow_after_milliseconds = 10_000);
    world.advance(601);
    let after = world.inject(mail("after", "a@x")).await;
    assert_eq!(ids(&hook.next().await), [after.id]);
}

#[tokio::test]
async fn a_prompt_endpoint_is_never_slow() {
    let world = World::new();
    let (mut hook, _) = watched(&world).await;
    tune(&world, |tuning| tuning.least_replies = 1);
    for number in 0..5 {
        let sent = world.inject(mail("a", &format!("{number}@x"))).await;
        assert_eq!(ids(&hook.next().await), [sent.id]);
    }
}

#[tokio::test]
async fn a_tenant_ends_while_an_endpoint_hangs() {
    let world = World::new();
    let (mut hook, _) = watched(&world).await;
    hook.answer(0);
    world.inject(mail("a", "1@x")).await;
    hook.next().await;
    world.stop.cancel();
    hook.stop.cancel();
    world.tasks.close();
    // The receiver itself hangs on the request that is cut with it.
    tokio::time::timeout(Duration::from_secs(60), world.tasks.wait())
        .await
        .expect("a task outlives the tenant");
    // What comes after the end starts nothing anew.
    world.inject(mail("b", "2@x")).await;
    assert!(hook.is_silent());
}

#[tokio::test]
async fn two_subscriptions_share_an_endpoint_and_its_requests() {
    let world = World::new();
    let (mut hook, _) = watched(&world).await;
    subscribe(&world, with(wish(&hook.url), "changeType", "created"))
        .await
        .expect(201);
    hook.answer(503);
    world.inject(mail("a", "1@x")).await;
    hook.next().await;
    until_logged(&world, "the attempt fails", |one| one["status"] == 503).await;
    hook.answer(202);
    world.advance(60);
    let told = hook.next().await;
    let mut subscriptions = each(&told, "subscriptionId");
    subscriptions.dedup();
    assert_eq!((told.len(), subscriptions.len()), (2, 2));
}
