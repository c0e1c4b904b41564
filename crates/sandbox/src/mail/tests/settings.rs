//! `mailboxSettings`: reading, changing, refusing; languages of folders.

use bytes::Bytes;
use serde_json::json;

use super::world::{SUPPORT, World, support};

fn world() -> World {
    World::new()
}

#[tokio::test]
async fn settings_are_shown_whole_in_part_and_bare() {
    let world = world();
    let all = world.get(&support("mailboxSettings")).await.expect(200);
    assert_eq!(all.json["automaticRepliesSetting"]["status"], "disabled");
    assert_eq!(all.json["language"]["displayName"], "English (United States)");
    let part = world.get(&support("mailboxSettings/WorkingHours")).await.expect(200);
    assert_eq!(part.json["startTime"], "08:00:00.0000000");
    assert!(part.text("@odata.context").ends_with("/mailboxSettings/workingHours"));
    let purpose = world.get(&support("mailboxSettings/userPurpose")).await.expect(200);
    assert_eq!(purpose.json["value"], "user");
    let bare = world.get(&support("mailboxSettings/timeZone/$value")).await.expect(200);
    assert_eq!(bare.bytes, "UTC");
    let some = world
        .get(&support("mailboxSettings?$select=userPurpose,timeZone"))
        .await
        .expect(200);
    assert_eq!(some.json.as_object().unwrap().len(), 3);
    world.get(&support("mailboxSettings?$select=colour")).await.expect(400);
    world.get(&support("mailboxSettings/colour")).await.expect(400);
}

#[tokio::test]
async fn a_change_is_answered_with_what_was_changed_and_stays() {
    let world = world();
    let changed = world
        .patch(
            &support("mailboxSettings"),
            json!({"automaticRepliesSetting": {"status": "alwaysEnabled", "internalReplyMessage": "<p>away</p>"}}),
        )
        .await
        .expect(200);
    assert!(changed.json.get("timeZone").is_none());
    assert_eq!(changed.json["automaticRepliesSetting"]["externalAudience"], "all");
    let part = world
        .get(&support("mailboxSettings/automaticRepliesSetting"))
        .await
        .expect(200);
    assert_eq!(
        (part.text("status"), part.text("internalReplyMessage")),
        ("alwaysEnabled", "<p>away</p>")
    );
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let world = world();
    let bad = json!({"timeZone": "Pacific Standard Time", "language": {"locale": "xx-XX"}});
    world.patch(&support("mailboxSettings"), bad).await.expect(400);
    assert_eq!(world.get(&support("mailboxSettings")).await.text("timeZone"), "UTC");
    let unknown = world
        .patch(&support("mailboxSettings"), json!({"timeZone": "Mordor Standard Time"}))
        .await
        .expect(400);
    assert_eq!(unknown.code(), "TimeZoneNotSupportedException");
}

#[tokio::test]
async fn changing_needs_the_permission_to_change() {
    let mut world = World::new();
    world.caller.roles = vec!["MailboxSettings.Read".to_owned()];
    let refused = world
        .patch(&support("mailboxSettings"), json!({"timeZone": "UTC"}))
        .await
        .expect(403);
    assert_eq!(refused.code(), "ErrorAccessDenied");
    world.delete(&support("mailboxSettings")).await.expect(403);
}

#[tokio::test]
async fn schedules_are_shown_in_the_preferred_time_zone() {
    let world = world();
    let answer = world
        .call(
            "GET",
            &support("mailboxSettings/automaticRepliesSetting"),
            &[("Prefer", "outlook.timezone=\"Tokyo Standard Time\"")],
            Bytes::new(),
        )
        .await
        .expect(200);
    assert_eq!(
        answer.json["scheduledStartDateTime"]["dateTime"],
        "2026-01-01T09:00:00.0000000"
    );
    assert_eq!(
        answer.headers["preference-applied"],
        "outlook.timezone=\"Tokyo Standard Time\""
    );
}

#[tokio::test]
async fn folders_are_named_in_the_language_and_found_by_the_same_words() {
    let world = world();
    world
        .post(&support("mailFolders"), json!({"displayName": "Entw\u{fc}rfe"}))
        .await
        .expect(201);
    assert!(world.service.speak(SUPPORT, "de-DE"));
    let inbox = world.get(&support("mailFolders/inbox")).await.expect(200);
    assert_eq!(inbox.text("displayName"), "Posteingang");
    let drafts = world.get(&support("mailFolders/drafts")).await.expect(200);
    assert_eq!(drafts.text("displayName"), "Drafts", "another folder has the name");
    let settings = world.get(&support("mailboxSettings")).await.expect(200);
    assert_eq!(settings.json["language"]["locale"], "de-DE");
    assert!(!world.service.speak("nobody@contoso.example", "de-DE"));
}
