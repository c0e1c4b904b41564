//! Messages: those of a conversation, one, and its bytes as received.

use axum::{Json, extract::State, response::Response};
use guichet_domain::{ConversationId, MessageId};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    disposition::download,
    dto::{Message, Page},
    extract::{NoParameters, PathParams, QueryParams},
    paging::{Limit, decode},
    problem::Problem,
    state::ApiState,
};

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows of a page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// The messages of a conversation, oldest first.
#[utoipa::path(
    get,
    path = "/v1/conversations/{id}/messages",
    operation_id = "listMessages",
    tag = "messages",
    params(("id" = Uuid, Path, description = "Id of the conversation."), Part),
    responses(
        (status = 200, description = "A page of messages.", body = Page<Message>),
        (status = 404, description = "There is no such conversation."),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    PathParams(id): PathParams<Uuid>,
    QueryParams(part): QueryParams<Part>,
) -> Result<Json<Page<Message>>, Problem> {
    let limit = Limit::parse(part.limit)?;
    let after = decode::<MessageId>(part.cursor.as_deref())?;
    let conversation = ConversationId::from_uuid(id);
    if state.store().conversation(conversation).await?.is_none() {
        return Err(Problem::not_found("conversation", id));
    }
    let rows = state.store().messages(conversation, limit.to_fetch(), after).await?;
    Ok(Json(limit.page(rows, |row| row.id, |row| row.into())))
}

/// One message.
#[utoipa::path(
    get,
    path = "/v1/messages/{id}",
    operation_id = "getMessage",
    tag = "messages",
    params(("id" = Uuid, Path, description = "Id of the message.")),
    responses(
        (status = 200, description = "The message.", body = Message),
        (status = 404, description = "There is no such message."),
    )
)]
pub(crate) async fn get(
    State(state): State<ApiState>,
    PathParams(id): PathParams<Uuid>,
    _: QueryParams<NoParameters>,
) -> Result<Json<Message>, Problem> {
    match state.store().message(MessageId::from_uuid(id)).await? {
        Some(row) => Ok(Json((&row).into())),
        None => Err(Problem::not_found("message", id)),
    }
}

/// The bytes of a message exactly as received, or as sent.
#[utoipa::path(
    get,
    path = "/v1/messages/{id}/mime",
    operation_id = "getMessageMime",
    tag = "messages",
    params(("id" = Uuid, Path, description = "Id of the message.")),
    responses(
        (status = 200, description = "MIME, byte for byte.", body = Vec<u8>, content_type = "message/rfc822"),
        (status = 404, description = "There is no such message, or it was not sent yet."),
    )
)]
pub(crate) async fn mime(
    State(state): State<ApiState>,
    PathParams(id): PathParams<Uuid>,
    _: QueryParams<NoParameters>,
) -> Result<Response, Problem> {
    let message = state.store().message(MessageId::from_uuid(id)).await?;
    let message = message.ok_or_else(|| Problem::not_found("message", id))?;
    let blob = message.mime.ok_or_else(|| Problem::not_found("MIME of message", id))?;
    let bytes = state.store().get_blob(&blob).await?;
    Ok(download(bytes, "message/rfc822", &format!("{id}.eml")))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use crate::testing::{Fixture, NOBODY, RAW};

    #[tokio::test]
    async fn messages_come_oldest_first_with_their_reasons() {
        let fixture = Fixture::new().await;
        let first = fixture.receive("Parcel").await;
        let second = fixture.receive_answer(&first).await;
        assert_eq!(first.conversation, second.conversation);
        let path = format!("/v1/conversations/{}/messages", first.conversation);
        let page = fixture.get(&path).await.json();
        assert_eq!(page["items"][0]["id"], json!(first.message.to_string()));
        assert_eq!(page["items"][1]["id"], json!(second.message.to_string()));
        assert_eq!(page["items"][0]["threading"]["rule"], "no_evidence");
        assert_eq!(page["items"][1]["threading"]["rule"], "in_reply_to");
        assert_eq!(page["items"][0]["verdict"]["author"], "person");
        assert_eq!(page["items"][0]["attachments"][0]["name"], "parcel \"photo\".html");
        assert!(page["items"][0]["attachments"][0].get("blob").is_none());

        let one = fixture.get(&format!("{path}?limit=1")).await.json();
        let cursor = one["next_cursor"].as_str().expect("another page");
        let two = fixture.get(&format!("{path}?limit=1&cursor={cursor}")).await.json();
        assert_eq!(
            (&two["items"][0]["id"], &two["next_cursor"]),
            (&page["items"][1]["id"], &json!(null))
        );

        let absent = fixture.get(&format!("/v1/conversations/{NOBODY}/messages")).await;
        absent.is_problem(StatusCode::NOT_FOUND, "not-found");
    }

    #[tokio::test]
    async fn text_comes_in_parts_and_a_message_without_html_has_none_of_it() {
        let fixture = Fixture::new().await;
        let id = fixture.receive("Parcel").await.message;
        let message = fixture.get(&format!("/v1/messages/{id}")).await.json();
        let expected = json!([
            { "kind": "new", "content": "Good morning\n\n" },
            { "kind": "quoted", "content": "Ada wrote:\n> Good evening\n" },
        ]);
        assert_eq!(
            (&message["text_parts"], &message["html_parts"]),
            (&expected, &json!([]))
        );
    }

    #[tokio::test]
    async fn a_meeting_has_its_time_as_the_invitation_says_it() {
        let fixture = Fixture::new().await;
        let id = fixture.receive("Visit").await.message;
        let meeting = &fixture.get(&format!("/v1/messages/{id}")).await.json()["meeting"];
        assert_eq!((&meeting["method"], &meeting["end"]), (&json!("request"), &json!(null)));
        assert_eq!(meeting["start"]["local"], "2025-07-10T14:00:00");
        assert_eq!(meeting["start"]["time_zone"], "Europe/Berlin");
    }

    #[tokio::test]
    async fn protection_is_told_by_name() {
        let fixture = Fixture::new().await;
        let id = fixture.receive("Parcel").await.message;
        let message = fixture.get(&format!("/v1/messages/{id}")).await.json();
        assert_eq!(
            (&message["signed"], &message["encrypted"]),
            (&json!("smime"), &json!(null))
        );
    }

    #[tokio::test]
    async fn mime_is_given_out_byte_for_byte() {
        let fixture = Fixture::new().await;
        let id = fixture.receive("Parcel").await.message;
        assert_eq!(
            fixture.get(&format!("/v1/messages/{id}")).await.json()["has_mime"],
            true
        );
        let answer = fixture.get(&format!("/v1/messages/{id}/mime")).await;
        assert_eq!(answer.body, RAW);
        assert_eq!(answer.header("content-type"), "message/rfc822");
        assert!(answer.header("content-disposition").starts_with("attachment"));
        for path in [format!("/v1/messages/{NOBODY}"), format!("/v1/messages/{NOBODY}/mime")] {
            fixture.get(&path).await.is_problem(StatusCode::NOT_FOUND, "not-found");
        }
    }
}
