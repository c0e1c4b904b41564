//! `mailboxSettings`: what a mailbox says about itself.
//!
//! Owns a fixed answer: every mailbox is a user's, in English, on UTC, without automatic replies. Nothing can be
//! changed here.

use http::{Method, StatusCode};
use serde_json::json;

use crate::mail::links;
use crate::mail::routes::Scope;
use crate::odata::error::ODataError;
use crate::server::paths::GraphResponse;

/// Answers `mailboxSettings/<words>`.
pub fn settings(scope: &Scope<'_>, words: &[&str]) -> Result<GraphResponse, ODataError> {
    if scope.request.method != Method::GET {
        return Err(ODataError::unsupported("changes of mailbox settings"));
    }
    let mut all = json!({
        "archiveFolder": null,
        "timeZone": "UTC",
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "yyyy-MM-dd",
        "timeFormat": "HH:mm",
        "userPurpose": scope.service.directory.mailbox_standing(scope.user.id).0.purpose(),
        "automaticRepliesSetting": {
            "status": "disabled",
            "externalAudience": "all",
            "internalReplyMessage": "",
            "externalReplyMessage": "",
            "scheduledStartDateTime": {"dateTime": "2026-01-01T00:00:00.0000000", "timeZone": "UTC"},
            "scheduledEndDateTime": {"dateTime": "2026-01-02T00:00:00.0000000", "timeZone": "UTC"},
        },
        "language": {"locale": "en-US", "displayName": "English (United States)"},
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": "UTC"},
        },
    });
    let context = |rest: &str| links::context(scope.request, rest);
    match words {
        [] => {
            all["@odata.context"] = context("mailboxSettings").into();
            Ok(GraphResponse::json(StatusCode::OK, &all))
        }
        [part] => {
            let found = all
                .as_object()
                .and_then(|all| all.iter().find(|(name, _)| name.eq_ignore_ascii_case(part)));
            let (name, value) = found.ok_or_else(|| ODataError::unknown_segment(part))?;
            let context = context(&format!("mailboxSettings/{name}"));
            let body = match value {
                serde_json::Value::Object(members) => {
                    let mut members = members.clone();
                    members.insert("@odata.context".to_owned(), context.into());
                    members.into()
                }
                other => json!({"@odata.context": context, "value": other}),
            };
            Ok(GraphResponse::json(StatusCode::OK, &body))
        }
        [_, other, ..] => Err(ODataError::unknown_segment(other)),
    }
}
