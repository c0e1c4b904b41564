//! The written bounds of reading a mail, in one place.
//!
//! Invariant: whatever the input, time and memory stay within a small multiple of its size, and
//! what lies beyond a bound is kept as an attachment or named by a deviation.

/// Fields of one header block that are read; honest mail has some dozens, traces of long relays included.
pub const MAX_HEADERS: usize = 1_000;
/// Bytes of one header value that are read; fits 500 recipients with names.
pub const MAX_HEADER_VALUE: usize = 128 * 1024;
/// Bytes of all values of one header block that are read.
pub const MAX_HEADER_BLOCK: usize = 2 * 1024 * 1024;
/// Parts of one mail, containers included; digests of busy lists have some hundreds.
pub const MAX_PARTS: usize = 5_000;
/// Multiparts inside one another; people's mail stays under ten. Nested messages do not count:
/// they are never descended into.
pub const MAX_DEPTH: usize = 40;
/// Bytes of a boundary that are compared; RFC 2046 allows 70.
pub const MAX_BOUNDARY: usize = 1_000;
/// Parameters of one `Content-Type` or `Content-Disposition`.
pub const MAX_PARAMETERS: usize = 64;
/// Bytes of shown text; about a thousand printed pages. Longer parts become attachments as well.
pub const MAX_TEXT: usize = 4 * 1024 * 1024;
/// Bytes of shown HTML; HTML with everything inlined by careless editors stays below.
pub const MAX_HTML: usize = 8 * 1024 * 1024;
/// Lines of a text that is divided into new text and history; people's longest threads have some
/// thousands. Longer texts are new as a whole, and no more lines than that are held at once.
pub const MAX_DIVIDED_LINES: usize = 100_000;
/// Message ids read from `References` and `In-Reply-To` each; the first and the last ones are kept.
pub const MAX_REFERENCES: usize = 200;
/// Bytes of a message id; RFC 5322 allows lines of 998.
pub const MAX_MESSAGE_ID: usize = 998;
/// People read from one kind of address header; Exchange Online delivers to at most 1000.
pub const MAX_PEOPLE: usize = 2_000;
/// Characters of an attachment's file name; below the 255 bytes of file systems for most scripts.
pub const MAX_FILE_NAME: usize = 120;
/// Deviations listed for one mail; each kind and detail stands once.
pub const MAX_DEVIATIONS: usize = 100;
/// HTML elements open at once; deeper ones lose their tags and keep their text.
pub const MAX_HTML_DEPTH: usize = 100;
/// Tags of one HTML text; beyond, it is shown as text. The largest newsletters have some ten thousand.
pub const MAX_HTML_TAGS: usize = 200_000;
/// Bytes of one HTML attribute other than an image's `src`.
pub const MAX_ATTRIBUTE: usize = 8 * 1024;
/// Times that HTML is cleaned until it stays the same; two suffice for all but hostile input.
pub const MAX_CLEANING_PASSES: usize = 5;
/// Characters of a reply's subject; Exchange stores 255.
pub const MAX_SUBJECT: usize = 250;
/// Bytes of a calendar that is read, as encoded; invitations have some ten thousand, whole years of a calendar more.
pub const MAX_CALENDAR: usize = 1024 * 1024;
/// Bytes of one text of a meeting; Exchange shows 255 characters of a subject.
pub const MAX_MEETING_TEXT: usize = 1_000;
/// Wrappings of signed content in signed content; RFC 2634 has use for three.
pub const MAX_SIGNED_LAYERS: usize = 4;
