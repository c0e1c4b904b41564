//! Functions of a filter that make a value.
//!
//! Owns their names, how many arguments each takes, and what they make of them. A null argument makes a null result;
//! an argument of another type is a 400.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::evaluate::incompatible;
use super::lexer::moment;
use super::{CastTarget, Value};
use crate::odata::error::ODataError;

/// Functions that make a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueFunction {
    /// `tolower(text)`
    Lower,
    /// `toupper(text)`
    Upper,
    /// `trim(text)`
    Trim,
    /// `length(text)`
    Length,
    /// `indexof(text, part)`
    IndexOf,
    /// `substring(text, from)` and `substring(text, from, length)`
    Substring,
    /// `concat(text, text)`
    Concat,
    /// `year(moment)`
    Year,
    /// `month(moment)`
    Month,
    /// `day(moment)`
    Day,
    /// `hour(moment)`
    Hour,
    /// `minute(moment)`
    Minute,
    /// `second(moment)`
    Second,
    /// `date(moment)`: midnight of its day
    Date,
    /// `round(number)`
    Round,
    /// `floor(number)`
    Floor,
    /// `ceiling(number)`
    Ceiling,
    /// `mindatetime()`
    MinDateTime,
    /// `maxdatetime()`
    MaxDateTime,
}

impl ValueFunction {
    /// A function by its name in lower case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "tolower" => Self::Lower,
            "toupper" => Self::Upper,
            "trim" => Self::Trim,
            "length" => Self::Length,
            "indexof" => Self::IndexOf,
            "substring" => Self::Substring,
            "concat" => Self::Concat,
            "year" => Self::Year,
            "month" => Self::Month,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            "date" => Self::Date,
            "round" => Self::Round,
            "floor" => Self::Floor,
            "ceiling" => Self::Ceiling,
            "mindatetime" => Self::MinDateTime,
            "maxdatetime" => Self::MaxDateTime,
            _ => return None,
        })
    }

    /// Whether it takes this many arguments.
    #[must_use]
    pub fn takes(self, count: usize) -> bool {
        match self {
            Self::MinDateTime | Self::MaxDateTime => count == 0,
            Self::IndexOf | Self::Concat => count == 2,
            Self::Substring => count == 2 || count == 3,
            _ => count == 1,
        }
    }
}

/// The value of a call; the parser has counted the arguments.
pub fn call<'a>(function: ValueFunction, arguments: &[Value<'a>]) -> Result<Value<'a>, ODataError> {
    if arguments.contains(&Value::Null) {
        return Ok(Value::Null);
    }
    match (function, arguments) {
        (ValueFunction::MinDateTime, []) => Ok(Value::Time(Timestamp::MIN)),
        (ValueFunction::MaxDateTime, []) => Ok(Value::Time(Timestamp::MAX)),
        (_, [Value::Text(text)]) => of_text(function, text),
        (ValueFunction::IndexOf, [Value::Text(text), Value::Text(part)]) => {
            let (text, part) = (text.to_lowercase(), part.to_lowercase());
            let at = text.find(&part).map(|at| count(&text[..at]));
            Ok(Value::Int(at.unwrap_or(-1)))
        }
        (ValueFunction::Concat, [Value::Text(text), Value::Text(more)]) => {
            Ok(Value::Text(Cow::Owned(format!("{text}{more}"))))
        }
        (ValueFunction::Substring, [Value::Text(text), Value::Int(from)]) => Ok(part(text, *from, i64::MAX)),
        (ValueFunction::Substring, [Value::Text(text), Value::Int(from), Value::Int(length)]) => {
            Ok(part(text, *from, *length))
        }
        (_, [Value::Time(at)]) => of_moment(function, *at),
        (ValueFunction::Round | ValueFunction::Floor | ValueFunction::Ceiling, [number @ Value::Int(_)]) => {
            Ok(number.clone())
        }
        (_, [Value::Double(number)]) => match function {
            ValueFunction::Round => Ok(Value::Double(number.round())),
            ValueFunction::Floor => Ok(Value::Double(number.floor())),
            ValueFunction::Ceiling => Ok(Value::Double(number.ceil())),
            _ => Err(incompatible()),
        },
        _ => Err(incompatible()),
    }
}

fn of_text<'a>(function: ValueFunction, text: &str) -> Result<Value<'a>, ODataError> {
    let owned = |text: String| Value::Text(Cow::Owned(text));
    Ok(match function {
        ValueFunction::Lower => owned(text.to_lowercase()),
        ValueFunction::Upper => owned(text.to_uppercase()),
        ValueFunction::Trim => owned(text.trim().to_owned()),
        ValueFunction::Length => Value::Int(count(text)),
        // Resources that are JSON keep their moments as text.
        _ => return of_moment(function, moment(text).ok_or_else(incompatible)?),
    })
}

fn of_moment<'a>(function: ValueFunction, at: Timestamp) -> Result<Value<'a>, ODataError> {
    let clock = at.to_zoned(TimeZone::UTC);
    let number = match function {
        ValueFunction::Year => i64::from(clock.year()),
        ValueFunction::Month => i64::from(clock.month()),
        ValueFunction::Day => i64::from(clock.day()),
        ValueFunction::Hour => i64::from(clock.hour()),
        ValueFunction::Minute => i64::from(clock.minute()),
        ValueFunction::Second => i64::from(clock.second()),
        ValueFunction::Date => {
            let midnight = clock.start_of_day().map_err(|_| incompatible())?;
            return Ok(Value::Time(midnight.timestamp()));
        }
        _ => return Err(incompatible()),
    };
    Ok(Value::Int(number))
}

fn count(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

fn part<'a>(text: &str, from: i64, length: i64) -> Value<'a> {
    let from = usize::try_from(from.max(0)).unwrap_or(usize::MAX);
    let length = usize::try_from(length.max(0)).unwrap_or(usize::MAX);
    Value::Text(Cow::Owned(text.chars().skip(from).take(length).collect()))
}

/// A text that is not of the wanted type casts to null, as OData says.
pub fn cast(argument: Value<'_>, target: CastTarget) -> Value<'_> {
    let text = match argument {
        Value::Text(text) => text,
        other => return other,
    };
    match target {
        CastTarget::Text => Value::Text(text),
        CastTarget::Int => text.trim().parse().map_or(Value::Null, Value::Int),
        CastTarget::Double => text.trim().parse().map_or(Value::Null, Value::Double),
        CastTarget::Bool => text
            .trim()
            .to_ascii_lowercase()
            .parse()
            .map_or(Value::Null, Value::Bool),
        CastTarget::Time => moment(text.trim()).map_or(Value::Null, Value::Time),
    }
}
