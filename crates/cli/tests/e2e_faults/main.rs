//! The service under ordered faults of Microsoft 365: whatever is cut, refused, throttled or lost on
//! the way, each mail is in the ledger once and each reply arrives outside once.

mod cost;
mod world;

use base64::{Engine, prelude::BASE64_STANDARD};
use guichet_cli::demo::{http::rows, stage::wait_until};
use http::Method;
use serde_json::{Value, json};

use world::{NEVER, OFTEN, Told, World, told};

/// One mail comes in, the rule is ordered, a reply with two attachments goes out: exactly once, whole,
/// and without a draft left behind.
async fn reply_under(rule: Value) -> Told {
    let world = World::new(OFTEN).await?;
    let _service = world.stage.serve().await?;
    world.inject(0, 1).await?;
    world.arrived(1).await?;
    let fault = world.order(rule).await?;
    let reply = world.reply(0, &["a.txt", "b.txt"]).await?;
    world.sent(&reply).await?;
    assert!(world.hits(fault).await? > 0, "the fault happened");
    world.settled().await?;
    assert_eq!(world.outside().await?, [["a.txt", "b.txt"]], "mails outside");
    assert_eq!(world.drafts().await?, 0, "drafts left behind");
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "an action is made for one rule")]
fn on(method: &str, path: &str, action: Value) -> Value {
    json!({"method": method, "path_contains": path, "action": action})
}

fn status(status: u16) -> Value {
    json!({"kind": "status", "status": status})
}

fn refused() -> Value {
    json!({"kind": "status", "status": 400, "code": "ErrorInvalidRequest"})
}

#[tokio::test]
async fn reply_whose_send_is_cut_after_its_effect_arrives_once() {
    told(reply_under(on("POST", "/send", json!({"kind": "cut_after"}))).await);
}

#[tokio::test]
async fn reply_whose_send_is_cut_before_its_effect_arrives_once() {
    told(reply_under(on("POST", "/send", json!({"kind": "cut_before"}))).await);
}

#[tokio::test]
async fn reply_whose_draft_is_cut_after_its_creation_arrives_once() {
    told(reply_under(on("POST", "/createReply", json!({"kind": "cut_after"}))).await);
}

#[tokio::test]
async fn reply_whose_attachment_is_cut_after_its_upload_has_it_once() {
    told(reply_under(on("POST", "/attachments", json!({"kind": "cut_after"}))).await);
}

#[tokio::test]
async fn reply_whose_second_attachment_is_refused_for_a_while_has_both() {
    let mut rule = on("POST", "/attachments", status(503));
    rule["nth"] = json!(2);
    rule["times"] = json!(3);
    told(reply_under(rule).await);
}

/// A file of this size goes up in two pieces; the first is cut off after it arrived, and the second is refused for a
/// while.
#[tokio::test]
async fn reply_whose_large_attachment_is_cut_in_the_middle_has_all_its_bytes_once() {
    let story = async {
        let world = World::new(OFTEN).await?;
        let _service = world.stage.serve().await?;
        world.inject(0, 1).await?;
        world.arrived(1).await?;
        let mut cut = on("PUT", "/", json!({"kind": "cut_after"}));
        cut["nth"] = json!(1);
        let mut busy = on("PUT", "/", status(503));
        busy["nth"] = json!(2);
        let faults = [world.order(cut).await?, world.order(busy).await?];
        let bytes: Vec<u8> = (0..5_500_000_u32).map(|at| (at % 251) as u8).collect();
        let file = json!({
            "name": "film.bin", "content_type": "application/octet-stream", "content_base64": BASE64_STANDARD.encode(&bytes),
        });
        let reply = world.reply_with(0, vec![file]).await?;
        world.sent(&reply).await?;
        for fault in faults {
            assert!(world.hits(fault).await? > 0, "the fault happened");
        }
        let mails = rows(&world.stage.control.get("/outside").await?);
        assert_eq!(mails.len(), 1, "mails outside");
        let path = format!("/outside/{}/mime", mails[0]["seq"]);
        let parsed = guichet_mime::parse(&world.stage.control.get_bytes(&path).await?);
        assert_eq!(parsed.attachments.len(), 1);
        assert!(parsed.attachments[0].bytes == bytes, "the file arrived changed");
        Ok(())
    };
    told(story.await);
}

#[tokio::test]
async fn reply_that_is_denied_for_a_while_arrives_once() {
    let mut rule = on("POST", "/send", status(403));
    rule["times"] = json!(2);
    told(reply_under(rule).await);
}

#[tokio::test]
async fn reply_that_is_out_counts_as_sent_although_its_copy_cannot_be_read() {
    let story = async {
        let world = World::new(OFTEN).await?;
        let _service = world.stage.serve().await?;
        world.inject(0, 1).await?;
        world.arrived(1).await?;
        world.settled().await?;
        let mut rule = on("GET", "/$value", refused());
        rule["times"] = json!(0);
        world.order(rule).await?;
        let reply = world.reply(0, &[]).await?;
        world.sent(&reply).await?;
        assert_eq!(world.outside().await?.len(), 1, "mails outside");
        Ok(())
    };
    told(story.await);
}

/// Mails come in under the rules; afterwards each is in the ledger once and none was set aside.
async fn mails_under(rules: &[Value]) -> Told {
    const MAILS: usize = 24;
    let world = World::new(OFTEN).await?;
    world.inject(0, MAILS / 2).await?;
    let mut faults = Vec::new();
    for rule in rules {
        faults.push((world.order(rule.clone()).await?, rule));
    }
    let _service = world.stage.serve().await?;
    world.inject(MAILS / 2, MAILS).await?;
    world.arrived(MAILS).await?;
    for (fault, rule) in faults {
        assert!(world.hits(fault).await? > 0, "the fault happened: {rule}");
    }
    world.each_once(MAILS).await
}

#[tokio::test]
async fn throttling_and_refusals_lose_and_double_nothing() {
    let throttled = json!({"kind": "status", "status": 429, "retry_after": 1});
    told(
        mails_under(&[
            json!({"path_contains": "/$value", "nth": 3, "times": 4, "action": throttled}),
            json!({"path_contains": "/delta", "times": 3, "action": throttled}),
            json!({"path_contains": "/$value", "nth": 8, "times": 10, "action": status(503)}),
            json!({"path_contains": "/delta", "nth": 5, "times": 3, "action": status(503)}),
        ])
        .await,
    );
}

#[tokio::test]
async fn cut_connections_lose_and_double_nothing() {
    told(
        mails_under(&[
            json!({"path_contains": "/$batch", "times": 12, "action": {"kind": "cut_after"}}),
            json!({"path_contains": "/delta", "nth": 2, "times": 3, "action": {"kind": "cut_after"}}),
            json!({"path_contains": "/$value", "nth": 2, "times": 4, "action": {"kind": "cut_before"}}),
        ])
        .await,
    );
}

/// Every mail fails for longer than one bad mail is given: that is an outage, and no mail's fault.
#[tokio::test]
async fn outage_sets_no_mail_aside() {
    told(mails_under(&[json!({"path_contains": "/$value", "times": 170, "action": status(500)})]).await);
}

#[tokio::test]
async fn lost_cursor_is_read_anew_and_doubles_nothing() {
    let story = async {
        let world = World::new(OFTEN).await?;
        let _service = world.stage.serve().await?;
        world.inject(0, 9).await?;
        world.arrived(9).await?;

        let fault = world
            .order(json!({"path_contains": "/delta", "action": status(410)}))
            .await?;
        world.happened(fault, 1).await?;
        world.inject(9, 12).await?;
        world.arrived(12).await?;

        for mailbox in world.stage.mailboxes() {
            let expired = json!({"mailbox": mailbox, "folder": "inbox"});
            world.stage.control.post("/delta/expire", &expired).await?;
        }
        world.inject(12, 15).await?;
        world.arrived(15).await?;
        assert!(
            world.requests("GET", "/delta", Some("410")).await? >= 2,
            "cursors were lost"
        );
        world.each_once(15).await
    };
    told(story.await);
}

/// Microsoft names a lost link in many ways. One that is refused as malformed, again and again, must
/// not stop the folder for good.
#[tokio::test]
async fn cursor_that_is_refused_as_malformed_is_read_anew() {
    let story = async {
        let world = World::new(OFTEN).await?;
        let _service = world.stage.serve().await?;
        world.inject(0, 3).await?;
        world.arrived(3).await?;
        let rule = json!({"path_contains": "$deltatoken", "times": 0, "action": status(400)});
        let fault = world.order(rule).await?;
        world.happened(fault, 1).await?;
        world.inject(3, 6).await?;
        world.arrived(6).await?;
        world.each_once(6).await
    };
    told(story.await);
}

/// The first of five mails of one mailbox can't be fetched: the others arrive, it is set aside.
async fn bad_mail_under(action: Value) -> Told {
    let world = World::new(OFTEN).await?;
    let mailbox = world.stage.mailboxes()[0].clone();
    let bad = world.inject_into(&mailbox, 100).await?;
    for number in 0..4 {
        world.inject_into(&mailbox, number).await?;
    }
    let rule = json!({"path_contains": format!("{bad}/$value"), "times": 0, "action": action});
    let fault = world.order(rule).await?;
    let _service = world.stage.serve().await?;
    world.arrived(4).await?;
    world.inject_into(&mailbox, 4).await?;
    world.arrived(5).await?;
    let aside = wait_until("the bad mail to be set aside", || async {
        let aside = rows(&world.api.get("/v1/quarantine").await?);
        Ok((!aside.is_empty()).then_some(aside))
    })
    .await?;
    assert!(world.hits(fault).await? >= 3, "it was tried several times");
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(aside[0]["immutable_id"], bad.as_str());
    let reason = aside[0]["quarantined"].as_str().unwrap_or_default();
    assert!(reason.contains("could not be fetched"), "{reason}");
    let run = async |arguments: &[&str]| world.stage.launcher.try_run(arguments).await;
    let (code, listed, _) = run(&["quarantine", "list"]).await?;
    assert!(
        code == 0 && listed.contains(&bad) && listed.contains("not kept"),
        "{listed}"
    );
    let (code, shown, _) = run(&["quarantine", "show", &bad]).await?;
    assert!(code == 0 && shown.contains("could not be fetched"), "{shown}");
    let (code, _, told) = run(&["quarantine", "replay", "nothing"]).await?;
    assert!(code != 0 && told.contains("quarantine list"), "{told}");
    world.no_more_faults().await?;
    world.stage.launcher.run(&["quarantine", "replay", &bad]).await?;
    world.arrived(6).await?;
    assert_eq!(world.totals().await?["quarantined"], 0);
    Ok(())
}

#[tokio::test]
async fn mail_that_breaks_the_server_is_set_aside_and_the_others_arrive() {
    told(bad_mail_under(status(500)).await);
}

#[tokio::test]
async fn mail_that_is_refused_is_set_aside_and_the_others_arrive() {
    told(bad_mail_under(refused()).await);
}

/// The mailbox says that it is not there, and lists it, and shows it when asked.
#[tokio::test]
async fn mail_whose_bytes_are_missing_is_set_aside_and_not_passed_over() {
    told(bad_mail_under(status(404)).await);
}

#[tokio::test]
async fn polling_alone_brings_the_mail_while_no_subscription_can_be_had() {
    let story = async {
        let world = World::new(OFTEN).await?;
        let mut rule = on("POST", "/subscriptions", status(503));
        rule["times"] = json!(0);
        let fault = world.order(rule).await?;
        let _service = world.stage.serve().await?;
        world.happened(fault, 1).await?;
        world.inject(0, 6).await?;
        world.arrived(6).await?;
        world.each_once(6).await?;
        world.no_more_faults().await?;
        world.notified().await
    };
    told(story.await);
}

/// Waits until the subscriptions wake the folders, then sends mail that nothing else would bring.
async fn woken_by_notifications(world: &World, from: usize, to: usize) -> Told {
    world.notified().await?;
    world.inject(from, to).await?;
    world.arrived(to).await
}

#[tokio::test]
async fn removed_subscription_is_replaced() {
    let story = async {
        let world = World::new(NEVER).await?;
        let _service = world.stage.serve().await?;
        woken_by_notifications(&world, 0, 3).await?;
        let folders = world.stage.mailboxes().len() as u64;
        assert_eq!(world.requests("POST", "/subscriptions", Some("201")).await?, folders);

        let event = json!({"event": "subscriptionRemoved"});
        let removed = world.stage.control.post("/notifications/lifecycle", &event).await?;
        assert_eq!(removed["told"], folders);
        wait_until("new subscriptions", || async {
            let created = world.requests("POST", "/subscriptions", Some("201")).await?;
            Ok((created >= 2 * folders).then_some(()))
        })
        .await?;
        woken_by_notifications(&world, 3, 6).await?;
        world.each_once(6).await
    };
    told(story.await);
}

/// The subscription exists and its id is lost with the answer; a second one for the same folder is
/// refused as long as it lives.
#[tokio::test]
async fn subscription_whose_creation_was_cut_is_replaced() {
    let story = async {
        let world = World::new(NEVER).await?;
        let fault = world
            .order(on("POST", "/subscriptions", json!({"kind": "cut_after"})))
            .await?;
        let _service = world.stage.serve().await?;
        world.happened(fault, 1).await?;
        woken_by_notifications(&world, 0, 6).await?;
        world.each_once(6).await
    };
    told(story.await);
}

#[tokio::test]
async fn refused_token_is_replaced_once_and_nothing_is_lost() {
    let story = async {
        let world = World::new(OFTEN).await?;
        let _service = world.stage.serve().await?;
        world.inject(0, 3).await?;
        world.arrived(3).await?;
        world.settled().await?;
        world
            .stage
            .control
            .send(Method::DELETE, "/requests", &[], Vec::new())
            .await?;
        let fault = world
            .order(json!({"path_contains": "/delta", "action": status(401)}))
            .await?;
        world.happened(fault, 1).await?;
        world.inject(3, 6).await?;
        world.arrived(6).await?;
        assert_eq!(world.requests("POST", "/token", None).await?, 1, "tokens asked for");
        world.each_once(6).await
    };
    told(story.await);
}

#[tokio::test]
async fn mail_of_a_machine_is_kept_and_classified_and_not_answered() {
    let story = async {
        let world = World::new(OFTEN).await?;
        let _service = world.stage.serve().await?;
        let mailboxes = world.stage.mailboxes();
        let (ours, other) = (&mailboxes[0], &mailboxes[1]);
        let mails = [
            ("own", ours.as_str(), ""),
            (
                "auto_reply",
                "away@fabrikam.example",
                "Auto-Submitted: auto-replied\r\n",
            ),
            // The control: the same mail of a person.
            ("person", "somebody@fabrikam.example", ""),
        ];
        for (author, from, header) in mails {
            let mail = format!(
                "From: <{from}>\r\nTo: <{other}>\r\nSubject: {author}\r\nMessage-ID: <{author}@fabrikam.example>\r\n\
                 {header}\r\nHello.\r\n"
            );
            world.stage.inject(other, mail.into_bytes()).await?;
        }
        world.arrived(mails.len()).await?;
        world.settled().await?;
        for receipt in world.api.get_all("/v1/receipts").await? {
            let path = format!("/v1/messages/{}", receipt["message_id"].as_str().unwrap_or_default());
            let message = world.api.get(&path).await?;
            let author = message["subject"].clone();
            assert_eq!(message["verdict"]["author"], author, "{message}");
            assert_eq!(message["verdict"]["may_auto_answer"], author == "person", "{message}");
        }
        assert_eq!(world.totals().await?["messages_outbound"], 0);
        assert!(world.outside().await?.is_empty(), "nothing was answered");
        Ok(())
    };
    told(story.await);
}

#[tokio::test]
async fn service_that_is_asked_to_stop_ends_well_and_goes_on_after_a_restart() {
    const MAILS: usize = 90;
    let story = async {
        let world = World::new(OFTEN).await?;
        let service = world.stage.serve().await?;
        world.inject(0, 1).await?;
        world.arrived(1).await?;
        world.settled().await?;
        let slow = json!({"path_contains": "/$value", "times": 0, "action": {"kind": "latency", "milliseconds": 150}});
        world.order(slow).await?;
        let sending = json!({"kind": "latency", "milliseconds": 1000});
        let sending = world.order(on("POST", "/createReply", sending)).await?;
        let reply = world.reply(0, &["a.txt"]).await?;
        world.inject(1, MAILS).await?;
        world.happened(sending, 1).await?;
        let how = world.terminate(service).await?;
        assert!(how.contains("(exit status: 0)"), "{how}");

        let service = world.stage.serve().await?;
        world.sent(&reply).await?;
        world.arrived(MAILS).await?;
        world.settled().await?;
        world.each_once(MAILS).await?;
        assert_eq!(world.outside().await?, [["a.txt"]], "mails outside");
        let how = world.terminate(service).await?;
        assert!(how.contains("(exit status: 0)"), "{how}");
        Ok(())
    };
    told(story.await);
}
