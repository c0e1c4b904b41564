//! Inbox rules: their endpoints, and what they do with mail that arrives.

use bytes::Bytes;
use serde_json::{Value, json};

use super::world::{SALES, SUPPORT, World, mail, support};
use crate::mail::transport::Arrival;

fn rules() -> String {
    support("mailFolders/inbox/messageRules")
}

#[expect(clippy::needless_pass_by_value, reason = "callers write `json!` in place")]
fn rule(sequence: i32, conditions: Value, actions: Value) -> Value {
    json!({"displayName": "Rule", "sequence": sequence, "isEnabled": true, "conditions": conditions, "actions": actions})
}

async fn arrive(world: &World, mail: Bytes) {
    let recipients = [SUPPORT.to_owned()];
    world
        .service
        .deliver_raw(&recipients, "ada@fabrikam.example", mail, Arrival::Smtp)
        .await
        .unwrap();
}

async fn folder_of(world: &World, subject: &str) -> Option<String> {
    let listed = world.service.list_for_control(SUPPORT).unwrap();
    listed
        .into_iter()
        .find(|found| found.subject == subject)
        .map(|found| found.folder)
}

#[tokio::test]
async fn a_rule_is_created_shown_changed_and_deleted() {
    let world = World::new();
    let body = json!({
        "displayName": "From partner", "sequence": 2, "isEnabled": true,
        "conditions": {"senderContains": ["adele"]},
        "actions": {"forwardTo": [{"emailAddress": {"name": "Alex", "address": SALES}}], "stopProcessingRules": true},
    });
    let created = world.post(&rules(), body).await.expect(201);
    assert_eq!(created.json["hasError"], false);
    assert_eq!(created.json["isReadOnly"], false);
    assert_eq!(created.json["conditions"], json!({"senderContains": ["adele"]}));
    assert!(
        created
            .text("@odata.context")
            .ends_with("/mailFolders('inbox')/messageRules/$entity")
    );
    let one = format!("{}/{}", rules(), created.text("id"));
    let changed = world
        .patch(
            &one,
            json!({"displayName": "Important", "actions": {"markImportance": "High"}}),
        )
        .await
        .expect(200);
    assert_eq!(changed.json["actions"], json!({"markImportance": "high"}));
    assert_eq!(changed.json["sequence"], 2);
    assert_eq!(world.get(&rules()).await.expect(200).each("displayName"), ["Important"]);
    assert_eq!(world.get(&one).await.expect(200).text("displayName"), "Important");
    world.delete(&one).await.expect(204);
    world.get(&one).await.expect(404);
    world.delete(&one).await.expect(404);
}

#[tokio::test]
async fn senseless_rules_are_refused() {
    let world = World::new();
    let mark = json!({"markAsRead": true});
    for (body, status) in [
        (json!({"sequence": 1, "actions": mark}), 400),
        (json!({"displayName": "x", "actions": mark}), 400),
        (json!({"displayName": "x", "sequence": 1}), 400),
        (json!({"displayName": "x", "sequence": "1", "actions": mark}), 400),
        (json!({"displayName": "x", "sequence": 1, "actions": {}}), 400),
        (rule(1, json!({"unknown": true}), mark.clone()), 400),
        (rule(1, json!({"subjectContains": "text"}), mark.clone()), 400),
        (rule(1, json!({"subjectContains": [""]}), mark.clone()), 400),
        (rule(1, json!({"importance": "urgent"}), mark.clone()), 400),
        (rule(1, json!({"isVoicemail": true}), mark.clone()), 501),
        (rule(1, json!({}), json!({"explode": true})), 400),
        (rule(1, json!({}), json!({"forwardTo": []})), 400),
        (
            rule(
                1,
                json!({}),
                json!({"redirectTo": [{"emailAddress": {"address": "nobody"}}]}),
            ),
            400,
        ),
        (rule(1, json!({}), json!({"moveToFolder": "AAMkAnonsense"})), 400),
    ] {
        let shown = body.to_string();
        let refused = world.post(&rules(), body).await;
        assert_eq!(refused.status.as_u16(), status, "{shown}");
    }
    assert_eq!(world.get(&rules()).await.list().len(), 0);
    world.get(&support("mailFolders/drafts/messageRules")).await.expect(400);
    let mut world = world;
    world.caller.roles = vec!["Mail.ReadWrite".to_owned(), "MailboxSettings.Read".to_owned()];
    world.get(&rules()).await.expect(200);
    world.post(&rules(), rule(1, json!({}), mark)).await.expect(403);
}

#[tokio::test]
async fn rules_move_copy_and_mark_what_they_match_in_order() {
    let world = World::new();
    let folder = world
        .post(&support("mailFolders"), json!({"displayName": "Orders"}))
        .await
        .expect(201);
    let orders = folder.text("id").to_owned();
    let first = json!({"moveToFolder": orders, "markAsRead": true, "assignCategories": ["Blue"], "markImportance": "low", "stopProcessingRules": true});
    let mut excepted = rule(1, json!({"subjectContains": ["ORDER"]}), first);
    excepted["exceptions"] = json!({"bodyContains": ["of order spam"]});
    world.post(&rules(), excepted).await.expect(201);
    world
        .post(
            &rules(),
            rule(2, json!({"subjectContains": ["order"]}), json!({"delete": true})),
        )
        .await
        .expect(201);
    world
        .post(
            &rules(),
            rule(
                3,
                json!({"headerContains": ["x-list: news"]}),
                json!({"permanentDelete": true}),
            ),
        )
        .await
        .expect(201);
    world
        .post(
            &rules(),
            rule(
                4,
                json!({"subjectContains": ["both"]}),
                json!({"copyToFolder": "archive"}),
            ),
        )
        .await
        .expect(201);
    arrive(&world, mail("order 1", "1@x")).await;
    arrive(&world, mail("order spam", "2@x")).await;
    arrive(&world, "X-List: News\r\nSubject: news\r\n\r\nx\r\n".into()).await;
    arrive(&world, mail("both", "3@x")).await;
    arrive(&world, mail("other", "4@x")).await;
    assert_eq!(folder_of(&world, "order 1").await.as_deref(), Some("Orders"));
    assert_eq!(folder_of(&world, "order spam").await.as_deref(), Some("Deleted Items"));
    assert_eq!(folder_of(&world, "news").await, None);
    assert_eq!(folder_of(&world, "other").await.as_deref(), Some("Inbox"));
    let folders: Vec<String> = world
        .service
        .list_for_control(SUPPORT)
        .unwrap()
        .into_iter()
        .filter(|found| found.subject == "both")
        .map(|found| found.folder)
        .collect();
    assert!(folders.len() == 2 && folders.contains(&"Archive".to_owned()) && folders.contains(&"Inbox".to_owned()));
    let moved = world
        .get(&support(&format!(
            "mailFolders/{orders}/messages?$select=isRead,importance,categories"
        )))
        .await;
    let moved = &moved.list()[0];
    assert_eq!(
        (moved["isRead"].as_bool(), moved["importance"].as_str()),
        (Some(true), Some("low"))
    );
    assert_eq!(moved["categories"], json!(["Blue"]));
    world
        .delete(&support(&format!("mailFolders/{orders}")))
        .await
        .expect(204);
}

#[tokio::test]
async fn conditions_judge_the_mail_they_are_for() {
    let ooo = "Auto-Submitted: auto-generated\r\nIn-Reply-To: <a@x>\r\nSubject: subject\r\nFrom: Ada <ada@fabrikam.example>\r\nTo: support@contoso.example\r\n\r\nx\r\n";
    let plain = "Subject: subject\r\nFrom: Ada <ada@fabrikam.example>\r\nTo: support@contoso.example, o@x.example\r\nCc: sales@contoso.example\r\nImportance: high\r\nSensitivity: private\r\n\r\nThe Body\r\n";
    let report = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\nSubject: subject\r\nTo: support@contoso.example\r\nAuto-Submitted: auto-replied\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n";
    for (condition, mail, fires) in [
        (json!({"isAutomaticReply": true}), ooo, true),
        (json!({"isAutomaticReply": true}), plain, false),
        (json!({"isAutomaticReply": true}), report, false),
        (json!({"isAutomaticReply": false}), plain, true),
        (json!({"isNonDeliveryReport": true}), report, true),
        (json!({"isNonDeliveryReport": true}), plain, false),
        (json!({"sentOnlyToMe": true}), ooo, true),
        (json!({"sentOnlyToMe": true}), plain, false),
        (json!({"sentToMe": true}), plain, true),
        (json!({"sentCcMe": true}), plain, false),
        (json!({"notSentToMe": true}), plain, false),
        (json!({"senderContains": ["ADA"]}), plain, true),
        (json!({"senderContains": ["eve"]}), plain, false),
        (json!({"recipientContains": ["sales@"]}), plain, true),
        (
            json!({"fromAddresses": [{"emailAddress": {"address": "ADA@fabrikam.example"}}]}),
            plain,
            true,
        ),
        (
            json!({"fromAddresses": [{"emailAddress": {"address": "a@fabrikam.example"}}]}),
            plain,
            false,
        ),
        (
            json!({"sentToAddresses": [{"emailAddress": {"address": "o@x.example"}}]}),
            plain,
            true,
        ),
        (json!({"importance": "high"}), plain, true),
        (json!({"importance": "low"}), plain, false),
        (json!({"sensitivity": "private"}), plain, true),
        (json!({"hasAttachments": true}), plain, false),
        (json!({"bodyContains": ["the body"]}), plain, true),
        (json!({"bodyOrSubjectContains": ["nothing", "SUBJ"]}), plain, true),
        (
            json!({"bodyContains": ["the body"], "subjectContains": ["other"]}),
            plain,
            false,
        ),
        (
            json!({"withinSizeRange": {"minimumSize": 1, "maximumSize": 2}}),
            plain,
            true,
        ),
        (json!({"withinSizeRange": {"minimumSize": 2}}), plain, false),
    ] {
        let world = World::new();
        let shown = condition.to_string();
        world
            .post(&rules(), rule(1, condition, json!({"moveToFolder": "archive"})))
            .await
            .expect(201);
        arrive(&world, mail.into()).await;
        let expected = if fires { "Archive" } else { "Inbox" };
        assert_eq!(
            folder_of(&world, "subject").await.as_deref(),
            Some(expected),
            "{shown} {mail}"
        );
    }
}

#[tokio::test]
async fn forwards_and_redirects_leave_and_do_not_circle() {
    let world = World::new();
    let actions = json!({"forwardTo": [{"emailAddress": {"address": SALES}}], "redirectTo": [{"emailAddress": {"address": SALES}}], "forwardAsAttachmentTo": [{"emailAddress": {"address": SALES}}]});
    world.post(&rules(), rule(1, json!({}), actions)).await.expect(201);
    let back = json!({"displayName": "back", "sequence": 1, "actions": {"redirectTo": [{"emailAddress": {"address": SUPPORT}}]}});
    world
        .post(&format!("/users/{SALES}/mailFolders/inbox/messageRules"), back)
        .await
        .expect(201);
    arrive(&world, mail("on", "1@x")).await;
    let there = world
        .get(&format!("/users/{SALES}/messages?$select=subject,from,hasAttachments"))
        .await;
    let mut subjects = there.each("subject");
    subjects.sort();
    assert_eq!(subjects, ["FW: on", "FW: on", "on"]);
    // The original, and the three that came back once.
    assert_eq!(world.get(&support("messages/$count")).await.bytes, "4");
}

#[tokio::test]
async fn a_rule_whose_folder_is_gone_is_in_error_and_the_mail_stays_in_the_inbox() {
    let world = World::new();
    let folder = world
        .post(&support("mailFolders"), json!({"displayName": "Gone"}))
        .await
        .expect(201);
    let id = folder.text("id").to_owned();
    let made = world
        .post(&rules(), rule(1, json!({}), json!({"moveToFolder": id})))
        .await
        .expect(201);
    world
        .post(&support(&format!("mailFolders/{id}/permanentDelete")), Value::Null)
        .await
        .expect(204);
    arrive(&world, mail("lost", "1@x")).await;
    assert_eq!(folder_of(&world, "lost").await.as_deref(), Some("Inbox"));
    let shown = world.get(&format!("{}/{}", rules(), made.text("id"))).await;
    assert_eq!(shown.json["hasError"], true);
}
