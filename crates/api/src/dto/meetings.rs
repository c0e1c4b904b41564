//! The meeting that a message is about.

use guichet_store as store;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Party;

/// A meeting that a mail requests, answers, cancels or tells of. The calendar itself is an attachment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Meeting {
    /// `request`, `reply`, `cancel` or another of RFC 5546; empty if it is merely told of.
    #[schema(example = "request")]
    pub method: String,
    /// Id of the event, by which answers and cancellations refer to it.
    pub uid: String,
    pub summary: String,
    pub location: String,
    pub organiser: Option<Party>,
    /// Who shall come; of an answer, who answers.
    pub attendees: Vec<Attendee>,
    pub start: Option<MeetingTime>,
    pub end: Option<MeetingTime>,
    /// Whether it takes place more than once; the times are those of the first.
    pub recurs: bool,
}

/// Somebody who is asked to come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attendee {
    pub name: String,
    pub address: String,
    /// `needs-action`, `accepted`, `declined`, `tentative` or another of RFC 5545.
    #[schema(example = "needs-action")]
    pub status: String,
}

/// A time in a calendar.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeetingTime {
    /// Date and time on the clock of the zone, without offset; midnight of a whole day.
    #[schema(example = "2025-07-10T14:00:00")]
    pub local: String,
    pub whole_day: bool,
    /// A name of the IANA database where the zone is known by one; null for times that hold everywhere.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// The moment; null if the zone is unknown or there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub instant: Option<Timestamp>,
}

impl From<&store::Meeting> for Meeting {
    fn from(row: &store::Meeting) -> Self {
        let attendee = |row: &store::Attendee| Attendee {
            name: row.party.name.clone(),
            address: row.party.address.clone(),
            status: row.status.clone(),
        };
        let time = |row: &store::MeetingTime| MeetingTime {
            local: row.local.to_string(),
            whole_day: row.whole_day,
            time_zone: row.time_zone.clone(),
            instant: row.instant,
        };
        Self {
            method: row.method.clone(),
            uid: row.uid.clone(),
            summary: row.summary.clone(),
            location: row.location.clone(),
            organiser: row.organiser.as_ref().map(Into::into),
            attendees: row.attendees.iter().map(attendee).collect(),
            start: row.start.as_ref().map(time),
            end: row.end.as_ref().map(time),
            recurs: row.recurs,
        }
    }
}
