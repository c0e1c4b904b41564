//! The integration: looked at, switched on and off.

use axum::{Json, extract::State};
use http::HeaderMap;

use crate::{
    dto::{Integration, IntegrationChange},
    extract::{JsonBody, NoParameters, QueryParams},
    problem::Problem,
    state::{ApiState, Language},
};

/// The body has one short word.
const BODY: usize = 1024;

/// The integration: what the operator intends, what the service reports, and what to do about it.
/// Texts are English or French (`Accept-Language`).
#[utoipa::path(
    get,
    path = "/v1/integration",
    operation_id = "getIntegration",
    tag = "operation",
    params(("Accept-Language" = Option<String>, Header, description = "`en` or `fr`.")),
    responses(
        (status = 200, description = "The integration.", body = Integration),
        (status = 404, description = "No tenant is connected."),
    )
)]
pub(crate) async fn get(
    State(state): State<ApiState>,
    _: QueryParams<NoParameters>,
    headers: HeaderMap,
) -> Result<Json<Integration>, Problem> {
    let row = state.store().integration().await?.ok_or_else(absent)?;
    Ok(Json(Integration::new(&row, Language::of(&headers))))
}

/// Switches the integration on or off. The service follows within seconds, as `reported` then says;
/// mail that arrives meanwhile waits in the mailboxes.
#[utoipa::path(
    patch,
    path = "/v1/integration",
    operation_id = "changeIntegration",
    tag = "operation",
    params(("Accept-Language" = Option<String>, Header, description = "`en` or `fr`.")),
    request_body = IntegrationChange,
    responses(
        (status = 200, description = "The integration after the change.", body = Integration),
        (status = 400, description = "The body is wrong."),
        (status = 404, description = "No tenant is connected."),
    )
)]
pub(crate) async fn change(
    State(state): State<ApiState>,
    _: QueryParams<NoParameters>,
    headers: HeaderMap,
    JsonBody(change): JsonBody<IntegrationChange, BODY>,
) -> Result<Json<Integration>, Problem> {
    let store = state.store();
    let mut row = store.integration().await?.ok_or_else(absent)?;
    let wanted = change.intended_state.as_str();
    if row.intended_state != wanted {
        store.intend(row.id, wanted, state.parts.clock.now()).await?;
        wanted.clone_into(&mut row.intended_state);
    }
    Ok(Json(Integration::new(&row, Language::of(&headers))))
}

fn absent() -> Problem {
    Problem::not_found("integration", "run `guichet connect apply` first")
}

#[cfg(test)]
mod tests {
    use guichet_domain::IntegrationId;
    use guichet_store::Report;
    use http::{Method, StatusCode};

    use crate::testing::Fixture;

    async fn failing(fixture: &Fixture) -> IntegrationId {
        let id = fixture
            .state
            .store()
            .integration()
            .await
            .expect("read")
            .expect("there")
            .id;
        let report = Report {
            state: "error",
            code: "secret-expired".to_owned(),
            text: "AADSTS7000222".to_owned(),
            fix: r#"{"en":"Make a new one.","fr":"Faites-en un autre."}"#.to_owned(),
        };
        fixture
            .state
            .store()
            .report(id, &report, fixture.state.parts.clock.now())
            .await
            .expect("report");
        id
    }

    #[tokio::test]
    async fn error_is_shown_with_code_text_fix_and_time_in_the_readers_language() {
        let fixture = Fixture::new().await;
        failing(&fixture).await;
        for (language, fix) in [("en", "Make a new one."), ("fr-CA", "Faites-en un autre.")] {
            let headers = [("accept-language", language)];
            let shown = fixture.send(Method::GET, "/v1/integration", &headers, "").await.json();
            assert_eq!(shown["reported"]["state"], "error");
            assert_eq!(shown["reported"]["code"], "secret-expired");
            assert_eq!(shown["reported"]["text"], "AADSTS7000222");
            assert_eq!(shown["reported"]["fix"], fix);
            assert!(shown["reported"]["since"].is_string(), "{shown}");
        }
    }

    #[tokio::test]
    async fn intention_is_changed_and_the_report_stays() {
        let fixture = Fixture::new().await;
        failing(&fixture).await;
        let body = r#"{"intended_state":"inactive"}"#;
        let json = [("content-type", "application/json")];
        let changed = fixture.send(Method::PATCH, "/v1/integration", &json, body).await.json();
        assert_eq!(changed["intended_state"], "inactive");
        assert_eq!(changed["reported"]["code"], "secret-expired");
        let shown = fixture.get("/v1/integration").await.json();
        assert_eq!(shown["intended_state"], "inactive");
    }

    #[tokio::test]
    async fn unknown_intention_is_refused() {
        let fixture = Fixture::new().await;
        let json = [("content-type", "application/json")];
        let body = r#"{"intended_state":"asleep"}"#;
        let refused = fixture.send(Method::PATCH, "/v1/integration", &json, body).await;
        refused.is_problem(StatusCode::BAD_REQUEST, "invalid-body");
        let shown = fixture.get("/v1/integration").await.json();
        assert_eq!(shown["intended_state"], "active");
    }
}
