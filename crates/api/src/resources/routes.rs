//! The configured routes.

use axum::{Json, extract::State};

use crate::{
    dto::{List, Route},
    extract::{NoParameters, QueryParams},
    state::ApiState,
};

/// The routes, in the order of the configuration.
#[utoipa::path(
    get,
    path = "/v1/routes",
    operation_id = "listRoutes",
    tag = "routes",
    responses((status = 200, description = "All routes.", body = List<Route>))
)]
pub(crate) async fn list(State(state): State<ApiState>, _: QueryParams<NoParameters>) -> Json<List<Route>> {
    Json(List {
        items: state.parts.routes.iter().map(Into::into).collect(),
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[tokio::test]
    async fn routes_are_listed_as_configured() {
        let fixture = Fixture::new().await;
        let list = fixture.get("/v1/routes").await.json();
        assert_eq!(
            list["items"][0],
            serde_json::json!({
                "name": "support", "address": "support@contoso.example", "languages": [], "queue": "support", "priority": 3,
                "threading_window_days": 30,
            })
        );
    }
}
