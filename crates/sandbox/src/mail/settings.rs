//! `mailboxSettings`: reading and changing what a mailbox says about itself.
//!
//! Owns the paths below `mailboxSettings` and the shape of the answers; the state is the mailbox's.

use http::header::HeaderValue;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::mail::links;
use crate::mail::locale;
use crate::mail::mailbox::Mailbox;
use crate::mail::mailbox_settings::MailboxSettings;
use crate::mail::preferences::{PREFERENCE_APPLIED, Preferences};
use crate::mail::refusal;
use crate::mail::routes::Scope;
use crate::mail::settings_input;
use crate::mail::time_zones;
use crate::mail::transport::delivery_state::Answered;
use crate::mail::well_known::WellKnown;
use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;
use crate::server::paths::GraphResponse;

/// Answers `mailboxSettings/<words>`.
pub fn settings(scope: &Scope<'_>, words: &[&str]) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&[])?;
    let method = &scope.request.method;
    match words {
        [] if method == Method::PATCH => update(scope),
        [] if method == Method::GET => whole(scope, &options),
        [part] if method == Method::GET => one(scope, part),
        [part, "$value"] if method == Method::GET => raw(scope, part),
        [] | [_] | [_, "$value"] => Err(ODataError::method_not_allowed()),
        [_, other, ..] => Err(ODataError::unknown_segment(other)),
    }
}

fn whole(scope: &Scope<'_>, options: &QueryOptions) -> Result<GraphResponse, ODataError> {
    let preferences = Preferences::of(scope.request);
    let mut all = scope.read(|mailbox| shown(mailbox, purpose(scope), &preferences));
    let mut path = "mailboxSettings".to_owned();
    if let Some(names) = &options.select {
        for name in names {
            if member(&all, name).is_none() {
                return Err(refusal::unknown_name(name, "mailboxSettings"));
            }
        }
        all.retain(|name, _| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)));
        path = format!("mailboxSettings({})", names.join(","));
    }
    all.insert("@odata.context".to_owned(), links::context(scope.request, &path).into());
    Ok(acknowledged(&preferences, GraphResponse::json(StatusCode::OK, &all)))
}

fn one(scope: &Scope<'_>, part: &str) -> Result<GraphResponse, ODataError> {
    let preferences = Preferences::of(scope.request);
    let all = scope.read(|mailbox| shown(mailbox, purpose(scope), &preferences));
    let (name, value) = member(&all, part).ok_or_else(|| ODataError::unknown_segment(part))?;
    let context = links::context(scope.request, &format!("mailboxSettings/{name}"));
    let body = match value {
        Value::Object(members) => {
            let mut members = members.clone();
            members.insert("@odata.context".to_owned(), context.into());
            members.into()
        }
        other => json!({"@odata.context": context, "value": other}),
    };
    Ok(acknowledged(&preferences, GraphResponse::json(StatusCode::OK, &body)))
}

/// The bare text of a setting that is one.
fn raw(scope: &Scope<'_>, part: &str) -> Result<GraphResponse, ODataError> {
    let preferences = Preferences::of(scope.request);
    let all = scope.read(|mailbox| shown(mailbox, purpose(scope), &preferences));
    match member(&all, part) {
        Some((_, Value::String(text))) => Ok(GraphResponse::bytes(
            StatusCode::OK,
            HeaderValue::from_static("text/plain"),
            text.clone().into(),
        )),
        _ => Err(ODataError::unknown_segment("$value")),
    }
}

/// The answer has what was changed and nothing else (contract/examples/user-update-mailboxsettings).
fn update(scope: &Scope<'_>) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let preferences = Preferences::of(scope.request);
    let mut all = scope.write(|mailbox| {
        let (settings, written) = settings_input::changed(&mailbox.settings, purpose(scope), &body)?;
        if settings.automatic_replies != mailbox.settings.automatic_replies {
            // Another absence: everybody is told anew.
            mailbox.delivery.answered = Answered::default();
        }
        mailbox.settings = settings;
        let mut all = shown(mailbox, purpose(scope), &preferences);
        all.retain(|name, _| written.iter().any(|written| written.eq_ignore_ascii_case(name)));
        Ok::<_, ODataError>(all)
    })?;
    all.insert(
        "@odata.context".to_owned(),
        links::context(scope.request, "mailboxSettings").into(),
    );
    Ok(acknowledged(&preferences, GraphResponse::json(StatusCode::OK, &all)))
}

/// Of all preferences only the time zone is honoured here.
fn acknowledged(preferences: &Preferences, response: GraphResponse) -> GraphResponse {
    match &preferences.time_zone {
        Some(zone) => response.with_header(PREFERENCE_APPLIED, &zone.written),
        None => response,
    }
}

fn member<'a>(all: &'a Map<String, Value>, name: &str) -> Option<(&'a String, &'a Value)> {
    all.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// What the mailbox is for, by the directory.
fn purpose(scope: &Scope<'_>) -> &'static str {
    scope.service.directory.mailbox_standing(scope.user.id).0.purpose()
}

fn shown(mailbox: &Mailbox, purpose: &str, preferences: &Preferences) -> Map<String, Value> {
    let MailboxSettings {
        automatic_replies: replies,
        time_zone,
        locale: tag,
        date_format,
        time_format,
        delegate_delivery,
        working_hours: hours,
    } = &mailbox.settings;
    let (zone_name, zone) = match &preferences.time_zone {
        Some(preferred) => (preferred.name.as_str(), preferred.rules.clone()),
        None => ("UTC", jiff::tz::TimeZone::UTC),
    };
    let moment = |at| json!({"dateTime": time_zones::shown(at, &zone), "timeZone": zone_name});
    let display = locale::known(tag).map_or("", |(_, display)| display);
    let all = json!({
        "archiveFolder": mailbox.codec.folder(mailbox.well_known(WellKnown::Archive)),
        "timeZone": time_zone,
        "delegateMeetingMessageDeliveryOptions": delegate_delivery.as_str(),
        "dateFormat": date_format,
        "timeFormat": time_format,
        "userPurpose": purpose,
        "automaticRepliesSetting": {
            "status": replies.status.as_str(),
            "externalAudience": replies.external_audience.as_str(),
            "internalReplyMessage": replies.internal_message,
            "externalReplyMessage": replies.external_message,
            "scheduledStartDateTime": moment(replies.start),
            "scheduledEndDateTime": moment(replies.end),
        },
        "language": {"locale": tag, "displayName": display},
        "workingHours": {
            "daysOfWeek": hours.days,
            "startTime": hours.start,
            "endTime": hours.end,
            "timeZone": hours.time_zone,
        },
    });
    match all {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
