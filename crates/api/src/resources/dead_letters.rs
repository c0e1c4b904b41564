//! Jobs that were given up: look, try again, leave it at that.

use axum::{Json, extract::State};
use guichet_domain::JobId;
use uuid::Uuid;

use crate::{
    dto::{DeadLetter, Decided, List},
    extract::{NoParameters, PathParams, QueryParams},
    paging::Limit,
    problem::Problem,
    resources::receipts::Newest,
    state::ApiState,
};

/// The jobs that were given up last, each with the reason.
#[utoipa::path(
    get,
    path = "/v1/dead-letters",
    operation_id = "listDeadLetters",
    tag = "ledger",
    params(Newest),
    responses(
        (status = 200, description = "Jobs that were given up.", body = List<DeadLetter>),
        (status = 400, description = "A parameter is wrong."),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    QueryParams(asked): QueryParams<Newest>,
) -> Result<Json<List<DeadLetter>>, Problem> {
    let rows = state.store().dead_jobs(Limit::parse(asked.limit)?.rows()).await?;
    Ok(Json(List {
        items: rows.iter().map(Into::into).collect(),
    }))
}

/// Tries a job again, with as much time as it had at first. A reply that may be out already is looked for first.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/{id}/retry",
    operation_id = "retryDeadLetter",
    tag = "ledger",
    params(("id" = Uuid, Path, description = "Id of the job.")),
    responses(
        (status = 200, description = "It is due.", body = Decided),
        (status = 404, description = "No such job was given up."),
    )
)]
pub(crate) async fn retry(
    State(state): State<ApiState>,
    PathParams(id): PathParams<Uuid>,
    _: QueryParams<NoParameters>,
) -> Result<Json<Decided>, Problem> {
    let now = state.parts.clock.now();
    if !state.store().revive_job(JobId::from_uuid(id), now).await? {
        return Err(Problem::not_found("dead letter", id));
    }
    state.parts.engine.outbox_changed();
    Ok(Json(Decided::of(&id)))
}

/// Removes a job for good. A reply stays failed.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/{id}/discard",
    operation_id = "discardDeadLetter",
    tag = "ledger",
    params(("id" = Uuid, Path, description = "Id of the job.")),
    responses(
        (status = 200, description = "It is gone; the trace of its mail tells of it.", body = Decided),
        (status = 404, description = "No such job was given up."),
    )
)]
pub(crate) async fn discard(
    State(state): State<ApiState>,
    PathParams(id): PathParams<Uuid>,
    _: QueryParams<NoParameters>,
) -> Result<Json<Decided>, Problem> {
    let (now, why) = (state.parts.clock.now(), "discarded by a client of the API");
    if !state.store().discard_job(JobId::from_uuid(id), why, now).await? {
        return Err(Problem::not_found("dead letter", id));
    }
    Ok(Json(Decided::of(&id)))
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use crate::testing::{Fixture, NOBODY};

    #[tokio::test]
    async fn a_job_that_was_not_given_up_can_be_neither_retried_nor_discarded() {
        let fixture = Fixture::new().await;
        assert_eq!(
            fixture.get("/v1/dead-letters").await.json()["items"],
            serde_json::json!([])
        );
        for what in ["retry", "discard"] {
            let path = format!("/v1/dead-letters/{NOBODY}/{what}");
            let absent = fixture.send(Method::POST, &path, &[], "").await;
            absent.is_problem(StatusCode::NOT_FOUND, "not-found");
        }
    }
}
