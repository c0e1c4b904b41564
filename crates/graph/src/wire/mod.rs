//! The shapes that Graph sends and takes.
//!
//! Owns the types of answers and of what callers ask to be written. Reading is lenient: unknown
//! fields are ignored, a missing or odd field is `None`, only an object without the id that makes
//! it addressable is refused. No type here shows mail content or secrets in debug output.

pub(crate) mod attachment;
pub(crate) mod delta;
pub(crate) mod directory;
pub(crate) mod exchange_roles;
pub(crate) mod folder;
pub(crate) mod lenient;
pub(crate) mod message;
pub(crate) mod outgoing;
pub(crate) mod page;
pub(crate) mod rule;
pub(crate) mod subscription;
pub(crate) mod user;

/// A time as Graph's own examples write it. Its parser takes seven fractional digits at most, ours
/// would write nine.
pub(crate) fn whole_seconds<S: serde::Serializer>(time: &jiff::Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.0}"))
}
