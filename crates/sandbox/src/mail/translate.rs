//! `translateExchangeIds`: from one form of message id to the other.
//!
//! Owns the two forms Graph itself writes; entry ids of other protocols are refused.

use http::StatusCode;
use serde_json::{Value, json};

use crate::mail::fields::Fields;
use crate::mail::ids::IdForm;
use crate::mail::routes::Scope;
use crate::odata::error::ODataError;
use crate::server::paths::GraphResponse;

/// Ids per request (contract §2.5).
const MAX_IDS: usize = 1_000;

/// Answers `translateExchangeIds`.
pub fn translate(scope: &Scope<'_>) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let fields = Fields::of(&body)?;
    form(fields.required_text("sourceIdType")?)?;
    let target = form(fields.required_text("targetIdType")?)?;
    let ids = fields.list("inputIds")?.unwrap_or_default();
    if ids.len() > MAX_IDS {
        return Err(ODataError::bad_request(format!(
            "At most {MAX_IDS} ids can be translated at once."
        )));
    }
    let value: Vec<Value> = scope.read(|mailbox| {
        ids.iter()
            .map(|id| {
                let source = id.as_str().unwrap_or_default();
                match mailbox.resolve(source) {
                    Ok(message) => {
                        json!({"sourceId": source, "targetId": mailbox.codec.message(target, message.key, message.place())})
                    }
                    Err(error) => json!({"sourceId": source, "errorDetails": {"code": error.code, "message": error.message}}),
                }
            })
            .collect()
    });
    let context = format!(
        "{}/$metadata#Collection(microsoft.graph.convertIdResult)",
        scope.request.service_root()
    );
    Ok(GraphResponse::json(
        StatusCode::OK,
        &json!({"@odata.context": context, "value": value}),
    ))
}

fn form(text: &str) -> Result<IdForm, ODataError> {
    match text.to_ascii_lowercase().as_str() {
        "restid" => Ok(IdForm::Default),
        "restimmutableentryid" => Ok(IdForm::Immutable),
        "entryid" | "ewsid" | "immutableentryid" => Err(ODataError::unsupported(format_args!("the id format {text}"))),
        _ => Err(ODataError::bad_request(format!("The id format '{text}' is not known."))),
    }
}
