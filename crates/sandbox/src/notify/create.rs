//! `POST /subscriptions`.
//!
//! Owns the order of checks: form, resource, permission, limits, duplicates, and only then the handshake with both
//! endpoints. Refusals of the mailbox are wrapped as Graph wraps those of the service behind it.

use std::sync::PoisonError;
use std::time::Duration;

use http::StatusCode;

use crate::auth::{Caller, CallerKind};
use crate::directory::UserRef;
use crate::mail::fields::Fields;
use crate::mail::ids::IdForm;
use crate::mail::permissions::Depth;
use crate::mail::preferences::Preferences;
use crate::notify::endpoints::answer;
use crate::notify::host::Host;
use crate::notify::listener::Listener;
use crate::notify::resource::Resource;
use crate::notify::subscription::{Authority, Identity, ResourceData, Subscription};
use crate::notify::{Notifier, handshake, resource, validate};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

impl Notifier {
    /// Makes a subscription.
    pub(super) async fn create(&self, request: &GraphRequest, host: &dyn Host) -> Result<GraphResponse, ODataError> {
        let listener = Listener::new(self.read_new(request, host)?)?;
        let subscription = &listener.subscription;
        look(host, &listener)?;
        let _reservation = self.reserve(&subscription.identity)?;
        // Each is asked, even when they are the same.
        let urls: Vec<String> = std::iter::once(&subscription.notification_url)
            .chain(&subscription.lifecycle_url)
            .cloned()
            .collect();
        self.greet(&urls).await?;
        let shown = subscription.clone();
        let user = shown.identity.user;
        let mut listener = Some(listener);
        // While nothing in the mailbox changes, so that no change falls between looking and listening.
        host.look(user, &mut |mailbox| {
            if let Some(listener) = listener.take() {
                if let Err(reason) = listener.settle(mailbox) {
                    tracing::debug!(message = %reason.message, "a filter that passed a moment ago does no longer");
                }
                let mut book = self.dispatcher.book.write().unwrap_or_else(PoisonError::into_inner);
                book.put(listener);
            }
        })?;
        self.dispatcher.care();
        Ok(answer(request, &shown, StatusCode::CREATED))
    }

    fn read_new(&self, request: &GraphRequest, host: &dyn Host) -> Result<Subscription, ODataError> {
        let body = request.json_body().map_err(|_| validate::unreadable())?;
        let fields = Fields::of(&body).map_err(|_| validate::unreadable())?;
        validate::known_properties(fields)?;
        let change_type = validate::required(fields, "changeType")?.to_owned();
        let types = validate::change_types(&change_type)?;
        let url = validate::required(fields, "notificationUrl")?;
        let text = validate::required(fields, "resource")?.to_owned();
        let expires = validate::required(fields, "expirationDateTime")?;
        if validate::text(fields, "notificationQueryOptions")?.is_some_and(|options| !options.is_empty()) {
            return Err(ODataError::unsupported("notificationQueryOptions"));
        }
        let plain_http = self.dispatcher.settings.plain_http;
        let notification_url = validate::endpoint(url, "notificationUrl", plain_http)?;
        let lifecycle_url = validate::text(fields, "lifecycleNotificationUrl")?
            .map(|url| validate::endpoint(url, "lifecycleNotificationUrl", plain_http))
            .transpose()?;
        let include = fields
            .boolean("includeResourceData")
            .map_err(|_| validate::unreadable())?;
        let data = match include {
            Some(true) => Some(ResourceData {
                certificate: validate::required(fields, "encryptionCertificate")?.to_owned(),
                certificate_id: validate::certificate_id(validate::required(fields, "encryptionCertificateId")?)?,
            }),
            Some(false) | None => None,
        };
        let wanted = resource::parse(&text)?;
        let user = self.watched(request, &wanted, &text)?;
        let depth = host.may_watch(&request.caller, &user)?;
        let folder = host
            .folder(&user, wanted.folder.as_deref())
            .map_err(|refusal| wrapped(refusal.status, &refusal.message))?;
        let now = self.dispatcher.clock.now();
        let caller = &request.caller;
        let creator = caller.user_id.or(caller.service_principal_id).unwrap_or_default();
        Ok(Subscription {
            id: self.dispatcher.entropy.uuid(),
            identity: Identity {
                app: caller.app_id,
                user: user.id,
                folder: folder.map(|folder| folder.0),
                types,
                query: wanted.query,
            },
            authority: authority(caller, depth),
            resource: text,
            change_type,
            creator: creator.to_string(),
            notification_url,
            lifecycle_url,
            client_state: validate::text(fields, "clientState")?
                .map(validate::client_state)
                .transpose()?,
            expires: validate::expiration(expires, now, self.longest_life(data.is_some()))?,
            immutable: Preferences::of(request).form == IdForm::Immutable,
            tls_version: validate::tls_version(validate::text(fields, "latestSupportedTlsVersion")?)?,
            content_type: validate::text(fields, "notificationContentType")?.map(str::to_owned),
            url_app_id: validate::text(fields, "notificationUrlAppId")?.map(str::to_owned),
            include_resource_data: include,
            data,
            authorized: now,
            challenged: None,
        })
    }

    fn watched(&self, request: &GraphRequest, wanted: &Resource, text: &str) -> Result<UserRef, ODataError> {
        let directory = &self.dispatcher.directory;
        let Some(name) = &wanted.user else {
            let me = request
                .caller
                .user_id
                .filter(|_| request.caller.kind == CallerKind::Delegated);
            return me.and_then(|id| directory.user(&id.to_string())).ok_or_else(|| {
                ODataError::bad_request("/me request is only valid with delegated authentication flow.")
            });
        };
        directory.user(name).ok_or_else(|| {
            wrapped(
                StatusCode::NOT_FOUND,
                &format!("The resource '{text}' names no user of this tenant."),
            )
        })
    }

    /// Refuses duplicates and too many, and keeps the place while the endpoints are asked.
    fn reserve(&self, identity: &Identity) -> Result<Reservation<'_>, ODataError> {
        let limit = self.dispatcher.tuning().mailbox_limit;
        let mut creating = self.creating.lock().unwrap_or_else(PoisonError::into_inner);
        let book = self.dispatcher.subscriptions();
        let existing = book.of_mailbox(identity.user);
        let coming = creating.iter().filter(|other| other.user == identity.user).count();
        if (existing.len() + coming) as u64 >= limit {
            let reason = format!("Subscription limit reached: the mailbox has {limit} active subscriptions");
            return Err(wrapped(StatusCode::FORBIDDEN, &reason));
        }
        let same = existing.iter().find(|other| other.subscription.identity == *identity);
        if same.is_some() || creating.contains(identity) {
            let id = same.map(|same| same.subscription.id.to_string()).unwrap_or_default();
            let reason = format!("Subscription Id {id} already exists for the requested combination");
            return Err(wrapped(StatusCode::CONFLICT, &reason));
        }
        creating.push(identity.clone());
        Ok(Reservation {
            notifier: self,
            identity: identity.clone(),
        })
    }

    /// The longest life of a subscription, in minutes.
    pub(super) fn longest_life(&self, rich: bool) -> u64 {
        let tuning = self.dispatcher.tuning();
        if rich {
            tuning.rich_life_minutes
        } else {
            tuning.life_minutes
        }
    }

    /// Asks each endpoint for the echo of a token.
    pub(super) async fn greet(&self, urls: &[String]) -> Result<(), ODataError> {
        let dispatcher = &self.dispatcher;
        let outgoing = dispatcher.outgoing().ok_or_else(|| {
            ODataError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServerError",
                "the sandbox has no http client for notifications",
            )
        })?;
        let limit = Duration::from_millis(dispatcher.tuning().handshake_timeout_milliseconds);
        for url in urls {
            // Spaces and a colon show whether the endpoint decodes the token.
            let token = format!(
                "Validation: Testing client application reachability for subscription Request-Id: {}",
                dispatcher.entropy.uuid()
            );
            let outcome = dispatcher
                .clock
                .within(limit, handshake::ask(outgoing, url, &token))
                .await
                .unwrap_or(Err(handshake::Problem::TimedOut));
            let problem = outcome.as_ref().err().map(ToString::to_string);
            let now = dispatcher.clock.now();
            dispatcher.with_journal(|journal| journal.handshake(now, url, problem.as_deref()));
            outcome.map_err(|problem| problem.refusal())?;
        }
        Ok(())
    }
}

/// Looks whether the mailbox can be listened to as asked.
fn look(host: &dyn Host, listener: &Listener) -> Result<(), ODataError> {
    let mut outcome = Ok(());
    host.look(listener.subscription.identity.user, &mut |mailbox| {
        outcome = listener.settle(mailbox);
    })?;
    outcome
}

fn authority(caller: &Caller, depth: Depth) -> Authority {
    let held = match caller.kind {
        CallerKind::App => &caller.roles,
        CallerKind::Delegated => &caller.scopes,
        CallerKind::Anonymous => &Vec::new(),
    };
    let is_mail = |name: &&String| name.to_ascii_lowercase().starts_with("mail.read");
    Authority {
        user: caller.user_id.filter(|_| caller.kind == CallerKind::Delegated),
        permissions: held.iter().filter(is_mail).cloned().collect(),
        basic: depth == Depth::Basic,
    }
}

/// A refusal of the service behind Graph.
fn wrapped(status: StatusCode, reason: &str) -> ODataError {
    let name = status.canonical_reason().unwrap_or_default().replace(' ', "");
    ODataError::new(
        status,
        "ExtensionError",
        format!("Operation: Create; Exception: [Status Code: {name}; Reason: {reason}]"),
    )
}

/// Gives the place back when the request ends, however it ends.
struct Reservation<'a> {
    notifier: &'a Notifier,
    identity: Identity,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut creating = self.notifier.creating.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = creating.iter().position(|other| *other == self.identity) {
            creating.swap_remove(at);
        }
    }
}
