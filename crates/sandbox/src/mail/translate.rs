//! `translateExchangeIds`: from one format of id to another.
//!
//! Owns the request and its answer, one result for each id in the order asked; an id that cannot be translated has
//! `errorDetails` instead of a target.

use http::StatusCode;
use serde_json::{Value, json};

use crate::mail::fields::Fields;
use crate::mail::id_formats::IdFormat;
use crate::mail::ids::{IdError, ParsedId};
use crate::mail::mailbox::Mailbox;
use crate::mail::refusal;
use crate::mail::routes::Scope;
use crate::odata::error::ODataError;
use crate::server::paths::GraphResponse;

/// Ids per request (contract §2.5).
const MAX_IDS: usize = 1_000;

/// Answers `translateExchangeIds`.
pub fn translate(scope: &Scope<'_>) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let fields = Fields::of(&body)?;
    fields.only(&["inputIds", "sourceIdType", "targetIdType"], "translateExchangeIds")?;
    let source = format(fields, "sourceIdType")?;
    let target = format(fields, "targetIdType")?;
    let ids = fields
        .list("inputIds")?
        .ok_or_else(|| ODataError::bad_request("The property 'inputIds' is required."))?;
    if ids.len() > MAX_IDS {
        return Err(ODataError::bad_request(format!(
            "At most {MAX_IDS} ids can be translated at once."
        )));
    }
    let texts: Vec<&str> = ids
        .iter()
        .map(|id| {
            id.as_str()
                .ok_or_else(|| refusal::bad_property("inputIds", "a collection of strings"))
        })
        .collect::<Result<_, _>>()?;
    let value: Vec<Value> = scope.read(|mailbox| {
        let one = |id: &str| match translated(mailbox, source, target, id) {
            Ok(translated) => json!({"sourceId": id, "targetId": translated}),
            Err(error) => {
                json!({"sourceId": id, "errorDetails": {"code": error.code, "message": error.message}})
            }
        };
        texts.iter().map(|id| one(id)).collect()
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

fn translated(mailbox: &Mailbox, source: IdFormat, target: IdFormat, id: &str) -> Result<String, ODataError> {
    match source.read(&mailbox.codec, id) {
        Ok(ParsedId::Message { item, place }) => {
            let message = mailbox.placed(item, place)?;
            Ok(target.message(&mailbox.codec, message.key, message.place()))
        }
        Ok(ParsedId::Folder(folder)) => {
            let folder = mailbox.folder(folder)?.key;
            target.folder(&mailbox.codec, folder).ok_or_else(refusal::id_malformed)
        }
        Ok(ParsedId::Attachment { .. }) | Err(IdError::Malformed) => Err(refusal::id_malformed()),
        Err(IdError::Foreign) => Err(refusal::item_not_found()),
    }
}

fn format(fields: Fields<'_>, name: &str) -> Result<IdFormat, ODataError> {
    IdFormat::named(fields.required_text(name)?).ok_or_else(|| {
        refusal::bad_property(
            name,
            "'entryId', 'ewsId', 'immutableEntryId', 'restId' or 'restImmutableEntryId'",
        )
    })
}
