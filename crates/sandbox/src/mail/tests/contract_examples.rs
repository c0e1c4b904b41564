//! The documented mail exchanges, replayed: status and shape of the answers.

use std::path::PathBuf;

use bytes::Bytes;
use serde_json::{Value, json};

use super::world::{Reply, SUPPORT, World, mail, support, test_data};

/// Annotations and values that an example shows but no client relies on.
const IGNORED: [&str; 2] = ["@odata.id", "@odata.context"];

fn examples() -> Option<PathBuf> {
    test_data("contract/examples")
}

fn example(directory: &std::path::Path, name: &str) -> Value {
    let text = std::fs::read(directory.join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The documented status; where the page's prose and its example differ, the prose.
fn status(example: &Value) -> u16 {
    let status = example["status_conflict"]["page_prose"]
        .as_u64()
        .or_else(|| example["status"].as_u64())
        .unwrap();
    u16::try_from(status).unwrap()
}

#[track_caller]
fn same_shape(name: &str, wanted: &Value, reply: &Reply) {
    let Some(wanted) = wanted.as_object() else {
        assert!(reply.bytes.is_empty(), "{name}: a body where none is documented");
        return;
    };
    for key in wanted.keys().filter(|key| !IGNORED.contains(&key.as_str())) {
        assert!(reply.json.get(key).is_some(), "{name}: no {key} in {}", reply.json);
    }
}

/// Replays an example on another path; `body` replaces placeholders.
async fn replay(world: &World, example: &Value, path: &str, body: Option<Value>) -> Reply {
    let kind = example["request_headers"]
        .as_object()
        .and_then(|headers| {
            headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        })
        .and_then(|(_, value)| value.as_str())
        .unwrap_or("application/json")
        .to_owned();
    let body: Bytes = match body.as_ref().unwrap_or(&example["request_body"]) {
        Value::Null => Bytes::new(),
        Value::String(text) => text.clone().into(),
        json => json.to_string().into(),
    };
    let prefer = example["request_headers"]["Prefer"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let headers = [("Content-Type", kind.as_str()), ("Prefer", prefer.as_str())];
    let reply = world
        .call(example["method"].as_str().unwrap(), path, &headers, body)
        .await;
    let name = example["id"].as_str().unwrap();
    assert_eq!(
        reply.status.as_u16(),
        status(example),
        "{name}: {}",
        String::from_utf8_lossy(&reply.bytes)
    );
    same_shape(name, &example["response_body"], &reply);
    reply
}

#[tokio::test]
async fn documented_folder_exchanges_hold() {
    let Some(directory) = examples() else { return };
    let world = World::new();
    let load = |name: &str| example(&directory, name);
    replay(
        &world,
        &load("user-post-mailfolders__01"),
        &support("mailFolders"),
        Some(json!({"displayName": "Hidden", "isHidden": true})),
    )
    .await;
    replay(
        &world,
        &load("user-list-mailfolders__01"),
        &support("mailFolders"),
        None,
    )
    .await;
    replay(
        &world,
        &load("user-list-mailfolders__02"),
        &support("mailFolders/?includeHiddenFolders=true"),
        None,
    )
    .await;
    let made = replay(
        &world,
        &load("mailfolder-post-childfolders__01"),
        &support("mailFolders/inbox/childFolders"),
        None,
    )
    .await;
    let path = support(&format!("mailFolders/{}", made.text("id")));
    replay(
        &world,
        &load("mailfolder-list-childfolders__01"),
        &support("mailFolders/inbox/childFolders"),
        None,
    )
    .await;
    replay(&world, &load("mailfolder-get__01"), &path, None).await;
    replay(&world, &load("mailfolder-update__01"), &path, None).await;
    replay(
        &world,
        &load("mailfolder-move__01"),
        &format!("{path}/move"),
        Some(json!({"destinationId": "archive"})),
    )
    .await;
    replay(
        &world,
        &load("mailfolder-copy__01"),
        &format!("{path}/copy"),
        Some(json!({"destinationId": "inbox"})),
    )
    .await;
    replay(&world, &load("mailfolder-delete__01"), &path, None).await;
    let delta = world.get(&support("mailFolders/delta")).await.expect(200);
    assert!(delta.list()[0].get("displayName").is_some());
}

#[tokio::test]
async fn documented_message_exchanges_hold() {
    let Some(directory) = examples() else { return };
    let world = World::new();
    let load = |name: &str| example(&directory, name);
    let id = world.inject(mail("Hello", "1@x")).await.immutable_id;
    let path = support(&format!("messages/{id}"));
    replay(&world, &load("message-get__01"), &path, None).await;
    replay(
        &world,
        &load("message-get__02"),
        &format!("{path}/?$select=internetMessageHeaders"),
        None,
    )
    .await;
    let text = replay(
        &world,
        &load("message-get__03"),
        &format!("{path}/?$select=subject,body,bodyPreview,uniqueBody"),
        None,
    )
    .await;
    assert_eq!(text.headers["preference-applied"], "outlook.body-content-type=\"text\"");
    let value = world.get(&format!("{path}/$value")).await.expect(200);
    assert_eq!(
        value.headers["content-type"],
        load("message-get__04")["response_headers"]["Content-type"]
            .as_str()
            .unwrap()
    );
    replay(
        &world,
        &load("message-list-attachments__01"),
        &format!("{path}/attachments"),
        None,
    )
    .await;
    replay(
        &world,
        &load("mailfolder-list-messages__01"),
        &support("mailFolders/inbox/messages"),
        None,
    )
    .await;
    replay(
        &world,
        &load("message-copy__01"),
        &format!("{path}/copy"),
        Some(json!({"destinationId": "archive"})),
    )
    .await;
    let moved = world
        .post(
            &format!("{path}/move"),
            load("message-move__01")["request_body"].clone(),
        )
        .await
        .expect(201);
    for key in load("message-move__01")["response_body"]
        .as_object()
        .unwrap()
        .keys()
        .filter(|key| *key != "@odata.type")
    {
        assert!(moved.json.get(key).is_some(), "message-move__01: no {key}");
    }
    replay(&world, &load("message-delete__01"), &path, None).await;
}

#[tokio::test]
async fn documented_drafts_and_answers_hold() {
    let Some(directory) = examples() else { return };
    let world = World::new();
    let load = |name: &str| example(&directory, name);
    for name in [
        "user-post-messages__01",
        "user-post-messages__02",
        "mailfolder-post-messages__01",
    ] {
        replay(&world, &load(name), &support("messages"), None).await;
    }
    let draft = replay(
        &world,
        &load("user-post-messages__03"),
        &support("messages"),
        Some(json!(
            "RnJvbTogc3VwcG9ydEBjb250b3NvLmV4YW1wbGUNClRvOiBhQHguZXhhbXBsZQ0KU3ViamVjdDogeA0KDQp5"
        )),
    )
    .await;
    let path = support(&format!("messages/{}", draft.text("id")));
    replay(&world, &load("message-update__01"), &path, None).await;
    replay(
        &world,
        &load("message-post-attachments__01"),
        &format!("{path}/attachments"),
        None,
    )
    .await;
    replay(
        &world,
        &load("message-post-attachments__02"),
        &format!("{path}/attachments"),
        None,
    )
    .await;
    replay(
        &world,
        &load("attachment-createuploadsession__01"),
        &format!("{path}/attachments/createUploadSession"),
        None,
    )
    .await;
    replay(&world, &load("message-send__01"), &format!("{path}/send"), None).await;
    let id = world.inject(mail("Hello", "1@x")).await.id;
    let path = support(&format!("messages/{id}"));
    let recipient = json!([{"emailAddress": {"name": "n", "address": "a@x.example"}}]);
    for action in ["Reply", "ReplyAll", "Forward"] {
        let lower = action.to_lowercase();
        replay(
            &world,
            &load(&format!("message-create{lower}__01")),
            &format!("{path}/create{action}"),
            None,
        )
        .await;
        let mime = Some(json!(
            "RnJvbTogc3VwcG9ydEBjb250b3NvLmV4YW1wbGUNClRvOiBhQHguZXhhbXBsZQ0KU3ViamVjdDogeA0KDQp5"
        ));
        let direct = format!("{path}/{lower}");
        replay(
            &world,
            &load(&format!("message-create{lower}__02")),
            &format!("{path}/create{action}"),
            mime.clone(),
        )
        .await;
        replay(&world, &load(&format!("message-{lower}__02")), &direct, mime).await;
        let wrong = world
            .call("POST", &direct, &[("Content-Type", "text/plain")], "%".into())
            .await
            .expect(400);
        assert_eq!(
            wrong.json["error"]["message"],
            load(&format!("message-{lower}__03"))["response_body"]["error"]["message"]
        );
    }
    replay(&world, &load("message-reply__01"), &format!("{path}/reply"), None).await;
    replay(&world, &load("message-replyall__01"), &format!("{path}/replyAll"), None).await;
    replay(
        &world,
        &load("message-forward__01"),
        &format!("{path}/forward"),
        Some(json!({"comment": "c", "toRecipients": recipient})),
    )
    .await;
    for name in ["user-sendmail__01", "user-sendmail__02", "user-sendmail__03"] {
        replay(&world, &load(name), &support("sendMail"), None).await;
    }
    let denied = replay(
        &world,
        &load("outlook-send-mail-from-other-user__02"),
        &support("sendMail"),
        None,
    )
    .await;
    assert_eq!(
        denied.json["error"]["message"],
        load("outlook-send-mail-from-other-user__02")["response_body"]["error"]["message"]
    );
}

#[tokio::test]
async fn documented_queries_are_understood() {
    let Some(directory) = examples() else { return };
    let world = World::new();
    world.inject(mail("let's meet for lunch?", "1@x")).await;
    let mut tried = 0;
    for prefix in [
        "query-parameters",
        "singlevaluelegacyextendedproperty-get",
        "search-query-parameter",
    ] {
        for number in 1..20 {
            let name = format!("{prefix}__{number:02}");
            if !directory.join(format!("{name}.json")).exists() {
                continue;
            }
            let example = example(&directory, &name);
            let path = example["path"].as_str().unwrap_or_default();
            let lower = path.to_lowercase();
            let Some(rest) = lower
                .strip_prefix("/me/")
                .map(|_| &path[4..])
                .filter(|rest| !rest.contains("AAMk"))
            else {
                continue;
            };
            let reply = world.get(&support(rest)).await;
            assert_eq!(
                reply.status.as_u16(),
                200,
                "{name}: {}",
                String::from_utf8_lossy(&reply.bytes)
            );
            tried += 1;
        }
    }
    assert!(tried >= 6, "{tried}");
    let quoted = world
        .get(&support("messages?$filter=subject eq 'let''s meet for lunch?'"))
        .await
        .expect(200);
    assert_eq!(quoted.list().len(), 1);
    assert_eq!(SUPPORT, "support@contoso.example");
}
