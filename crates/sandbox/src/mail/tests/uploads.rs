//! Upload sessions: order, repetition, completion, refusals.

use bytes::Bytes;
use serde_json::json;

use super::world::{Reply, World, support};

const SIZE: usize = 3_483_322;

async fn session(world: &World, message: &str) -> Reply {
    let item = json!({"AttachmentItem": {"attachmentType": "file", "name": "flower.jpg", "size": SIZE}});
    world
        .post(
            &support(&format!("messages/{message}/attachments/createUploadSession")),
            item,
        )
        .await
}

async fn put(world: &World, url: &str, first: usize, bytes: &[u8]) -> Reply {
    let range = format!("bytes {first}-{}/{SIZE}", first + bytes.len() - 1);
    world
        .call("PUT", url, &[("Content-Range", &range)], Bytes::copy_from_slice(bytes))
        .await
}

#[tokio::test]
async fn a_large_attachment_is_uploaded_in_order() {
    let world = World::new();
    let draft = world
        .post_immutable(&support("messages"), json!({"subject": "s"}))
        .await
        .expect(201);
    let started = session(&world, draft.text("id")).await.expect(201);
    assert_eq!(started.json["nextExpectedRanges"], json!(["0-"]));
    let url = started.text("uploadUrl").to_owned();
    assert!(url.contains("/api/v2.0/Users('") && url.contains("authtoken="), "{url}");
    let content: Vec<u8> = (0..SIZE).map(|index| u8::try_from(index % 251).unwrap()).collect();
    let first = put(&world, &url, 0, &content[..2_097_152]).await.expect(200);
    assert_eq!(first.json["NextExpectedRanges"], json!(["2097152"]));
    put(&world, &url, 3_000_000, &content[3_000_000..]).await.expect(416);
    let again = put(&world, &url, 0, &content[..2_097_152]).await.expect(200);
    assert_eq!(again.json["NextExpectedRanges"], json!(["2097152"]));
    let last = put(&world, &url, 2_097_152, &content[2_097_152..]).await.expect(201);
    assert!(last.bytes.is_empty() && last.headers["location"].to_str().unwrap().contains("/Attachments('"));
    let list = world
        .get(&support(&format!(
            "messages/{}/attachments?$select=name,size,contentType",
            draft.text("id")
        )))
        .await
        .expect(200);
    assert_eq!(list.list()[0]["size"], SIZE);
    assert_eq!(list.list()[0]["contentType"], "image/jpeg");
    let id = list.list()[0]["id"].as_str().unwrap();
    let value = world
        .get(&support(&format!(
            "messages/{}/attachments/{id}/$value",
            draft.text("id")
        )))
        .await
        .expect(200);
    assert_eq!(value.bytes, content);
    put(&world, &url, 0, &content[..10]).await.expect(404);
}

#[tokio::test]
async fn sessions_need_their_token_expire_and_can_be_cancelled() {
    let world = World::new();
    let draft = world
        .post(&support("messages"), json!({"subject": "s"}))
        .await
        .expect(201);
    let url = session(&world, draft.text("id"))
        .await
        .expect(201)
        .text("uploadUrl")
        .to_owned();
    put(&world, &url[..url.len() - 1], 0, b"abc").await.expect(404);
    world.delete(&url).await.expect(204);
    put(&world, &url, 0, b"abc").await.expect(404);
    let url = session(&world, draft.text("id"))
        .await
        .expect(201)
        .text("uploadUrl")
        .to_owned();
    world.advance(3_601);
    put(&world, &url, 0, b"abc").await.expect(404);
}

#[tokio::test]
async fn only_files_between_the_limits_are_taken_and_only_for_drafts() {
    let world = World::new();
    let draft = world
        .post(&support("messages"), json!({"subject": "s"}))
        .await
        .expect(201);
    let path = support(&format!(
        "messages/{}/attachments/createUploadSession",
        draft.text("id")
    ));
    for size in [json!(1_000), json!(200_000_000), json!("x")] {
        world
            .post(
                &path,
                json!({"AttachmentItem": {"attachmentType": "file", "name": "f", "size": size}}),
            )
            .await
            .expect(400);
    }
    world.post(&path, json!({})).await.expect(400);
    let received = world.inject("Subject: x\r\n\r\ny").await.id;
    session(&world, &received).await.expect(400);
}
