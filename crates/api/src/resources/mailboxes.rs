//! Mailboxes: what is served and how it goes, and the wish for a round now.

use axum::{Json, extract::State};
use guichet_domain::MailboxId;
use http::StatusCode;
use uuid::Uuid;

use crate::{
    dto::{List, Mailbox, SyncAccepted},
    extract::{NoParameters, PathParams, QueryParams},
    problem::{Code, Problem},
    state::ApiState,
};

/// The mailboxes, each with the state of its folders.
#[utoipa::path(
    get,
    path = "/v1/mailboxes",
    operation_id = "listMailboxes",
    tag = "mailboxes",
    responses((status = 200, description = "All mailboxes.", body = List<Mailbox>))
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: QueryParams<NoParameters>,
) -> Result<Json<List<Mailbox>>, Problem> {
    let status = state.parts.engine.status();
    let rows = state.store().mailboxes().await?;
    Ok(Json(List {
        items: rows.iter().map(|row| Mailbox::new(row, &status)).collect(),
    }))
}

/// Asks for a look into every folder of a mailbox now. Nothing is lost without it: folders are looked at
/// regularly.
#[utoipa::path(
    post,
    path = "/v1/mailboxes/{id}/sync",
    operation_id = "syncMailbox",
    tag = "mailboxes",
    params(("id" = Uuid, Path, description = "Id of the mailbox.")),
    responses(
        (status = 202, description = "The look was asked for.", body = SyncAccepted),
        (status = 404, description = "There is no such mailbox."),
        (status = 409, description = "The mailbox is not followed now."),
    )
)]
pub(crate) async fn sync(
    State(state): State<ApiState>,
    PathParams(id): PathParams<Uuid>,
    _: QueryParams<NoParameters>,
) -> Result<(StatusCode, Json<SyncAccepted>), Problem> {
    let key = MailboxId::from_uuid(id);
    let mailbox = state
        .store()
        .mailbox(key)
        .await?
        .ok_or_else(|| Problem::not_found("mailbox", id))?;
    match state.parts.engine.sync_now(Some(key)) {
        0 => {
            let why = if mailbox.enabled {
                "the engine does not follow it yet"
            } else {
                "it is disabled"
            };
            Err(Problem::new(
                Code::MailboxNotFollowed,
                format!("mailbox {}: {why}", mailbox.address),
            ))
        }
        folders => Ok((StatusCode::ACCEPTED, Json(SyncAccepted { folders }))),
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use crate::testing::{Fixture, NOBODY};

    #[tokio::test]
    async fn mailboxes_are_listed_with_their_folders() {
        let fixture = Fixture::new().await;
        let list = fixture.get("/v1/mailboxes").await.json();
        assert_eq!(list["items"][0]["address"], "support@contoso.example");
        assert_eq!(list["items"][0]["id"], fixture.mailbox.to_string());
        assert_eq!(list["items"][0]["folders"], serde_json::json!([]));
    }

    #[tokio::test]
    async fn round_of_a_mailbox_that_is_not_followed_is_refused() {
        let fixture = Fixture::new().await;
        let path = format!("/v1/mailboxes/{}/sync", fixture.mailbox);
        let idle = fixture.send(Method::POST, &path, &[], "").await;
        idle.is_problem(StatusCode::CONFLICT, "mailbox-not-followed");
        let absent = fixture
            .send(Method::POST, &format!("/v1/mailboxes/{NOBODY}/sync"), &[], "")
            .await;
        absent.is_problem(StatusCode::NOT_FOUND, "not-found");
    }
}
