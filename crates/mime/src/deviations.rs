//! In what ways a mail departs from the standards.
//!
//! Owns the names of the departures and their collection. Never fatal: a deviation explains, it
//! does not reject. Invariant: a list is bounded and holds no entry twice. Details name headers,
//! charsets and limits, never what somebody wrote.

use std::fmt;

use crate::bounds::MAX_DEVIATIONS;

/// One departure from the standards.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deviation {
    /// No bytes, or white space alone.
    Empty,
    /// No header at the beginning.
    NoHeaders,
    /// No `Message-ID`, or none that can be read.
    MissingMessageId,
    /// No `From`, or none that can be read.
    MissingFrom,
    /// No `Date`.
    MissingDate,
    /// A `Date` that is not one.
    InvalidDate,
    /// A header that may stand once stands more often.
    DuplicateHeader {
        /// Its name, lower case.
        name: String,
    },
    /// A line among the headers that is none.
    MalformedHeaderLine,
    /// A header with bytes that are neither ASCII nor UTF-8.
    UnencodedHeader {
        /// Its name, lower case.
        name: String,
    },
    /// An address header with an entry that has no address, or one without domain.
    InvalidAddress {
        /// Its name, lower case.
        name: String,
    },
    /// More header fields than are read.
    TooManyHeaders,
    /// A header longer than is read.
    HeaderTooLong {
        /// Its name, lower case.
        name: String,
    },
    /// More people in an address header than are read.
    TooManyPeople {
        /// Its name, lower case.
        name: String,
    },
    /// A message id longer than is read, or more of them.
    TooManyReferences,
    /// Zero bytes.
    NulBytes,
    /// Lines that end in LF or CR alone.
    BareLineEnds,
    /// A charset nobody knows; the text was guessed.
    UnknownCharset {
        /// The label as given.
        label: String,
    },
    /// Bytes that the declared charset does not have.
    InvalidCharset {
        /// The label as given; empty if none was.
        label: String,
    },
    /// A transfer encoding nobody knows; the bytes are kept as they are.
    UnknownTransferEncoding {
        /// The label as given.
        label: String,
    },
    /// A transfer encoding that its content breaks.
    InvalidTransferEncoding {
        /// The encoding.
        label: String,
    },
    /// A multipart without a boundary, or in which its boundary never appears.
    MissingBoundary,
    /// A multipart that ends before its closing boundary.
    TruncatedMultipart,
    /// A multipart that goes on after its closing boundary.
    ReopenedMultipart,
    /// A part that begins without the boundary line before it.
    MissingBoundaryLine,
    /// More parts than are read; the rest is one attachment.
    TooManyParts,
    /// Multiparts nested deeper than are read; the deepest are attachments.
    NestedTooDeep,
    /// Text longer than is shown; the whole is attached.
    TextTooLong,
    /// A `winmail.dat` that is damaged or none; what could be read of it is shown, and it is attached.
    InvalidTnef,
    /// A calendar that cannot be read, or has no event.
    InvalidCalendar,
    /// A calendar longer than is read.
    CalendarTooLong,
    /// Signed data that cannot be read; it is attached.
    InvalidSignedData,
}

impl Deviation {
    /// The stable name under which it is stored and counted.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoHeaders => "no_headers",
            Self::MissingMessageId => "missing_message_id",
            Self::MissingFrom => "missing_from",
            Self::MissingDate => "missing_date",
            Self::InvalidDate => "invalid_date",
            Self::DuplicateHeader { .. } => "duplicate_header",
            Self::MalformedHeaderLine => "malformed_header_line",
            Self::UnencodedHeader { .. } => "unencoded_header",
            Self::InvalidAddress { .. } => "invalid_address",
            Self::TooManyHeaders => "too_many_headers",
            Self::HeaderTooLong { .. } => "header_too_long",
            Self::TooManyPeople { .. } => "too_many_people",
            Self::TooManyReferences => "too_many_references",
            Self::NulBytes => "nul_bytes",
            Self::BareLineEnds => "bare_line_ends",
            Self::UnknownCharset { .. } => "unknown_charset",
            Self::InvalidCharset { .. } => "invalid_charset",
            Self::UnknownTransferEncoding { .. } => "unknown_transfer_encoding",
            Self::InvalidTransferEncoding { .. } => "invalid_transfer_encoding",
            Self::MissingBoundary => "missing_boundary",
            Self::TruncatedMultipart => "truncated_multipart",
            Self::ReopenedMultipart => "reopened_multipart",
            Self::MissingBoundaryLine => "missing_boundary_line",
            Self::TooManyParts => "too_many_parts",
            Self::NestedTooDeep => "nested_too_deep",
            Self::TextTooLong => "text_too_long",
            Self::InvalidTnef => "invalid_tnef",
            Self::InvalidCalendar => "invalid_calendar",
            Self::CalendarTooLong => "calendar_too_long",
            Self::InvalidSignedData => "invalid_signed_data",
        }
    }

    /// Which header, charset or encoding it is about; empty if that says nothing more.
    pub fn detail(&self) -> &str {
        match self {
            Self::DuplicateHeader { name }
            | Self::UnencodedHeader { name }
            | Self::InvalidAddress { name }
            | Self::HeaderTooLong { name }
            | Self::TooManyPeople { name } => name,
            Self::UnknownCharset { label }
            | Self::InvalidCharset { label }
            | Self::UnknownTransferEncoding { label }
            | Self::InvalidTransferEncoding { label } => label,
            _ => "",
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail() {
            "" => f.write_str(self.as_str()),
            detail => write!(f, "{} ({detail})", self.as_str()),
        }
    }
}

/// Collects deviations: each once, bounded, labels cut short.
#[derive(Debug, Default)]
pub(crate) struct Deviations(Vec<Deviation>);

impl Deviations {
    /// Adds a deviation unless it is known or the list is full.
    pub(crate) fn note(&mut self, deviation: Deviation) {
        if self.0.len() < MAX_DEVIATIONS && !self.0.contains(&deviation) {
            self.0.push(deviation);
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Deviation> {
        self.0
    }
}

/// A label from the mail, fit for a detail: short, one line, printable.
pub(crate) fn label(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}
