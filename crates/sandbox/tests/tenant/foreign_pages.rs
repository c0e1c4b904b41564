//! The control interface and its page in a browser: what other sites may not do, what the page is.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Tenant, read};

async fn send(tenant: &Tenant, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let url = format!("{}{path}", tenant.description().control_url);
    let mut request = tenant.client.request(method, url).body(r#"{"advance_seconds": 1}"#);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request.send().await.expect("an answer")).await
}

#[tokio::test]
async fn requests_of_other_sites_are_refused() {
    let tenant = Tenant::start_with(|config| config.control_names = vec!["sandbox.internal".to_owned()]).await;
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("host", "evil.example")],
    ] {
        assert_eq!(
            send(&tenant, Method::POST, "/clock", headers).await.status,
            403,
            "{headers:?}"
        );
    }
    let rebound = send(&tenant, Method::GET, "/state", &[("host", "evil.example:8480")]).await;
    assert_eq!(rebound.status, 403);
    assert!(!String::from_utf8_lossy(&rebound.bytes).contains("client_secret"));
    let own = tenant.description().control_url.clone();
    for headers in [
        &[][..],
        &[("origin", own.as_str()), ("sec-fetch-site", "same-origin")],
        &[("host", "sandbox.internal:8480")],
    ] {
        assert_eq!(
            send(&tenant, Method::POST, "/clock", headers).await.status,
            200,
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let tenant = Tenant::start().await;
    let page = tenant.control(Method::GET, "/", &Value::Null).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("http"),
        "{policy}"
    );
    for path in ["/", "/page/style.css", "/page/page.js"] {
        let file = tenant.control(Method::GET, path, &Value::Null).await;
        assert_eq!(file.status, 200, "{path}");
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        assert!(!text.contains("://"), "{path} names another place");
        assert!(!text.contains("innerHTML"), "{path} makes markup of content");
    }
}

#[tokio::test]
async fn a_mail_is_written_read_and_answered() {
    let tenant = Tenant::start().await;
    let mail = json!({
        "from": "customer@outside.example",
        "to": ["support@contoso.example"],
        "subject": "A question",
        "text": "How?",
        "html": "<p>How?</p><script>alert(1)</script>",
    });
    let sent = tenant.control(Method::POST, "/outside/compose", &mail).await;
    assert_eq!(sent.status, 201, "{:?}", sent.body);
    let listed = tenant
        .control(Method::GET, "/mailboxes/support@contoso.example/messages", &Value::Null)
        .await
        .body;
    let message = &listed["messages"][0];
    assert_eq!(message["from"], "customer@outside.example");
    assert_eq!(message["folder"], "Inbox");
    let folders = tenant
        .control(Method::GET, "/mailboxes/support@contoso.example/folders", &Value::Null)
        .await
        .body;
    let inbox = folders["folders"].as_array().expect("folders");
    let inbox = inbox.iter().find(|folder| folder["name"] == "Inbox").expect("an inbox");
    assert_eq!((&inbox["total"], &inbox["unread"]), (&json!(1), &json!(1)));
    let id: String = url::form_urlencoded::byte_serialize(message["id"].as_str().expect("an id").as_bytes()).collect();
    let base = format!("/mailboxes/support@contoso.example/messages/{id}");
    let shown = tenant.control(Method::GET, &base, &Value::Null).await.body;
    assert_eq!(shown["subject"], "A question");
    assert_eq!(shown["has_html"], true);
    let html = tenant.control(Method::GET, &format!("{base}/html"), &Value::Null).await;
    let policy = html.header("content-security-policy").expect("a policy");
    assert!(
        policy.contains("default-src 'none'") && policy.ends_with("sandbox"),
        "{policy}"
    );
    let missing = tenant
        .control(Method::GET, &format!("{base}/attachments/0"), &Value::Null)
        .await;
    assert_eq!(missing.status, 404);
    let mailboxes = tenant.control(Method::GET, "/mailboxes", &Value::Null).await.body;
    assert_eq!(mailboxes["mailboxes"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_mail_to_nobody_is_refused() {
    let tenant = Tenant::start().await;
    for (mail, status) in [
        (
            json!({"from": "a@outside.example", "to": ["nobody@contoso.example"]}),
            404,
        ),
        (json!({"from": "a@outside.example", "to": []}), 400),
        (json!({"from": "nobody", "to": ["support@contoso.example"]}), 400),
        (json!({"to": ["support@contoso.example"]}), 400),
    ] {
        let refused = tenant.control(Method::POST, "/outside/compose", &mail).await;
        assert_eq!(refused.status, status, "{mail}");
    }
}
