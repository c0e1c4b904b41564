//! `/subscriptions`: read, renew, delete, reauthorize.
//!
//! Owns who may see a subscription (the application that made it; of a signed-in user's, only that user) and what may
//! be changed of it. Creation has a file of its own.

use std::sync::{Arc, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::auth::CallerKind;
use crate::mail::fields::Fields;
use crate::notify::host::Host;
use crate::notify::listener::Listener;
use crate::notify::subscription::{ResourceData, Subscription};
use crate::notify::{Notifier, validate};
use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;
use crate::server::paths::{GraphRequest, GraphResponse};

/// Subscriptions of a page when nothing is said.
const DEFAULT_PAGE: usize = 100;
/// Subscriptions of the largest page.
const MAX_PAGE: usize = 999;
/// What an update may change.
const CHANGEABLE: &[&str] = &[
    "expirationDateTime",
    "notificationUrl",
    "encryptionCertificate",
    "encryptionCertificateId",
];

type Answer = Result<GraphResponse, ODataError>;

impl Notifier {
    /// Answers `/subscriptions/<segments>`.
    pub async fn handle(&self, request: &GraphRequest, segments: &[String], host: &dyn Host) -> Answer {
        let dispatcher = &self.dispatcher;
        let now = dispatcher.clock.now();
        if dispatcher.subscriptions().has_expired(now) {
            dispatcher
                .book
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .prune(now);
        }
        match segments {
            [] if request.method == Method::GET => self.list(request),
            [] if request.method == Method::POST => self.create(request, host).await,
            [id] if request.method == Method::GET => {
                let listener = self.own(request, id)?;
                Ok(answer(request, &listener.subscription, StatusCode::OK))
            }
            [id] if request.method == Method::PATCH => self.update(request, id, host).await,
            [id] if request.method == Method::DELETE => {
                let id = self.own(request, id)?.subscription.id;
                let mut book = dispatcher.book.write().unwrap_or_else(PoisonError::into_inner);
                book.remove(id).ok_or_else(not_found)?;
                Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
            }
            [id, action] if is_reauthorize(action) && request.method == Method::POST => {
                self.reauthorize(request, id, host)
            }
            [_, action] if is_reauthorize(action) => Err(ODataError::method_not_allowed()),
            [] | [_] => Err(ODataError::method_not_allowed()),
            [_, other, ..] => Err(ODataError::unknown_segment(other)),
        }
    }

    fn own(&self, request: &GraphRequest, id: &str) -> Result<Arc<Listener>, ODataError> {
        let book = self.dispatcher.subscriptions();
        Uuid::parse_str(id)
            .ok()
            .and_then(|id| book.get(id))
            .filter(|listener| is_visible(request, &listener.subscription))
            .cloned()
            .ok_or_else(not_found)
    }

    fn list(&self, request: &GraphRequest) -> Answer {
        let options = QueryOptions::parse(&request.query)?;
        options.only(&[])?;
        let refused = [
            ("$filter", options.filter.is_some()),
            ("$select", options.select.is_some()),
            ("$orderby", !options.order_by.is_empty()),
            ("$expand", !options.expand.is_empty()),
            ("$search", options.search.is_some()),
            ("$skip", options.skip.is_some()),
            ("$count", options.count),
            ("$deltatoken", options.delta_token.is_some()),
        ];
        if let Some((name, _)) = refused.iter().find(|(_, given)| *given) {
            return Err(ODataError::bad_request(format!(
                "The query option '{name}' is not supported for subscriptions."
            )));
        }
        let size = options.top.unwrap_or(DEFAULT_PAGE);
        if size == 0 || size > MAX_PAGE {
            return Err(ODataError::bad_request(format!(
                "Invalid value '{size}' for $top query option found: give 1 to {MAX_PAGE}."
            )));
        }
        let after = options.skip_token.as_deref().map(position).transpose()?;
        let book = self.dispatcher.subscriptions();
        let mut visible = book
            .after(after)
            .filter(|listener| is_visible(request, &listener.subscription));
        let page: Vec<&Arc<Listener>> = visible.by_ref().take(size).collect();
        let value: Vec<_> = page.iter().map(|listener| listener.subscription.to_json()).collect();
        let root = request.service_root();
        let mut body = json!({"@odata.context": format!("{root}/$metadata#subscriptions"), "value": value});
        if let (Some(last), Some(_)) = (page.last(), visible.next()) {
            let token = URL_SAFE_NO_PAD.encode(last.subscription.id.as_bytes());
            let top = options.top.map(|top| format!("$top={top}&")).unwrap_or_default();
            body["@odata.nextLink"] = format!("{root}/subscriptions?{top}$skiptoken={token}").into();
        }
        Ok(GraphResponse::json(StatusCode::OK, &body))
    }

    fn may_still_watch(
        &self,
        request: &GraphRequest,
        subscription: &Subscription,
        host: &dyn Host,
    ) -> Result<(), ODataError> {
        let user = self.dispatcher.directory.user(&subscription.identity.user.to_string());
        let user = user.ok_or_else(not_found)?;
        host.may_watch(&request.caller, &user).map(|_| ())
    }

    fn reauthorize(&self, request: &GraphRequest, id: &str, host: &dyn Host) -> Answer {
        let listener = self.own(request, id)?;
        self.may_still_watch(request, &listener.subscription, host)?;
        let now = self.dispatcher.clock.now();
        self.change(listener.subscription.id, |subscription| {
            subscription.authorized = now;
            subscription.challenged = None;
        })?;
        Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
    }

    async fn update(&self, request: &GraphRequest, id: &str, host: &dyn Host) -> Answer {
        let present = self.own(request, id)?;
        let present = &present.subscription;
        let body = request.json_body().map_err(|_| validate::unreadable())?;
        let fields = Fields::of(&body).map_err(|_| validate::unreadable())?;
        validate::known_properties(fields)?;
        refuse_fixed(fields, present)?;
        let expires = validate::text(fields, "expirationDateTime")?;
        let url = validate::text(fields, "notificationUrl")?;
        let certificate = validate::text(fields, "encryptionCertificate")?;
        let certificate_id = validate::text(fields, "encryptionCertificateId")?;
        if expires.or(url).or(certificate).or(certificate_id).is_none() {
            return Err(validate::invalid(
                "An update needs 'expirationDateTime', 'notificationUrl' or an encryption certificate.",
            ));
        }
        self.may_still_watch(request, present, host)?;
        let now = self.dispatcher.clock.now();
        let longest = self.longest_life(present.data.is_some());
        let expires = expires
            .map(|text| validate::expiration(text, now, longest))
            .transpose()?;
        let data = match (&present.data, certificate.or(certificate_id)) {
            (_, None) => None,
            (None, Some(_)) => {
                return Err(validate::invalid(
                    "An encryption certificate needs a subscription with includeResourceData.",
                ));
            }
            (Some(data), Some(_)) => Some(ResourceData {
                certificate: certificate.unwrap_or(&data.certificate).to_owned(),
                certificate_id: validate::certificate_id(certificate_id.unwrap_or(&data.certificate_id))?,
            }),
        };
        let url = url
            .map(|url| validate::endpoint(url, "notificationUrl", self.dispatcher.settings.plain_http))
            .transpose()?;
        let edit = |subscription: &mut Subscription| {
            if let Some(expires) = expires {
                // A renewal also authorizes anew.
                (subscription.expires, subscription.authorized, subscription.challenged) = (expires, now, None);
            }
            if let Some(data) = &data {
                subscription.data = Some(data.clone());
            }
            if let Some(url) = &url {
                subscription.notification_url.clone_from(url);
            }
        };
        // Whatever is wrong with the certificate is said before the endpoint is asked.
        let mut tried = present.clone();
        edit(&mut tried);
        Listener::new(tried)?;
        if let Some(url) = &url {
            self.greet(std::slice::from_ref(url)).await?;
        }
        let changed = self.change(present.id, edit)?;
        Ok(answer(request, &changed.subscription, StatusCode::OK))
    }

    /// Changes what is there now, which may have changed while an endpoint was asked.
    fn change(&self, id: Uuid, edit: impl FnOnce(&mut Subscription)) -> Result<Arc<Listener>, ODataError> {
        let mut book = self.dispatcher.book.write().unwrap_or_else(PoisonError::into_inner);
        book.update(id, edit).unwrap_or_else(|| Err(not_found()))
    }
}

fn is_reauthorize(action: &str) -> bool {
    action.eq_ignore_ascii_case("reauthorize") || action.eq_ignore_ascii_case("microsoft.graph.reauthorize")
}

fn is_visible(request: &GraphRequest, subscription: &Subscription) -> bool {
    let caller = &request.caller;
    subscription.identity.app == caller.app_id
        && (caller.kind != CallerKind::Delegated || subscription.authority.user == caller.user_id)
}

/// The place in the order that a token names.
fn position(token: &str) -> Result<Uuid, ODataError> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| Uuid::from_slice(&bytes).ok())
        .ok_or_else(|| ODataError::bad_request("The $skiptoken is not one of this service."))
}

/// Refuses a property that cannot be changed, unless it is repeated as it is.
fn refuse_fixed(fields: Fields<'_>, present: &Subscription) -> Result<(), ODataError> {
    let shown = present.to_json();
    let changed = fields.names().find(|name| {
        let is_changeable = CHANGEABLE.iter().any(|known| known.eq_ignore_ascii_case(name));
        let same = shown.as_object().into_iter().flatten().any(|(known, value)| {
            known.eq_ignore_ascii_case(name) && fields.get(name).unwrap_or(&serde_json::Value::Null) == value
        });
        !is_changeable && !same
    });
    match changed {
        Some(name) => Err(validate::invalid(format!(
            "The property '{name}' cannot be added or changed by an update."
        ))),
        None => Ok(()),
    }
}

fn not_found() -> ODataError {
    ODataError::new(StatusCode::NOT_FOUND, "ResourceNotFound", "The object was not found.")
}

/// A subscription as an answer.
pub fn answer(request: &GraphRequest, subscription: &Subscription, status: StatusCode) -> GraphResponse {
    let mut json = subscription.to_json();
    json["@odata.context"] = format!("{}/$metadata#subscriptions/$entity", request.service_root()).into();
    let response = GraphResponse::json(status, &json);
    if status == StatusCode::CREATED {
        response.with_header(
            http::header::LOCATION,
            &format!("{}/subscriptions('{}')", request.service_root(), subscription.id),
        )
    } else {
        response
    }
}
