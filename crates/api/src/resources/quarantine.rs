//! Mails that were set aside, one by one: look, try again, leave it at that.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use guichet_domain::{ImmutableId, JobId};
use guichet_store::records::Receipt as Stored;

use crate::{
    disposition::download,
    dto::{Decided, Receipt},
    extract::{NoParameters, PathParams, QueryParams},
    problem::Problem,
    state::ApiState,
};

/// Who asks, as the trace shows it. Keys are not told apart there.
const BY: &str = "a client of the API";

async fn find(state: &ApiState, id: &str) -> Result<Stored, Problem> {
    let found = state.store().quarantined_mail(&ImmutableId::new(id)).await?;
    found.ok_or_else(|| Problem::not_found("mail in quarantine", id))
}

/// A mail that was set aside, with the reason.
#[utoipa::path(
    get,
    path = "/v1/quarantine/{id}",
    operation_id = "getQuarantined",
    tag = "ledger",
    params(("id" = String, Path, description = "Immutable id of the mail.")),
    responses(
        (status = 200, description = "Its receipt.", body = Receipt),
        (status = 404, description = "No such mail is in quarantine."),
    )
)]
pub(crate) async fn show(
    State(state): State<ApiState>,
    PathParams(id): PathParams<String>,
    _: QueryParams<NoParameters>,
) -> Result<Json<Receipt>, Problem> {
    Ok(Json((&find(&state, &id).await?).into()))
}

/// The bytes of a mail that was set aside, exactly as received.
#[utoipa::path(
    get,
    path = "/v1/quarantine/{id}/mime",
    operation_id = "getQuarantinedMime",
    tag = "ledger",
    params(("id" = String, Path, description = "Immutable id of the mail.")),
    responses(
        (status = 200, description = "MIME, byte for byte.", body = Vec<u8>, content_type = "message/rfc822"),
        (status = 404, description = "No such mail is in quarantine, or its bytes could not be fetched."),
    )
)]
pub(crate) async fn mime(
    State(state): State<ApiState>,
    PathParams(id): PathParams<String>,
    _: QueryParams<NoParameters>,
) -> Result<Response, Problem> {
    let receipt = find(&state, &id).await?;
    let blob = receipt.mime.ok_or_else(|| Problem::not_found("MIME of mail", &id))?;
    let bytes = state.store().get_blob(&blob).await?;
    Ok(download(bytes, "message/rfc822", "quarantined.eml"))
}

/// Tries a mail again: from its bytes if they were kept, else it is fetched. It becomes a message, or stays with the
/// new reason.
#[utoipa::path(
    post,
    path = "/v1/quarantine/{id}/replay",
    operation_id = "replayQuarantined",
    tag = "ledger",
    params(("id" = String, Path, description = "Immutable id of the mail.")),
    responses(
        (status = 202, description = "It will be tried. However often it is asked for, the mail is taken in once.", body = Decided),
        (status = 404, description = "No such mail is in quarantine."),
    )
)]
pub(crate) async fn replay(
    State(state): State<ApiState>,
    PathParams(id): PathParams<String>,
    _: QueryParams<NoParameters>,
) -> Result<(StatusCode, Json<Decided>), Problem> {
    let (clock, entropy) = (state.parts.clock.as_ref(), state.parts.entropy.as_ref());
    let (job, now) = (JobId::generate(clock, entropy), clock.now());
    if !state.store().ask_replay(&ImmutableId::new(&*id), job, BY, now).await? {
        return Err(Problem::not_found("mail in quarantine", id));
    }
    state.parts.engine.outbox_changed();
    Ok((StatusCode::ACCEPTED, Json(Decided::of(&id))))
}

/// Takes a mail out of quarantine without taking it in. Its receipt stays, so it does not come again.
#[utoipa::path(
    post,
    path = "/v1/quarantine/{id}/discard",
    operation_id = "discardQuarantined",
    tag = "ledger",
    params(("id" = String, Path, description = "Immutable id of the mail.")),
    responses(
        (status = 200, description = "It is no longer in quarantine.", body = Decided),
        (status = 404, description = "No such mail is in quarantine."),
    )
)]
pub(crate) async fn discard(
    State(state): State<ApiState>,
    PathParams(id): PathParams<String>,
    _: QueryParams<NoParameters>,
) -> Result<Json<Decided>, Problem> {
    let now = state.parts.clock.now();
    if !state
        .store()
        .discard_quarantined(&ImmutableId::new(&*id), BY, now)
        .await?
    {
        return Err(Problem::not_found("mail in quarantine", id));
    }
    Ok(Json(Decided::of(&id)))
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use crate::testing::Fixture;

    #[tokio::test]
    async fn a_mail_in_quarantine_is_shown_and_discarded_once() {
        let fixture = Fixture::new().await;
        fixture.set_aside("its MIME has no end").await;
        let list = fixture.get("/v1/quarantine").await.json();
        let id = list["items"][0]["immutable_id"].as_str().expect("id").to_owned();
        let shown = fixture.get(&format!("/v1/quarantine/{id}")).await.json();
        assert_eq!(shown["quarantined"], "its MIME has no end");
        let asked = fixture
            .send(Method::POST, &format!("/v1/quarantine/{id}/replay"), &[], "")
            .await;
        assert_eq!(asked.status, StatusCode::ACCEPTED);
        let path = format!("/v1/quarantine/{id}/discard");
        assert_eq!(fixture.send(Method::POST, &path, &[], "").await.status, StatusCode::OK);
        let again = fixture.send(Method::POST, &path, &[], "").await;
        again.is_problem(StatusCode::NOT_FOUND, "not-found");
        let gone = fixture.get(&format!("/v1/quarantine/{id}/mime")).await;
        gone.is_problem(StatusCode::NOT_FOUND, "not-found");
        assert_eq!(fixture.get("/v1/totals").await.json()["quarantined"], 0);
        let trace = fixture.get(&format!("/v1/trace/{id}")).await.json();
        let text = trace.to_string();
        assert!(
            text.contains("discarded") && text.contains("its MIME has no end"),
            "{text}"
        );
    }
}
