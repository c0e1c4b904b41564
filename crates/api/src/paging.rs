//! Pages and opaque cursors.
//!
//! A cursor names the last row of a page, so that rows which come or go meanwhile neither hide nor repeat
//! others. Its content is ours to change: clients only give it back.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    dto::Page,
    problem::{Code, Problem},
};

/// Rows of a page unless the client says otherwise.
pub(crate) const DEFAULT_LIMIT: u32 = 50;
/// Rows of a page at most: what the store gives at once.
pub(crate) const MAX_LIMIT: u32 = 200;
/// Characters of a cursor; the longest one holds an id of Graph.
const MAX_CURSOR: usize = 2048;

/// How many rows a page shall have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(u32);

impl Limit {
    /// Checks what the client asked for.
    pub fn parse(asked: Option<u32>) -> Result<Self, Problem> {
        match asked.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(Self(limit)),
            limit => {
                let detail = format!("in the query: limit: {limit} is not between 1 and {MAX_LIMIT}");
                Err(Problem::new(Code::InvalidParameter, detail))
            }
        }
    }

    /// Rows of the page.
    pub const fn rows(self) -> u32 {
        self.0
    }

    /// Rows to ask the store for: one more than the page has, to see whether another page follows, as
    /// far as the store gives so many.
    pub const fn to_fetch(self) -> u32 {
        if self.0 < MAX_LIMIT { self.0 + 1 } else { MAX_LIMIT }
    }

    /// Makes the page of what the store gave; `position` names a row in a cursor.
    pub fn page<R, T, C: Serialize>(
        self,
        mut rows: Vec<R>,
        position: impl Fn(&R) -> C,
        show: impl Fn(&R) -> T,
    ) -> Page<T> {
        let wanted = self.0 as usize;
        // At the store's own maximum a full page may be the last one; an empty page then follows.
        let more = rows.len() > wanted || self.0 == MAX_LIMIT && rows.len() == wanted;
        rows.truncate(wanted);
        let next_cursor = if more {
            rows.last().map(|row| encode(&position(row)))
        } else {
            None
        };
        Page {
            items: rows.iter().map(show).collect(),
            next_cursor,
        }
    }
}

fn encode<C: Serialize>(position: &C) -> String {
    // Positions are tuples of ids and times, which always serialise.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
}

/// Reads a cursor that [`Limit::page`] wrote.
pub(crate) fn decode<C: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<C>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let wrong = || {
        let detail = "in the query: cursor: it is none that this list has given; start again without it";
        Problem::new(Code::InvalidParameter, detail)
    };
    if cursor.len() > MAX_CURSOR {
        return Err(wrong());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
    serde_json::from_slice(&bytes).map(Some).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: u32, rows: std::ops::Range<u32>) -> Page<u32> {
        Limit::parse(Some(limit))
            .expect("limit")
            .page(rows.collect(), |row| (*row, "x"), |row| *row)
    }

    #[test]
    fn page_names_its_successor_only_if_there_may_be_one() {
        let first = page(2, 0..3);
        assert_eq!(first.items, [0, 1]);
        let cursor = first.next_cursor.expect("another page follows");
        assert_eq!(
            decode::<(u32, String)>(Some(&cursor)).expect("cursor"),
            Some((1, "x".to_owned()))
        );
        assert_eq!(page(2, 0..2).next_cursor, None);
        assert_eq!(page(2, 0..0).next_cursor, None);
        assert!(page(MAX_LIMIT, 0..MAX_LIMIT).next_cursor.is_some());
        assert_eq!(page(MAX_LIMIT, 0..MAX_LIMIT - 1).next_cursor, None);
    }

    #[test]
    fn limits_are_checked() {
        assert!(Limit::parse(Some(0)).is_err());
        assert!(Limit::parse(Some(MAX_LIMIT + 1)).is_err());
        assert_eq!(Limit::parse(None).expect("default").to_fetch(), DEFAULT_LIMIT + 1);
        assert_eq!(Limit::parse(Some(MAX_LIMIT)).expect("maximum").to_fetch(), MAX_LIMIT);
    }

    #[test]
    fn foreign_cursors_are_refused() {
        for cursor in ["", "x", "!!", "e30", &"A".repeat(MAX_CURSOR + 1)] {
            assert!(decode::<(u32, String)>(Some(cursor)).is_err(), "{cursor} was accepted");
        }
        assert_eq!(decode::<(u32, String)>(None), Ok(None));
    }
}
