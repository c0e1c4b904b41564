//! The stream of events.

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{KeepAlive, Sse},
    },
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    dto::Event,
    extract::QueryParams,
    problem::{Code, Problem},
    sse::{Follower, HEARTBEAT},
    state::{ApiState, MAX_STREAMS},
};

/// Proxies such as nginx hold a response back to fill their buffers, unless told not to.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Start {
    /// Sequence number of the last event that is known; 0 for all events. Without it (and without
    /// `Last-Event-ID`) the stream begins with what happens from now on.
    #[param(minimum = 0)]
    after: Option<i64>,
}

/// Events as they happen, as server-sent events: `id` is the sequence number, `event` the kind, `data` JSON.
/// A client that comes back with `Last-Event-ID` gets everything since, nothing twice. Silence is filled with
/// comments; the stream ends when the service stops.
#[utoipa::path(
    get,
    path = "/v1/events",
    operation_id = "followEvents",
    tag = "events",
    params(
        Start,
        ("Last-Event-ID" = Option<i64>, Header,
            description = "Sequence number of the last event that is known; goes before `after`."),
    ),
    responses(
        (status = 200, description = "The stream; the data of each event has this shape.", body = Event,
            content_type = "text/event-stream"),
        (status = 400, description = "The place to begin at is wrong."),
        (status = 503, description = "There are too many streams."),
    )
)]
pub(crate) async fn follow(
    State(state): State<ApiState>,
    QueryParams(start): QueryParams<Start>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = state.store().last_event().await?;
    // A browser that reconnects repeats the address with its old `after`, so the header goes first.
    let after = match last_event_id(&headers)? {
        Some(id) => id,
        None => start.after.unwrap_or(last),
    };
    if !(0..=last).contains(&after) {
        let detail = format!("after, Last-Event-ID: {after} is no event; the last one is {last}. Read the lists again");
        return Err(Problem::new(Code::InvalidParameter, detail));
    }
    let place = state.streams.clone().try_acquire_owned().map_err(|_| {
        Problem::new(
            Code::Overloaded,
            format!("{MAX_STREAMS} event streams are open; close some or share one"),
        )
    })?;
    let follower = Follower::new(state.store().clone(), state.shutdown.clone(), after, place);
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("heartbeat");
    let mut response = Sse::new(follower.into_stream()).keep_alive(keep_alive).into_response();
    response
        .headers_mut()
        .insert(UNBUFFERED, HeaderValue::from_static("no"));
    Ok(response)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    match value.to_str().map(str::trim) {
        Ok("") => Ok(None),
        Ok(text) => text.parse().map(Some).map_err(|_| wrong_header()),
        Err(_) => Err(wrong_header()),
    }
}

fn wrong_header() -> Problem {
    Problem::new(
        Code::InvalidParameter,
        "in the header: Last-Event-ID: it must be the number of an event",
    )
}

#[cfg(test)]
mod tests {
    use axum::body::BodyDataStream;
    use futures::StreamExt;
    use http::{Method, StatusCode};
    use serde_json::Value;

    use super::*;
    use crate::testing::Fixture;

    /// One frame of the stream.
    #[derive(Debug, PartialEq)]
    struct Frame {
        id: i64,
        kind: String,
        data: Option<Value>,
    }

    struct Stream {
        body: BodyDataStream,
        text: String,
    }

    impl Stream {
        async fn open(fixture: &Fixture, path: &str, headers: &[(&str, &str)]) -> Self {
            let response = fixture.respond_with(Method::GET, path, headers).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()["content-type"], "text/event-stream");
            Self {
                body: response.into_body().into_data_stream(),
                text: String::new(),
            }
        }

        /// The next frame that carries an id; `None` at the end of the stream.
        async fn next(&mut self) -> Option<Frame> {
            loop {
                if let Some((frame, rest)) = self.text.split_once("\n\n") {
                    let found = parse(frame);
                    self.text = rest.to_owned();
                    match found {
                        Some(frame) => return Some(frame),
                        None => continue,
                    }
                }
                let chunk = self.body.next().await?.expect("chunk");
                self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
            }
        }

        async fn take(&mut self, count: usize) -> Vec<Frame> {
            let mut frames = Vec::new();
            while frames.len() < count {
                let frame = self.next().await.expect("the stream goes on");
                if frame.data.is_some() {
                    frames.push(frame);
                }
            }
            frames
        }
    }

    fn parse(frame: &str) -> Option<Frame> {
        let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        Some(Frame {
            id: field("id:")?.parse().expect("number"),
            kind: field("event:").unwrap_or_default().to_owned(),
            data: field("data:").map(|data| serde_json::from_str(data).expect("json")),
        })
    }

    #[tokio::test]
    async fn stream_carries_what_was_committed_before_and_after_it_began() {
        let fixture = Fixture::new().await;
        let first = fixture.receive("One").await;
        let mut stream = Stream::open(&fixture, "/v1/events?after=0", &[]).await;
        assert_eq!(stream.next().await.map(|frame| (frame.id, frame.data)), Some((0, None)));
        let before = stream.take(2).await;
        let kinds: Vec<&str> = before.iter().map(|frame| frame.kind.as_str()).collect();
        assert_eq!(kinds, ["conversation.opened", "message.received"]);
        let data = before[1].data.clone().expect("data");
        assert_eq!(
            (&data["seq"], &data["kind"]),
            (&before[1].id.into(), &"message.received".into())
        );
        assert_eq!(data["message_id"], first.message.to_string());
        fixture.receive("Two").await;
        assert_eq!(stream.take(2).await.len(), 2);
    }

    #[tokio::test]
    async fn resumed_streams_leave_no_gap_and_repeat_nothing() {
        let fixture = Fixture::new().await;
        for number in 0..4 {
            fixture.receive(&format!("Parcel {number}")).await;
        }
        let last = fixture.state.store().last_event().await.expect("events");
        let mut seen = Vec::new();
        // Cut after every event; the browser repeats its first address and adds the header.
        let mut id = 0;
        while id < last {
            let known = id.to_string();
            let mut stream = Stream::open(&fixture, "/v1/events?after=0", &[("last-event-id", &known)]).await;
            let frames = stream.take(1).await;
            id = frames[0].id;
            seen.push(id);
        }
        assert_eq!(seen, (1..=last).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn writers_and_a_reader_at_once_lose_nothing() {
        let fixture = Fixture::new().await;
        let mut stream = Stream::open(&fixture, "/v1/events", &[]).await;
        let writers = futures::future::join_all((0..20).map(|number| {
            let fixture = &fixture;
            async move { fixture.receive(&format!("Parcel {number}")).await }
        }));
        let (_, frames) = futures::future::join(writers, stream.take(40)).await;
        let ids: Vec<i64> = frames.iter().map(|frame| frame.id).collect();
        assert_eq!(ids, (1..=40).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn stream_without_a_place_begins_now() {
        let fixture = Fixture::new().await;
        fixture.receive("Old").await;
        let last = fixture.state.store().last_event().await.expect("events");
        let mut stream = Stream::open(&fixture, "/v1/events", &[]).await;
        assert_eq!(
            stream.next().await.map(|frame| (frame.id, frame.data)),
            Some((last, None))
        );
        fixture.receive("New").await;
        assert_eq!(stream.take(1).await[0].id, last + 1);
    }

    #[tokio::test]
    async fn shutdown_ends_the_stream() {
        let fixture = Fixture::new().await;
        let mut stream = Stream::open(&fixture, "/v1/events?after=0", &[]).await;
        assert!(stream.next().await.is_some());
        fixture.state.shutdown.cancel();
        assert_eq!(stream.next().await, None);
    }

    #[tokio::test]
    async fn wrong_places_and_too_many_streams_are_refused() {
        let fixture = Fixture::new().await;
        for (path, header) in [
            ("/v1/events?after=-1", ""),
            ("/v1/events?after=7", ""),
            ("/v1/events?after=x", ""),
            ("/v1/events?since=1", ""),
            ("/v1/events", "x"),
            ("/v1/events?after=0", "7"),
        ] {
            let answer = fixture.send(Method::GET, path, &[("last-event-id", header)], "").await;
            answer.is_problem(StatusCode::BAD_REQUEST, "invalid-parameter");
        }
        let every = u32::try_from(MAX_STREAMS).expect("small");
        let _held = fixture
            .state
            .streams
            .clone()
            .acquire_many_owned(every)
            .await
            .expect("open");
        fixture
            .get("/v1/events")
            .await
            .is_problem(StatusCode::SERVICE_UNAVAILABLE, "overloaded");
    }

    #[tokio::test]
    async fn ended_streams_give_their_place_back() {
        let fixture = Fixture::new().await;
        let stream = Stream::open(&fixture, "/v1/events", &[]).await;
        assert_eq!(fixture.state.streams.available_permits(), MAX_STREAMS - 1);
        drop(stream);
        assert_eq!(fixture.state.streams.available_permits(), MAX_STREAMS);
    }
}
