//! Queries, settings and the mail switches over HTTPS, with the control interface beside them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Tenant, read};

const SUPPORT: &str = "support@contoso.example";

fn path(rest: &str) -> String {
    format!("/users/{SUPPORT}/{rest}")
}

async fn inject(tenant: &Tenant, subject: &str) {
    let url = format!("{}/mailboxes/{SUPPORT}/messages", tenant.description().control_url);
    let mime = format!("From: Ada <ada@fabrikam.example>\r\nSubject: {subject}\r\n\r\nbody\r\n");
    let sent = tenant.client.post(url).body(mime).send().await.expect("an answer");
    assert_eq!(read(sent).await.status, 201);
}

async fn follow(tenant: &Tenant, token: &str, link: &Value) -> Answer {
    let url = link.as_str().expect("a link");
    let sent = tenant
        .client
        .get(url)
        .bearer_auth(token)
        .send()
        .await
        .expect("an answer");
    read(sent).await
}

#[tokio::test]
async fn a_search_goes_on_by_its_own_link() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    for number in 0..3 {
        inject(&tenant, &format!("pizza {number}")).await;
    }
    inject(&tenant, "salad").await;
    let query = path("messages?$search=%22subject%3Apizza%22&$top=2&$select=subject");
    let first = tenant.get(&token, &query).await;
    assert_eq!(
        (first.status.as_u16(), first.body["value"].as_array().map(Vec::len)),
        (200, Some(2))
    );
    let second = follow(&tenant, &token, &first.body["@odata.nextLink"]).await;
    assert_eq!(second.body["value"].as_array().map(Vec::len), Some(1));
    assert!(second.body.get("@odata.nextLink").is_none());
    let refused = tenant
        .get(&token, &path("messages?$search=%22pizza%22&$filter=isRead%20eq%20true"))
        .await;
    assert_eq!(
        (refused.status.as_u16(), refused.error_code()),
        (400, "SearchWithFilter")
    );
}

#[tokio::test]
async fn mailboxes_are_given_languages_and_nonsense_is_refused() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let control = |method: Method, path: &'static str, body: Value| {
        let tenant = &tenant;
        async move { tenant.control(method, path, &body).await }
    };
    let support = "/mailboxes/support@contoso.example/language";
    let changed = control(Method::PUT, support, json!({"language": "fr-fr"})).await;
    assert_eq!(changed.status, 200, "{:?}", changed.body);
    let inbox = tenant.get(&token, &path("mailFolders/inbox")).await;
    assert_eq!(inbox.body["displayName"], "Bo\u{ee}te de r\u{e9}ception");
    let new = json!({"address": "sala@contoso.example", "language": "es-ES"});
    assert_eq!(control(Method::POST, "/mailboxes", new).await.status, 201);
    let inbox = tenant
        .get(&token, "/users/sala@contoso.example/mailFolders/inbox")
        .await;
    assert_eq!(inbox.body["displayName"], "Bandeja de entrada");
    assert_eq!(
        control(Method::PUT, support, json!({"language": "xx"})).await.status,
        400
    );
    let settings = tenant
        .control(Method::GET, "/mailboxes/sala@contoso.example/settings", &Value::Null)
        .await;
    assert_eq!(
        (&settings.body["settings"]["locale"], &settings.body["replying"]),
        (&json!("es-ES"), &json!(false))
    );
    let nobody = "/mailboxes/nobody@contoso.example/language";
    assert_eq!(
        control(Method::PUT, nobody, json!({"language": "fr-FR"})).await.status,
        404
    );
}

#[tokio::test]
async fn switches_change_one_by_one_and_unknown_ones_are_refused() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let start = tenant.get(&token, &path("mailFolders/inbox/messages/delta")).await;
    let change = |body: Value| {
        let tenant = &tenant;
        async move { tenant.control(Method::PATCH, "/mail/behaviour", &body).await }
    };
    assert_eq!(
        change(json!({"gone_code": "resyncRequired", "gone_location": true}))
            .await
            .status,
        200
    );
    let whole = change(json!({"tips": true})).await;
    assert_eq!(whole.body["gone_code"], "resyncRequired");
    for bad in [
        json!({"gone_code": "Lost"}),
        json!({"colour": "blue"}),
        json!({"tips": "maybe"}),
        json!([]),
    ] {
        assert_eq!(change(bad).await.status, 400);
    }
    let expire = json!({"mailbox": SUPPORT});
    assert_eq!(tenant.control(Method::POST, "/delta/expire", &expire).await.status, 200);
    let gone = follow(&tenant, &token, &start.body["@odata.deltaLink"]).await;
    assert_eq!((gone.status.as_u16(), gone.error_code()), (410, "resyncRequired"));
    assert_eq!(tenant.control(Method::POST, "/reset", &json!({})).await.status, 200);
    let whole = tenant.control(Method::GET, "/mail/behaviour", &Value::Null).await;
    assert_eq!(whole.body["gone_code"], "SyncStateNotFound");
    let location = Value::from(gone.header("location").expect("a location"));
    assert_eq!(follow(&tenant, &token, &location).await.status, 200);
}

#[tokio::test]
async fn a_client_that_wants_no_metadata_gets_the_data_and_the_next_page() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let url = tenant.url("/v1.0/users/support@contoso.example/mailFolders?$top=2");
    let request = tenant.client.get(url).bearer_auth(&token);
    let request = request.header("Accept", "text/plain, application/json; OData.Metadata=none");
    let answer = read(request.send().await.expect("an answer")).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert!(answer.body.get("@odata.context").is_none());
    assert!(answer.body["@odata.nextLink"].is_string());
    assert!(answer.body["value"][0]["displayName"].is_string());
    let kind = answer.header("content-type").expect("a content type");
    assert!(kind.contains("odata.metadata=none"), "{kind}");
}
