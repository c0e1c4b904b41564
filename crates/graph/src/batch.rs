//! Several calls in one request (`$batch`).
//!
//! Owns the envelope: at most twenty calls, their addresses relative, each with its own answer. Microsoft
//! judges, throttles and counts every call of a batch by itself, so each gets an outcome of its own; this never
//! repeats one of them. Only calls that may be made twice go into a batch: a cut leaves open which were carried
//! out.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use guichet_net::HttpResponse;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::class::Class;
use crate::client::GraphClient;
use crate::error::{Error, Result};
use crate::path::GraphPath;
use crate::request::Call;
use crate::retry::Effect;

/// Calls that Graph takes in one batch.
pub const MAX_BATCH: usize = 20;

/// Encoders differ in padding.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);

#[derive(Deserialize)]
struct Answers {
    responses: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Option<HashMap<String, Value>>,
    #[serde(default)]
    body: Value,
}

impl GraphClient {
    /// Carries out up to [`MAX_BATCH`] calls in one request; the outcomes in the order of the calls.
    pub(crate) async fn batch(&self, operation: &'static str, calls: &[Call]) -> Result<Vec<Result<HttpResponse>>> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let unfit = calls.len() > MAX_BATCH || calls.iter().any(|call| call.effect() == Effect::Once);
        if unfit {
            let text = format!("a batch takes 1 to {MAX_BATCH} calls that may be repeated");
            return Err(Error::new(Class::Bug, operation, "unfit_batch", text));
        }
        let base = &self.shared().base;
        let requests: Vec<Value> = calls
            .iter()
            .enumerate()
            .map(|(id, call)| entry(id, call, base))
            .collect();
        let url = self.address(operation, &GraphPath::new("$batch"))?;
        let effect = if calls.iter().any(|call| call.effect().writes()) {
            Effect::Idempotent
        } else {
            Effect::Reads
        };
        let envelope = Call::write(operation, Method::POST, url, effect).json(&json!({ "requests": requests }))?;
        let answers: Answers = self.fetch(&envelope).await?;
        let mut by_id: HashMap<String, Answer> = answers
            .responses
            .into_iter()
            .map(|answer| (answer.id.clone(), answer))
            .collect();
        let now = self.shared().time.now();
        let outcome = |(id, call): (usize, &Call)| {
            let Some(answer) = by_id.remove(&id.to_string()) else {
                return Err(odd(call, "missing_answer", "the batch has no answer for this call"));
            };
            let answer = response(call, answer)?;
            if answer.status.is_success() {
                return Ok(answer);
            }
            Err(Error::from_answer(
                call.operation(),
                call.effect().writes(),
                call.url(),
                &answer,
                now,
            ))
        };
        Ok(calls.iter().enumerate().map(outcome).collect())
    }
}

/// A call as Graph wants it in a batch: its address below the version, its body as JSON.
fn entry(id: usize, call: &Call, base: &str) -> Value {
    let url = call.url().as_str();
    let relative = url.strip_prefix(base).unwrap_or(url);
    let headers: Map<String, Value> = call
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())))
        .collect();
    let mut entry =
        json!({"id": id.to_string(), "method": call.method().as_str(), "url": relative, "headers": headers});
    if let Ok(body) = serde_json::from_slice::<Value>(call.body()) {
        entry["body"] = body;
    }
    entry
}

/// The answer to one call, as if it had come by itself.
fn response(call: &Call, answer: Answer) -> Result<HttpResponse> {
    let status = StatusCode::from_u16(answer.status)
        .map_err(|_| odd(call, "unreadable_answer", "an answer in the batch has no valid status"))?;
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers.into_iter().flatten() {
        // Numbers come as numbers here and there.
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&text)) {
            headers.append(name, value);
        }
    }
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
    let body = match answer.body {
        Value::Null => Bytes::new(),
        Value::String(text) if is_json => Bytes::from(text),
        Value::String(text) => decode(&text).ok_or_else(|| {
            odd(
                call,
                "unreadable_answer",
                "a body in the batch is neither JSON nor base64",
            )
        })?,
        document => serde_json::to_vec(&document).map(Bytes::from).unwrap_or_default(),
    };
    Ok(HttpResponse { status, headers, body })
}

/// Base64 of either alphabet.
fn decode(text: &str) -> Option<Bytes> {
    let engine = if text.contains(['-', '_']) {
        &URL_SAFE
    } else {
        &STANDARD
    };
    engine.decode(text.trim()).ok().map(Bytes::from)
}

fn odd(call: &Call, code: &'static str, text: &'static str) -> Error {
    let error = Error::new(Class::Bug, call.operation(), code, text).with_url(call.url());
    if call.effect().writes() {
        error.with_effect()
    } else {
        error
    }
}
