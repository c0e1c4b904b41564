//! The OpenAPI document over HTTP.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;

use crate::{
    extract::{NoParameters, QueryParams},
    state::ApiState,
};

/// This document.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    operation_id = "getOpenApi",
    tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1.", body = serde_json::Value))
)]
pub(crate) async fn get(State(state): State<ApiState>, _: QueryParams<NoParameters>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], state.openapi.clone()).into_response()
}
