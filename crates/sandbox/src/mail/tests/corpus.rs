//! Every mail of the corpus is deliverable, listable, and comes back byte for byte.

use std::path::PathBuf;

use super::world::{World, support, test_data};

async fn every_file_of(name: &str) {
    let Some(directory) = test_data(name) else { return };
    let world = World::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "eml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        let id = world.inject(bytes.clone()).await.id;
        let path = support(&format!("messages/{id}"));
        let value = world.get(&format!("{path}/$value")).await.expect(200);
        assert_eq!(value.bytes, bytes, "{}", file.display());
        let message = world
            .get(&format!(
                "{path}?$expand=attachments&$select=*,uniqueBody,internetMessageHeaders"
            ))
            .await
            .expect(200);
        assert!(!message.bytes.contains(&0), "{}", file.display());
        world
            .call(
                "GET",
                &path,
                &[("Prefer", "outlook.body-content-type=\"text\"")],
                bytes::Bytes::new(),
            )
            .await
            .expect(200);
        world
            .post(&format!("{path}/createReplyAll"), serde_json::json!({"comment": "x"}))
            .await
            .expect(201);
        world
            .post(&format!("{path}/createForward"), serde_json::json!({}))
            .await
            .expect(201);
    }
    let mut listed = 0;
    let mut url = support("mailFolders/inbox/messages/delta");
    loop {
        let page = world
            .call("GET", &url, &[("Prefer", "odata.maxpagesize=50")], bytes::Bytes::new())
            .await
            .expect(200);
        listed += page.list().len();
        match page.json.get("@odata.nextLink") {
            Some(link) => url = link.as_str().unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(listed, files.len());
}

#[tokio::test]
async fn every_mail_of_the_corpus_survives() {
    every_file_of("corpus/mail").await;
}

#[tokio::test]
async fn every_bounce_of_the_corpus_survives() {
    every_file_of("corpus/bounces").await;
}
