//! Meeting requests, answers and cancellations (iCalendar in mail, RFC 5546 and RFC 6047).
//!
//! Owns the choice of the calendar part and what of its event is kept. Never answers, never expands
//! recurrences. Invariant: a calendar that cannot be read costs nothing but a deviation; the part stays
//! attached in any case.

use std::panic::{AssertUnwindSafe, catch_unwind};

use calcard::{
    Entry, Parser,
    common::{PartialDateTime, timezone::Tz},
    icalendar::{
        ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarParameterName,
        ICalendarProperty, ICalendarValue,
    },
};
use jiff::{SignedDuration, Timestamp, civil};

use crate::{
    Deviation, Person, body,
    bounds::{MAX_CALENDAR, MAX_MEETING_TEXT, MAX_PEOPLE},
    deviations::Deviations,
    structure::Part,
    words,
};

/// What a mail says of a meeting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meeting {
    /// `request`, `reply`, `cancel` or another of RFC 5546, lower case; empty if the calendar has none
    /// and merely tells of an event.
    pub method: String,
    /// The event's id, by which an answer or a cancellation refers to it.
    pub uid: String,
    /// What it is about, in one line.
    pub summary: String,
    /// Where it takes place, in one line.
    pub location: String,
    /// Who called it.
    pub organiser: Option<Person>,
    /// Who shall come; of an answer, who answers.
    pub attendees: Vec<Attendee>,
    /// When it begins.
    pub start: Option<MeetingTime>,
    /// When it ends.
    pub end: Option<MeetingTime>,
    /// Whether it takes place more than once; the times are those of the first.
    pub recurs: bool,
}

/// Somebody who is asked to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    /// Name and address.
    pub person: Person,
    /// `needs-action`, `accepted`, `declined`, `tentative` or another of RFC 5545, lower case.
    pub status: String,
}

/// A time as it stands in a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingTime {
    /// Time on the clock of the zone; midnight where the calendar has a day alone.
    pub local: civil::DateTime,
    /// Whether the calendar has a day alone.
    pub whole_day: bool,
    /// The zone: a name of the IANA database where it is known by one, `UTC`, else as given. None for
    /// times that hold wherever one is.
    pub time_zone: Option<String>,
    /// The moment, if the zone is known.
    pub instant: Option<Timestamp>,
}

/// Reads the mail's calendar, if it has one.
pub(crate) fn read(parts: &[Part<'_>], deviations: &mut Deviations) -> Option<Meeting> {
    let calendars = || parts.iter().filter(|part| part.is_leaf() && is_calendar(part));
    // Programs send the same event as a part of the text and as a file; the first one has the method.
    let with_method = calendars().find(|part| part.content_type.get("method").is_some());
    let part = with_method.or_else(|| calendars().next())?;
    if part.body.len() > MAX_CALENDAR {
        deviations.note(Deviation::CalendarTooLong);
        return None;
    }
    let text = body::decode_text(part, deviations);
    // The parser is a library's; what strangers send must not be able to stop a mail.
    let meeting = catch_unwind(AssertUnwindSafe(|| of_text(&text, deviations)))
        .ok()
        .flatten();
    let Some(mut meeting) = meeting else {
        deviations.note(Deviation::InvalidCalendar);
        return None;
    };
    if meeting.method.is_empty() {
        meeting.method = line(part.content_type.get("method").unwrap_or_default()).to_lowercase();
    }
    Some(meeting)
}

fn is_calendar(part: &Part<'_>) -> bool {
    matches!(part.content_type.value.as_str(), "text/calendar" | "application/ics")
}

fn of_text(text: &str, deviations: &mut Deviations) -> Option<Meeting> {
    let Entry::ICalendar(calendar) = Parser::new(text).entry() else {
        return None;
    };
    let events = || {
        let is_event = |part: &&ICalendarComponent| part.component_type == ICalendarComponentType::VEvent;
        calendar.components.iter().filter(is_event)
    };
    let event = events()
        .find(|event| !event.has_property(&ICalendarProperty::RecurrenceId))
        .or_else(|| events().next())?;
    let root = calendar.components.first();
    let method = root.and_then(|root| text_of(root, &ICalendarProperty::Method));
    let start = time(&calendar, event, &ICalendarProperty::Dtstart);
    let end = time(&calendar, event, &ICalendarProperty::Dtend).or_else(|| after(start.as_ref()?, event));
    let mut attendees = event.properties(&ICalendarProperty::Attendee);
    let kept: Vec<Attendee> = attendees.by_ref().take(MAX_PEOPLE).map(attendee).collect();
    if attendees.next().is_some() {
        deviations.note(Deviation::TooManyPeople {
            name: "attendee".to_owned(),
        });
    }
    Some(Meeting {
        method: method.unwrap_or_default().to_lowercase(),
        uid: text_of(event, &ICalendarProperty::Uid).unwrap_or_default(),
        summary: text_of(event, &ICalendarProperty::Summary).unwrap_or_default(),
        location: text_of(event, &ICalendarProperty::Location).unwrap_or_default(),
        organiser: event.property(&ICalendarProperty::Organizer).map(person),
        attendees: kept,
        start,
        end,
        recurs: event.has_property(&ICalendarProperty::Rrule) || event.has_property(&ICalendarProperty::Rdate),
    })
}

fn text_of(part: &ICalendarComponent, name: &ICalendarProperty) -> Option<String> {
    part.property(name)?.values.first()?.as_text().map(line)
}

/// One line of bounded length.
fn line(text: &str) -> String {
    let line: String = words::one_line(text).chars().filter(|c| !c.is_control()).collect();
    let line = line.trim();
    line[..line.floor_char_boundary(MAX_MEETING_TEXT)].to_owned()
}

fn person(entry: &ICalendarEntry) -> Person {
    let name = entry
        .parameter(&ICalendarParameterName::Cn)
        .and_then(|name| name.as_text());
    Person {
        name: line(name.unwrap_or_default()),
        address: line(entry.calendar_address().unwrap_or_default()),
    }
}

fn attendee(entry: &ICalendarEntry) -> Attendee {
    let status = entry.parameter(&ICalendarParameterName::Partstat);
    let status = status.and_then(|status| status.as_text()).unwrap_or("needs-action");
    Attendee {
        person: person(entry),
        status: line(status).to_lowercase(),
    }
}

fn time(calendar: &ICalendar, event: &ICalendarComponent, name: &ICalendarProperty) -> Option<MeetingTime> {
    let entry = event.property(name)?;
    let value = entry.values.first()?.as_partial_date_time()?;
    let local = local(value)?;
    let whole_day = !value.has_time();
    let given = entry.tz_id();
    let zone = match given {
        Some(given) => calendar.build_tz_resolver().resolve(given),
        None => value.to_date_time().and_then(|time| time.tz()),
    };
    let instant = zone
        .filter(|zone| !whole_day && !zone.is_floating())
        .and_then(|zone| value.to_date_time_with_tz(zone))
        .and_then(|time| Timestamp::from_second(time.timestamp()).ok());
    let named = zone.filter(|zone| !zone.is_floating()).and_then(zone_name);
    Some(MeetingTime {
        local,
        whole_day,
        time_zone: named.or_else(|| given.map(line)).filter(|_| !whole_day),
        instant,
    })
}

fn zone_name(zone: Tz) -> Option<String> {
    if zone.is_utc() {
        return Some("UTC".to_owned());
    }
    zone.name().map(|name| line(&name))
}

fn local(value: &PartialDateTime) -> Option<civil::DateTime> {
    let small = |number: Option<u8>| i8::try_from(number.unwrap_or_default()).ok();
    let year = i16::try_from(value.year?).ok()?;
    // Second 60 is one that a clock does not show.
    let second = small(value.second)?.min(59);
    civil::DateTime::new(
        year,
        small(value.month)?,
        small(value.day)?,
        small(value.hour)?,
        small(value.minute)?,
        second,
        0,
    )
    .ok()
}

/// The end of an event that says how long it takes.
fn after(start: &MeetingTime, event: &ICalendarComponent) -> Option<MeetingTime> {
    let ICalendarValue::Duration(duration) = event.property(&ICalendarProperty::Duration)?.values.first()? else {
        return None;
    };
    let length = SignedDuration::from_secs(duration.as_seconds());
    Some(MeetingTime {
        local: start.local.checked_add(length).ok()?,
        whole_day: start.whole_day,
        time_zone: start.time_zone.clone(),
        instant: match start.instant {
            Some(instant) => Some(instant.checked_add(length).ok()?),
            None => None,
        },
    })
}
