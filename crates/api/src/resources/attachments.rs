//! Bytes of attachments, always as a download.

use axum::{extract::State, response::Response};
use guichet_domain::{AttachmentId, MessageId};
use uuid::Uuid;

use crate::{
    disposition::download,
    extract::{NoParameters, PathParams, QueryParams},
    problem::Problem,
    state::ApiState,
};

/// The bytes of an attachment.
#[utoipa::path(
    get,
    path = "/v1/messages/{id}/attachments/{aid}",
    operation_id = "getAttachment",
    tag = "messages",
    params(
        ("id" = Uuid, Path, description = "Id of the message."),
        ("aid" = Uuid, Path, description = "Id of the attachment."),
    ),
    responses(
        (status = 200, description = "The bytes, under the declared media type.", body = Vec<u8>,
            content_type = "application/octet-stream"),
        (status = 404, description = "There is no such attachment."),
    )
)]
pub(crate) async fn get(
    State(state): State<ApiState>,
    PathParams((id, aid)): PathParams<(Uuid, Uuid)>,
    _: QueryParams<NoParameters>,
) -> Result<Response, Problem> {
    let found = state
        .store()
        .attachment(MessageId::from_uuid(id), AttachmentId::from_uuid(aid))
        .await?;
    let attachment = found.ok_or_else(|| Problem::not_found("attachment", aid))?;
    let bytes = state.store().get_blob(&attachment.blob).await?;
    Ok(download(bytes, &attachment.content_type, &attachment.name))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use crate::testing::{ATTACHED, Fixture, NOBODY};

    #[tokio::test]
    async fn hostile_attachment_is_a_download_and_runs_nothing() {
        let fixture = Fixture::new().await;
        let received = fixture.receive("Parcel").await;
        let path = format!("/v1/messages/{}/attachments/{}", received.message, received.attachment);
        let answer = fixture.get(&path).await;
        assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, ATTACHED));
        assert_eq!(answer.header("content-type"), "text/html");
        let disposition = answer.header("content-disposition");
        assert!(
            disposition.starts_with("attachment; filename=\"parcel _photo_.html\""),
            "{disposition}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("content-security-policy").contains("sandbox"));
    }

    #[tokio::test]
    async fn attachment_of_another_message_is_not_given_out() {
        let fixture = Fixture::new().await;
        let (one, two) = (fixture.receive("One").await, fixture.receive("Two").await);
        for (message, attachment) in [
            (one.message.to_string(), two.attachment.to_string()),
            (NOBODY.to_owned(), one.attachment.to_string()),
        ] {
            let answer = fixture
                .get(&format!("/v1/messages/{message}/attachments/{attachment}"))
                .await;
            answer.is_problem(StatusCode::NOT_FOUND, "not-found");
        }
    }
}
