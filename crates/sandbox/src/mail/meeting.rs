//! Meeting messages: mails that carry a calendar part, which Graph shows as types derived from `message`.
//!
//! Owns the recognition (a `text/calendar` part with a method) and the properties of `eventMessage` and
//! `eventMessageRequest`, read from the part when they are shown. It keeps no calendar: there is no event behind a
//! meeting message.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use mail_parser::{MimeHeaders, PartType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::mail::message::{Content, Message};
use crate::mail::mime;
use crate::mail::time_zones;

/// What kind of item a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ItemKind {
    #[default]
    Message,
    Request,
    Cancellation,
    Accepted,
    TentativelyAccepted,
    Declined,
}

impl ItemKind {
    /// Whether it is any kind of meeting message.
    #[must_use]
    pub fn is_meeting(self) -> bool {
        self != Self::Message
    }

    /// `@odata.type` where a collection of messages shows it; plain messages have none.
    #[must_use]
    pub fn odata_type(self) -> Option<&'static str> {
        match self {
            Self::Message => None,
            Self::Request => Some("#microsoft.graph.eventMessageRequest"),
            Self::Cancellation => Some("#microsoft.graph.eventMessage"),
            Self::Accepted | Self::TentativelyAccepted | Self::Declined => {
                Some("#microsoft.graph.eventMessageResponse")
            }
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Message => "none",
            Self::Request => "meetingRequest",
            Self::Cancellation => "meetingCancelled",
            Self::Accepted => "meetingAccepted",
            // Spelled so in Microsoft's own schema.
            Self::TentativelyAccepted => "meetingTenativelyAccepted",
            Self::Declined => "meetingDeclined",
        }
    }
}

/// What kind of item a parsed mail is.
#[must_use]
pub fn classify(parsed: &mail_parser::Message<'_>) -> ItemKind {
    let Some((method, text)) = calendar(parsed) else {
        return ItemKind::Message;
    };
    match method.to_ascii_uppercase().as_str() {
        "REQUEST" => ItemKind::Request,
        "CANCEL" => ItemKind::Cancellation,
        "REPLY" => {
            let upper = text.to_ascii_uppercase();
            if upper.contains("PARTSTAT=DECLINED") {
                ItemKind::Declined
            } else if upper.contains("PARTSTAT=TENTATIVE") {
                ItemKind::TentativelyAccepted
            } else {
                ItemKind::Accepted
            }
        }
        _ => ItemKind::Message,
    }
}

/// The method and content of the calendar part.
fn calendar<'a>(parsed: &'a mail_parser::Message<'_>) -> Option<(String, &'a str)> {
    parsed.parts.iter().find_map(|part| {
        let kind = part.content_type()?;
        let calendar = kind.c_type.eq_ignore_ascii_case("text")
            && kind
                .c_subtype
                .as_deref()
                .is_some_and(|subtype| subtype.eq_ignore_ascii_case("calendar"));
        let PartType::Text(text) = &part.body else { return None };
        let method = kind.attribute("method").map(str::to_owned);
        let method = method.or_else(|| lines(text).into_iter().find_map(|line| line.value_of("METHOD")))?;
        calendar.then_some((method, text.as_ref()))
    })
}

/// The properties that a meeting message has besides those of every message.
#[must_use]
pub fn properties(message: &Message) -> Map<String, Value> {
    let mut json = Map::new();
    let Content::Mime(raw) = &message.content else {
        return json;
    };
    let bytes = raw.bytes();
    let parsed = mime::parse(&bytes);
    let Some((_, text)) = parsed.as_ref().and_then(calendar) else {
        return json;
    };
    let event = event(text);
    let first = |name: &str| event.iter().find(|line| line.name.eq_ignore_ascii_case(name));
    let start = first("DTSTART").and_then(Line::moment);
    let end = first("DTEND").and_then(Line::moment).or_else(|| start.clone());
    let all_day = first("DTSTART").is_some_and(Line::is_date);
    let recurs = first("RRULE").is_some();
    json.insert("meetingMessageType".to_owned(), message.kind.as_str().into());
    json.insert(
        "type".to_owned(),
        if recurs { "seriesMaster" } else { "singleInstance" }.into(),
    );
    json.insert("isOutOfDate".to_owned(), false.into());
    json.insert("isAllDay".to_owned(), all_day.into());
    json.insert("isDelegated".to_owned(), false.into());
    json.insert("startDateTime".to_owned(), start.unwrap_or(Value::Null));
    json.insert("endDateTime".to_owned(), end.unwrap_or(Value::Null));
    let place = first("LOCATION").map(|line| unescaped(&line.value)).unwrap_or_default();
    json.insert(
        "location".to_owned(),
        json!({"displayName": place, "locationType": "default", "uniqueIdType": "unknown"}),
    );
    // A pattern is not translated: a series is told by its type, and its pattern is left out rather than wrong.
    if !recurs {
        json.insert("recurrence".to_owned(), Value::Null);
    }
    if message.kind == ItemKind::Request {
        let wanted = !event.iter().any(|line| {
            line.parameter("RSVP")
                .is_some_and(|rsvp| rsvp.eq_ignore_ascii_case("FALSE"))
        });
        json.insert("responseRequested".to_owned(), wanted.into());
        json.insert("allowNewTimeProposals".to_owned(), true.into());
        json.insert("meetingRequestType".to_owned(), "newMeetingRequest".into());
        for name in ["previousStartDateTime", "previousEndDateTime", "previousLocation"] {
            json.insert(name.to_owned(), Value::Null);
        }
    }
    json
}

/// One unfolded line of a calendar.
struct Line {
    name: String,
    parameters: Vec<(String, String)>,
    value: String,
}

/// Lines read of one calendar part; invitations have far fewer.
const MAX_LINES: usize = 10_000;

fn lines(text: &str) -> Vec<Line> {
    let mut unfolded: Vec<String> = Vec::new();
    for line in text.lines().take(MAX_LINES) {
        match (line.strip_prefix([' ', '\t']), unfolded.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => unfolded.push(line.to_owned()),
        }
    }
    unfolded.iter().filter_map(|line| Line::read(line)).collect()
}

/// The lines of the first event.
fn event(text: &str) -> Vec<Line> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in lines(text) {
        if line.name.eq_ignore_ascii_case("BEGIN") && line.value.eq_ignore_ascii_case("VEVENT") {
            inside = true;
        } else if line.name.eq_ignore_ascii_case("END") && line.value.eq_ignore_ascii_case("VEVENT") {
            break;
        } else if inside {
            found.push(line);
        }
    }
    found
}

impl Line {
    fn read(line: &str) -> Option<Self> {
        let mut quoted = false;
        let colon = line.char_indices().find_map(|(at, character)| {
            quoted ^= character == '"';
            (character == ':' && !quoted).then_some(at)
        })?;
        let mut head = line[..colon].split(';');
        let name = head.next()?.to_owned();
        let parameters = head
            .filter_map(|parameter| parameter.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
            .collect();
        Some(Self {
            name,
            parameters,
            value: line[colon + 1..].trim().to_owned(),
        })
    }

    fn value_of(self, name: &str) -> Option<String> {
        self.name.eq_ignore_ascii_case(name).then_some(self.value)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn is_date(&self) -> bool {
        self.value.len() == 8
    }

    /// As a `dateTimeTimeZone` in UTC; a time of an unknown zone is shown as it stands, under the zone's name.
    fn moment(&self) -> Option<Value> {
        if self.is_date() {
            let day: jiff::civil::Date = self.value.parse().ok()?;
            return Some(json!({"dateTime": format!("{day}T00:00:00.0000000"), "timeZone": "UTC"}));
        }
        let text = self.value.trim_end_matches(['Z', 'z']);
        let civil: DateTime = text.parse().ok()?;
        let zone = match self.parameter("TZID") {
            Some(name) if text.len() == self.value.len() => match time_zones::zone(name) {
                Some((_, zone)) => zone,
                None => {
                    let shown = civil.strftime("%Y-%m-%dT%H:%M:%S.0000000").to_string();
                    return Some(json!({"dateTime": shown, "timeZone": name}));
                }
            },
            _ => TimeZone::UTC,
        };
        let at = civil.to_zoned(zone).ok()?.timestamp();
        Some(json!({"dateTime": time_zones::shown(at, &TimeZone::UTC), "timeZone": "UTC"}))
    }
}

fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n")
        .replace("\\N", "\n")
        .replace("\\,", ",")
        .replace("\\;", ";")
        .replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::mime::{Reception, record};
    use bytes::Bytes;

    fn invitation(method: &str, extra: &str) -> Message {
        let mime = format!(
            "From: ada@fabrikam.example\r\nTo: support@contoso.example\r\nSubject: Review\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\n\
             Content-Type: text/calendar; method={method}; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:{method}\r\n\
             BEGIN:VEVENT\r\nDTSTART;TZID=Europe/Paris:20260310T100000\r\nDTEND:20260310T100000Z\r\n\
             LOCATION:Room 1\\, first\r\n  floor\r\n{extra}END:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n"
        );
        let reception = Reception {
            at: 0,
            message_id_if_none: "<m@x>",
        };
        record(Bytes::from(mime), reception).0
    }

    #[test]
    fn invitations_are_told_from_answers_and_mails() {
        assert_eq!(invitation("REQUEST", "").kind, ItemKind::Request);
        assert_eq!(invitation("CANCEL", "").kind, ItemKind::Cancellation);
        let answer = |status: &str| invitation("REPLY", &format!("ATTENDEE;PARTSTAT={status}:mailto:a@x\r\n")).kind;
        assert_eq!(answer("DECLINED"), ItemKind::Declined);
        assert_eq!(answer("TENTATIVE"), ItemKind::TentativelyAccepted);
        assert_eq!(answer("ACCEPTED"), ItemKind::Accepted);
        assert_eq!(invitation("PUBLISH", "").kind, ItemKind::Message);
    }

    #[test]
    fn times_are_shown_in_utc_and_folded_lines_joined() {
        let json = properties(&invitation("REQUEST", ""));
        assert_eq!(json["startDateTime"]["dateTime"], "2026-03-10T09:00:00.0000000");
        assert_eq!(json["endDateTime"]["dateTime"], "2026-03-10T10:00:00.0000000");
        assert_eq!(json["location"]["displayName"], "Room 1, first floor");
        assert_eq!(json["meetingMessageType"], "meetingRequest");
        assert_eq!(json["isAllDay"], false);
    }

    #[test]
    fn a_series_is_told_by_its_type_without_a_wrong_pattern() {
        let json = properties(&invitation("REQUEST", "RRULE:FREQ=DAILY\r\n"));
        assert_eq!(json["type"], "seriesMaster");
        assert!(json.get("recurrence").is_none());
    }
}
