//! The control interface: what a test does to the tenant from outside Microsoft's interfaces.
//!
//! Owns plain JSON over loopback HTTP without authentication. It goes around permissions and licences on purpose, and
//! reaches the tenant only through the services' own functions.

mod answers;
mod behaviour;
mod exchange;
mod mailboxes;
mod notifications;
mod outside;
mod reply;
mod tenant;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post, put};

use crate::control::answers::Refusal;
use crate::state::Sandbox;

/// Largest message that can be injected: Microsoft's own maximum is 150 MB.
const MAX_BODY: usize = 150 * 1024 * 1024;

/// All control endpoints.
pub fn router(sandbox: Arc<Sandbox>) -> Router {
    Router::new()
        .route("/healthz", get(tenant::healthz))
        .route("/state", get(tenant::state))
        .route("/clock", get(tenant::clock).post(tenant::advance))
        .route("/requests", get(tenant::requests).delete(tenant::clear_requests))
        .route(
            "/faults",
            get(tenant::faults)
                .post(tenant::add_fault)
                .delete(tenant::remove_faults),
        )
        .route("/faults/{id}", delete(tenant::remove_fault))
        .route("/mailboxes", post(mailboxes::create))
        .route("/mailboxes/{address}/language", put(mailboxes::speak))
        .route("/mailboxes/{address}/settings", get(mailboxes::settings))
        .route(
            "/mailboxes/{address}/messages",
            get(mailboxes::list).post(mailboxes::inject),
        )
        .route("/mailboxes/{address}/messages/{id}/mime", get(mailboxes::mime))
        .route(
            "/mailboxes/{address}/profile",
            get(exchange::profile).patch(exchange::set_profile),
        )
        .route("/exchange", get(exchange::show).put(exchange::restore))
        .route("/exchange/settings", put(exchange::configure))
        .route("/exchange/invoke", post(exchange::invoke))
        .route("/exchange/access", get(exchange::access))
        .route("/exchange/units", post(exchange::add_unit))
        .route("/exchange/servers/{address}", get(exchange::judge_server))
        .route("/directory-roles", post(exchange::give_role))
        .route("/mail/behaviour", get(behaviour::show).patch(behaviour::change))
        .route("/outside", get(outside::list))
        .route("/outside/{seq}/mime", get(outside::mime))
        .route("/outside/{address}/reply/{seq}", post(outside::reply))
        .route("/notifications", get(tenant::notifications))
        .route("/notifications/duplicate", post(tenant::duplicate_notifications))
        .route("/notifications/lifecycle", post(tenant::lifecycle))
        .route(
            "/notifications/settings",
            get(notifications::tuning).patch(notifications::tune),
        )
        .route(
            "/notifications/faults",
            get(notifications::mishaps)
                .post(notifications::add_mishap)
                .delete(notifications::remove_mishaps),
        )
        .route("/notifications/faults/{id}", delete(notifications::remove_mishap))
        .route(
            "/notifications/state",
            get(notifications::state).put(notifications::take_up),
        )
        .route("/notifications/handshakes", get(notifications::handshakes))
        .route("/notifications/subscriptions", get(notifications::subscriptions))
        .route("/delta/replay", post(tenant::replay_delta))
        .route("/delta/expire", post(tenant::expire_delta))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(Arc::clone(&sandbox), storable))
        .with_state(sandbox)
}

/// Refuses changes that cannot be saved, and answers made from mails that cannot be read.
async fn storable(State(sandbox): State<Arc<Sandbox>>, request: Request, next: Next) -> Response {
    let Some(health) = sandbox.saver.as_ref().map(|saver| Arc::clone(saver.health())) else {
        return next.run(request).await;
    };
    if !request.method().is_safe()
        && let Some(problem) = health.problem()
    {
        return Refusal::no_room(format!("no change is accepted, because it cannot be saved: {problem}"))
            .into_response();
    }
    let failed_before = health.failed_reads();
    let response = next.run(request).await;
    if health.failed_reads() != failed_before {
        return Refusal::no_room("mails in the data directory cannot be read: see the log").into_response();
    }
    response
}
