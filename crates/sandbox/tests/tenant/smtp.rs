//! Mail from outside.

use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::harness::Tenant;

fn transport(tenant: &Tenant) -> AsyncSmtpTransport<Tokio1Executor> {
    let (host, port) = tenant.description().smtp_address.rsplit_once(':').expect("an address");
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(port.parse().expect("a port"))
        .build()
}

fn message(to: &str) -> Message {
    Message::builder()
        .from("Customer <customer@outside.example>".parse().expect("an address"))
        .to(to.parse().expect("an address"))
        .subject("Where is my order?")
        .header(ContentType::TEXT_PLAIN)
        .body(".a line that begins with a dot\r\nand another".to_owned())
        .expect("a message")
}

#[tokio::test]
async fn a_mail_reaches_the_mailbox_with_its_trace() {
    let tenant = Tenant::start().await;
    transport(&tenant)
        .send(message("support@contoso.example"))
        .await
        .expect("accepted");
    let listed = tenant
        .control(Method::GET, "/mailboxes/support@contoso.example/messages", &Value::Null)
        .await
        .body;
    let first = &listed["messages"][0];
    assert_eq!(first["subject"], "Where is my order?");
    let id: String = url::form_urlencoded::byte_serialize(first["id"].as_str().expect("an id").as_bytes()).collect();
    let path = format!("/mailboxes/support@contoso.example/messages/{id}/mime");
    let raw = tenant.control(Method::GET, &path, &Value::Null).await;
    let raw = String::from_utf8(raw.bytes).expect("this mail is text");
    assert!(
        raw.starts_with("Return-Path: <customer@outside.example>\r\nReceived: from "),
        "{raw}"
    );
    assert!(raw.contains("\r\n.a line that begins with a dot\r\n"), "{raw}");
}

#[tokio::test]
async fn nobody_unknown_gets_mail_and_nothing_is_relayed() {
    let tenant = Tenant::start().await;
    for (address, code) in [
        ("nobody@contoso.example", "5.4.1"),
        ("unlicensed@contoso.example", "5.4.1"),
        ("someone@elsewhere.example", "5.7.64"),
    ] {
        let error = transport(&tenant).send(message(address)).await.expect_err(address);
        assert!(
            error.to_string().contains(code) || format!("{error:?}").contains(code),
            "{address}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_session_by_hand_follows_the_protocol() {
    let tenant = Tenant::start().await;
    let stream = tokio::net::TcpStream::connect(&tenant.description().smtp_address)
        .await
        .expect("a connection");
    let mut stream = BufReader::new(stream);
    let mut say = async |line: &str| {
        if !line.is_empty() {
            stream.get_mut().write_all(line.as_bytes()).await.expect("sent");
        }
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.expect("a reply");
            let more = line.as_bytes().get(3) == Some(&b'-');
            reply.push_str(&line);
            if !more {
                break reply;
            }
        }
    };
    assert!(say("").await.starts_with("220 "));
    assert!(say("MAIL FROM:<a@outside.example>\r\n").await.starts_with("503 "));
    let hello = say("EHLO outside.example\r\n").await;
    for extension in [
        "SIZE 36700160",
        "PIPELINING",
        "STARTTLS",
        "8BITMIME",
        "CHUNKING",
        "SMTPUTF8",
    ] {
        assert!(hello.contains(extension), "{hello}");
    }
    assert!(say("RCPT TO:<support@contoso.example>\r\n").await.starts_with("503 "));
    assert!(
        say("MAIL FROM:<a@outside.example> SIZE=99999999\r\n")
            .await
            .starts_with("552 ")
    );
    assert!(
        say("MAIL FROM:<a@outside.example> BODY=8BITMIME\r\n")
            .await
            .starts_with("250 ")
    );
    assert!(say("RCPT TO:<SUPPORT@contoso.example>\r\n").await.starts_with("250 "));
    assert!(say("RSET\r\n").await.starts_with("250 "));
    assert!(say("DATA\r\n").await.starts_with("503 "));
    assert!(say("NOOP\r\n").await.starts_with("250 "));
    assert!(say("nonsense\r\n").await.starts_with("500 "));
    assert!(say("QUIT\r\n").await.starts_with("221 "));
}

#[tokio::test]
async fn each_phase_of_a_session_can_be_refused() {
    let tenant = Tenant::start().await;
    let reply = "451 4.3.2 Please try again later";
    for phase in ["connect", "hello", "mail", "rcpt", "data", "end_of_data"] {
        let rule = json!({"action": {"kind": "smtp_reply", "phase": phase, "reply": reply}});
        assert_eq!(tenant.control(Method::POST, "/faults", &rule).await.status, 201);
        let error = transport(&tenant)
            .send(message("support@contoso.example"))
            .await
            .expect_err(phase);
        assert!(error.to_string().contains("4.3.2"), "{phase}: {error}");
        assert!(
            tenant.control(Method::GET, "/faults", &Value::Null).await.body["faults"]
                .as_array()
                .is_some_and(|faults| faults.iter().all(|fault| fault["hits"] == 1))
        );
    }
    let path = "/mailboxes/support@contoso.example/messages";
    let listed = tenant.control(Method::GET, path, &Value::Null).await.body;
    assert_eq!(listed["messages"], json!([]), "nothing was delivered");
    transport(&tenant)
        .send(message("support@contoso.example"))
        .await
        .expect("accepted again");
}
