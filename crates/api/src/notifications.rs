//! Where Microsoft Graph posts change notifications and lifecycle notifications.
//!
//! Answers at once and never says whether a notification was genuine: a stranger learns nothing, and Graph
//! is satisfied with 202. A notification is a hint only; the engine compares its client state and marks a
//! folder dirty. Microsoft adds fields without notice, so unknown ones are tolerated here and only here.
//!
//! Source: learn.microsoft.com, "Receive change notifications through webhooks" and "lifecycle
//! notifications": validation within 10 s with 200 and the decoded token as text/plain, then 202.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use guichet_domain::SubscriptionId;
use guichet_engine::ChangeNotification;
use http::{StatusCode, Uri, header};
use serde::Deserialize;

use crate::{
    extract::read_body_within,
    problem::{Code, Problem},
    state::ApiState,
};

/// Bytes of one post; Graph's batches have some hundreds of items of half a kilobyte.
const MAX_BODY: usize = 1024 * 1024;
/// Time in which a notification's body must arrive. Microsoft sends a few kilobytes; who takes longer is
/// not Microsoft.
const BODY_SECONDS: u64 = 10;
/// Bytes of a validation token, decoded; Graph's have about 100.
const MAX_TOKEN: usize = 1024;

#[derive(Deserialize)]
struct Post {
    value: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    subscription_id: Option<String>,
    client_state: Option<String>,
    lifecycle_event: Option<String>,
}

impl From<Item> for ChangeNotification {
    fn from(item: Item) -> Self {
        // Without an id it is no notification of ours; the engine counts it as refused.
        Self {
            subscription: SubscriptionId::new(item.subscription_id.unwrap_or_default()),
            client_state: item.client_state.unwrap_or_default(),
            lifecycle_event: item.lifecycle_event,
        }
    }
}

/// Takes Graph's change notifications, and answers its validation of the address. Needs no key: each
/// notification carries the secret client state of its subscription.
#[utoipa::path(
    post,
    path = "/notifications/graph",
    operation_id = "notifyChange",
    tag = "notifications",
    params(("validationToken" = Option<String>, Query, description = "Sent by Graph to validate the address.")),
    request_body(content = serde_json::Value, description = "A collection of change notifications."),
    responses(
        (status = 200, description = "The decoded validation token.", body = String, content_type = "text/plain"),
        (status = 202, description = "Taken, whether genuine or not."),
        (status = 400, description = "The body is no collection of notifications."),
        (status = 413, description = "The body is too large."),
    )
)]
pub(crate) async fn change(State(state): State<ApiState>, uri: Uri, body: Body) -> Result<Response, Problem> {
    take(&state, &uri, body).await
}

/// Takes Graph's lifecycle notifications, in the same way.
#[utoipa::path(
    post,
    path = "/notifications/graph/lifecycle",
    operation_id = "notifyLifecycle",
    tag = "notifications",
    params(("validationToken" = Option<String>, Query, description = "Sent by Graph to validate the address.")),
    request_body(content = serde_json::Value, description = "A collection of lifecycle notifications."),
    responses(
        (status = 200, description = "The decoded validation token.", body = String, content_type = "text/plain"),
        (status = 202, description = "Taken, whether genuine or not."),
        (status = 400, description = "The body is no collection of notifications."),
        (status = 413, description = "The body is too large."),
    )
)]
pub(crate) async fn lifecycle(State(state): State<ApiState>, uri: Uri, body: Body) -> Result<Response, Problem> {
    take(&state, &uri, body).await
}

async fn take(state: &ApiState, uri: &Uri, body: Body) -> Result<Response, Problem> {
    if let Some(token) = validation_token(uri)? {
        // As plain text that no browser may sniff: the token is the sender's to choose.
        return Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], token).into_response());
    }
    let bytes = read_body_within(body, MAX_BODY, BODY_SECONDS).await?;
    let post: Post = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(
            Code::MalformedNotification,
            format!("no collection of notifications: {error}"),
        )
    })?;
    let notifications: Vec<ChangeNotification> = post.value.into_iter().map(Into::into).collect();
    let genuine = state.parts.engine.notify(&notifications);
    tracing::debug!(genuine, posted = notifications.len(), "notifications");
    Ok(StatusCode::ACCEPTED.into_response())
}

/// The decoded token. `+` is a space: Graph encodes the query as a form.
fn validation_token(uri: &Uri) -> Result<Option<String>, Problem> {
    #[derive(Deserialize)]
    struct Validation {
        #[serde(rename = "validationToken")]
        token: Option<String>,
    }
    let malformed = || {
        Problem::new(
            Code::MalformedNotification,
            "in the query: validationToken: it is malformed",
        )
    };
    let axum::extract::Query(found) = axum::extract::Query::<Validation>::try_from_uri(uri).map_err(|_| malformed())?;
    match found.token {
        Some(token) if token.is_empty() || token.len() > MAX_TOKEN => {
            let detail = format!("in the query: validationToken: it must have 1 to {MAX_TOKEN} bytes");
            Err(Problem::new(Code::MalformedNotification, detail))
        }
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;
    use http::Method;

    const PATHS: [&str; 2] = ["/notifications/graph", "/notifications/graph/lifecycle"];

    async fn post(fixture: &Fixture, path: &str, body: &str) -> crate::testing::Answer {
        fixture
            .send_anonymous(Method::POST, path, &[("content-type", "application/json")], body)
            .await
    }

    #[tokio::test]
    async fn validation_token_comes_back_decoded_as_plain_text() {
        let fixture = Fixture::new().await;
        for path in PATHS {
            let uri = format!("{path}?validationToken=Validation%3a+Testing+%3Cb%3E%26%2B&other=1");
            let answer = fixture
                .send_anonymous(Method::POST, &uri, &[("content-type", "text/plain")], "")
                .await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.text(), "Validation: Testing <b>&+");
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
        for token in [String::new(), "x".repeat(MAX_TOKEN + 1)] {
            let uri = format!("{}?validationToken={token}", PATHS[0]);
            let answer = fixture.send_anonymous(Method::POST, &uri, &[], "").await;
            answer.is_problem(StatusCode::BAD_REQUEST, "malformed-notification");
        }
    }

    #[tokio::test]
    async fn forged_notification_is_accepted_like_any_other_and_counted_as_refused() {
        let fixture = Fixture::new().await;
        let body = r#"{"value":[
            {"subscriptionId":"s","clientState":"guessed","changeType":"created","brandNewField":{"a":[1]}},
            {"subscriptionId":"s","clientState":null,"lifecycleEvent":"missed"},
            {"resource":"x"}],"validationTokens":["x"]}"#;
        for path in PATHS {
            let answer = post(&fixture, path, body).await;
            assert_eq!((answer.status, answer.text().as_str()), (StatusCode::ACCEPTED, ""));
        }
        let metrics = fixture.state.parts.engine.metrics();
        assert_eq!(
            (metrics.notifications_refused.get(), metrics.notifications.get()),
            (6, 0)
        );
    }

    #[tokio::test]
    async fn malformed_and_oversized_posts_are_refused() {
        let fixture = Fixture::new().await;
        for body in ["", "{", "[]", "{}", r#"{"value":{}}"#, r#"{"value":[1]}"#] {
            post(&fixture, PATHS[0], body)
                .await
                .is_problem(StatusCode::BAD_REQUEST, "malformed-notification");
        }
        let long = format!("{{\"value\":[]{}}}", " ".repeat(MAX_BODY));
        post(&fixture, PATHS[0], &long)
            .await
            .is_problem(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large");
        assert_eq!(
            post(&fixture, PATHS[0], r#"{"value":[]}"#).await.status,
            StatusCode::ACCEPTED
        );
    }
}
