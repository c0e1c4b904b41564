//! Conversations: list, one, change of state.

use axum::{Json, extract::State};
use guichet_domain::{ConversationId, MailboxId};
use guichet_store::ConversationFilter;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    dto::{Conversation, ConversationChange, ConversationState, Page},
    extract::{JsonBody, NoParameters, PathParams, QueryParams, SMALL_BODY},
    paging::{Limit, decode},
    problem::Problem,
    state::ApiState,
};

/// Which conversations to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those in this state.
    #[param(inline)]
    state: Option<ConversationState>,
    /// Only those in this queue.
    queue: Option<String>,
    /// Only those of the mailbox with this id.
    mailbox: Option<Uuid>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows of a page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Conversations, newest activity first.
#[utoipa::path(
    get,
    path = "/v1/conversations",
    operation_id = "listConversations",
    tag = "conversations",
    params(Filter),
    responses(
        (status = 200, description = "A page of conversations.", body = Page<Conversation>),
        (status = 400, description = "A parameter is wrong."),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    QueryParams(asked): QueryParams<Filter>,
) -> Result<Json<Page<Conversation>>, Problem> {
    let limit = Limit::parse(asked.limit)?;
    let filter = ConversationFilter {
        state: asked.state.map(Into::into),
        queue: asked.queue,
        mailbox: asked.mailbox.map(MailboxId::from_uuid),
        after: decode::<(Timestamp, ConversationId)>(asked.cursor.as_deref())?,
        limit: limit.to_fetch(),
    };
    let rows = state.store().conversations(&filter).await?;
    Ok(Json(limit.page(
        rows,
        |row| (row.last_activity_at, row.id),
        |row| row.into(),
    )))
}

/// One conversation.
#[utoipa::path(
    get,
    path = "/v1/conversations/{id}",
    operation_id = "getConversation",
    tag = "conversations",
    params(("id" = Uuid, Path, description = "Id of the conversation.")),
    responses(
        (status = 200, description = "The conversation.", body = Conversation),
        (status = 404, description = "There is no such conversation."),
    )
)]
pub(crate) async fn get(
    State(state): State<ApiState>,
    PathParams(id): PathParams<Uuid>,
    _: QueryParams<NoParameters>,
) -> Result<Json<Conversation>, Problem> {
    match state.store().conversation(ConversationId::from_uuid(id)).await? {
        Some(row) => Ok(Json((&row).into())),
        None => Err(Problem::not_found("conversation", id)),
    }
}

/// Changes the state of a conversation. Saying the state that it has changes nothing.
#[utoipa::path(
    patch,
    path = "/v1/conversations/{id}",
    operation_id = "changeConversation",
    tag = "conversations",
    params(("id" = Uuid, Path, description = "Id of the conversation.")),
    request_body = ConversationChange,
    responses(
        (status = 200, description = "The conversation after the change.", body = Conversation),
        (status = 400, description = "The body is wrong."),
        (status = 404, description = "There is no such conversation."),
    )
)]
pub(crate) async fn change(
    State(state): State<ApiState>,
    PathParams(id): PathParams<Uuid>,
    _: QueryParams<NoParameters>,
    JsonBody(change): JsonBody<ConversationChange, SMALL_BODY>,
) -> Result<Json<Conversation>, Problem> {
    let wanted = change.state.into();
    let key = ConversationId::from_uuid(id);
    let row = match state.store().conversation(key).await? {
        Some(row) if row.state == wanted => Some(row),
        Some(_) => {
            state
                .store()
                .set_conversation_state(key, wanted, state.parts.clock.now())
                .await?
        }
        None => None,
    };
    match row {
        Some(row) => Ok(Json((&row).into())),
        None => Err(Problem::not_found("conversation", id)),
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};
    use serde_json::json;

    use crate::testing::{Fixture, NOBODY};

    async fn ids_of_pages(fixture: &Fixture, query: &str) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut path = format!("/v1/conversations?{query}");
        loop {
            let page = fixture.get(&path).await.json();
            let items = page["items"].as_array().expect("items");
            pages.push(
                items
                    .iter()
                    .map(|item| item["id"].as_str().expect("id").to_owned())
                    .collect(),
            );
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/v1/conversations?{query}&cursor={cursor}"),
                None => return pages,
            }
        }
    }

    #[tokio::test]
    async fn pages_hold_every_conversation_once_newest_first() {
        let fixture = Fixture::new().await;
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(
                fixture
                    .receive(&format!("Parcel {number}"))
                    .await
                    .conversation
                    .to_string(),
            );
        }
        ids.reverse();
        let pages = ids_of_pages(&fixture, "limit=2").await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(pages.concat(), ids);
        assert_eq!(ids_of_pages(&fixture, "limit=200").await.concat(), ids);
    }

    #[tokio::test]
    async fn filters_select_by_state_queue_and_mailbox() {
        let fixture = Fixture::new().await;
        let closed = fixture.receive("One").await.conversation.to_string();
        let open = fixture.receive("Two").await.conversation.to_string();
        fixture
            .patch(&format!("/v1/conversations/{closed}"), &json!({"state": "closed"}))
            .await;
        assert_eq!(ids_of_pages(&fixture, "state=open").await.concat(), [open]);
        assert_eq!(ids_of_pages(&fixture, "state=closed").await.concat(), [closed]);
        assert_eq!(ids_of_pages(&fixture, "queue=default").await.concat().len(), 2);
        assert_eq!(ids_of_pages(&fixture, "queue=other").await.concat().len(), 0);
        assert_eq!(
            ids_of_pages(&fixture, &format!("mailbox={}", fixture.mailbox))
                .await
                .concat()
                .len(),
            2
        );
        assert_eq!(
            ids_of_pages(&fixture, &format!("mailbox={NOBODY}"))
                .await
                .concat()
                .len(),
            0
        );
    }

    #[tokio::test]
    async fn wrong_parameters_are_named() {
        let fixture = Fixture::new().await;
        for (query, named) in [
            ("bogus=1", "`bogus`"),
            ("state=gone", "gone"),
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=x", "limit"),
            ("mailbox=x", "mailbox"),
            ("cursor=x", "cursor"),
            ("limit=1&limit=2", "limit"),
        ] {
            let answer = fixture.get(&format!("/v1/conversations?{query}")).await;
            answer.is_problem(StatusCode::BAD_REQUEST, "invalid-parameter");
            assert!(answer.detail().contains(named), "{query}: {}", answer.detail());
        }
    }

    #[tokio::test]
    async fn one_conversation_is_shown_or_said_to_be_absent() {
        let fixture = Fixture::new().await;
        let id = fixture.receive("Where is my parcel?").await.conversation;
        let shown = fixture.get(&format!("/v1/conversations/{id}")).await.json();
        assert_eq!(shown["subject"], "Where is my parcel?");
        assert_eq!(shown["contact"]["address"], "customer@fabrikam.example");
        assert_eq!((&shown["state"], &shown["message_count"]), (&json!("open"), &json!(1)));
        let absent = fixture.get(&format!("/v1/conversations/{NOBODY}")).await;
        absent.is_problem(StatusCode::NOT_FOUND, "not-found");
        fixture
            .get("/v1/conversations/7")
            .await
            .is_problem(StatusCode::BAD_REQUEST, "invalid-parameter");
        let extra = fixture.get(&format!("/v1/conversations/{id}?bogus=1")).await;
        extra.is_problem(StatusCode::BAD_REQUEST, "invalid-parameter");
    }

    #[tokio::test]
    async fn state_changes_once_and_is_announced_once() {
        let fixture = Fixture::new().await;
        let path = format!("/v1/conversations/{}", fixture.receive("One").await.conversation);
        let events = fixture.state.store().last_event().await.expect("events");
        for _ in 0..2 {
            let changed = fixture.patch(&path, &json!({"state": "assigned"})).await;
            assert_eq!(
                (changed.status, &changed.json()["state"]),
                (StatusCode::OK, &json!("assigned"))
            );
        }
        assert_eq!(fixture.state.store().last_event().await.expect("events"), events + 1);
    }

    #[tokio::test]
    async fn wrong_changes_are_refused() {
        let fixture = Fixture::new().await;
        let path = format!("/v1/conversations/{}", fixture.receive("One").await.conversation);
        for body in [
            json!({"state": "gone"}),
            json!({}),
            json!({"state": "open", "owner": "x"}),
            json!(null),
        ] {
            fixture
                .patch(&path, &body)
                .await
                .is_problem(StatusCode::BAD_REQUEST, "invalid-body");
        }
        let text = fixture
            .send(Method::PATCH, &path, &[("content-type", "text/plain")], "{}")
            .await;
        text.is_problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type");
        let absent = fixture
            .patch(&format!("/v1/conversations/{NOBODY}"), &json!({"state": "open"}))
            .await;
        absent.is_problem(StatusCode::NOT_FOUND, "not-found");
    }
}
