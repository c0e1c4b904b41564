//! `mailboxSettings` as a client writes them.
//!
//! Owns what may be changed and how values are checked. Several settings are changed together or, when one of them
//! is wrong, not at all.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::mail::fields::Fields;
use crate::mail::locale;
use crate::mail::mailbox_settings::{
    AutomaticReplies, DelegateDelivery, ExternalAudience, MailboxSettings, ReplyStatus, WorkingHours,
};
use crate::mail::refusal;
use crate::mail::time_zones;
use crate::odata::error::ODataError;

/// Characters of a reply; Exchange's own bound is 128 kB.
const MAX_REPLY: usize = 128 * 1024;
const DAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];
/// Characters of a date or time pattern.
const MAX_PATTERN: usize = 80;

/// The settings after a PATCH, and the names that the client wrote; `purpose` is what `userPurpose` says.
pub fn changed(
    current: &MailboxSettings,
    purpose: &str,
    body: &Value,
) -> Result<(MailboxSettings, Vec<String>), ODataError> {
    let fields = Fields::of(body)?;
    let mut settings = current.clone();
    let mut written = Vec::new();
    for name in fields.names() {
        match name.to_ascii_lowercase().as_str() {
            "automaticrepliessetting" => {
                if let Some(replies) = fields.object(name)? {
                    automatic_replies(&mut settings.automatic_replies, replies)?;
                }
            }
            "timezone" => {
                if let Some(text) = fields.text(name)? {
                    settings.time_zone = zone(text)?.0;
                }
            }
            "language" => {
                if let Some(language) = fields.object(name)? {
                    let wanted = language.required_text("locale")?;
                    let (tag, _) = locale::known(wanted).ok_or_else(|| {
                        ODataError::bad_request(format!("The locale '{wanted}' is not one that a mailbox can have."))
                    })?;
                    tag.clone_into(&mut settings.locale);
                }
            }
            "dateformat" => pattern(&mut settings.date_format, fields.text(name)?, name)?,
            "timeformat" => pattern(&mut settings.time_format, fields.text(name)?, name)?,
            "delegatemeetingmessagedeliveryoptions" => {
                if let Some(word) = fields.text(name)? {
                    settings.delegate_delivery = DelegateDelivery::from_word(word)
                        .ok_or_else(|| refusal::bad_property(name, "a delivery option"))?;
                }
            }
            "workinghours" => {
                if let Some(hours) = fields.object(name)? {
                    working_hours(&mut settings.working_hours, hours)?;
                }
            }
            // Read-only, but clients send whole objects back: what is not changed is not refused.
            "userpurpose" => {
                if fields
                    .text(name)?
                    .is_some_and(|word| !word.eq_ignore_ascii_case(purpose))
                {
                    return Err(ODataError::bad_request("The property 'userPurpose' is read-only."));
                }
                continue;
            }
            "archivefolder" => continue,
            _ => return Err(refusal::unknown_property(name, "mailboxSettings")),
        }
        written.push(name.to_owned());
    }
    Ok((settings, written))
}

fn automatic_replies(replies: &mut AutomaticReplies, fields: Fields<'_>) -> Result<(), ODataError> {
    fields.only(
        &[
            "status",
            "externalAudience",
            "scheduledStartDateTime",
            "scheduledEndDateTime",
            "internalReplyMessage",
            "externalReplyMessage",
        ],
        "automaticRepliesSetting",
    )?;
    if let Some(word) = fields.text("status")? {
        replies.status = ReplyStatus::from_word(word)
            .ok_or_else(|| refusal::bad_property("status", "'disabled', 'alwaysEnabled' or 'scheduled'"))?;
    }
    if let Some(word) = fields.text("externalAudience")? {
        replies.external_audience = ExternalAudience::from_word(word)
            .ok_or_else(|| refusal::bad_property("externalAudience", "'none', 'contactsOnly' or 'all'"))?;
    }
    for (name, target) in [
        ("scheduledStartDateTime", &mut replies.start),
        ("scheduledEndDateTime", &mut replies.end),
    ] {
        if let Some(value) = fields.object(name)? {
            *target = zoned(value, name)?;
        }
    }
    for (name, target) in [
        ("internalReplyMessage", &mut replies.internal_message),
        ("externalReplyMessage", &mut replies.external_message),
    ] {
        if let Some(text) = fields.text(name)? {
            if text.chars().count() > MAX_REPLY {
                return Err(ODataError::bad_request(format!(
                    "The property '{name}' is longer than {MAX_REPLY} characters."
                )));
            }
            text.clone_into(target);
        }
    }
    if replies.status == ReplyStatus::Scheduled && replies.end <= replies.start {
        return Err(refusal::bad_schedule());
    }
    Ok(())
}

/// A `dateTimeTimeZone`.
fn zoned(fields: Fields<'_>, name: &str) -> Result<Timestamp, ODataError> {
    let (_, zone) = match fields.text("timeZone")? {
        Some(named) => zone(named)?,
        None => ("UTC".to_owned(), TimeZone::UTC),
    };
    time_zones::moment(fields.required_text("dateTime")?, &zone)
        .ok_or_else(|| refusal::bad_property(name, "a date and time"))
}

fn zone(name: &str) -> Result<(String, TimeZone), ODataError> {
    time_zones::zone(name).ok_or_else(|| refusal::unknown_time_zone(name))
}

fn pattern(target: &mut String, text: Option<&str>, name: &str) -> Result<(), ODataError> {
    let Some(text) = text else { return Ok(()) };
    if text.is_empty() || text.chars().count() > MAX_PATTERN {
        return Err(refusal::bad_property(name, "a pattern"));
    }
    text.clone_into(target);
    Ok(())
}

fn working_hours(hours: &mut WorkingHours, fields: Fields<'_>) -> Result<(), ODataError> {
    fields.only(&["daysOfWeek", "startTime", "endTime", "timeZone"], "workingHours")?;
    if let Some(list) = fields.list("daysOfWeek")? {
        let days: Option<Vec<String>> = list
            .iter()
            .map(|day| day.as_str().map(str::to_ascii_lowercase))
            .map(|day| day.filter(|day| DAYS.contains(&day.as_str())))
            .collect();
        hours.days = days.ok_or_else(|| refusal::bad_property("daysOfWeek", "a collection of days"))?;
    }
    for (name, target) in [("startTime", &mut hours.start), ("endTime", &mut hours.end)] {
        if let Some(text) = fields.text(name)? {
            let time: Time = text.parse().map_err(|_| refusal::bad_property(name, "a time of day"))?;
            *target = time.strftime("%H:%M:%S.0000000").to_string();
        }
    }
    if let Some(given) = fields.object("timeZone")? {
        let name = given.required_text("name")?;
        let custom = given.get("bias").is_some();
        let mut value = fields.get("timeZone").cloned().unwrap_or_default();
        if custom {
            days_in_lower_case(&mut value);
        } else {
            value["name"] = zone(name)?.0.into();
        }
        hours.time_zone = value;
    }
    Ok(())
}

/// Days inside a custom time zone are an enumeration, which Graph writes in lower case.
fn days_in_lower_case(value: &mut Value) {
    for offset in ["standardOffset", "daylightOffset"] {
        if let Some(Value::String(day)) = value.get_mut(offset).and_then(|offset| offset.get_mut("dayOfWeek")) {
            *day = day.to_ascii_lowercase();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(body: &Value) -> Result<MailboxSettings, ODataError> {
        changed(&MailboxSettings::default(), "user", body).map(|(settings, _)| settings)
    }

    #[test]
    fn automatic_replies_are_taken_with_their_time_zone() {
        let settings = patched(&json!({"automaticRepliesSetting": {
            "status": "Scheduled", "externalAudience": "contactsOnly", "internalReplyMessage": "away",
            "scheduledStartDateTime": {"dateTime": "2026-07-01T09:00:00", "timeZone": "Romance Standard Time"},
            "scheduledEndDateTime": {"dateTime": "2026-07-02T00:00:00.0000000", "timeZone": "UTC"},
        }}))
        .unwrap();
        let replies = settings.automatic_replies;
        assert_eq!(replies.start.to_string(), "2026-07-01T07:00:00Z");
        assert_eq!(
            (replies.status, &*replies.internal_message),
            (ReplyStatus::Scheduled, "away")
        );
        assert_eq!(replies.external_audience, ExternalAudience::ContactsOnly);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            json!({"automaticRepliesSetting": {"status": "sometimes"}}),
            json!({"automaticRepliesSetting": {"externalAudience": "friends"}}),
            json!({"automaticRepliesSetting": {"state": "disabled"}}),
            json!({"automaticRepliesSetting": "disabled"}),
            json!({"automaticRepliesSetting": {"status": "scheduled",
                "scheduledStartDateTime": {"dateTime": "2026-07-02T09:00:00", "timeZone": "UTC"},
                "scheduledEndDateTime": {"dateTime": "2026-07-01T09:00:00", "timeZone": "UTC"}}}),
            json!({"automaticRepliesSetting": {"scheduledStartDateTime": {"dateTime": "soon", "timeZone": "UTC"}}}),
            json!({"timeZone": "Middle-earth Standard Time"}),
            json!({"language": {"locale": "xx"}}),
            json!({"language": {}}),
            json!({"dateFormat": ""}),
            json!({"userPurpose": "shared"}),
            json!({"workingHours": {"daysOfWeek": ["someday"]}}),
            json!({"workingHours": {"startTime": "25:00"}}),
            json!({"workingHours": {"timeZone": {"name": "Nowhere"}}}),
            json!({"colour": "blue"}),
            json!([]),
        ] {
            assert!(patched(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn whole_settings_may_be_sent_back() {
        let body =
            json!({"userPurpose": "user", "archiveFolder": "AAMk", "timeZone": "utc", "language": {"locale": "fr-fr"}});
        let (settings, written) = changed(&MailboxSettings::default(), "user", &body).unwrap();
        assert_eq!((&*settings.time_zone, &*settings.locale), ("UTC", "fr-FR"));
        assert_eq!(written.len(), 2);
    }

    #[test]
    fn custom_time_zones_of_working_hours_are_kept() {
        let body = json!({"workingHours": {"daysOfWeek": ["Monday"], "endTime": "18:30:00.0000000", "timeZone": {
            "@odata.type": "#microsoft.graph.customTimeZone", "bias": -300, "name": "Customized Time Zone",
            "standardOffset": {"dayOfWeek": "Sunday"}}}});
        let hours = patched(&body).unwrap().working_hours;
        assert_eq!(
            (hours.days, &*hours.end),
            (vec!["monday".to_owned()], "18:30:00.0000000")
        );
        assert_eq!(hours.time_zone["bias"], -300);
        assert_eq!(hours.time_zone["standardOffset"]["dayOfWeek"], "sunday");
    }
}
