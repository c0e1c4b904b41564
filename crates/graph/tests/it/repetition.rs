//! When a call is repeated, and after how long.

use std::sync::Arc;
use std::time::Duration;

use guichet_graph::{Class, NewMessage, NewSubscription, ReplyDraft, SentCopy};
use guichet_net::TransportErrorKind;
use serde_json::json;

use crate::scripted::{Outcome, Script, client, empty, graph_error, json};

fn message() -> Outcome {
    json(200, &json!({ "id": "m" }))
}

#[tokio::test]
async fn waits_are_never_shorter_than_our_floor() {
    let busy = || graph_error(429, "TooManyRequests").header("retry-after", "0");
    let script = Script::new([busy(), busy(), busy(), message()]);
    let (graph, time) = client(&script);
    graph.message("u", "m", &[]).await.unwrap();
    assert_eq!(time.slept_ms(), [500, 1000, 2000]);
}

#[tokio::test]
async fn retry_after_in_seconds_is_honoured() {
    let script = Script::new([
        graph_error(429, "ApplicationThrottled").header("retry-after", "10"),
        message(),
    ]);
    let (graph, time) = client(&script);
    graph.message("u", "m", &[]).await.unwrap();
    assert_eq!(time.slept_ms(), [10_000]);
}

#[tokio::test]
async fn retry_after_as_date_is_measured_on_the_given_clock() {
    let date = "Sun, 01 Mar 2026 12:00:07 GMT";
    let script = Script::new([graph_error(503, "").header("retry-after", date), message()]);
    let (graph, time) = client(&script);
    graph.message("u", "m", &[]).await.unwrap();
    assert_eq!(time.slept_ms(), [7000]);
}

#[tokio::test]
async fn long_advice_is_handed_to_the_caller_without_sleeping() {
    let script = Script::new([graph_error(429, "ApplicationThrottled").header("retry-after", "300")]);
    let (graph, time) = client(&script);
    let error = graph.message("u", "m", &[]).await.unwrap_err();
    assert_eq!(
        error.class,
        Class::Retry {
            after: Duration::from_secs(300)
        }
    );
    assert!(time.slept_ms().is_empty());
}

#[tokio::test]
async fn attempts_are_bounded() {
    let script = Script::new((0..4).map(|_| graph_error(503, "")));
    let (graph, _time) = client(&script);
    let error = graph.message("u", "m", &[]).await.unwrap_err();
    assert_eq!((error.status, script.asked().len()), (Some(503), 4));
    assert!(!error.may_have_had_effect, "a read has no effect");
}

#[tokio::test]
async fn idempotent_writes_are_repeated_after_a_cut() {
    let script = Script::new([Outcome::Failure(TransportErrorKind::Closed), message()]);
    let (graph, _time) = client(&script);
    graph.mark_read("u", "m").await.unwrap();
    assert_eq!(script.asked().len(), 2);
}

/// Every call that adds something, as a function of its outcome.
async fn attempt_all(outcome: impl Fn() -> Outcome) -> Vec<(&'static str, guichet_graph::Error, usize)> {
    let mut results = Vec::new();
    let until = "2027-01-01T00:00:00Z".parse().unwrap();
    for name in [
        "reply",
        "draft",
        "send",
        "mail",
        "attachment",
        "subscription",
        "application",
        "password",
    ] {
        let script: Arc<Script> = Script::new((0..2).map(|_| outcome()));
        let (graph, _time) = client(&script);
        let file = guichet_graph::NewAttachment {
            name: "a".into(),
            content_type: "text/plain".into(),
            content_id: None,
            is_inline: false,
            content: "x".into(),
        };
        let subscription = NewSubscription {
            resource: "users/u/messages".into(),
            change_type: "created".into(),
            notification_url: "https://guichet.example/n".into(),
            lifecycle_notification_url: None,
            client_state: "s".into(),
            expires_at: until,
        };
        let error = match name {
            "reply" => graph.create_reply("u", "m", &ReplyDraft::default()).await.map(drop),
            "draft" => graph.create_draft("u", &NewMessage::default()).await.map(drop),
            "send" => graph.send_draft("u", "m").await,
            "mail" => graph.send_mail("u", &NewMessage::default(), SentCopy::Keep).await,
            "attachment" => graph.add_attachment("u", "m", &file).await.map(drop),
            "subscription" => graph.create_subscription(&subscription).await.map(drop),
            "application" => graph
                .create_application(&guichet_graph::NewApplication::default())
                .await
                .map(drop),
            _ => graph.add_password("o", "d", until).await.map(drop),
        };
        results.push((name, error.unwrap_err(), script.asked().len()));
    }
    results
}

#[tokio::test]
async fn calls_that_add_something_are_not_repeated_after_an_ambiguous_failure() {
    type Make = fn() -> Outcome;
    let ambiguous: [Make; 5] = [
        || Outcome::Failure(TransportErrorKind::Closed),
        || Outcome::Failure(TransportErrorKind::Timeout),
        || graph_error(500, ""),
        || graph_error(503, ""),
        || graph_error(504, "GatewayTimeout"),
    ];
    for outcome in ambiguous {
        for (name, error, asked) in attempt_all(outcome).await {
            assert_eq!(asked, 1, "{name} after {error}");
            assert!(error.may_have_had_effect && error.is_retry(), "{name} after {error}");
        }
    }
}

#[tokio::test]
async fn calls_that_add_something_are_repeated_after_a_failure_without_effect() {
    type Make = fn() -> Outcome;
    let harmless: [Make; 4] = [
        || Outcome::Failure(TransportErrorKind::Connect),
        || Outcome::Failure(TransportErrorKind::Dns),
        || graph_error(429, "ApplicationThrottled"),
        || graph_error(503, "").header("retry-after", "1"),
    ];
    for outcome in harmless {
        let script = Script::new([outcome(), empty(202)]);
        let (graph, _time) = client(&script);
        graph.send_draft("u", "m").await.unwrap();
        assert_eq!(script.remaining(), 0);
    }
}

#[tokio::test]
async fn success_that_cannot_be_read_may_have_had_effect() {
    let script = Script::new([Outcome::Answer(201, Vec::new(), "<html>private</html>".into())]);
    let (graph, _time) = client(&script);
    let error = graph.create_reply("u", "m", &ReplyDraft::default()).await.unwrap_err();
    assert!(error.may_have_had_effect);
    assert_eq!((error.class, error.code.as_str()), (Class::Bug, "unreadable_answer"));
    assert!(!format!("{error:?} {error}").contains("private"));
}

#[tokio::test]
async fn denials_are_not_repeated() {
    let script = Script::new([graph_error(403, "ErrorAccessDenied")]);
    let (graph, time) = client(&script);
    assert_eq!(graph.folder("u", "inbox").await.unwrap_err().class, Class::Denied);
    assert!(time.slept_ms().is_empty());
}
