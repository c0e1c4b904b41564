//! Puts the routes together. The documented ones come from one list, so that the router and the OpenAPI
//! document can't differ.

use axum::{Router, middleware::from_fn_with_state};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::require_key,
    console, gate, metrics, notifications, openapi,
    resources::{
        addresses, attachments, conversations, dead_letters, document, events, findings, health, integration,
        mailboxes, messages, problems, quarantine, receipts, replies, routes as routing, totals, trace,
    },
    state::ApiState,
};

/// Everything below `/v1`: for clients with an API key.
pub(crate) fn keyed() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(conversations::list))
        .routes(routes!(conversations::get, conversations::change))
        .routes(routes!(messages::list))
        .routes(routes!(replies::create))
        .routes(routes!(messages::get))
        .routes(routes!(messages::mime))
        .routes(routes!(attachments::get))
        .routes(routes!(integration::get, integration::change))
        .routes(routes!(mailboxes::list))
        .routes(routes!(mailboxes::sync))
        .routes(routes!(routing::list))
        .routes(routes!(addresses::list))
        .routes(routes!(receipts::list))
        .routes(routes!(receipts::quarantine))
        .routes(routes!(quarantine::show))
        .routes(routes!(quarantine::mime))
        .routes(routes!(quarantine::replay))
        .routes(routes!(quarantine::discard))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::retry))
        .routes(routes!(dead_letters::discard))
        .routes(routes!(trace::trace))
        .routes(routes!(totals::totals))
        .routes(routes!(findings::list))
        .routes(routes!(findings::history))
        .routes(routes!(events::follow))
        .routes(routes!(document::get))
}

/// For everybody: the machinery around the service, and Graph.
pub(crate) fn open() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .routes(routes!(notifications::change))
        .routes(routes!(notifications::lifecycle))
        .routes(routes!(problems::explain))
}

/// The whole service.
pub(crate) fn build(state: ApiState) -> Router {
    let keyed = keyed().route_layer(from_fn_with_state(state.clone(), require_key));
    let (router, _) = OpenApiRouter::with_openapi(openapi::head())
        .merge(open())
        .merge(keyed)
        .split_for_parts();
    router
        .merge(console::routes())
        .fallback(gate::unknown_route)
        .method_not_allowed_fallback(gate::unknown_method)
        .layer(from_fn_with_state(state.clone(), gate::pass))
        .with_state(state)
}
