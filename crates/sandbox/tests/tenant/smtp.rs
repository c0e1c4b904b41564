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

/// One side of a session by hand.
struct Hand<S>(BufReader<S>);

impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> Hand<S> {
    /// Sends bytes and reads one whole reply.
    async fn say(&mut self, bytes: &[u8]) -> String {
        self.0.get_mut().write_all(bytes).await.expect("sent");
        self.0.get_mut().flush().await.expect("flushed");
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.expect("a reply");
            let more = line.as_bytes().get(3) == Some(&b'-');
            reply.push_str(&line);
            if !more {
                return reply;
            }
        }
    }

    async fn expect(&mut self, line: &str, code: &str) -> String {
        let reply = self.say(line.as_bytes()).await;
        assert!(reply.starts_with(code), "{line:?} {reply:?}");
        reply
    }
}

async fn connect(tenant: &Tenant) -> Hand<tokio::net::TcpStream> {
    let stream = tokio::net::TcpStream::connect(&tenant.description().smtp_address)
        .await
        .expect("a connection");
    let mut hand = Hand(BufReader::new(stream));
    hand.expect("", "220").await;
    hand
}

async fn subjects_in(tenant: &Tenant, folder: &str) -> Vec<String> {
    let path = "/mailboxes/support@contoso.example/messages";
    let listed = tenant.control(Method::GET, path, &Value::Null).await.body;
    let listed = listed["messages"].as_array().cloned().unwrap_or_default();
    let there = listed.iter().filter(|message| message["folder"] == folder);
    there
        .map(|message| message["subject"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn tls_begins_on_request_and_what_came_before_is_forgotten() {
    let tenant = Tenant::start().await;
    let mut plain = connect(&tenant).await;
    plain.expect("STARTTLS now\r\n", "501").await;
    plain.expect("EHLO outside.example\r\n", "250").await;
    // A command sent along with STARTTLS is not carried into the protected session.
    plain
        .expect("STARTTLS\r\nMAIL FROM:<injected@x.example>\r\n", "220 2.0.0")
        .await;
    let pem = std::fs::read(&tenant.description().ca_file).expect("the authority");
    let mut roots = rustls::RootCertStore::empty();
    for certificate in
        <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::pem_slice_iter(&pem)
    {
        roots.add(certificate.expect("a certificate")).expect("added");
    }
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("localhost").expect("a name");
    let stream = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config))
        .connect(name, plain.0.into_inner())
        .await
        .expect("a handshake");
    let mut secure = Hand(BufReader::new(stream));
    secure.expect("MAIL FROM:<a@x.example>\r\n", "503").await;
    let hello = secure.expect("EHLO outside.example\r\n", "250").await;
    assert!(!hello.contains("STARTTLS"), "{hello}");
    secure.expect("STARTTLS\r\n", "503").await;
    secure.expect("MAIL FROM:<a@x.example>\r\n", "250").await;
    secure.expect("RCPT TO:<support@contoso.example>\r\n", "250").await;
    secure.expect("DATA\r\n", "354").await;
    secure.expect("Subject: secret\r\n\r\nx\r\n.\r\n", "250 2.6.0").await;
    assert_eq!(subjects_in(&tenant, "Inbox").await, ["secret"]);
}

#[tokio::test]
async fn chunks_bring_a_message_as_it_is() {
    let tenant = Tenant::start().await;
    let mut hand = connect(&tenant).await;
    hand.expect("EHLO outside.example\r\n", "250").await;
    hand.expect("BDAT 3 LAST\r\nabc", "503").await;
    hand.expect("MAIL FROM:<> BODY=8BITMIME\r\n", "250").await;
    hand.expect("RCPT TO:<support+tag@contoso.example>\r\n", "250").await;
    hand.expect("RCPT TO:<nobody@contoso.example>\r\n", "550 5.4.1").await;
    hand.expect("RCPT TO:<support@contoso.example> NOTIFY=NEVER\r\n", "555")
        .await;
    hand.expect("BDAT 17\r\nSubject: chunks\r\n", "250").await;
    hand.expect("DATA\r\n", "503").await;
    hand.expect("RCPT TO:<sales@contoso.example>\r\n", "503").await;
    hand.expect("BDAT 8 LAST\r\n\r\n.\r\n..x", "250 2.6.0").await;
    hand.expect("NOOP\r\n", "250").await;
    assert_eq!(subjects_in(&tenant, "Inbox").await, ["chunks"]);
}

#[tokio::test]
async fn spam_lands_in_junk_email_by_its_text_or_a_verdict() {
    let tenant = Tenant::start().await;
    let verdict = serde_json::json!({"sender": "bad.example", "scl": 7, "spf": "fail", "dmarc": "fail"});
    let added = tenant.control(Method::POST, "/transport/verdicts", &verdict).await;
    assert_eq!(added.status, 201);
    let mut hand = connect(&tenant).await;
    hand.expect("EHLO outside.example\r\n", "250").await;
    for (from, subject, body) in [
        ("a@bad.example", "verdict", "x"),
        (
            "a@good.example",
            "text",
            "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X",
        ),
        ("a@good.example", "ham", "x"),
    ] {
        hand.expect(&format!("MAIL FROM:<{from}>\r\n"), "250").await;
        hand.expect("RCPT TO:<support@contoso.example>\r\n", "250").await;
        hand.expect("DATA\r\n", "354").await;
        hand.expect(
            &format!("From: {from}\r\nSubject: {subject}\r\n\r\n{body}\r\n.\r\n"),
            "250",
        )
        .await;
    }
    assert_eq!(subjects_in(&tenant, "Inbox").await, ["ham"]);
    assert_eq!(subjects_in(&tenant, "Junk Email").await.len(), 2);
}
