//! Automatic replies of absent owners.

use bytes::Bytes;
use serde_json::{Value, json};

use super::world::{SALES, SUPPORT, World, mail, support, to};
use crate::mail::transport::Arrival;

async fn away(world: &World, user: &str, setting: Value) {
    let body = json!({"automaticRepliesSetting": setting});
    world
        .patch(&format!("/users/{user}/mailboxSettings"), body)
        .await
        .expect(200);
}

fn always() -> Value {
    json!({"status": "alwaysEnabled", "externalAudience": "all", "internalReplyMessage": "<p>Away, colleagues</p>", "externalReplyMessage": "<p>Away, customers</p>"})
}

async fn arrive(world: &World, from: &str, mail: Bytes) {
    let recipients = [SUPPORT.to_owned()];
    world
        .service
        .deliver_raw(&recipients, from, mail, Arrival::Smtp)
        .await
        .unwrap();
}

fn outside(world: &World) -> Vec<String> {
    let mails = world.service.outside_mail(None);
    mails
        .iter()
        .map(|mail| String::from_utf8_lossy(&mail.raw.bytes()).into_owned())
        .collect()
}

#[tokio::test]
async fn a_sender_outside_hears_once_with_the_message_for_outsiders() {
    let world = World::new();
    away(&world, SUPPORT, always()).await;
    arrive(&world, "ada@fabrikam.example", mail("Help", "1@fabrikam.example")).await;
    arrive(&world, "ADA@fabrikam.example", mail("Help again", "2@fabrikam.example")).await;
    let replies = outside(&world);
    assert_eq!(replies.len(), 1);
    for part in [
        "Subject: Automatic reply: Help\r\n",
        "To: <ada@fabrikam.example>\r\n",
        "In-Reply-To: <1@fabrikam.example>\r\n",
        "References: <1@fabrikam.example>\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "X-Auto-Response-Suppress: All\r\n",
        "Away, customers",
    ] {
        assert!(replies[0].contains(part), "{part}\n{}", replies[0]);
    }
    assert_eq!(world.service.outside_mail(None)[0].mail_from, "");
    assert_eq!(
        world.get(&support("mailFolders/sentitems/messages/$count")).await.bytes,
        "0"
    );
    // Switched off and on again, the absence is a new one.
    away(&world, SUPPORT, json!({"status": "disabled"})).await;
    away(&world, SUPPORT, always()).await;
    arrive(&world, "ada@fabrikam.example", mail("Third", "3@fabrikam.example")).await;
    assert_eq!(outside(&world).len(), 2);
}

#[tokio::test]
async fn two_absent_mailboxes_do_not_write_to_each_other_for_ever() {
    let world = World::new();
    away(&world, SUPPORT, always()).await;
    away(&world, SALES, always()).await;
    let message = json!({"subject": "Hi", "toRecipients": [to(SALES)]});
    world
        .post(&support("sendMail"), json!({"message": message}))
        .await
        .expect(202);
    let back = world
        .get(&support("mailFolders/inbox/messages?$select=subject,bodyPreview"))
        .await;
    assert_eq!(back.each("subject"), ["Automatic reply: Hi"]);
    assert_eq!(back.each("bodyPreview"), ["Away, colleagues"]);
    assert_eq!(
        world
            .get(&format!("/users/{SALES}/mailFolders/inbox/messages/$count"))
            .await
            .bytes,
        "1"
    );
}

#[tokio::test]
async fn nobody_hears_who_should_not() {
    let world = World::new();
    away(&world, SUPPORT, always()).await;
    arrive(&world, "", mail("null", "1@x")).await;
    for header in [
        "Auto-Submitted: auto-replied",
        "List-Id: <l.x>",
        "Precedence: bulk",
        "X-Auto-Response-Suppress: OOF",
    ] {
        arrive(
            &world,
            "list@x.example",
            format!("{header}\r\nSubject: s\r\n\r\nx\r\n").into(),
        )
        .await;
    }
    let spam = "X-MS-Exchange-Organization-SCL: 9\r\nSubject: s\r\n\r\nx\r\n";
    arrive(&world, "spam@x.example", spam.into()).await;
    arrive(&world, SUPPORT, mail("own", "2@x")).await;
    for audience in ["none", "contactsOnly"] {
        away(
            &world,
            SUPPORT,
            json!({"status": "alwaysEnabled", "externalAudience": audience}),
        )
        .await;
        arrive(&world, "ada@x.example", mail("outside", "3@x")).await;
    }
    assert!(outside(&world).is_empty());
}

#[tokio::test]
async fn a_scheduled_absence_begins_and_ends_by_the_clock() {
    let world = World::new();
    let mut setting = always();
    setting["status"] = "scheduled".into();
    setting["scheduledStartDateTime"] = json!({"dateTime": "2026-03-01T11:00:00", "timeZone": "UTC"});
    setting["scheduledEndDateTime"] = json!({"dateTime": "2026-03-01T12:00:00", "timeZone": "UTC"});
    away(&world, SUPPORT, setting).await;
    for (sender, replies) in [("a@x.example", 0), ("b@x.example", 1), ("c@x.example", 1)] {
        arrive(&world, sender, mail("s", sender)).await;
        assert_eq!(outside(&world).len(), replies, "{sender}");
        world.advance(3600);
    }
}
