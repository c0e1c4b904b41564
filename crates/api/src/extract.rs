//! Reads the parts of a request into types, and says what is wrong with them as problems.
//!
//! Unknown query parameters and JSON fields are refused by the types (`deny_unknown_fields`), because a
//! misspelt filter that is ignored answers another question than the one asked.

use std::{error::Error as _, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::JsonRejection},
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::{HeaderMap, header, request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::timeout;

use crate::problem::{Code, Problem};

/// Time in which a request body must arrive; 30 MB pass in it at 4 Mbit/s.
const BODY_SECONDS: u64 = 60;

/// Body of a request that carries one or two short fields.
pub(crate) const SMALL_BODY: usize = 64 * 1024;

/// The variable segments of the path.
pub(crate) struct PathParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(value) = Path::<T>::from_request_parts(parts, state).await.map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Invalid URL: ").unwrap_or(&text);
            Problem::new(Code::InvalidParameter, format!("in the path: {text}"))
        })?;
        Ok(Self(value))
    }
}

/// The query string, every parameter of which must be known to `T`.
pub(crate) struct QueryParams<T>(pub T);

/// For routes without query parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParameters {}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Query(value) = Query::<T>::try_from_uri(&parts.uri).map_err(|rejection| {
            let text = rejection
                .source()
                .map_or_else(|| rejection.body_text(), ToString::to_string);
            Problem::new(Code::InvalidParameter, format!("in the query: {text}"))
        })?;
        Ok(Self(value))
    }
}

/// A JSON body of at most `LIMIT` bytes, every field of which must be known to `T`.
pub(crate) struct JsonBody<T, const LIMIT: usize>(pub T);

impl<S: Send + Sync, T: DeserializeOwned, const LIMIT: usize> FromRequest<S> for JsonBody<T, LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "the Content-Type header must be application/json",
            ));
        }
        let body = read_body(request.into_body(), LIMIT).await?;
        let Json(value) = Json::<T>::from_bytes(&body).map_err(|rejection| {
            let text = match &rejection {
                JsonRejection::JsonDataError(error) => error.source().map(ToString::to_string),
                JsonRejection::JsonSyntaxError(error) => error.source().map(|e| format!("no JSON: {e}")),
                _ => None,
            };
            Problem::new(Code::InvalidBody, text.unwrap_or_else(|| rejection.body_text()))
        })?;
        Ok(Self(value))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// Reads a whole body, at most `limit` bytes and within [`BODY_SECONDS`].
pub(crate) async fn read_body(body: Body, limit: usize) -> Result<Bytes, Problem> {
    read_body_within(body, limit, BODY_SECONDS).await
}

/// Reads a whole body, at most `limit` bytes and within so many seconds.
pub(crate) async fn read_body_within(body: Body, limit: usize, seconds: u64) -> Result<Bytes, Problem> {
    let whole = async {
        let mut stream = body.into_data_stream();
        let mut bytes = BytesMut::new();
        while let Some(chunk) = stream.next().await {
            let chunk =
                chunk.map_err(|_| Problem::new(Code::InvalidBody, "the connection ended inside the request body"))?;
            if bytes.len() + chunk.len() > limit {
                let detail = format!("the body has more than {limit} bytes");
                return Err(Problem::new(Code::BodyTooLarge, detail));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    };
    let late = || Problem::new(Code::BodyTooSlow, format!("the body did not arrive within {seconds} s"));
    timeout(Duration::from_secs(seconds), whole).await.map_err(|_| late())?
}

/// Characters of an idempotency key; a UUID has 36.
pub(crate) const MAX_IDEMPOTENCY_KEY: usize = 128;

/// The value of the `Idempotency-Key` header: 1 to 128 visible ASCII characters.
pub(crate) struct IdempotencyKey(pub String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let missing = "send an Idempotency-Key header, so that a repeated request does not send a second reply";
        let value = values
            .next()
            .ok_or_else(|| Problem::new(Code::IdempotencyKeyMissing, missing))?;
        let key = value.as_bytes();
        let well_formed = !key.is_empty()
            && key.len() <= MAX_IDEMPOTENCY_KEY
            && key.iter().all(u8::is_ascii_graphic)
            && values.next().is_none();
        match value.to_str() {
            Ok(text) if well_formed => Ok(Self(text.to_owned())),
            _ => {
                let detail = format!(
                    "the Idempotency-Key header must stand once and have 1 to {MAX_IDEMPOTENCY_KEY} visible ASCII \
                     characters"
                );
                Err(Problem::new(Code::IdempotencyKeyInvalid, detail))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        #[expect(dead_code, reason = "only its reading is looked at")]
        count: u32,
    }

    async fn body(content_type: &str, body: &'static str) -> Result<(), Problem> {
        let request = Request::post("/")
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(body));
        JsonBody::<Wanted, 32>::from_request(request.expect("request"), &())
            .await
            .map(|_| ())
    }

    #[tokio::test]
    async fn body_errors_name_the_field() {
        assert!(body("application/json; charset=utf-8", r#"{"count":1}"#).await.is_ok());
        let wrong_type = body("application/json", r#"{"count":"x"}"#).await.unwrap_err();
        assert!(
            wrong_type.code == Code::InvalidBody && wrong_type.detail.contains("count"),
            "{wrong_type:?}"
        );
        let unknown = body("application/json", r#"{"count":1,"extra":2}"#).await.unwrap_err();
        assert!(
            unknown.code == Code::InvalidBody && unknown.detail.contains("`extra`"),
            "{unknown:?}"
        );
        assert_eq!(body("application/json", "{").await.unwrap_err().code, Code::InvalidBody);
        assert_eq!(
            body("text/plain", r#"{"count":1}"#).await.unwrap_err().code,
            Code::UnsupportedMediaType
        );
        let long = r#"{"count":1                          }"#;
        assert_eq!(
            body("application/json", long).await.unwrap_err().code,
            Code::BodyTooLarge
        );
    }

    #[tokio::test]
    async fn query_errors_name_the_parameter() {
        let query = |uri: &str| {
            let (mut parts, ()) = Request::get(uri).body(()).expect("request").into_parts();
            async move {
                QueryParams::<Wanted>::from_request_parts(&mut parts, &())
                    .await
                    .map(|_| ())
            }
        };
        assert!(query("/?count=1").await.is_ok());
        assert!(query("/?count=1&extra=2").await.unwrap_err().detail.contains("`extra`"));
        assert!(query("/?count=x").await.unwrap_err().detail.contains("count"));
    }

    #[tokio::test]
    async fn idempotency_key_is_required_short_and_visible() {
        let key = |values: &[&str]| {
            let mut request = Request::get("/");
            for value in values {
                request = request.header("Idempotency-Key", *value);
            }
            let (mut parts, ()) = request.body(()).expect("request").into_parts();
            async move {
                IdempotencyKey::from_request_parts(&mut parts, &())
                    .await
                    .map(|key| key.0)
            }
        };
        let (longest, longer) = ("k".repeat(128), "k".repeat(129));
        assert_eq!(key(&[&longest]).await, Ok(longest.clone()));
        assert_eq!(key(&[]).await.unwrap_err().code, Code::IdempotencyKeyMissing);
        for wrong in [vec![""], vec!["a b"], vec!["é"], vec![longer.as_str()], vec!["a", "b"]] {
            assert_eq!(
                key(&wrong).await.unwrap_err().code,
                Code::IdempotencyKeyInvalid,
                "{wrong:?}"
            );
        }
    }
}
