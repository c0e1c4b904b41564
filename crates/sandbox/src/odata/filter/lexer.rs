//! Text of a filter into tokens.
//!
//! Owns quoting (a doubled quote is a quote), dates, numbers and GUIDs. It never looks at meaning; errors are
//! fragments that the caller puts into Graph's sentence.

use jiff::Timestamp;
use uuid::Uuid;

/// The longest filter that is read; URLs beyond this do not reach Graph either.
const MAX_FILTER_BYTES: usize = 16 * 1024;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A name, keyword or path, as written.
    Word(String),
    /// Quoted text without its quotes.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A moment.
    Time(Timestamp),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `:`
    Colon,
}

/// Splits `text`.
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    if text.len() > MAX_FILTER_BYTES {
        return Err(format!("the expression is longer than {MAX_FILTER_BYTES} bytes"));
    }
    let mut found = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some(&(at, character)) = rest.peek() {
        match character {
            '(' | ')' | ',' | ':' => {
                rest.next();
                found.push(match character {
                    '(' => Token::Open,
                    ')' => Token::Close,
                    ',' => Token::Comma,
                    _ => Token::Colon,
                });
            }
            '\'' => {
                rest.next();
                let literal = quoted(&mut rest)
                    .ok_or_else(|| format!("there is an unterminated string literal at position {at}"))?;
                let token = after_prefix(&mut found, literal)?;
                found.push(token);
            }
            _ if character.is_whitespace() => {
                rest.next();
            }
            _ if character.is_ascii_digit() || character == '-' || character == '+' => {
                let word = take(&mut rest, |c| c.is_alphanumeric() || matches!(c, '.' | ':' | '+' | '-'));
                found.push(number(&word)?);
            }
            _ if character.is_alphabetic() || matches!(character, '_' | '$' | '@') => {
                let word = take(&mut rest, |c| {
                    c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '/' | '.' | '-')
                });
                found.push(if Uuid::parse_str(&word).is_ok() {
                    Token::Text(word)
                } else {
                    Token::Word(word)
                });
            }
            _ => return Err(format!("syntax error at position {at}")),
        }
    }
    Ok(found)
}

type Rest<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

fn quoted(rest: &mut Rest<'_>) -> Option<String> {
    let mut literal = String::new();
    while let Some((_, character)) = rest.next() {
        if character != '\'' {
            literal.push(character);
        } else if rest.peek().is_some_and(|(_, next)| *next == '\'') {
            rest.next();
            literal.push('\'');
        } else {
            return Some(literal);
        }
    }
    None
}

/// The spelling `datetime'…'`, `guid'…'` or `microsoft.graph.importance'…'`: the word before the quote gives the type.
fn after_prefix(found: &mut Vec<Token>, literal: String) -> Result<Token, String> {
    let Some(Token::Word(prefix)) = found.last() else {
        return Ok(Token::Text(literal));
    };
    let is_time = prefix.eq_ignore_ascii_case("datetime") || prefix.eq_ignore_ascii_case("datetimeoffset");
    if is_time {
        found.pop();
        return moment(&literal)
            .map(Token::Time)
            .ok_or_else(|| format!("'{literal}' is not a date"));
    }
    // `microsoft.graph.importance'high'` is a member of an enumeration.
    let of_type = prefix.contains('.') && prefix.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_'));
    if prefix.eq_ignore_ascii_case("guid") || of_type {
        found.pop();
    }
    Ok(Token::Text(literal))
}

fn take(rest: &mut Rest<'_>, wanted: impl Fn(char) -> bool) -> String {
    let mut word = String::new();
    while let Some(&(_, character)) = rest.peek() {
        if !wanted(character) {
            break;
        }
        word.push(character);
        rest.next();
    }
    word
}

fn number(word: &str) -> Result<Token, String> {
    if let Ok(value) = word.parse::<i64>() {
        return Ok(Token::Int(value));
    }
    if let Some(value) = moment(word) {
        return Ok(Token::Time(value));
    }
    if Uuid::parse_str(word).is_ok() {
        return Ok(Token::Text(word.to_owned()));
    }
    match word.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Token::Double(value)),
        _ => Err(format!("unrecognised literal '{word}'")),
    }
}

/// A date and time with offset, without one (UTC), or a bare date (midnight UTC).
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(value) = text.parse::<Timestamp>() {
        return Some(value);
    }
    if let Ok(value) = text.parse::<jiff::civil::DateTime>() {
        return value
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp());
    }
    let date = text.parse::<jiff::civil::Date>().ok()?;
    date.to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}
