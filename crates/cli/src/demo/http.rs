//! A small JSON client for the demo and the end-to-end tests.

use std::{path::PathBuf, sync::Arc};

use guichet_net::{BodyLimit, HttpRequest, HttpResponse, NetConfig, ReqwestTransport, Transport};
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use url::Url;

use crate::failure::{Exit, Failure};

/// Talks to one server.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Arc<dyn Transport>,
    base: String,
    bearer: Option<String>,
}

impl Client {
    /// A client for `base`, trusting `ca` besides the system's authorities.
    ///
    /// # Errors
    /// A [`Failure`] if the CA file can't be read.
    pub fn new(base: &str, ca: Option<PathBuf>, bearer: Option<String>) -> Result<Self, Failure> {
        let config = NetConfig {
            extra_ca_files: ca.into_iter().collect(),
            ..NetConfig::default()
        };
        let transport =
            ReqwestTransport::new(&config).map_err(|error| Failure::new(Exit::Local, error.to_string(), ""))?;
        Ok(Self {
            transport: Arc::new(transport),
            base: base.trim_end_matches('/').to_owned(),
            bearer,
        })
    }

    /// Sends a request and returns whatever comes.
    ///
    /// # Errors
    /// A [`Failure`] if no answer comes.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<HttpResponse, Failure> {
        let url = format!("{}{path}", self.base);
        let bad = |what: String| Failure::new(Exit::Internal, what, "");
        let url = Url::parse(&url).map_err(|error| bad(format!("{url}: {error}")))?;
        let mut map = HeaderMap::new();
        if let Some(bearer) = &self.bearer {
            let value = HeaderValue::from_str(&format!("Bearer {bearer}"));
            map.insert(header::AUTHORIZATION, value.map_err(|error| bad(error.to_string()))?);
        }
        for (name, value) in headers {
            map.insert(
                *name,
                HeaderValue::from_str(value).map_err(|error| bad(error.to_string()))?,
            );
        }
        let request = HttpRequest {
            method,
            url,
            headers: map,
            body: body.into(),
        };
        let answer = self.transport.send(request, BodyLimit::default()).await;
        answer.map_err(|error| Failure::new(Exit::Unreachable, error.to_string(), ""))
    }

    /// GETs JSON.
    ///
    /// # Errors
    /// A [`Failure`] if no answer comes, or not a 2xx with JSON.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        json(path, &self.send(Method::GET, path, &[], Vec::new()).await?)
    }

    /// GETs bytes.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let answer = self.send(Method::GET, path, &[], Vec::new()).await?;
        expect_success(path, &answer)?;
        Ok(answer.body.to_vec())
    }

    /// POSTs JSON and reads JSON (or nothing).
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let headers = [("content-type", "application/json")];
        json(
            path,
            &self
                .send(Method::POST, path, &headers, body.to_string().into_bytes())
                .await?,
        )
    }

    /// POSTs raw bytes and reads JSON (or nothing).
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn post_bytes(&self, path: &str, body: Vec<u8>) -> Result<Value, Failure> {
        let headers = [("content-type", "message/rfc822")];
        json(path, &self.send(Method::POST, path, &headers, body).await?)
    }

    /// Every item of a list that the API pages by `cursor`.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_all(&self, path: &str) -> Result<Vec<Value>, Failure> {
        const MAX_PAGES: usize = 1000;
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let separator = if path.contains('?') { '&' } else { '?' };
            let full = match &cursor {
                Some(cursor) => format!("{path}{separator}limit=200&cursor={cursor}"),
                None => format!("{path}{separator}limit=200"),
            };
            let page = self.get(&full).await?;
            items.extend(page["items"].as_array().cloned().unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
        Err(Failure::new(Exit::Internal, format!("{path} does not end"), ""))
    }
}

/// The rows of an answer that is a list, or an object around one.
pub fn rows(list: &Value) -> Vec<Value> {
    let inside = || {
        list.as_object()
            .and_then(|object| object.values().find_map(Value::as_array))
    };
    list.as_array().or_else(inside).cloned().unwrap_or_default()
}

fn expect_success(path: &str, answer: &HttpResponse) -> Result<(), Failure> {
    if answer.status.is_success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&answer.body)
        .chars()
        .take(500)
        .collect::<String>();
    Err(Failure::new(
        Exit::NotRight,
        format!("{path} answered {}: {text}", answer.status),
        "",
    ))
}

fn json(path: &str, answer: &HttpResponse) -> Result<Value, Failure> {
    expect_success(path, answer)?;
    if answer.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&answer.body)
        .map_err(|error| Failure::new(Exit::NotRight, format!("{path} answered no JSON: {error}"), ""))
}
