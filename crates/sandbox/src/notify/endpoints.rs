//! `/subscriptions`: create, read, renew, delete, reauthorize.
//!
//! Owns who may see a subscription (the application that made it) and the order of checks: form, permission, limits,
//! duplicates, and only then the handshake with both endpoints.

use std::sync::{Arc, PoisonError};

use http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::directory::UserRef;
use crate::mail::fields::Fields;
use crate::mail::ids::FolderKey;
use crate::mail::permissions;
use crate::mail::preferences::Preferences;
use crate::mail::refusal;
use crate::notify::subscription::{Identity, Subscription};
use crate::notify::{Notifier, resource, validate};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

/// Subscriptions per mailbox over all applications (contract §3).
const MAX_PER_MAILBOX: usize = 1_000;

/// Finds folders for subscriptions.
pub trait Folders: Send + Sync {
    /// The folder of a user's mailbox by id or well-known name, or none for the whole mailbox; fails when there is no
    /// such mailbox or folder.
    fn folder(&self, user: &UserRef, folder: Option<&str>) -> Result<Option<FolderKey>, ODataError>;
}

impl Notifier {
    /// Answers `/subscriptions/<segments>`.
    pub async fn handle(
        &self,
        request: &GraphRequest,
        segments: &[String],
        folders: &dyn Folders,
    ) -> Result<GraphResponse, ODataError> {
        self.book
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .prune(self.clock.now());
        match segments {
            [] if request.method == Method::GET => Ok(self.list(request)),
            [] if request.method == Method::POST => self.create(request, folders).await,
            [id] if request.method == Method::GET => {
                let subscription = self.own(request, id)?;
                Ok(answer(request, &subscription, StatusCode::OK))
            }
            [id] if request.method == Method::PATCH => self.update(request, id).await,
            [id] if request.method == Method::DELETE => {
                let subscription = self.own(request, id)?;
                self.book
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(subscription.id);
                Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
            }
            [id, action] if action.eq_ignore_ascii_case("reauthorize") && request.method == Method::POST => {
                self.own(request, id)?;
                Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
            }
            [] | [_] => Err(ODataError::method_not_allowed()),
            [_, other, ..] => Err(ODataError::unknown_segment(other)),
        }
    }

    fn own(&self, request: &GraphRequest, id: &str) -> Result<Arc<Subscription>, ODataError> {
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        Uuid::parse_str(id)
            .ok()
            .and_then(|id| book.get(id))
            .filter(|subscription| subscription.identity.app == request.caller.app_id)
            .cloned()
            .ok_or_else(|| ODataError::new(StatusCode::NOT_FOUND, "ResourceNotFound", "The object was not found."))
    }

    fn list(&self, request: &GraphRequest) -> GraphResponse {
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        let value: Vec<_> = book
            .all()
            .filter(|subscription| subscription.identity.app == request.caller.app_id)
            .map(|subscription| subscription.to_json())
            .collect();
        let context = format!("{}/$metadata#subscriptions", request.service_root());
        GraphResponse::json(StatusCode::OK, &json!({"@odata.context": context, "value": value}))
    }

    async fn create(&self, request: &GraphRequest, folders: &dyn Folders) -> Result<GraphResponse, ODataError> {
        let subscription = self.read_new(request, folders)?;
        let identity = subscription.identity;
        let _reservation = self.reserve(identity)?;
        let urls: Vec<String> = std::iter::once(&subscription.notification_url)
            .chain(&subscription.lifecycle_url)
            .cloned()
            .collect();
        self.greet(urls).await?;
        self.dispatcher.open(&subscription.notification_url);
        if let Some(url) = &subscription.lifecycle_url {
            self.dispatcher.open(url);
        }
        let subscription = self
            .book
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .put(subscription);
        Ok(answer(request, &subscription, StatusCode::CREATED))
    }

    fn read_new(&self, request: &GraphRequest, folders: &dyn Folders) -> Result<Subscription, ODataError> {
        let body = request.json_body()?;
        let fields = Fields::of(&body)?;
        if fields.boolean("includeResourceData")?.unwrap_or(false) {
            return Err(ODataError::unsupported("notifications with resource data"));
        }
        let change_type = fields.text("changeType")?.unwrap_or_default().to_owned();
        let types = validate::change_types(&change_type)?;
        let text = fields.text("resource")?.unwrap_or_default().to_owned();
        let wanted = resource::parse(&text)?;
        let user = match &wanted.user {
            Some(user) => self.directory.user(user),
            None => request
                .caller
                .user_id
                .and_then(|id| self.directory.user(&id.to_string())),
        };
        let user = user.ok_or_else(|| {
            validate::invalid(format!(
                "The resource '{text}' names no user of this tenant; an application writes users/{{id}}."
            ))
        })?;
        permissions::check_subscription(&*self.directory, &request.caller, user.id)?;
        let folder = folders.folder(&user, wanted.folder.as_deref())?;
        let plain_http = self.plain_http;
        let url = fields
            .text("notificationUrl")?
            .ok_or_else(|| validate::invalid("The property 'notificationUrl' is required."))?;
        let creator = request
            .caller
            .user_id
            .or(request.caller.service_principal_id)
            .unwrap_or_default();
        Ok(Subscription {
            id: self.entropy.uuid(),
            identity: Identity {
                app: request.caller.app_id,
                user: user.id,
                folder,
                types,
            },
            resource: text,
            change_type,
            creator: creator.to_string(),
            notification_url: validate::endpoint(url, "notificationUrl", plain_http)?,
            lifecycle_url: fields
                .text("lifecycleNotificationUrl")?
                .map(|url| validate::endpoint(url, "lifecycleNotificationUrl", plain_http))
                .transpose()?,
            client_state: fields.text("clientState")?.map(validate::client_state).transpose()?,
            expires: validate::expiration(fields.text("expirationDateTime")?, self.clock.now())?,
            form: Preferences::of(request).form,
            tls_version: fields.text("latestSupportedTlsVersion")?.unwrap_or("v1_2").to_owned(),
        })
    }

    /// Refuses duplicates and too many, and keeps the place while the endpoints are asked.
    fn reserve(&self, identity: Identity) -> Result<Reservation<'_>, ODataError> {
        let mut creating = self.creating.lock().unwrap_or_else(PoisonError::into_inner);
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        let existing = book.of_mailbox(identity.user);
        if existing.len() >= MAX_PER_MAILBOX {
            return Err(ODataError::new(
                StatusCode::FORBIDDEN,
                "ExtensionError",
                format!(
                    "Operation: Create; Exception: [Status Code: Forbidden; Reason: the mailbox has {MAX_PER_MAILBOX} active subscriptions]"
                ),
            ));
        }
        if existing.iter().any(|other| other.identity == identity) || creating.contains(&identity) {
            return Err(ODataError::new(
                StatusCode::CONFLICT,
                "ExtensionError",
                "Operation: Create; Exception: [Status Code: Conflict; Reason: Subscription already exists for the specified combination of application, resource and change type]",
            ));
        }
        creating.push(identity);
        Ok(Reservation {
            notifier: self,
            identity,
        })
    }

    async fn greet(&self, urls: Vec<String>) -> Result<(), ODataError> {
        let client = self.dispatcher.client().ok_or_else(|| {
            ODataError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServerError",
                "the sandbox has no http client for notifications",
            )
        })?;
        for url in urls {
            // Spaces and a colon show whether the endpoint decodes the token.
            let token = format!(
                "Validation: Testing client application reachability for subscription Request-Id: {}",
                self.entropy.uuid()
            );
            validate::handshake(client, &url, &token).await?;
        }
        Ok(())
    }

    async fn update(&self, request: &GraphRequest, id: &str) -> Result<GraphResponse, ODataError> {
        let mut changed = Subscription::clone(&*self.own(request, id)?);
        let body = request.json_body()?;
        let fields = Fields::of(&body)?;
        if fields.get("lifecycleNotificationUrl").is_some() {
            return Err(validate::invalid(
                "The property 'lifecycleNotificationUrl' cannot be added or changed by an update.",
            ));
        }
        if fields.get("expirationDateTime").is_none() && fields.get("notificationUrl").is_none() {
            return Err(validate::invalid(
                "An update needs 'expirationDateTime' or 'notificationUrl'.",
            ));
        }
        permissions::check_subscription(&*self.directory, &request.caller, changed.identity.user)
            .map_err(|_| refusal::access_denied())?;
        if let Some(text) = fields.text("expirationDateTime")? {
            changed.expires = validate::expiration(Some(text), self.clock.now())?;
        }
        if let Some(url) = fields.text("notificationUrl")? {
            changed.notification_url = validate::endpoint(url, "notificationUrl", self.plain_http)?;
            self.greet(vec![changed.notification_url.clone()]).await?;
            self.dispatcher.open(&changed.notification_url);
        }
        let changed = {
            let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
            if book.get(changed.id).is_none() {
                return Err(ODataError::new(
                    StatusCode::NOT_FOUND,
                    "ResourceNotFound",
                    "The object was not found.",
                ));
            }
            book.put(changed)
        };
        Ok(answer(request, &changed, StatusCode::OK))
    }
}

/// Gives the place back when the request ends, however it ends.
struct Reservation<'a> {
    notifier: &'a Notifier,
    identity: Identity,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut creating = self.notifier.creating.lock().unwrap_or_else(PoisonError::into_inner);
        creating.retain(|other| *other != self.identity);
    }
}

fn answer(request: &GraphRequest, subscription: &Subscription, status: StatusCode) -> GraphResponse {
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
