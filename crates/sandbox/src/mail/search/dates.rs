//! Dates of a search: a day, a moment, or a word such as `today`.
//!
//! Owns their spellings. Days are those of UTC, as the times of messages are.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span as Length, Timestamp, ToSpan};

use super::Span;

/// The span that a date stands for.
pub fn span(text: &str, now: Timestamp) -> Option<Span<Timestamp>> {
    let text = text.trim();
    let today = now.to_zoned(TimeZone::UTC).date();
    if let Some((first, length)) = named(text, today) {
        return days(first, length);
    }
    if let Some(date) = date(text) {
        return days(date, 1.day());
    }
    let moment = match text.parse::<Timestamp>() {
        Ok(moment) => moment,
        Err(_) => midnight_or_later(text.parse().ok()?)?,
    };
    let end = moment.checked_add(1.second()).ok();
    Some(Span {
        start: Some(moment),
        end,
    })
}

fn midnight_or_later(at: DateTime) -> Option<Timestamp> {
    at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn days(first: Date, length: Length) -> Option<Span<Timestamp>> {
    let end = first.checked_add(length).ok()?;
    Some(Span {
        start: midnight_or_later(first.to_datetime(jiff::civil::Time::midnight())),
        end: midnight_or_later(end.to_datetime(jiff::civil::Time::midnight())),
    })
}

/// The intervals that KQL names; weeks begin on Sunday.
fn named(text: &str, today: Date) -> Option<(Date, Length)> {
    let week = today
        .checked_sub(i64::from(today.weekday().since(Weekday::Sunday)).days())
        .ok()?;
    let month = today.first_of_month();
    let year = today.first_of_year();
    Some(match text.to_ascii_lowercase().as_str() {
        "today" => (today, 1.day()),
        "yesterday" => (today.checked_sub(1.day()).ok()?, 1.day()),
        "this week" => (week, 1.week()),
        "last week" => (week.checked_sub(1.week()).ok()?, 1.week()),
        "this month" => (month, 1.month()),
        "last month" => (month.checked_sub(1.month()).ok()?, 1.month()),
        "this year" => (year, 1.year()),
        "last year" => (year.checked_sub(1.year()).ok()?, 1.year()),
        _ => return None,
    })
}

/// `2026-03-01`, `2026/03/01`, or the American `3/1/2026`.
fn date(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.split(['-', '/']).collect();
    let [a, b, c] = parts.as_slice() else { return None };
    let number = |part: &str| part.parse::<i16>().ok();
    let (year, month, day) = if a.len() == 4 {
        (number(a)?, number(b)?, number(c)?)
    } else if c.len() == 4 && text.contains('/') {
        (number(c)?, number(a)?, number(b)?)
    } else {
        return None;
    };
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}
