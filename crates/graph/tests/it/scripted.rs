//! A transport that answers from a script and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use guichet_graph::{AccessToken, Endpoints, FixedToken, GraphClient, RetryPolicy, TokenSource};
use guichet_net::{BodyLimit, HttpRequest, HttpResponse, Transport, TransportError, TransportErrorKind};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use url::Url;

use crate::virtual_time::{NoEntropy, VirtualTime};

/// One scripted outcome.
#[derive(Debug)]
pub enum Outcome {
    Answer(u16, Vec<(&'static str, String)>, Bytes),
    Failure(TransportErrorKind),
}

pub fn json(status: u16, body: &Value) -> Outcome {
    Outcome::Answer(status, Vec::new(), Bytes::from(body.to_string()))
}

pub fn empty(status: u16) -> Outcome {
    Outcome::Answer(status, Vec::new(), Bytes::new())
}

pub fn graph_error(status: u16, code: &str) -> Outcome {
    json(
        status,
        &serde_json::json!({ "error": { "code": code, "message": "refused" } }),
    )
}

impl Outcome {
    pub fn header(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.to_owned()));
                Self::Answer(status, headers, body)
            }
            failure => failure,
        }
    }
}

/// Gives the outcomes in order; asking for more than there are fails the test.
#[derive(Debug, Default)]
pub struct Script {
    outcomes: Mutex<VecDeque<Outcome>>,
    asked: Mutex<Vec<HttpRequest>>,
}

impl Script {
    pub fn new(outcomes: impl IntoIterator<Item = Outcome>) -> Arc<Self> {
        Arc::new(Self {
            outcomes: Mutex::new(outcomes.into_iter().collect()),
            asked: Mutex::default(),
        })
    }

    pub fn asked(&self) -> Vec<HttpRequest> {
        self.asked.lock().unwrap().clone()
    }

    pub fn remaining(&self) -> usize {
        self.outcomes.lock().unwrap().len()
    }

    /// `METHOD address` of every request, without scheme and host.
    pub fn lines(&self) -> Vec<String> {
        let line = |request: &HttpRequest| {
            let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{} {}{query}", request.method, request.url.path())
        };
        self.asked().iter().map(line).collect()
    }

    /// JSON body of the request with this index.
    pub fn body(&self, index: usize) -> Value {
        serde_json::from_slice(&self.asked()[index].body).unwrap()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: HttpRequest, _limit: BodyLimit) -> Result<HttpResponse, TransportError> {
        let url = request.url.clone();
        self.asked.lock().unwrap().push(request);
        let outcome = self.outcomes.lock().unwrap().pop_front();
        // Lets other tasks run between question and answer, as a network does.
        tokio::task::yield_now().await;
        match outcome {
            Some(Outcome::Answer(status, pairs, body)) => {
                let mut headers = HeaderMap::new();
                for (name, value) in pairs {
                    headers.insert(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
                }
                Ok(HttpResponse {
                    status: StatusCode::from_u16(status).unwrap(),
                    headers,
                    body,
                })
            }
            Some(Outcome::Failure(kind)) => Err(TransportError::new(kind, &url, "scripted")),
            None => panic!("asked for more than the script has: {url}"),
        }
    }
}

pub fn endpoints() -> Endpoints {
    Endpoints {
        authority: Url::parse("https://login.microsoftonline.com").unwrap(),
        graph: Url::parse("https://graph.microsoft.com").unwrap(),
    }
}

pub fn fixed_token() -> Arc<dyn TokenSource> {
    Arc::new(FixedToken::new(AccessToken::new(
        "secret-token".into(),
        "2030-01-01T00:00:00Z".parse().unwrap(),
    )))
}

/// A client over a script, and the clock it sleeps on.
pub fn client(script: &Arc<Script>) -> (GraphClient, Arc<VirtualTime>) {
    client_with(script, fixed_token())
}

pub fn client_with(script: &Arc<Script>, tokens: Arc<dyn TokenSource>) -> (GraphClient, Arc<VirtualTime>) {
    let time = Arc::new(VirtualTime::new());
    let graph = GraphClient::new(
        script.clone(),
        tokens,
        endpoints(),
        RetryPolicy::default(),
        time.clone(),
        Arc::new(NoEntropy),
    );
    (graph, time)
}
