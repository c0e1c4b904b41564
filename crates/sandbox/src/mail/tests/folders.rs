//! Folders: well-known names, creation, counts, moves, deletion.

use serde_json::json;

use super::world::{SUPPORT, UNLICENSED, World, mail, support};

#[tokio::test]
async fn every_well_known_name_is_an_id() {
    let world = World::new();
    for name in [
        "archive",
        "clutter",
        "conflicts",
        "conversationhistory",
        "deleteditems",
        "drafts",
        "inbox",
        "junkemail",
        "localfailures",
        "msgfolderroot",
        "outbox",
        "recoverableitemsdeletions",
        "scheduled",
        "searchfolders",
        "sentitems",
        "serverfailures",
        "syncissues",
        "SentItems",
    ] {
        let by_name = world.get(&support(&format!("mailFolders/{name}"))).await.expect(200);
        let id = by_name.text("id").to_owned();
        let by_id = world.get(&support(&format!("mailFolders('{id}')"))).await.expect(200);
        assert_eq!(by_id.json["displayName"], by_name.json["displayName"]);
    }
}

#[tokio::test]
async fn the_listing_shows_ordinary_folders_and_hidden_ones_only_when_asked() {
    let world = World::new();
    let shown = world.get(&support("mailFolders?$top=100")).await.expect(200);
    assert_eq!(
        shown.each("displayName"),
        [
            "Archive",
            "Conversation History",
            "Deleted Items",
            "Drafts",
            "Inbox",
            "Junk Email",
            "Outbox",
            "Sent Items"
        ]
    );
    let all = world
        .get(&support("mailFolders/?includeHiddenFolders=true&$top=100"))
        .await
        .expect(200);
    assert!(all.each("displayName").contains(&"Clutter".to_owned()));
    let filtered = world
        .get(&support("mailFolders?%24filter=displayName+eq+%27inbox%27&$top=1"))
        .await
        .expect(200);
    assert_eq!(filtered.each("displayName"), ["Inbox"]);
    world
        .get(&support("mailFolders?$filter=nonsense eq 'x'"))
        .await
        .expect(400);
    world
        .get(&support("mailFolders?includeHidenFolders=true"))
        .await
        .expect(400);
}

#[tokio::test]
async fn pages_of_folders_go_on_by_next_link() {
    let world = World::new();
    let first = world.get(&support("mailFolders?$top=5&$count=true")).await.expect(200);
    assert_eq!((first.list().len(), first.json["@odata.count"].as_u64()), (5, Some(8)));
    let second = world.get(first.text("@odata.nextLink")).await.expect(200);
    assert_eq!(second.list().len(), 3);
    assert!(second.json.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn a_folder_is_created_once_renamed_and_deleted_twice() {
    let world = World::new();
    let created = world
        .post(&support("mailFolders"), json!({"displayName": "Cases"}))
        .await
        .expect(201);
    assert!(created.headers["location"].to_str().unwrap().contains("/mailFolders('"));
    let duplicate = world
        .post(&support("mailFolders"), json!({"DisplayName": "cases"}))
        .await
        .expect(409);
    assert_eq!(duplicate.code(), "ErrorFolderExists");
    let path = support(&format!("mailFolders/{}", created.text("id")));
    world.patch(&path, json!({"displayName": "Done"})).await.expect(200);
    world
        .post(&format!("{path}/childFolders"), json!({"displayName": "Inner"}))
        .await
        .expect(201);
    assert_eq!(world.get(&path).await.json["childFolderCount"], 1);
    world.delete(&path).await.expect(204);
    let bin = world.get(&support("mailFolders/deleteditems")).await;
    assert_eq!(
        world.get(&path).await.expect(200).json["parentFolderId"],
        bin.json["id"]
    );
    world.delete(&path).await.expect(204);
    world.get(&path).await.expect(404);
    let refused = world.delete(&support("mailFolders/inbox")).await.expect(403);
    assert_eq!(refused.code(), "ErrorCannotDeleteObject");
}

#[tokio::test]
async fn a_folder_moves_and_copies_with_its_messages_but_not_into_itself() {
    let world = World::new();
    let outer = world
        .post(&support("mailFolders"), json!({"displayName": "Outer"}))
        .await
        .expect(201)
        .text("id")
        .to_owned();
    let inner = format!("mailFolders/{outer}/childFolders");
    let inner = world
        .post(&support(&inner), json!({"displayName": "Inner"}))
        .await
        .expect(201)
        .text("id")
        .to_owned();
    world
        .service
        .deliver_into(SUPPORT, Some("Inner"), mail("x", "1@x"))
        .await
        .unwrap();
    world
        .post(
            &support(&format!("mailFolders/{outer}/move")),
            json!({"DestinationId": inner}),
        )
        .await
        .expect(400);
    let copy = world
        .post(
            &support(&format!("mailFolders/{outer}/copy")),
            json!({"destinationId": "archive"}),
        )
        .await
        .expect(200);
    let below = world
        .get(&support(&format!("mailFolders/{}/childFolders", copy.text("id"))))
        .await
        .expect(200);
    assert_eq!(below.list()[0]["totalItemCount"], 1);
    let moved = world
        .post(
            &support(&format!("mailFolders/{inner}/move")),
            json!({"destinationId": "inbox"}),
        )
        .await
        .expect(200);
    assert_eq!(moved.text("id"), inner);
}

#[tokio::test]
async fn counts_follow_messages() {
    let world = World::new();
    let mails = world.inject_many(3).await;
    world
        .patch(&support(&format!("messages/{}", mails[0].id)), json!({"isRead": true}))
        .await
        .expect(200);
    world
        .delete(&support(&format!("messages/{}", mails[1].id)))
        .await
        .expect(204);
    let inbox = world.get(&support("mailFolders/inbox")).await.expect(200);
    assert_eq!(
        (
            inbox.json["totalItemCount"].as_u64(),
            inbox.json["unreadItemCount"].as_u64()
        ),
        (Some(2), Some(1))
    );
    assert!(inbox.json["sizeInBytes"].as_u64().unwrap() > 0);
    assert_eq!(
        world.get(&support("mailFolders/deleteditems")).await.json["totalItemCount"],
        1
    );
}

#[tokio::test]
async fn an_expanded_listing_shows_children() {
    let world = World::new();
    world
        .post(
            &support("mailFolders/inbox/childFolders"),
            json!({"displayName": "Sub"}),
        )
        .await
        .expect(201);
    let tree = world
        .get(&support("mailFolders?$expand=childFolders($top=9999)&$top=9999"))
        .await
        .expect(200);
    let inbox = tree
        .list()
        .iter()
        .find(|folder| folder["displayName"] == "Inbox")
        .unwrap();
    assert_eq!(inbox["childFolders"][0]["displayName"], "Sub");
    assert_eq!(tree.list()[0]["childFolders"], json!([]));
}

#[tokio::test]
async fn missing_mailboxes_permissions_and_wrong_ids_are_told_apart() {
    let mut world = World::new();
    let none = world
        .get(&format!("/users/{UNLICENSED}/mailFolders/inbox"))
        .await
        .expect(404);
    assert_eq!(none.code(), "MailboxNotEnabledForRESTAPI");
    assert_eq!(
        world.get(&support("mailFolders/nonsense")).await.expect(400).code(),
        "ErrorInvalidIdMalformed"
    );
    world.get(&support("calendars")).await.expect(501);
    world.get(&support("nothing")).await.expect(400);
    world.caller.roles = vec!["Mail.Read".to_owned()];
    let denied = world
        .post(&support("mailFolders"), json!({"displayName": "x"}))
        .await
        .expect(403);
    assert_eq!(denied.code(), "ErrorAccessDenied");
    world.sign_in(SUPPORT, &["Mail.Read"]);
    world.get("/me/mailFolders/inbox").await.expect(200);
    world
        .get("/users/sales@contoso.example/mailFolders/inbox")
        .await
        .expect(403);
}

#[tokio::test]
async fn the_folder_delta_tells_of_new_renamed_and_gone_folders() {
    let world = World::new();
    let first = world.get(&support("mailFolders/delta")).await.expect(200);
    assert_eq!(first.list().len(), 8);
    let link = first.text("@odata.deltaLink").to_owned();
    let id = world
        .post(&support("mailFolders"), json!({"displayName": "New"}))
        .await
        .text("id")
        .to_owned();
    let second = world.get(&link).await.expect(200);
    assert_eq!(second.each("displayName"), ["New"]);
    let path = support(&format!("mailFolders/{id}"));
    world.delete(&path).await.expect(204);
    world.delete(&path).await.expect(204);
    let third = world.get(second.text("@odata.deltaLink")).await.expect(200);
    assert_eq!(third.list()[0]["@removed"]["reason"], "deleted");
    world
        .get(&support("mailFolders/delta?$deltatoken=abc"))
        .await
        .expect(410);
}
