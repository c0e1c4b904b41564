//! Limits, without a server.

use std::time::Duration;

use uuid::uuid;

use super::*;
use crate::clock::SandboxClock;
use crate::odata::error::Stamp;

const APPLICATION: Uuid = uuid!("6731de76-14a6-49ae-97bc-6eba6914391e");
const OTHER: Uuid = uuid!("aaaaaaaa-14a6-49ae-97bc-6eba6914391e");
const MAILBOX: Uuid = uuid!("87d349ed-44d7-43e1-9a83-5f2406dee5bd");
const TENANT: Uuid = uuid!("84841066-274d-4ec0-a5c1-276be684bdd3");

struct World {
    throttle: Arc<Throttle>,
    clock: SandboxClock,
}

impl World {
    fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let throttle = Arc::new(Throttle::new(true));
        let mut settings = throttle.settings();
        change(&mut settings);
        throttle.change(settings).expect("good settings");
        let clock = SandboxClock::frozen_at("2026-03-01T00:00:00Z".parse().expect("a time"));
        Self { throttle, clock }
    }

    fn ask(&self, application: Uuid, area: Area, bytes: u64) -> Result<Admission, Refusal> {
        let method = if bytes > 0 { Method::POST } else { Method::GET };
        let work = Work {
            area,
            method,
            bytes,
            units: u32::from(area == Area::Identity),
        };
        self.throttle.admit(application, &work, self.clock.now(), 5)
    }

    fn mailbox(&self, bytes: u64) -> Result<Admission, Refusal> {
        self.ask(APPLICATION, Area::Mailbox(MAILBOX), bytes)
    }
}

fn limit(limit: u64, seconds: u32) -> settings::Limit {
    settings::Limit { limit, seconds }
}

fn rendered(refusal: &Refusal) -> (Value, http::HeaderMap) {
    let stamp = Stamp {
        at: Timestamp::UNIX_EPOCH,
        request_id: Uuid::nil(),
        client_request_id: "c".to_owned(),
    };
    let response = refusal.render(&stamp, APPLICATION, TENANT, false);
    assert_eq!(response.status, 429);
    (serde_json::from_slice(&response.body).expect("JSON"), response.headers)
}

#[test]
fn the_limits_are_the_documented_ones() {
    let settings = Settings::default();
    assert_eq!(settings.mailbox_requests, limit(10_000, 600));
    assert_eq!(settings.mailbox_upload, limit(150_000_000, 300));
    assert_eq!(settings.concurrency, 4);
    assert_eq!(settings.application_requests, limit(130_000, 10));
    assert_eq!(settings.subscriptions, limit(5_000, 20));
    assert_eq!(settings.identity_writes, limit(3_000, 150));
    assert_eq!(
        [10, 50, 500, 501].map(|users| settings.identity_units(users)),
        [3_500, 5_000, 5_000, 8_000]
    );
    assert!(!settings.enabled);
}

#[test]
fn a_throttle_that_is_off_refuses_nothing() {
    let world = World::new(|settings| {
        settings.enabled = false;
        settings.mailbox_requests = limit(0, 600);
        settings.concurrency = 0;
    });
    assert!(world.mailbox(0).is_ok());
}

#[test]
fn requests_to_a_mailbox_are_counted_by_application() {
    let world = World::new(|settings| settings.mailbox_requests = limit(2, 600));
    for _ in 0..2 {
        assert!(world.mailbox(0).is_ok());
    }
    let refusal = world.mailbox(0).expect_err("the third is too many");
    let (body, headers) = rendered(&refusal);
    assert_eq!(body["error"]["code"], "ApplicationThrottled");
    assert_eq!(body["error"]["message"], "Application is over its RequestCount limit.");
    assert_eq!(headers["retry-after"], "600");
    assert!(world.ask(OTHER, Area::Mailbox(MAILBOX), 0).is_ok());
    assert!(world.ask(APPLICATION, Area::Mailbox(OTHER), 0).is_ok());
}

#[test]
fn refused_requests_count_too() {
    let world = World::new(|settings| settings.mailbox_requests = limit(1, 600));
    assert!(world.mailbox(0).is_ok());
    world.clock.advance(Duration::from_secs(300));
    assert!(world.mailbox(0).is_err());
    world.clock.advance(Duration::from_secs(300));
    assert!(world.mailbox(0).is_err(), "the refused one is five minutes old");
    world.clock.advance(Duration::from_secs(600));
    assert!(world.mailbox(0).is_ok());
}

#[test]
fn upload_counts_bytes_of_writing_requests() {
    let world = World::new(|settings| settings.mailbox_upload = limit(100, 300));
    assert!(world.mailbox(100).is_ok());
    let (body, _) = rendered(&world.mailbox(1).expect_err("one byte too many"));
    assert_eq!(body["error"]["message"], "Application is over its IncomingBytes limit.");
    assert!(world.mailbox(0).is_ok(), "reading is no upload");
}

#[test]
fn concurrency_ends_with_the_requests() {
    let world = World::new(|settings| settings.concurrency = 2);
    let first = world.mailbox(0).expect("a place");
    let _second = world.mailbox(0).expect("a place");
    let (body, headers) = rendered(&world.mailbox(0).expect_err("no place"));
    assert_eq!(
        body["error"]["message"],
        "Application is over its MailboxConcurrency limit."
    );
    assert_eq!(headers["retry-after"], "10");
    assert!(world.ask(APPLICATION, Area::Mailbox(OTHER), 0).is_ok());
    drop(first);
    assert!(world.mailbox(0).is_ok());
}

#[test]
fn concurrency_can_be_counted_over_all_mailboxes() {
    let world = World::new(|settings| {
        settings.concurrency = 1;
        settings.concurrency_scope = ConcurrencyScope::Application;
    });
    let _place = world.mailbox(0).expect("a place");
    assert!(world.ask(APPLICATION, Area::Mailbox(OTHER), 0).is_err());
    assert!(world.ask(OTHER, Area::Mailbox(OTHER), 0).is_ok());
}

#[test]
fn an_application_and_its_subscriptions_have_limits() {
    let world = World::new(|settings| {
        settings.application_requests = limit(3, 10);
        settings.subscriptions = limit(1, 20);
    });
    assert!(world.ask(APPLICATION, Area::Subscriptions, 0).is_ok());
    let (body, headers) = rendered(&world.ask(APPLICATION, Area::Subscriptions, 0).expect_err("too many"));
    assert_eq!(body["error"]["code"], "TooManyRequests");
    assert_eq!(body["error"]["innerError"]["status"], "429");
    assert_eq!(headers["retry-after"], "20");
    assert!(world.ask(APPLICATION, Area::Other, 0).is_ok());
    assert!(world.ask(APPLICATION, Area::Other, 0).is_err());
}

#[test]
fn the_directory_counts_units_and_writes() {
    let world = World::new(|settings| {
        settings.identity_units_by_size = [3, 0, 0];
        settings.identity_writes = limit(1, 150);
    });
    let units = world
        .ask(APPLICATION, Area::Identity, 1)
        .expect("let in")
        .units
        .expect("units");
    assert_eq!((units.cost, units.used, units.limit), (1, 1, 3));
    let (_, headers) = rendered(&world.ask(APPLICATION, Area::Identity, 1).expect_err("a second write"));
    assert_eq!(headers["x-ms-throttle-information"], "WriteLimitExceeded");
    assert!(world.ask(APPLICATION, Area::Identity, 0).is_ok());
    let (body, headers) = rendered(&world.ask(APPLICATION, Area::Identity, 0).expect_err("a fourth unit"));
    assert_eq!(body["error"]["code"], "TooManyRequests");
    assert_eq!(headers["x-ms-throttle-information"], "ResourceUnitLimitExceeded");
    assert_eq!(
        headers["x-ms-throttle-scope"],
        format!("Tenant_Application/ReadWrite/{APPLICATION}/{TENANT}")
    );
}

#[test]
fn usage_is_told_from_four_fifths_on() {
    let told = |used| {
        let mut headers = http::HeaderMap::new();
        ResourceUnits {
            cost: 2,
            used,
            limit: 100,
        }
        .tell(&mut headers);
        assert_eq!(headers["x-ms-resource-unit"], "2");
        headers.get("x-ms-throttle-limit-percentage").cloned()
    };
    assert_eq!(told(79), None);
    assert_eq!(told(80).expect("told"), "0.8");
    assert_eq!(told(120).expect("told"), "1.2");
}

#[test]
fn too_many_sign_ins_wait() {
    let world = World::new(|settings| settings.sign_ins = limit(1, 30));
    let ask = |client| world.throttle.sign_in(client, world.clock.now());
    assert_eq!(ask(APPLICATION), None);
    assert_eq!(ask(APPLICATION), Some(30));
    assert_eq!(ask(OTHER), None);
    assert_eq!(world.throttle.sign_in_loop(), Some(limit(15, 300)));
    assert_eq!(Throttle::new(false).sign_in_loop(), None);
}

#[test]
fn counters_are_bounded() {
    let world = World::new(|settings| settings.application_requests = limit(u64::MAX, 10));
    for number in 0..=MAX_KEYS as u128 {
        let _ = world.ask(Uuid::from_u128(number + 1), Area::Other, 0);
    }
    assert!(world.throttle.lock().applications.0.len() <= MAX_KEYS);
}

#[test]
fn usage_can_be_read_and_forgotten() {
    let world = World::new(|settings| settings.mailbox_requests = limit(1, 600));
    assert!(world.mailbox(0).is_ok());
    assert!(world.mailbox(0).is_err());
    let report = world.throttle.report(world.clock.now());
    assert_eq!(report["refused"], 1);
    let usage = report["usage"].as_array().expect("a list");
    assert!(
        usage
            .iter()
            .any(|line| line["limit"] == "mailbox_requests" && line["used"] == 2 && line["of"] == 1)
    );
    world.throttle.clear();
    assert!(world.mailbox(0).is_ok());
}

#[test]
fn windows_without_length_are_refused() {
    let mut settings = Settings::default();
    settings.sign_ins.seconds = 0;
    assert!(Throttle::new(true).change(settings).is_err());
}
