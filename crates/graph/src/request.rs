//! Carries out one call: token, headers, repetition, and the reading of the answer.
//!
//! Owns the only loop that sends anything to Graph. Invariants: a token goes to the Graph origin
//! and nowhere else; a refused token is replaced once; a call that adds something is repeated only
//! after a failure without effect (see `retry`).

use bytes::Bytes;
use guichet_net::{BodyLimit, HttpRequest, HttpResponse};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::class::Class;
use crate::client::GraphClient;
use crate::error::{Error, Result, header_text};
use crate::path::GraphPath;
use crate::ports::{fraction, request_guid};
use crate::retry::{Attempts, Effect};
use crate::token::AccessToken;
use crate::wire::page::Page;

/// Room for a page of a thousand messages without bodies, or one message with a large one.
const JSON_LIMIT: BodyLimit = BodyLimit::mebibytes(64);

/// Most pages of a list that are read in one call. The longest list of an ordinary tenant (folders,
/// grants, subscriptions) has a few; a list without end is a fault.
const MAX_PAGES: usize = 200;

/// Asks Exchange for ids that survive a move inside the mailbox.
pub(crate) const IMMUTABLE_ID: &str = r#"IdType="ImmutableId""#;

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    operation: &'static str,
    method: Method,
    url: Url,
    effect: Effect,
    headers: HeaderMap,
    body: Bytes,
    limit: BodyLimit,
    authorised: bool,
}

impl Call {
    /// A call that reads.
    pub(crate) fn read(operation: &'static str, url: Url) -> Self {
        Self {
            operation,
            method: Method::GET,
            url,
            effect: Effect::Reads,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            limit: JSON_LIMIT,
            authorised: true,
        }
    }

    /// A call that writes.
    pub(crate) fn write(operation: &'static str, method: Method, url: Url, effect: Effect) -> Self {
        Self {
            method,
            effect,
            ..Self::read(operation, url)
        }
    }

    /// Sends JSON.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(body)
            .map_err(|error| Error::new(Class::Bug, self.operation, "unwritable_request", error.to_string()))?;
        self.body = Bytes::from(bytes);
        Ok(self.header(CONTENT_TYPE, "application/json"))
    }

    /// Sends bytes.
    pub(crate) fn bytes(mut self, body: Bytes) -> Self {
        self.body = body;
        self.header(CONTENT_TYPE, "application/octet-stream")
    }

    /// Adds a header field. Values are our own, so one that cannot be sent is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Adds a `Prefer` header field.
    pub(crate) fn prefer(self, preference: &str) -> Self {
        self.header(HeaderName::from_static("prefer"), preference)
    }

    /// Bounds the answer.
    pub(crate) fn limit(mut self, limit: BodyLimit) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn operation(&self) -> &'static str {
        self.operation
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn effect(&self) -> Effect {
        self.effect
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn body(&self) -> &Bytes {
        &self.body
    }

    /// Goes without a token: the address itself authorises.
    pub(crate) fn unauthorised(mut self) -> Self {
        self.authorised = false;
        self
    }
}

impl GraphClient {
    /// Carries out the call, repeating it as the policy allows.
    pub(crate) async fn execute(&self, call: &Call) -> Result<HttpResponse> {
        let shared = self.shared();
        let mut attempts = Attempts::new(&shared.retry, call.effect);
        let mut refreshed = false;
        loop {
            let token = if call.authorised {
                Some(shared.tokens.token(self.resource()).await?)
            } else {
                None
            };
            let error = match self.send_once(call, token.as_ref()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // A 401 is a refusal, so the call may be repeated whatever it does; but only once, since
            // a fresh token that is refused too will not get better.
            if let Some(token) = token.filter(|_| error.status == Some(401) && !refreshed) {
                shared.tokens.invalidate(&self.resource(), &token);
                refreshed = true;
                continue;
            }
            let wait = attempts.after(error, fraction(&*shared.entropy))?;
            shared.time.sleep(wait).await;
        }
    }

    async fn send_once(&self, call: &Call, token: Option<&AccessToken>) -> Result<HttpResponse> {
        let shared = self.shared();
        let mut headers = call.headers.clone();
        headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, bearer(call.operation, token)?);
            // Ids of our own make a call findable in Microsoft's logs even when no answer arrives.
            if let Ok(id) = HeaderValue::from_str(&request_guid(&*shared.entropy)) {
                headers.insert(HeaderName::from_static("client-request-id"), id);
            }
        }
        let request = HttpRequest {
            method: call.method.clone(),
            url: call.url.clone(),
            headers,
            body: call.body.clone(),
        };
        let writes = call.effect.writes();
        let sent = shared.transport.send(request, call.limit).await;
        let answer = sent.map_err(|error| Error::from_transport(call.operation, writes, error))?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(Error::from_answer(
            call.operation,
            writes,
            &call.url,
            &answer,
            shared.time.now(),
        ))
    }

    /// Carries out the call and reads its JSON.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let answer = self.execute(call).await?;
        call.read_json(&answer)
    }

    /// Carries out the call; a body that comes back is not looked at.
    pub(crate) async fn perform(&self, call: &Call) -> Result<()> {
        self.execute(call).await.map(drop)
    }

    /// Deletes; what is gone already is deleted.
    pub(crate) async fn delete(&self, operation: &'static str, path: &GraphPath) -> Result<()> {
        let url = self.address(operation, path)?;
        self.delete_at(operation, url).await
    }

    /// Deletes what is at an address; what is gone already is deleted.
    pub(crate) async fn delete_at(&self, operation: &'static str, url: Url) -> Result<()> {
        let call = Call::write(operation, Method::DELETE, url, Effect::Idempotent);
        match self.perform(&call.prefer(IMMUTABLE_ID)).await {
            Err(error) if error.class == Class::Gone => Ok(()),
            outcome => outcome,
        }
    }

    /// Reads a list to its end.
    pub(crate) async fn fetch_all<T: DeserializeOwned>(&self, first: Call) -> Result<Vec<T>> {
        let mut call = first;
        let mut all = Vec::new();
        for _ in 0..MAX_PAGES {
            let page: Page<T> = self.fetch(&call).await?;
            all.extend(page.value);
            match page.next_link {
                None => return Ok(all),
                Some(link) => call.url = self.shared().endpoints.link(call.operation, &link)?,
            }
        }
        let text = format!("the list has more than {MAX_PAGES} pages");
        Err(Error::new(Class::Bug, call.operation, "endless_list", text).with_url(&call.url))
    }

    /// An address below the configured Graph base.
    pub(crate) fn address(&self, operation: &'static str, path: &GraphPath) -> Result<Url> {
        path.at(operation, &self.shared().base)
    }

    /// The address of a resource that only the beta version of Graph has.
    pub(crate) fn beta_address(&self, operation: &'static str, path: &GraphPath) -> Result<Url> {
        path.at(operation, &self.shared().endpoints.beta_base())
    }
}

impl Call {
    pub(crate) fn read_json<T: DeserializeOwned>(&self, answer: &HttpResponse) -> Result<T> {
        // 204 where an object was promised: name it as such, not as JSON that ends early.
        if answer.status == StatusCode::NO_CONTENT {
            let error = Error::new(Class::Bug, self.operation, "empty_answer", "the answer has no content");
            let error = error.with_status(204).with_url(&self.url);
            return Err(if self.effect.writes() {
                error.with_effect()
            } else {
                error
            });
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            Error::unreadable(self.operation, self.effect.writes(), &self.url, &error)
                .with_status(answer.status.as_u16())
                .with_request_id(header_text(answer, "request-id"))
        })
    }
}

fn bearer(operation: &'static str, token: &AccessToken) -> Result<HeaderValue> {
    let text = format!("Bearer {}", token.secret().expose_secret());
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        Error::new(
            Class::Bug,
            operation,
            "unusable_token",
            "the token cannot be a header value",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}
