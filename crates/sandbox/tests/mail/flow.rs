//! One conversation from arrival to answer and back, through every layer.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Tenant, read};

const SUPPORT: &str = "support@contoso.example";

fn path(rest: &str) -> String {
    format!("/users/{SUPPORT}/{rest}")
}

async fn inject(tenant: &Tenant, mime: &[u8]) -> Answer {
    let url = format!("{}/mailboxes/{SUPPORT}/messages", tenant.description().control_url);
    read(
        tenant
            .client
            .post(url)
            .body(mime.to_vec())
            .send()
            .await
            .expect("an answer"),
    )
    .await
}

/// Follows an absolute link.
async fn follow(tenant: &Tenant, token: &str, link: &Value) -> Answer {
    let url = link.as_str().expect("a link");
    read(
        tenant
            .client
            .get(url)
            .bearer_auth(token)
            .send()
            .await
            .expect("an answer"),
    )
    .await
}

#[tokio::test]
async fn a_mail_is_found_answered_and_answered_back() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let start = tenant
        .get(&token, &path("mailFolders/inbox/messages/delta()?$select=subject"))
        .await;
    let mime = b"From: Ada <ada@fabrikam.example>\r\nTo: support@contoso.example\r\nSubject: Broken \xff\r\nMessage-ID: <one@fabrikam.example>\r\n\r\nHelp.\r\n";
    let arrived = inject(&tenant, mime).await;
    assert_eq!(arrived.status, 201, "{:?}", arrived.body);
    let round = follow(&tenant, &token, &start.body["@odata.deltaLink"]).await;
    assert_eq!(round.status, 200);
    let id = round.body["value"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(round.body["value"][0]["id"], arrived.body["id"]);
    let value = tenant.get(&token, &path(&format!("messages/{id}/$value"))).await;
    assert_eq!(value.bytes, mime);

    let draft = tenant
        .post(
            &token,
            &path(&format!("messages/{id}/createReply")),
            &json!({"comment": "Soon."}),
        )
        .await;
    assert_eq!(draft.status, 201);
    let draft_id = draft.body["id"].as_str().expect("an id");
    let sent = tenant
        .post(&token, &path(&format!("messages('{draft_id}')/send")), &Value::Null)
        .await;
    assert_eq!((sent.status.as_u16(), sent.bytes.len()), (202, 0));
    let outside = tenant
        .control(Method::GET, "/outside?address=ada@fabrikam.example", &Value::Null)
        .await;
    let mail = &outside.body[0];
    let mail = if mail.is_null() {
        &outside.body["mails"][0]
    } else {
        mail
    };
    assert_eq!(mail["subject"], "RE: Broken \u{fffd}", "{:?}", outside.body);

    let back = format!("/outside/ada@fabrikam.example/reply/{}", mail["seq"]);
    let answered = tenant.control(Method::POST, &back, &json!({"text": "Thanks!"})).await;
    assert!(answered.status.is_success(), "{:?}", answered.body);
    let next = follow(&tenant, &token, &round.body["@odata.deltaLink"]).await;
    assert_eq!(next.body["value"].as_array().map(Vec::len), Some(1));
    let reply = next.body["value"][0]["id"].as_str().expect("an id");
    let select = "?$select=conversationId";
    let first = tenant.get(&token, &path(&format!("messages/{id}{select}"))).await;
    let last = tenant.get(&token, &path(&format!("messages/{reply}{select}"))).await;
    assert_eq!(first.body["conversationId"], last.body["conversationId"]);
}

#[tokio::test]
async fn pages_follow_from_link_to_link() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    for number in 0..5 {
        inject(&tenant, format!("Subject: {number}\r\n\r\nx").as_bytes()).await;
    }
    let mut answer = tenant
        .get(
            &token,
            &path("mailFolders/inbox/messages?%24top=2&%24filter=contains%28subject%2C+%27%27%29&$select=subject"),
        )
        .await;
    let mut found = Vec::new();
    loop {
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        found.extend(answer.body["value"].as_array().expect("a list").clone());
        let link = answer.body["@odata.nextLink"].clone();
        if link.is_null() {
            break;
        }
        answer = follow(&tenant, &token, &link).await;
    }
    assert_eq!(found.len(), 5);
}

#[tokio::test]
async fn an_expired_delta_token_is_gone() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let start = tenant.get(&token, &path("mailFolders/inbox/messages/delta")).await;
    let expired = tenant
        .control(
            Method::POST,
            "/delta/expire",
            &json!({"mailbox": SUPPORT, "folder": "inbox"}),
        )
        .await;
    assert!(expired.status.is_success(), "{:?}", expired.body);
    let gone = follow(&tenant, &token, &start.body["@odata.deltaLink"]).await;
    assert_eq!((gone.status.as_u16(), gone.error_code()), (410, "SyncStateNotFound"));
}

#[tokio::test]
async fn concurrent_sends_of_one_draft_deliver_once() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let draft = json!({"subject": "once", "toRecipients": [{"emailAddress": {"address": "ada@fabrikam.example"}}]});
    let draft = tenant.post(&token, &path("messages"), &draft).await;
    let send = path(&format!("messages/{}/send", draft.body["id"].as_str().expect("an id")));
    let attempts = (0..8).map(|_| tenant.post(&token, &send, &Value::Null));
    let statuses: Vec<u16> = futures::future::join_all(attempts)
        .await
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 202).count(),
        1,
        "{statuses:?}"
    );
    let outside = tenant.control(Method::GET, "/outside", &Value::Null).await;
    let list = outside
        .body
        .as_array()
        .or_else(|| outside.body["mails"].as_array())
        .expect("a list");
    assert_eq!(list.len(), 1);
}
