//! Whether the process lives and whether it can work.

use std::time::Duration;

use axum::{Json, extract::State};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::{
    problem::{Code, Problem},
    state::ApiState,
};

/// How long the database may take to answer; orchestrators give a probe some seconds.
const MAX_CHECK: Duration = Duration::from_secs(3);

/// All is well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    status: &'static str,
    /// Version of the program.
    version: &'static str,
}

/// The process is alive. Needs no key.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    tag = "operation",
    responses((status = 200, description = "Alive.", body = Health))
)]
pub(crate) async fn healthz(State(state): State<ApiState>) -> Json<Health> {
    Json(Health {
        status: "ok",
        version: state.parts.version,
    })
}

/// The service can take work: its database can be written. Needs no key.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "operation",
    responses(
        (status = 200, description = "Ready.", body = Health),
        (status = 503, description = "Not ready."),
    )
)]
pub(crate) async fn readyz(State(state): State<ApiState>) -> Result<Json<Health>, Problem> {
    if state.shutdown.is_cancelled() {
        return Err(Problem::new(Code::NotReady, "the service is stopping"));
    }
    match timeout(MAX_CHECK, state.store().check()).await {
        Ok(Ok(())) => Ok(Json(Health {
            status: "ok",
            version: state.parts.version,
        })),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            Err(Problem::new(
                Code::NotReady,
                "the database can't be written; the log names the cause",
            ))
        }
        Err(_) => {
            let detail = format!("the database did not answer within {} s", MAX_CHECK.as_secs());
            Err(Problem::new(Code::NotReady, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use crate::testing::Fixture;

    #[tokio::test]
    async fn closed_store_is_alive_but_not_ready() {
        let fixture = Fixture::new().await;
        for path in ["/healthz", "/readyz"] {
            let answer = fixture.anonymous(Method::GET, path).await;
            assert_eq!(
                (answer.status, &answer.json()["status"]),
                (StatusCode::OK, &"ok".into()),
                "{path}"
            );
        }
        fixture.state.store().clone().close().await;
        assert_eq!(fixture.anonymous(Method::GET, "/healthz").await.status, StatusCode::OK);
        let answer = fixture.anonymous(Method::GET, "/readyz").await;
        answer.is_problem(StatusCode::SERVICE_UNAVAILABLE, "not-ready");
        assert!(!answer.header("retry-after").is_empty());
    }

    #[tokio::test]
    async fn stopping_service_is_not_ready() {
        let fixture = Fixture::new().await;
        fixture.state.shutdown.cancel();
        let answer = fixture.anonymous(Method::GET, "/readyz").await;
        answer.is_problem(StatusCode::SERVICE_UNAVAILABLE, "not-ready");
    }
}
