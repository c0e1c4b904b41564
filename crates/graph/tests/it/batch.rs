//! Several calls in one request, each with an answer of its own.

use std::time::Duration;

use guichet_graph::Class;
use serde_json::json;

use crate::scripted::{Script, client, json};

#[tokio::test]
async fn each_call_of_a_batch_has_its_own_answer_whatever_their_order() {
    let script = Script::new([json(
        200,
        &json!({ "responses": [
            { "id": "2", "status": 429, "headers": { "Retry-After": "7" },
              "body": { "error": { "code": "ApplicationThrottled", "message": "slow" } } },
            { "id": "0", "status": 200, "headers": { "Content-Type": "text/plain" }, "body": "U3ViamVjdDogYf8NCg" },
            { "id": "1", "status": 404, "body": { "error": { "code": "ErrorItemNotFound", "message": "" } } },
            { "id": "4", "status": 200, "headers": { "Content-Type": "text/plain" }, "body": "Subject: not base64" },
        ] }),
    )]);
    let (graph, _time) = client(&script);
    let all = graph.messages_mime("u", &["a", "b/c", "c", "d", "e"]).await.unwrap();
    assert_eq!(all[0].as_ref().unwrap().as_ref(), b"Subject: a\xff\r\n");
    assert_eq!(all[1].as_ref().unwrap_err().class, Class::Gone);
    let throttled = all[2].as_ref().unwrap_err();
    assert_eq!(
        (throttled.status, throttled.retry_after()),
        (Some(429), Some(Duration::from_secs(7)))
    );
    assert_eq!(all[3].as_ref().unwrap_err().code, "missing_answer");
    assert_eq!(all[4].as_ref().unwrap_err().code, "unreadable_answer");
    assert_eq!(script.lines(), ["POST /v1.0/$batch"]);
    let second = &script.body(0)["requests"][1];
    assert_eq!(second["url"], "/users/u/messages/b%2Fc/$value");
    assert_eq!(second["headers"]["prefer"], r#"IdType="ImmutableId""#);
}

#[tokio::test]
async fn writes_of_a_batch_carry_their_bodies() {
    let script = Script::new([json(
        200,
        &json!({ "responses": [{ "id": "0", "status": 200, "body": { "id": "a" } }] }),
    )]);
    let (graph, _time) = client(&script);
    let all = graph.mark_all_read("u", &["a"]).await.unwrap();
    assert!(all[0].is_ok());
    let request = &script.body(0)["requests"][0];
    assert_eq!(
        (&request["method"], &request["body"]),
        (&json!("PATCH"), &json!({ "isRead": true }))
    );
    assert_eq!(request["headers"]["content-type"], "application/json");
}

#[tokio::test]
async fn more_than_a_batch_takes_is_refused_before_it_is_sent() {
    let script = Script::new([]);
    let (graph, _time) = client(&script);
    let ids = vec!["m"; guichet_graph::MAX_BATCH + 1];
    assert_eq!(graph.messages_mime("u", &ids).await.unwrap_err().code, "unfit_batch");
}
