//! How the control interface answers.
//!
//! Owns JSON answers and one error shape, `{"error": text}`. Texts say what to change.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// A refusal of the control interface.
#[derive(Debug)]
pub struct Refusal(StatusCode, String);

impl Refusal {
    /// The request makes no sense.
    pub fn bad(text: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, text.into())
    }

    /// What the path names does not exist.
    pub fn missing(text: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, text.into())
    }

    /// The data directory fails.
    pub fn no_room(text: impl Into<String>) -> Self {
        Self(StatusCode::INSUFFICIENT_STORAGE, text.into())
    }

    /// Who asks may not.
    pub fn forbidden(text: impl Into<String>) -> Self {
        Self(StatusCode::FORBIDDEN, text.into())
    }

    /// It exists already.
    pub fn conflict(text: impl Into<String>) -> Self {
        Self(StatusCode::CONFLICT, text.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

/// What a control handler gives.
pub type Answer = Result<(StatusCode, Json<Value>), Refusal>;

/// 200 with a document.
pub fn ok(document: Value) -> Answer {
    Ok((StatusCode::OK, Json(document)))
}

/// 201 with a document.
pub fn created(document: Value) -> Answer {
    Ok((StatusCode::CREATED, Json(document)))
}
