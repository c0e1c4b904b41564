//! The address ranges from which mail is sent into the tenant by SMTP.

use axum::{Json, extract::State};

use crate::{
    dto::{AddressRegion, List},
    extract::{NoParameters, QueryParams},
    state::ApiState,
};

/// The ranges for the connection filter's allow list, by region, in the order of the regions' names.
///
/// Empty when nothing is sent into the tenant by SMTP: mail that comes in over MX and answers that are sent through
/// Graph need no entry.
#[utoipa::path(
    get,
    path = "/v1/addresses",
    operation_id = "listAddresses",
    tag = "addresses",
    responses((status = 200, description = "All regions.", body = List<AddressRegion>))
)]
pub(crate) async fn list(State(state): State<ApiState>, _: QueryParams<NoParameters>) -> Json<List<AddressRegion>> {
    let regions = state.parts.addresses.iter();
    let items = regions.map(|(region, ranges)| AddressRegion {
        region: region.clone(),
        ranges: ranges.iter().map(ToString::to_string).collect(),
    });
    Json(List { items: items.collect() })
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[tokio::test]
    async fn ranges_are_listed_by_region() {
        let fixture = Fixture::new().await;
        let list = fixture.get("/v1/addresses").await.json();
        assert_eq!(
            list,
            serde_json::json!({ "items": [{ "region": "eu", "ranges": ["203.0.113.0/28", "198.51.100.7"] }] })
        );
    }
}
