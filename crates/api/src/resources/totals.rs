//! Counts over the whole ledger.

use axum::{Json, extract::State};

use crate::{
    dto::Totals,
    extract::{NoParameters, QueryParams},
    problem::Problem,
    state::ApiState,
};

/// How much there is of everything.
#[utoipa::path(
    get,
    path = "/v1/totals",
    operation_id = "getTotals",
    tag = "ledger",
    responses((status = 200, description = "The counts.", body = Totals))
)]
pub(crate) async fn totals(
    State(state): State<ApiState>,
    _: QueryParams<NoParameters>,
) -> Result<Json<Totals>, Problem> {
    Ok(Json(state.store().totals().await?.into()))
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[tokio::test]
    async fn totals_count_what_was_received() {
        let fixture = Fixture::new().await;
        fixture.receive("One").await;
        fixture.receive("Two").await;
        fixture.set_aside("broken").await;
        let totals = fixture.get("/v1/totals").await.json();
        for (name, count) in [
            ("receipts", 3),
            ("messages_inbound", 2),
            ("conversations", 2),
            ("quarantined", 1),
        ] {
            assert_eq!(totals[name], count, "{name}");
        }
    }
}
