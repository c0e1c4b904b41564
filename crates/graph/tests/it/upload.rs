//! Attachments that are uploaded piece by piece.

use bytes::Bytes;
use guichet_graph::NewAttachment;
use guichet_net::TransportErrorKind;
use serde_json::json;

use crate::scripted::{Outcome, Script, client, empty, graph_error, json};

const PIECE: usize = 2_949_120;
const URL: &str = "https://outlook.office.com/api/v2.0/AttachmentSessions('s')?authtoken=hidden";

fn file(bytes: usize) -> NewAttachment {
    NewAttachment {
        name: "film.bin".into(),
        content_type: "application/octet-stream".into(),
        content_id: None,
        is_inline: false,
        content: Bytes::from((0..bytes).map(|i| u8::try_from(i % 251).unwrap()).collect::<Vec<_>>()),
    }
}

fn session() -> Outcome {
    json(
        201,
        &json!({ "uploadUrl": URL, "expirationDateTime": "2026-03-02T00:00:00Z", "nextExpectedRanges": ["0-"] }),
    )
}

fn expects(start: usize) -> Outcome {
    json(200, &json!({ "NextExpectedRanges": [start.to_string()] }))
}

fn complete() -> Outcome {
    empty(201).header(
        "location",
        "https://outlook.office.com/api/v2.0/Messages('m')/Attachments('new%3D')",
    )
}

fn ranges(script: &Script) -> Vec<String> {
    let puts = script.asked().into_iter().filter(|request| request.method == "PUT");
    puts.map(|request| request.headers["content-range"].to_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn pieces_go_in_order_without_a_token_and_make_the_whole() {
    let total = PIECE + 100_000;
    let script = Script::new([session(), expects(PIECE), complete()]);
    let (graph, _time) = client(&script);
    let wanted = file(total);
    let added = graph.add_attachment("u", "m", &wanted).await.unwrap();
    assert_eq!(
        (added.id.as_str(), added.name.as_str(), added.size),
        ("new=", "film.bin", Some(total as u64))
    );
    assert_eq!(
        script.body(0),
        json!({ "AttachmentItem": { "attachmentType": "file", "name": "film.bin", "size": total, "isInline": false,
            "contentType": "application/octet-stream" } })
    );
    assert_eq!(
        ranges(&script),
        [
            format!("bytes 0-{}/{total}", PIECE - 1),
            format!("bytes {PIECE}-{}/{total}", total - 1)
        ]
    );
    let sent: Vec<u8> = script.asked()[1..]
        .iter()
        .flat_map(|request| request.body.to_vec())
        .collect();
    assert_eq!(sent, wanted.content);
    assert!(
        script.asked()[1..]
            .iter()
            .all(|request| !request.headers.contains_key("authorization"))
    );
    assert!(!format!("{:?}", script.asked()).contains("hidden"));
}

#[tokio::test]
async fn after_a_cut_the_session_is_asked_and_the_upload_goes_on_there() {
    let total = PIECE + 100_000;
    let script = Script::new([
        session(),
        Outcome::Failure(TransportErrorKind::Closed),
        expects(PIECE),
        complete(),
    ]);
    let (graph, time) = client(&script);
    graph.add_attachment("u", "m", &file(total)).await.unwrap();
    assert_eq!(script.asked()[2].method, "GET");
    assert_eq!(ranges(&script).len(), 2, "the piece that had arrived is not sent again");
    assert_eq!(time.slept_ms(), [500]);
}

#[tokio::test]
async fn cut_of_the_last_piece_is_reported_as_open() {
    let cut = Outcome::Failure(TransportErrorKind::Closed);
    let script = Script::new([session(), expects(PIECE), cut, graph_error(404, "ErrorItemNotFound")]);
    let (graph, _time) = client(&script);
    let error = graph
        .add_attachment("u", "m", &file(PIECE + 100_000))
        .await
        .unwrap_err();
    assert!(error.may_have_had_effect);
    assert_eq!(error.code, "transport_closed");
}

#[tokio::test]
async fn session_that_does_not_advance_is_given_up() {
    let script = Script::new([session(), expects(0)]);
    let (graph, _time) = client(&script);
    assert_eq!(
        graph
            .add_attachment("u", "m", &file(PIECE + 100_000))
            .await
            .unwrap_err()
            .code,
        "stuck_upload"
    );
}

#[tokio::test]
async fn upload_in_the_clear_is_refused() {
    let clear = json(
        201,
        &json!({ "uploadUrl": "http://outlook.example/s", "nextExpectedRanges": ["0-"] }),
    );
    let script = Script::new([clear]);
    let (graph, _time) = client(&script);
    assert_eq!(
        graph
            .add_attachment("u", "m", &file(PIECE + 100_000))
            .await
            .unwrap_err()
            .code,
        "unsafe_upload"
    );
}
