//! Transport: reports for unknown and refused recipients, waiting, limits, forwarding, junk.

use bytes::Bytes;
use serde_json::{Value, json};

use super::world::{SALES, SUPPORT, World, mail, support, to};
use crate::mail::transport::Arrival;
use crate::mail::transport::outside_rules::OutsideRule;

fn message(subject: &str, recipients: &[&str]) -> Value {
    let recipients: Vec<Value> = recipients.iter().map(|address| to(address)).collect();
    json!({"message": {"subject": subject, "body": {"contentType": "text", "content": "hello"}, "toRecipients": recipients}})
}

async fn refuse(world: &World, rule: &str) {
    let rule: OutsideRule = serde_json::from_str(rule).unwrap();
    world.service.transport().outside_rules().add(rule).unwrap();
}

/// The MIME of the only message in a folder of a mailbox.
async fn only_mime(world: &World, user: &str, folder: &str) -> String {
    let listed = world
        .get(&format!("/users/{user}/mailFolders/{folder}/messages?$select=id"))
        .await
        .expect(200);
    let ids = listed.each("id");
    assert_eq!(ids.len(), 1, "{:?}", listed.json);
    let raw = world
        .get(&format!("/users/{user}/messages/{}/$value", ids[0]))
        .await
        .expect(200);
    String::from_utf8_lossy(&raw.bytes).into_owned()
}

async fn count(world: &World, user: &str, folder: &str) -> String {
    let counted = world
        .get(&format!("/users/{user}/mailFolders/{folder}/messages/$count"))
        .await;
    String::from_utf8_lossy(&counted.bytes).into_owned()
}

#[tokio::test]
async fn mail_to_an_unknown_address_of_the_tenant_is_accepted_and_comes_back() {
    let world = World::new();
    world
        .post(
            &support("sendMail"),
            message("Hello", &["nobody@contoso.example", SALES, "o@x.example"]),
        )
        .await
        .expect(202);
    assert_eq!(count(&world, SALES, "inbox").await, "1");
    assert_eq!(world.service.outside_mail(None)[0].recipients, ["o@x.example"]);
    let report = only_mime(&world, SUPPORT, "inbox").await;
    for part in [
        "Subject: Undeliverable: Hello\r\n",
        "X-MS-Exchange-Message-Is-Ndr:",
        "Final-Recipient: rfc822;nobody@contoso.example\r\nAction: failed\r\nStatus: 5.1.10\r\n",
        "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound;",
    ] {
        assert!(report.contains(part), "{part}\n{report}");
    }
    let sent = world
        .get(&support(
            "mailFolders/sentitems/messages?$select=internetMessageId,conversationId",
        ))
        .await;
    assert!(report.contains(&format!("In-Reply-To: {}\r\n", sent.each("internetMessageId")[0])));
    let back = world
        .get(&support("mailFolders/inbox/messages?$select=conversationId"))
        .await;
    assert_eq!(back.each("conversationId"), sent.each("conversationId"));
}

#[tokio::test]
async fn a_refusal_outside_comes_back_with_the_servers_words() {
    let world = World::new();
    refuse(
        &world,
        r#"{"recipient": "gone@x.example", "code": 550, "status": "5.7.1", "text": "go away", "remote": "mx1.x.example"}"#,
    )
    .await;
    world
        .post(
            &support("sendMail"),
            message("Hi", &["gone@x.example", "here@x.example"]),
        )
        .await
        .expect(202);
    assert_eq!(world.service.outside_mail(None)[0].recipients, ["here@x.example"]);
    let report = only_mime(&world, SUPPORT, "inbox").await;
    assert!(
        report
            .contains("Status: 5.7.1\r\nDiagnostic-Code: smtp;550 5.7.1 go away\r\nRemote-MTA: dns;mx1.x.example\r\n"),
        "{report}"
    );
    assert!(report.contains("mx1.x.example rejected your message"), "{report}");
}

#[tokio::test]
async fn a_delay_is_tried_again_by_the_clock_until_it_is_taken() {
    let world = World::new();
    refuse(&world, r#"{"recipient": "x.example", "code": 451, "times": 2}"#).await;
    world
        .post(&support("sendMail"), message("Slow", &["a@x.example"]))
        .await
        .expect(202);
    world.service.run_queue().await;
    assert!(world.service.outside_mail(None).is_empty());
    assert_eq!(world.service.transport().queue().len(), 1);
    world.advance(60);
    world.service.run_queue().await;
    assert!(world.service.outside_mail(None).is_empty());
    world.advance(300);
    world.service.run_queue().await;
    assert_eq!(world.service.outside_mail(None).len(), 1);
    assert_eq!(world.service.transport().queue().len(), 0);
    assert_eq!(count(&world, SUPPORT, "inbox").await, "0");
}

#[tokio::test]
async fn a_delay_without_end_is_told_and_then_given_up() {
    let world = World::new();
    refuse(
        &world,
        r#"{"recipient": "x.example", "code": 451, "status": "4.7.0", "text": "greylisted"}"#,
    )
    .await;
    world
        .post(&support("sendMail"), message("Never", &["a@x.example"]))
        .await
        .expect(202);
    world.advance(5 * 3600);
    world.service.run_queue().await;
    let notice = only_mime(&world, SUPPORT, "inbox").await;
    assert!(
        notice.contains("Subject: Delayed: Never\r\n") && notice.contains("Action: delayed\r\nStatus: 4.7.0\r\n"),
        "{notice}"
    );
    assert!(
        notice.contains("Will-Retry-Until: Mon, 02 Mar 2026 10:00:00 +0000\r\n") && !notice.contains("Is-Ndr"),
        "{notice}"
    );
    for _ in 0..3 {
        world.advance(24 * 3600);
        world.service.run_queue().await;
    }
    assert_eq!(world.service.transport().queue().len(), 0);
    let subjects = world
        .get(&support("mailFolders/inbox/messages?$select=subject"))
        .await
        .each("subject");
    assert_eq!(
        subjects
            .iter()
            .filter(|subject| *subject == "Undeliverable: Never")
            .count(),
        1,
        "{subjects:?}"
    );
    assert!(world.service.outside_mail(None).is_empty());
}

#[tokio::test]
async fn reports_are_not_made_for_reports_or_for_those_who_want_none() {
    let world = World::new();
    let quiet = "From: support@contoso.example\r\nTo: nobody@contoso.example\r\nSubject: q\r\nX-Auto-Response-Suppress: NDR\r\n\r\nx\r\n";
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(quiet);
    let sent = world
        .call(
            "POST",
            &support("sendMail"),
            &[("Content-Type", "text/plain")],
            encoded.into(),
        )
        .await;
    sent.expect(202);
    assert_eq!(count(&world, SUPPORT, "inbox").await, "0");
    // A report to a sender that does not exist ends there.
    refuse(&world, r#"{"recipient": "x.example"}"#).await;
    let full: crate::mail::transport::control::DeliveryPatch = serde_json::from_str(r#"{"quota_bytes": 10}"#).unwrap();
    world.service.change_delivery(SUPPORT, full).unwrap();
    let delivered = world
        .service
        .deliver_raw(&[SUPPORT.to_owned()], "a@x.example", mail("in", "1@x"), Arrival::Smtp)
        .await
        .unwrap();
    assert!(delivered.is_empty() && world.service.outside_mail(None).is_empty());
    assert_eq!(world.service.transport().queue().len(), 0);
}

#[tokio::test]
async fn a_full_mailbox_sends_nothing_and_what_comes_goes_back() {
    let world = World::new();
    let full = serde_json::from_str(r#"{"quota_bytes": 10}"#).unwrap();
    world.service.change_delivery(SALES, full).unwrap();
    let refused = world
        .post(&format!("/users/{SALES}/sendMail"), message("x", &[SUPPORT]))
        .await
        .expect(507);
    assert_eq!(refused.code(), "ErrorQuotaExceeded");
    assert_eq!(count(&world, SALES, "sentitems").await, "0");
    world
        .post(&support("sendMail"), message("Full?", &[SALES]))
        .await
        .expect(202);
    let report = only_mime(&world, SUPPORT, "inbox").await;
    assert!(report.contains("Status: 5.2.2\r\n"), "{report}");
    world
        .service
        .deliver_raw(&[SALES.to_owned()], "a@x.example", mail("in", "1@x"), Arrival::Smtp)
        .await
        .unwrap();
    let outside = world.service.outside_mail(Some("a@x.example"));
    assert_eq!(outside[0].mail_from, "");
    assert!(String::from_utf8_lossy(&outside[0].raw.bytes()).contains("From: <postmaster@contoso.example>\r\n"));
    let clear = serde_json::from_str(r#"{"quota_bytes": null}"#).unwrap();
    world.service.change_delivery(SALES, clear).unwrap();
    world
        .post(&support("sendMail"), message("Again", &[SALES]))
        .await
        .expect(202);
    assert_eq!(count(&world, SALES, "inbox").await, "1");
}

#[tokio::test]
async fn a_mailbox_that_sends_too_fast_is_delayed_not_refused() {
    let world = World::new();
    let mut settings = world.service.transport().settings();
    settings.messages_per_minute = Some(2);
    world.service.transport().set_settings(settings).unwrap();
    for number in 0..5 {
        let subject = format!("{number}");
        world
            .post(&support("sendMail"), message(&subject, &["a@x.example"]))
            .await
            .expect(202);
    }
    assert_eq!(count(&world, SUPPORT, "sentitems").await, "5");
    assert_eq!(world.service.outside_mail(None).len(), 2);
    world.advance(60);
    world.service.run_queue().await;
    assert_eq!(world.service.outside_mail(None).len(), 4);
    world.advance(60);
    world.service.run_queue().await;
    assert_eq!(world.service.outside_mail(None).len(), 5);
}

#[tokio::test]
async fn recipients_of_a_day_are_limited_and_the_refusal_counts_nothing() {
    let world = World::new();
    let mut settings = world.service.transport().settings();
    (settings.recipients_per_day, settings.recipients_per_message) = (Some(3), 2);
    world.service.transport().set_settings(settings.clone()).unwrap();
    let three = message("3", &["a@x.example", "b@x.example", "c@x.example"]);
    assert_eq!(
        world.post(&support("sendMail"), three).await.expect(400).code(),
        "ErrorInvalidRecipients"
    );
    let two = message("2", &["a@x.example", "b@x.example"]);
    world.post(&support("sendMail"), two.clone()).await.expect(202);
    let over = world.post(&support("sendMail"), two.clone()).await.expect(429);
    assert_eq!(over.code(), "ErrorExceededMessageLimit");
    world
        .post(&support("sendMail"), message("1", &["a@x.example"]))
        .await
        .expect(202);
    settings.over_limit_status = 403;
    world.service.transport().set_settings(settings).unwrap();
    world.post(&support("sendMail"), two.clone()).await.expect(403);
    world.advance(24 * 3600);
    world.post(&support("sendMail"), two).await.expect(202);
    assert_eq!(count(&world, SUPPORT, "sentitems").await, "3");
}

#[tokio::test]
async fn plus_addresses_reach_their_mailbox() {
    let world = World::new();
    world
        .post(
            &support("sendMail"),
            message("tag", &["sales+orders@contoso.example", SALES, "+x@contoso.example"]),
        )
        .await
        .expect(202);
    assert_eq!(count(&world, SALES, "inbox").await, "1");
    assert_eq!(count(&world, SUPPORT, "inbox").await, "1");
    assert!(
        world.service.accepts("Support+a+b@contoso.example") && !world.service.accepts("no+support@contoso.example")
    );
    let mut settings = world.service.transport().settings();
    settings.plus_addressing = false;
    world.service.transport().set_settings(settings).unwrap();
    assert!(!world.service.accepts("support+a@contoso.example"));
}

#[tokio::test]
async fn forwarding_sends_on_and_keeps_a_copy_only_when_asked() {
    let world = World::new();
    let forward = |keep: bool| {
        serde_json::from_value(json!({"forwarding": {"address": SALES, "deliver_and_forward": keep}})).unwrap()
    };
    world.service.change_delivery(SUPPORT, forward(false)).unwrap();
    let arrive = async |id: &str| {
        let recipients = [SUPPORT.to_owned()];
        world
            .service
            .deliver_raw(&recipients, "a@x.example", mail("on", id), Arrival::Smtp)
            .await
            .unwrap()
    };
    assert_eq!(arrive("1@x").await[0].id, "");
    assert_eq!(
        (
            count(&world, SUPPORT, "inbox").await,
            count(&world, SALES, "inbox").await
        ),
        ("0".to_owned(), "1".to_owned())
    );
    world.service.change_delivery(SUPPORT, forward(true)).unwrap();
    arrive("2@x").await;
    assert_eq!(
        (
            count(&world, SUPPORT, "inbox").await,
            count(&world, SALES, "inbox").await
        ),
        ("1".to_owned(), "2".to_owned())
    );
}

#[tokio::test]
async fn two_mailboxes_that_forward_to_each_other_come_to_an_end() {
    let world = World::new();
    for (from, to) in [(SUPPORT, SALES), (SALES, SUPPORT)] {
        let patch =
            serde_json::from_value(json!({"forwarding": {"address": to, "deliver_and_forward": true}})).unwrap();
        world.service.change_delivery(from, patch).unwrap();
    }
    world
        .service
        .deliver_raw(
            &[SUPPORT.to_owned()],
            "a@x.example",
            mail("round", "1@x"),
            Arrival::Smtp,
        )
        .await
        .unwrap();
    assert_eq!(count(&world, SALES, "inbox").await, "1");
    assert_eq!(count(&world, SUPPORT, "inbox").await, "2");
}

#[tokio::test]
async fn forwarding_to_the_outside_is_refused_unless_the_tenant_allows_it() {
    let world = World::new();
    let patch = serde_json::from_value(json!({"forwarding": {"address": "o@x.example", "deliver_and_forward": true}}));
    world.service.change_delivery(SALES, patch.unwrap()).unwrap();
    world
        .post(&support("sendMail"), message("one", &[SALES]))
        .await
        .expect(202);
    assert!(world.service.outside_mail(None).is_empty());
    let subjects = world
        .get(&format!("/users/{SALES}/messages?$select=subject"))
        .await
        .each("subject");
    assert!(
        subjects.contains(&"Undeliverable: one".to_owned()) && subjects.len() == 2,
        "{subjects:?}"
    );
    let mut settings = world.service.transport().settings();
    settings.external_forwarding = true;
    world.service.transport().set_settings(settings).unwrap();
    world
        .post(&support("sendMail"), message("two", &[SALES]))
        .await
        .expect(202);
    let outside = world.service.outside_mail(Some("o@x.example"));
    assert_eq!((outside.len(), outside[0].mail_from.as_str()), (1, SALES));
}

#[tokio::test]
async fn spam_goes_to_junk_and_mail_of_colleagues_does_not() {
    let world = World::new();
    let spam = |level: &str| -> Bytes {
        format!(
            "X-MS-Exchange-Organization-SCL: {level}\r\nFrom: a@x.example\r\nTo: {SUPPORT}\r\nSubject: s\r\n\r\nx\r\n"
        )
        .into()
    };
    let arrive = async |bytes: Bytes, how| {
        world
            .service
            .deliver_raw(&[SUPPORT.to_owned()], "a@x.example", bytes, how)
            .await
            .unwrap();
    };
    arrive(spam("5"), Arrival::Smtp).await;
    arrive(spam("4"), Arrival::Smtp).await;
    assert_eq!(
        (
            count(&world, SUPPORT, "junkemail").await,
            count(&world, SUPPORT, "inbox").await
        ),
        ("1".to_owned(), "1".to_owned())
    );
    arrive(spam("9"), Arrival::Sent).await;
    assert_eq!(count(&world, SUPPORT, "inbox").await, "2");
    let lists = serde_json::from_value(json!({"safe_senders": ["x.example"], "blocked_senders": ["b@y.example"]}));
    world.service.change_delivery(SUPPORT, lists.unwrap()).unwrap();
    arrive(spam("9"), Arrival::Smtp).await;
    assert_eq!(count(&world, SUPPORT, "inbox").await, "3");
    world
        .service
        .deliver_raw(&[SUPPORT.to_owned()], "B@y.example", mail("b", "1@y"), Arrival::Smtp)
        .await
        .unwrap();
    assert_eq!(count(&world, SUPPORT, "junkemail").await, "2");
}

#[tokio::test]
async fn delivery_receipts_come_when_they_were_asked_for() {
    let world = World::new();
    let mut asked = message("Receipt", &[SALES, "o@x.example"]);
    asked["message"]["isDeliveryReceiptRequested"] = true.into();
    world.post(&support("sendMail"), asked).await.expect(202);
    let subjects = world
        .get(&support("mailFolders/inbox/messages?$select=subject"))
        .await
        .each("subject");
    assert_eq!(subjects.len(), 2);
    for subject in ["Delivered: Receipt", "Relayed: Receipt"] {
        assert!(subjects.contains(&subject.to_owned()), "{subjects:?}");
    }
    let raw = world.service.outside_mail(None)[0].raw.bytes();
    assert!(String::from_utf8_lossy(&raw).contains("Return-Receipt-To: "));
    world
        .post(&support("sendMail"), message("None", &[SALES]))
        .await
        .expect(202);
    assert_eq!(count(&world, SUPPORT, "inbox").await, "2");
}
