//! Large attachments over HTTPS: slices beyond four megabytes, without a token in the header.

use serde_json::{Value, json};

use crate::harness::{Tenant, read};

const SUPPORT: &str = "support@contoso.example";

#[tokio::test]
async fn slices_of_five_megabytes_are_taken_without_authorization() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let draft = tenant
        .post(
            &token,
            &format!("/users/{SUPPORT}/messages"),
            &json!({"subject": "large"}),
        )
        .await;
    let message = format!(
        "/users/{SUPPORT}/messages/{}",
        draft.body["id"].as_str().expect("an id")
    );
    let content = vec![7_u8; 8 * 1024 * 1024];
    let item = json!({"AttachmentItem": {"attachmentType": "file", "name": "large.bin", "size": content.len()}});
    let session = tenant
        .post(&token, &format!("{message}/attachments/createUploadSession"), &item)
        .await;
    assert_eq!(session.status, 201, "{:?}", session.body);
    let url = session.body["uploadUrl"].as_str().expect("a URL");
    let mut first = 0;
    let mut last_status = 0;
    for slice in content.chunks(5 * 1024 * 1024) {
        let range = format!("bytes {first}-{}/{}", first + slice.len() - 1, content.len());
        let request = tenant
            .client
            .put(url)
            .header("content-range", range)
            .header("content-type", "application/octet-stream")
            .body(slice.to_vec());
        let answer = read(request.send().await.expect("an answer")).await;
        last_status = answer.status.as_u16();
        first += slice.len();
        if first < content.len() {
            assert_eq!(answer.body["NextExpectedRanges"], json!([first.to_string()]));
        }
    }
    assert_eq!(last_status, 201);
    let list = tenant.get(&token, &format!("{message}/attachments?$select=size")).await;
    assert_eq!(list.body["value"][0]["size"], content.len());
    let direct = json!({"name": "x", "contentBytes": "A".repeat(4 * 1024 * 1024)});
    let refused = tenant.post(&token, &format!("{message}/attachments"), &direct).await;
    assert_eq!(refused.status, 413);
    assert_eq!(
        tenant
            .post(&token, &format!("{message}/send"), &Value::Null)
            .await
            .error_code(),
        "ErrorInvalidRecipients"
    );
}
