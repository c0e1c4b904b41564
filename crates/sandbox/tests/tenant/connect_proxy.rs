//! The proxy: programs with Microsoft's host names built in reach the sandbox.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{GRAPH, Tenant, builder, read};

async fn proxied() -> Tenant {
    Tenant::start_with(|config| config.connect_proxy = Some(([127, 0, 0, 1], 0).into())).await
}

#[tokio::test]
async fn microsofts_own_names_lead_to_the_sandbox() {
    let tenant = proxied().await;
    let description = tenant.description();
    let address = description.connect_proxy.clone().expect("a proxy");
    let client = builder(description)
        .proxy(reqwest::Proxy::https(&address).expect("a proxy"))
        .build()
        .expect("a client");
    let id = description.tenant_id;
    let url = format!("https://login.microsoftonline.com/{id}/v2.0/.well-known/openid-configuration");
    let document = read(client.get(url).send().await.expect("an answer")).await.body;
    let endpoint = document["token_endpoint"].as_str().expect("an endpoint");
    assert_eq!(
        endpoint,
        format!("https://login.microsoftonline.com/{id}/oauth2/v2.0/token")
    );
    let administrator = &description.administrator;
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", &administrator.client_id.to_string())
        .append_pair("client_secret", &administrator.client_secret)
        .append_pair("scope", GRAPH)
        .finish();
    let request = client
        .post(endpoint)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let token = read(request.send().await.expect("an answer")).await.body;
    let request = client
        .get("https://graph.microsoft.com/v1.0/organization")
        .bearer_auth(token["access_token"].as_str().expect("a token"));
    let answer = read(request.send().await.expect("an answer")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["value"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn anything_but_a_tunnel_is_refused() {
    let tenant = proxied().await;
    let address = tenant.description().connect_proxy.clone().expect("a proxy");
    let address = address.strip_prefix("http://").expect("an http address").to_owned();
    for (request, status) in [
        (
            "GET http://graph.microsoft.com/ HTTP/1.1\r\nHost: graph.microsoft.com\r\n\r\n",
            "HTTP/1.1 405",
        ),
        ("CONNECT graph.microsoft.com HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
    ] {
        let mut stream = TcpStream::connect(&address).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with(status), "{answer}");
    }
}

#[tokio::test]
async fn without_being_asked_for_there_is_no_proxy() {
    let tenant = Tenant::start().await;
    assert!(tenant.description().connect_proxy.is_none());
    let text = serde_json::to_value(tenant.description()).expect("a document");
    assert_eq!(text["connect_proxy"], Value::Null);
}
