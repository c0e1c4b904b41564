//! Which service answers a Graph request.
//!
//! Owns the first one or two path segments and nothing below them. Inner requests of a batch come through
//! [`graph`], which applies faults, throttling and the ledger to them as if they had come alone.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use uuid::Uuid;

use crate::directory::{Directory as _, UserRef};
use crate::directory::{applications, deleted, grants, organization, role_assignments, service_principals, users};
use crate::exchange::{graph_groups, graph_roles};
use crate::faults::{Asked, Effect, Revocation};
use crate::odata::error::{ODataError, Stamp};
use crate::revocation::Revoked;
use crate::server::paths::{GraphRequest, GraphResponse};
use crate::server::{metadata, subject};
use crate::state::Sandbox;
use crate::throttle::{Area, Work};
use crate::{auth, batch, ledger};

/// Answers an inner request of a batch; failures are already rendered.
pub async fn graph(sandbox: &Arc<Sandbox>, request: GraphRequest) -> GraphResponse {
    let path = format!("/{}/{}", request.version.as_str(), request.segments.join("/"));
    let application = subject::application(&request.caller);
    let verdict = sandbox.faults.judge(
        &Asked {
            method: &request.method,
            path: &path,
            raw_query: &request.raw_query,
            headers: &request.headers,
            application,
            mailbox: &|| subject::mailbox_names(sandbox, &request.segments, Some(&request.caller)),
        },
        true,
    );
    let entry = sandbox.ledger.begin(ledger::Asked {
        entry: ledger::Entry::graph(&request.method, &request.segments),
        path,
        bytes: request.body.len(),
        application,
        at: request.stamp.at,
        in_batch: true,
    });
    if let Some(wait) = verdict.latency {
        sandbox.clock.pause(wait.min(MAX_LATENCY)).await;
    }
    let response = match verdict.effect {
        Some(Effect::Status(fault)) => {
            if fault.after_effect {
                admitted(sandbox, &request).await;
            }
            fault.graph_response(&request.stamp)
        }
        Some(Effect::Revoke(revocation)) => {
            revoke(sandbox, application, revocation, &request.stamp).render(&request.stamp)
        }
        Some(Effect::Spoil(spoiling)) => {
            let answer = match spoiling.after_effect {
                true => admitted(sandbox, &request).await,
                false => GraphResponse::empty(StatusCode::OK),
            };
            spoiling.content(answer)
        }
        // A batch has one connection for all its parts: rules that cut it are about the batch itself.
        Some(Effect::CutBefore | Effect::CutAfter) | None => admitted(sandbox, &request).await,
    };
    entry.end(Some(response.status), response.body.len());
    response
}

/// Carries an ordered revocation out and gives the refusal that the request gets.
pub fn revoke(sandbox: &Sandbox, application: Option<Uuid>, revocation: Revocation, stamp: &Stamp) -> ODataError {
    let at = stamp.at.as_second();
    if revocation.lasting {
        sandbox.revocations.add(Revoked {
            application,
            user: None,
            up_to: sandbox.clock.tick(),
            at,
            challenge: revocation.challenge,
        });
    }
    auth::revocation_refusal(at, revocation.challenge)
}

/// Answers one Graph request if the throttle lets it in; failures are rendered.
pub async fn admitted(sandbox: &Arc<Sandbox>, request: &GraphRequest) -> GraphResponse {
    if !sandbox.throttle.is_enabled() {
        return answer(sandbox, request).await;
    }
    let GraphRequest {
        method,
        segments,
        query,
        ..
    } = request;
    let work = subject::work(sandbox, &request.caller, method, segments, query, request.body.len());
    let application = request.caller.app_id;
    let users = sandbox.tenant.read().user_count();
    match sandbox.throttle.admit(application, &work, sandbox.clock.now(), users) {
        Err(refusal) => {
            let writing = *method != Method::GET;
            refusal.render(&request.stamp, application, sandbox.tenant.id, writing)
        }
        Ok(admission) => {
            let mut response = answer(sandbox, request).await;
            if let Some(units) = admission.units {
                units.tell(&mut response.headers);
            }
            drop(admission);
            response
        }
    }
}

/// Answers a request to an upload address if the throttle lets it in. The address names no application; its session
/// does.
pub async fn upload(sandbox: &Arc<Sandbox>, request: &GraphRequest) -> GraphResponse {
    let owner = match sandbox.throttle.is_enabled() {
        true => sandbox.mail.upload_owner(&request.segments),
        false => None,
    };
    let mut place = None;
    if let Some((application, user)) = owner {
        let bytes = request.body.len();
        let area = Area::Mailbox(user);
        let work = Work::measure(area, &request.method, &request.segments, &request.query, bytes);
        match sandbox.throttle.admit(application, &work, sandbox.clock.now(), 0) {
            Err(refusal) => return refusal.render(&request.stamp, application, sandbox.tenant.id, true),
            Ok(admission) => place = Some(admission),
        }
    }
    let answer = sandbox.mail.handle_upload(request, &request.segments).await;
    drop(place);
    answer.unwrap_or_else(|error| error.render(&request.stamp))
}

/// Longest artificial delay: a fault must not look like a hanging process.
pub const MAX_LATENCY: Duration = Duration::from_secs(600);

/// Answers one Graph request; failures are rendered.
async fn answer(sandbox: &Arc<Sandbox>, request: &GraphRequest) -> GraphResponse {
    match Box::pin(route(sandbox, request)).await {
        Ok(response) => metadata::fit(request, response),
        Err(error) => error.render(&request.stamp),
    }
}

async fn route(sandbox: &Arc<Sandbox>, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    let tenant = &sandbox.tenant;
    let Some((first, rest)) = request.segments.split_first() else {
        return Err(ODataError::unsupported("the service document"));
    };
    match first.to_ascii_lowercase().as_str() {
        "users" => match rest {
            [] => users::list(tenant, request),
            [count] if count.eq_ignore_ascii_case("$count") => users::list(tenant, request),
            [delta] if delta.eq_ignore_ascii_case("delta") => users::changes(tenant, request),
            [id, below @ ..] => {
                let user = match tenant.user(id) {
                    Some(user) => user,
                    None => return Err(no_such_user(request, id, below)),
                };
                person(sandbox, request, &user, below).await
            }
        },
        "me" => {
            let user = users::me(tenant, &request.caller)?;
            person(sandbox, request, &user, rest).await
        }
        "subscriptions" => sandbox.mail.handle_subscriptions(request, rest).await,
        "$batch" if rest.is_empty() && request.method == Method::POST => batch::handle(sandbox, request).await,
        "$batch" => Err(ODataError::method_not_allowed()),
        "applications" => forgetting(sandbox, request, applications::handle(tenant, request, rest)),
        "serviceprincipals" => forgetting(sandbox, request, service_principals::handle(tenant, request, rest)),
        "groups" => graph_groups::handle(&sandbox.exchange, request, rest),
        "rolemanagement" => role_management(sandbox, request, rest),
        "oauth2permissiongrants" => grants::handle(tenant, request, rest),
        "organization" => organization::organization(tenant, request, rest),
        "domains" => organization::domains(tenant, request, rest),
        "subscribedskus" => organization::subscribed_skus(tenant, request, rest),
        "directoryroles" => organization::directory_roles(request, rest),
        "directory" => deleted::handle(tenant, request, rest),
        "directoryobjects" | "policies" | "identity" | "auditlogs" | "reports" | "sites" | "drives" | "teams"
        | "chats" | "search" | "security" | "$metadata" => Err(ODataError::unsupported(format!("/{first}"))),
        _ => Err(ODataError::unknown_segment(first)),
    }
}

/// What belonged to a deleted principal goes with it, also in Exchange.
fn forgetting(
    sandbox: &Sandbox,
    request: &GraphRequest,
    answer: Result<GraphResponse, ODataError>,
) -> Result<GraphResponse, ODataError> {
    if request.method == Method::DELETE && answer.is_ok() {
        sandbox.exchange.forget_deleted_principals();
    }
    answer
}

fn role_management(
    sandbox: &Sandbox,
    request: &GraphRequest,
    segments: &[String],
) -> Result<GraphResponse, ODataError> {
    let Some((provider, rest)) = segments.split_first() else {
        return Err(ODataError::unsupported("/roleManagement"));
    };
    match provider.to_ascii_lowercase().as_str() {
        "exchange" => graph_roles::handle(&sandbox.exchange, request, rest),
        "directory" => role_assignments::handle(&sandbox.tenant, request, rest),
        "cloudpc" | "devicemanagement" | "entitlementmanagement" | "enterpriseapps" | "defender" => {
            Err(ODataError::unsupported(format!("/roleManagement/{provider}")))
        }
        _ => Err(ODataError::unknown_segment(provider)),
    }
}

async fn person(
    sandbox: &Arc<Sandbox>,
    request: &GraphRequest,
    user: &UserRef,
    below: &[String],
) -> Result<GraphResponse, ODataError> {
    match below {
        [] => users::one(&sandbox.tenant, request, user.id),
        [child, rest @ ..] if users::DIRECTORY_CHILDREN.contains(&child.to_ascii_lowercase().as_str()) => {
            let groups = || graph_groups::groups_of(&sandbox.exchange, user.id);
            users::child(&sandbox.tenant, request, user.id, child, rest, groups)
        }
        _ => {
            let mut response = sandbox.mail.handle(request, user, below).await?;
            // Recorded answers about mailboxes are private; the directory's are not cached at all.
            let private = http::HeaderValue::from_static("private");
            response.headers.entry(http::header::CACHE_CONTROL).or_insert(private);
            Ok(response)
        }
    }
}

/// Mail and directory word a missing user differently.
fn no_such_user(request: &GraphRequest, id: &str, below: &[String]) -> ODataError {
    let directory = below
        .first()
        .is_none_or(|child| users::DIRECTORY_CHILDREN.contains(&child.to_ascii_lowercase().as_str()));
    if request.caller.kind == crate::auth::CallerKind::Anonymous {
        return ODataError::directory_denied();
    }
    if directory {
        ODataError::directory_not_found(id)
    } else {
        ODataError::new(
            StatusCode::NOT_FOUND,
            "ErrorInvalidUser",
            format!("The requested user '{id}' is invalid."),
        )
    }
}
