//! The control interface: what a test does to the tenant from outside Microsoft's interfaces.
//!
//! Owns plain JSON over loopback HTTP without authentication. It goes around permissions and licences on purpose, and
//! reaches the tenant only through the services' own functions.

mod answers;
mod behaviour;
mod clock;
mod compose;
mod exchange;
mod faults;
mod guard;
mod mailboxes;
mod notifications;
mod outside;
mod page;
mod people;
mod reading;
mod reply;
mod requests;
mod scenario;
mod tenant;
mod transport;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, patch, post, put};

use crate::control::answers::Refusal;
use crate::state::Sandbox;

pub use faults::change_settings;

/// Largest message that can be injected: Microsoft's own maximum is 150 MB.
const MAX_BODY: usize = 150 * 1024 * 1024;

/// All control endpoints; `names` are those of this machine besides `localhost`.
pub fn router(sandbox: Arc<Sandbox>, names: Vec<String>) -> Router {
    let names: guard::Names = names.into();
    Router::new()
        .route("/", get(page::html))
        .route("/page/style.css", get(page::style))
        .route("/page/page.js", get(page::script))
        .route("/healthz", get(tenant::healthz))
        .route("/state", get(tenant::state))
        .route("/clock", get(clock::show).post(clock::change))
        .route("/requests", get(requests::report).delete(requests::clear))
        .route("/requests/recent", get(requests::recent))
        .merge(misfortunes())
        .merge(mail())
        .route("/policies", get(people::policies).patch(people::set_policies))
        .route("/users", post(people::create))
        .route("/users/{name}", patch(people::change).delete(people::delete))
        .route("/users/{name}/restore", post(people::restore))
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
        .route(
            "/mailboxes/{address}/delivery",
            get(transport::delivery).patch(transport::change_delivery),
        )
        .route("/transport", get(transport::settings).patch(transport::change_settings))
        .route("/transport/queue", get(transport::queue))
        .route(
            "/transport/outside-rules",
            get(transport::outside_rules)
                .post(transport::add_outside_rule)
                .delete(transport::remove_outside_rules),
        )
        .route("/transport/outside-rules/{id}", delete(transport::remove_outside_rule))
        .route(
            "/transport/verdicts",
            get(transport::verdicts)
                .post(transport::add_verdict)
                .delete(transport::remove_verdicts),
        )
        .route("/transport/verdicts/{id}", delete(transport::remove_verdict))
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
        .layer(middleware::from_fn_with_state(Arc::clone(&sandbox), storable))
        .layer(middleware::from_fn_with_state(names, guard::check))
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

fn misfortunes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route(
            "/faults",
            get(faults::list).post(faults::add).delete(faults::remove_all),
        )
        .route("/faults/{id}", delete(faults::remove))
        .route(
            "/throttling",
            get(faults::throttling)
                .post(faults::change_throttling)
                .delete(faults::clear_throttling),
        )
        .route("/tokens/revoke", post(faults::revoke))
        .route(
            "/scenario",
            get(scenario::report).post(scenario::load).delete(scenario::drop_plan),
        )
        .route("/reset", post(scenario::reset))
}

fn mail() -> Router<Arc<Sandbox>> {
    let message = "/mailboxes/{address}/messages/{id}";
    Router::new()
        .route("/mailboxes", get(reading::mailboxes).post(mailboxes::create))
        .route("/mailboxes/{address}/folders", get(reading::folders))
        .route("/mailboxes/{address}/language", put(mailboxes::speak))
        .route("/mailboxes/{address}/settings", get(mailboxes::settings))
        .route(
            "/mailboxes/{address}/messages",
            get(mailboxes::list).post(mailboxes::inject),
        )
        .route(message, get(reading::message))
        .route(&format!("{message}/mime"), get(mailboxes::mime))
        .route(&format!("{message}/html"), get(reading::message_html))
        .route(
            &format!("{message}/attachments/{{number}}"),
            get(reading::message_attachment),
        )
        .route("/outside", get(outside::list))
        .route("/outside/compose", post(compose::compose))
        .route("/outside/{seq}/message", get(reading::outside))
        .route("/outside/{seq}/mime", get(outside::mime))
        .route("/outside/{seq}/html", get(reading::outside_html))
        .route("/outside/{seq}/attachments/{number}", get(reading::outside_attachment))
        .route("/outside/{address}/reply/{seq}", post(outside::reply))
}

/// Reads a JSON body whatever its content type; the refusal shows an example.
fn parse<T: serde::de::DeserializeOwned>(body: &[u8], example: &str) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::bad(format!("the body is not usable ({error}): send {example}")))
}
