//! A whole answer of the service, and what must hold of problems.

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("body").to_vec();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The header's text; empty if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    pub fn detail(&self) -> String {
        self.json()["detail"].as_str().expect("detail").to_owned()
    }

    /// Asserts the shape of a problem document and its kind.
    #[track_caller]
    pub fn is_problem(&self, status: StatusCode, slug: &str) {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.text()
        );
        let document = self.json();
        assert_eq!(
            (self.status, &document["type"]),
            (status, &format!("/problems/{slug}").into()),
            "{document}"
        );
        assert_eq!(document["status"], status.as_u16());
        assert!(
            document["title"].as_str().is_some_and(|title| !title.is_empty()),
            "{document}"
        );
        assert!(
            document["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{document}"
        );
    }
}
