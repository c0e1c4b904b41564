//! Bytes to normalised mail and back to what is shown and sent: parse, sanitise, text, compose.
//!
//! Owns the reading of MIME and HTML. Never does I/O, never fails on bad input, never keeps mail
//! content anywhere. Invariants: [`parse`] is total and bounded (see [`bounds`]); every leaf part
//! of a mail is either shown or an attachment; what [`sanitise`] returns holds no active or remote
//! construct and is a fixed point of it.

mod addresses;
mod attachments;
mod body;
pub mod bounds;
mod charset;
mod compose;
mod date;
mod deviations;
mod file_names;
mod flowed;
mod headers;
mod history;
mod history_marks;
mod html_text;
mod language;
mod mail;
mod markup;
mod meeting;
mod params;
mod parse;
mod protection;
mod references;
pub mod report;
mod sanitise;
mod signed_data;
mod structure;
mod style;
mod subject;
mod text;
mod tidy;
mod tnef;
mod transfer;
mod utf7;
mod vocabulary;
mod web_addresses;
mod words;

pub use compose::{QuotedOriginal, ReplyBody, compose_reply_html};
pub use deviations::Deviation;
pub use history::{Part, PartKind};
pub use html_text::html_to_text;
pub use mail::{Attachment, ParsedMail, Person};
pub use meeting::{Attendee, Meeting, MeetingTime};
pub use parse::parse;
pub use protection::{Protection, Scheme};
pub use sanitise::{Sanitised, sanitise};
pub use subject::reply_subject;
pub use text::text_to_html;
