//! Mail that leaves by SMTP, and what comes back.

use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::harness::Tenant;

/// The sender's command, the recipients' commands, the mail.
type Taken = (String, Vec<String>, String);

/// A server outside that refuses some recipients and keeps what it takes.
#[derive(Clone, Default)]
struct Outside {
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Outside {
    async fn listen(&self, tasks: &mut JoinSet<()>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let outside = self.clone();
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                outside.clone().speak(stream).await;
            }
        });
        address
    }

    async fn speak(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut say = "220 outside ESMTP".to_owned();
        let (mut from, mut to) = (String::new(), Vec::new());
        loop {
            let reply = format!("{say}\r\n");
            if stream.get_mut().write_all(reply.as_bytes()).await.is_err() {
                return;
            }
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let upper = line.to_ascii_uppercase();
            say = match upper.split([' ', ':', '\r']).next().unwrap_or_default() {
                "EHLO" => "250-outside\r\n250 8BITMIME".to_owned(),
                "MAIL" => {
                    (from, to) = (line.trim().to_owned(), Vec::new());
                    "250 2.1.0 ok".to_owned()
                }
                "RCPT" if line.contains("gone") => "550 5.1.1 No such user here".to_owned(),
                "RCPT" if line.contains("later") => "451 4.7.1 Greylisted".to_owned(),
                "RCPT" => {
                    to.push(line.trim().to_owned());
                    "250 2.1.5 ok".to_owned()
                }
                "DATA" => {
                    stream.get_mut().write_all(b"354 go on\r\n").await.expect("sent");
                    let mut data = String::new();
                    while !data.ends_with("\r\n.\r\n") {
                        if stream.read_line(&mut data).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    self.taken.lock().expect("whole").push((from.clone(), to.clone(), data));
                    "250 2.0.0 taken".to_owned()
                }
                "QUIT" => return,
                _ => "250 ok".to_owned(),
            };
        }
    }
}

/// Waits until the control interface shows what is wanted.
async fn until(tenant: &Tenant, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let shown = tenant.control(Method::GET, path, &Value::Null).await.body;
        if wanted(&shown) {
            return shown;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{path} never showed what was wanted")
}

async fn send(tenant: &Tenant, token: &str, recipients: &[&str]) {
    let recipients: Vec<Value> = recipients
        .iter()
        .map(|address| json!({"emailAddress": {"address": address}}))
        .collect();
    let body = json!({"message": {"subject": "Out", "body": {"content": ".dot\r\nline"}, "toRecipients": recipients}});
    let sent = tenant
        .post(token, "/users/support@contoso.example/sendMail", &body)
        .await;
    assert_eq!(sent.status, 202, "{:?}", sent.body);
}

fn subjects(shown: &Value) -> Vec<&str> {
    shown["messages"]
        .as_array()
        .map(|list| list.iter().filter_map(|message| message["subject"].as_str()).collect())
        .unwrap_or_default()
}

const MESSAGES: &str = "/mailboxes/support@contoso.example/messages";

#[tokio::test]
async fn each_recipient_gets_the_servers_own_answer() {
    let (outside, mut tasks) = (Outside::default(), JoinSet::new());
    let address = outside.listen(&mut tasks).await;
    let tenant = Tenant::start_with(|config| config.smtp_out = Some(address)).await;
    let token = tenant.mail_token().await;
    send(
        &tenant,
        &token,
        &["here@x.example", "gone@x.example", "later@x.example"],
    )
    .await;
    let waiting = until(&tenant, "/transport/queue", |shown| {
        shown["waiting"][0]["attempts"].as_u64() == Some(1)
    })
    .await;
    assert_eq!(waiting["waiting"][0]["recipients"], json!(["later@x.example"]));
    assert_eq!(waiting["waiting"][0]["last_error"], "451 4.7.1 Greylisted");
    let shown = until(&tenant, MESSAGES, |shown| {
        subjects(shown).contains(&"Undeliverable: Out")
    })
    .await;
    assert_eq!(subjects(&shown), ["Undeliverable: Out", "Out"]);
    {
        let taken = outside.taken.lock().expect("whole");
        assert_eq!(taken.len(), 1);
        assert!(
            taken[0].0.starts_with("MAIL FROM:<support@contoso.example>"),
            "{}",
            taken[0].0
        );
        assert_eq!(taken[0].1, ["RCPT TO:<here@x.example>"]);
        assert!(taken[0].2.contains("Subject: Out\r\n"));
    }
    let kept = tenant.control(Method::GET, "/outside", &Value::Null).await.body;
    assert_eq!(kept["mails"][0]["recipients"], json!(["here@x.example"]));
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again_when_the_clock_moves() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let tenant = Tenant::start_with(|config| config.smtp_out = Some(address)).await;
    let token = tenant.mail_token().await;
    send(&tenant, &token, &["here@x.example"]).await;
    until(&tenant, "/transport/queue", |shown| {
        shown["waiting"][0]["last_error"]
            .as_str()
            .is_some_and(|error| error.starts_with("451 4.4.316 Connection refused"))
    })
    .await;
    let advance = json!({"advance_seconds": 25 * 3600});
    tenant.control(Method::POST, "/clock", &advance).await;
    until(&tenant, MESSAGES, |shown| {
        subjects(shown).contains(&"Undeliverable: Out")
    })
    .await;
    until(&tenant, "/transport/queue", |shown| shown["waiting"] == json!([])).await;
}

#[tokio::test]
async fn a_server_without_port_is_refused_at_the_start() {
    let config = guichet_sandbox::Config {
        smtp_out: Some("localhost".to_owned()),
        data_directory: tempfile::tempdir().expect("a directory").path().join("data"),
        ..guichet_sandbox::Config::default()
    };
    let error = guichet_sandbox::Sandbox::start(config).await.expect_err("no port");
    assert!(error.to_string().contains("127.0.0.1:2525"), "{error}");
}

#[tokio::test]
async fn the_control_interface_refuses_senseless_transport() {
    let tenant = Tenant::start().await;
    for (method, path, body, status) in [
        (Method::PATCH, "/transport", json!({"over_limit_status": 200}), 400),
        (Method::PATCH, "/transport", json!({"unknown": 1}), 400),
        (Method::PATCH, "/transport", json!([]), 400),
        (Method::PATCH, "/transport", json!({"messages_per_minute": 30}), 200),
        (
            Method::POST,
            "/transport/outside-rules",
            json!({"recipient": "x.example", "code": 200}),
            400,
        ),
        (
            Method::POST,
            "/transport/outside-rules",
            json!({"recipient": "x.example"}),
            201,
        ),
        (Method::DELETE, "/transport/outside-rules/7", Value::Null, 404),
        (Method::DELETE, "/transport/outside-rules", Value::Null, 200),
        (
            Method::POST,
            "/transport/verdicts",
            json!({"sender": "x", "scl": 99}),
            400,
        ),
        (
            Method::POST,
            "/transport/verdicts",
            json!({"sender": "x", "scl": 9}),
            201,
        ),
        (
            Method::PATCH,
            "/mailboxes/nobody@contoso.example/delivery",
            json!({}),
            404,
        ),
        (
            Method::PATCH,
            "/mailboxes/support@contoso.example/delivery",
            json!({"forwarding": {"address": "x"}}),
            400,
        ),
        (
            Method::PATCH,
            "/mailboxes/support@contoso.example/delivery",
            json!({"quota_bytes": -1}),
            400,
        ),
        (
            Method::PATCH,
            "/mailboxes/support@contoso.example/delivery",
            json!({"quota_bytes": 1000}),
            200,
        ),
    ] {
        let answer = tenant.control(method.clone(), path, &body).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{method} {path} {body}: {:?}",
            answer.body
        );
    }
}
