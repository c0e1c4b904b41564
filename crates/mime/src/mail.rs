//! The normalised mail: what the rest of Guichet sees of a MIME message.
//!
//! Owns the shapes only. Invariant: every string is free of U+0000, so that every database takes it.

use bytes::Bytes;
use jiff::Timestamp;

use crate::{Deviation, Meeting, Protection};

/// A mail as [`parse`](crate::parse) understood it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedMail {
    /// Top-level headers in order: name as written, value unfolded and decoded for reading. For
    /// addresses and ids use the typed fields; decoding makes quoting ambiguous.
    pub headers: Vec<(String, String)>,
    /// The `Message-ID` without angle brackets.
    pub message_id: Option<String>,
    /// Ids of every `In-Reply-To`, without brackets, in order, each once.
    pub in_reply_to: Vec<String>,
    /// Ids of every `References`, without brackets, oldest first, each once.
    pub references: Vec<String>,
    /// Authors. Groups are flattened here and below.
    pub from: Vec<Person>,
    /// The submitting person, if not the author.
    pub sender: Vec<Person>,
    /// Where answers go, if not to the authors.
    pub reply_to: Vec<Person>,
    /// Primary recipients.
    pub to: Vec<Person>,
    /// Copy recipients.
    pub cc: Vec<Person>,
    /// Blind copy recipients, rarely present.
    pub bcc: Vec<Person>,
    /// The subject in one line; empty if there is none.
    pub subject: String,
    /// The `Date`; none if missing or not a date.
    pub date: Option<Timestamp>,
    /// Media type of the whole mail, lower case; `text/plain` if none is given.
    pub content_type: String,
    /// Value of the `report-type` parameter, lower case; empty if none.
    pub report_type: String,
    /// The text to show, lines ended by `\n`: the plain parts, else derived from the HTML.
    pub text: String,
    /// Whether [`text`](Self::text) was derived from HTML at least in part.
    pub text_from_html: bool,
    /// The HTML to show as it stands in the mail, decoded to UTF-8 and **not** sanitised.
    pub html: Option<String>,
    /// Every leaf that is not shown, in order; a nested message is one `.eml`, and what is in a
    /// `winmail.dat` stands in its place.
    pub attachments: Vec<Attachment>,
    /// How many leaves make up `text` and `html`. Leaves = `shown_parts` + attachments, but for
    /// shown parts beyond the size bounds, which stand in both, and for what was in TNEF or
    /// in signed data.
    pub shown_parts: usize,
    /// The meeting that it requests, answers, cancels or tells of. Its calendar is an attachment as well.
    pub meeting: Option<Meeting>,
    /// Whether it is signed or encrypted.
    pub protection: Protection,
    /// In what the mail departs from the standards, in the order found, each once.
    pub deviations: Vec<Deviation>,
}

/// A name and an address as a header gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Person {
    /// Display name, decoded; empty if none.
    pub name: String,
    /// Address as written, without brackets; empty if the header has only a name. It need not be
    /// valid: some reports come from `MAILER-DAEMON` without a domain.
    pub address: String,
}

/// A leaf of the mail that is not its shown text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// A safe file name: one path segment, no control or direction characters, never empty.
    pub name: String,
    /// Media type, lower case, without parameters.
    pub content_type: String,
    /// The `Content-ID` without brackets.
    pub content_id: Option<String>,
    /// Whether the shown HTML displays it by `cid:`.
    pub inline: bool,
    /// The content with its transfer encoding undone.
    pub bytes: Bytes,
}
