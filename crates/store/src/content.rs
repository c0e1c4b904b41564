//! What a message's content is made of: parts, protection, and the meeting that it is about.
//!
//! Owns the shapes as they are kept as JSON. Invariant: every field that came later has a default, so that
//! content written by earlier versions is read.

use jiff::{Timestamp, civil};
use serde::{Deserialize, Serialize};

use crate::records::Party;

/// A stretch of a message's text or HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentPart {
    pub kind: PartKind,
    /// Bytes.
    pub length: usize,
}

/// What a part of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// Written in this message.
    New,
    Signature,
    /// Repeated from earlier messages.
    Quoted,
}

/// How a mail is protected, by its own word: no signature was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    pub signed: Option<Scheme>,
    /// It, or a part of it; what is encrypted is an attachment or stands in the text.
    pub encrypted: Option<Scheme>,
}

/// A way to sign and to encrypt mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    Smime,
    Pgp,
}

/// A meeting that a mail requests, answers, cancels or tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// `request`, `reply`, `cancel` or another of RFC 5546; empty if it is merely told of.
    pub method: String,
    pub uid: String,
    pub summary: String,
    pub location: String,
    pub organiser: Option<Party>,
    pub attendees: Vec<Attendee>,
    pub start: Option<MeetingTime>,
    pub end: Option<MeetingTime>,
    /// Whether it takes place more than once.
    pub recurs: bool,
}

/// Somebody who is asked to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    pub party: Party,
    /// `needs-action`, `accepted`, `declined`, `tentative` or another of RFC 5545.
    pub status: String,
}

/// A time in a calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingTime {
    /// On the clock of its zone.
    pub local: civil::DateTime,
    pub whole_day: bool,
    /// None for times that hold wherever one is.
    pub time_zone: Option<String>,
    /// None if the zone is unknown.
    pub instant: Option<Timestamp>,
}
