//! `$search` over messages: the Keyword Query Language (KQL) as Exchange takes it.
//!
//! Owns the syntax tree and the way from the query option to it. Words match whole words without case, `*` makes a
//! prefix; `AND`, `OR` and `NOT` are operators in capitals only. What the language does not know is refused with 400,
//! never searched for as text. It knows no mailbox; [`matcher`] asks a message.

mod dates;
mod lexer;
mod matcher;
mod parser;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::mail::refusal;
use crate::odata::error::ODataError;

/// The longest search that is read; Exchange's own bound for KQL is 4,096 characters.
const MAX_SEARCH: usize = 4_096;
/// How deep parentheses and `NOT` may nest.
const MAX_DEPTH: usize = 50;

/// A parsed search.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    root: Node,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Words(Field, Phrase),
    Address(Role, Phrase),
    HasAttachment(bool),
    Importance(crate::mail::message::Importance),
    Kind(MessageKind),
    Moment(MomentField, Span<Timestamp>),
    Size(Span<u64>),
}

/// Text of a message that can be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// Subject, body and sender: what a word without a property is looked for in.
    Default,
    Subject,
    Body,
    /// Names of attached files.
    Attachment,
}

/// Whose address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    From,
    To,
    Cc,
    Bcc,
    /// To, cc and bcc.
    Recipients,
    /// From, to, cc and bcc.
    Participants,
}

/// Kinds of items; all but two are never mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MessageKind {
    Email,
    Meetings,
    Elsewhere,
}

/// Which moment of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MomentField {
    Received,
    Sent,
}

/// Words that stand one after the other; the last may be a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Phrase {
    words: Vec<String>,
    prefix: bool,
}

/// From `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span<T> {
    start: Option<T>,
    end: Option<T>,
}

impl<T: PartialOrd + Copy> Span<T> {
    fn holds(&self, value: T) -> bool {
        self.start.is_none_or(|start| start <= value) && self.end.is_none_or(|end| value < end)
    }
}

impl Search {
    /// Reads the value of `$search`; `now` gives words such as `today` their meaning.
    pub fn parse(value: &str, now: Timestamp) -> Result<Self, ODataError> {
        if value.len() > MAX_SEARCH {
            return Err(refusal::bad_search(&format!(
                "the search is longer than {MAX_SEARCH} bytes"
            )));
        }
        let clause = unquoted(value).map_err(|problem| refusal::bad_search(&problem))?;
        let tokens = lexer::tokens(&clause).map_err(|problem| refusal::bad_search(&problem))?;
        let root = parser::parse(&tokens, now, MAX_DEPTH).map_err(|problem| refusal::bad_search(&problem))?;
        Ok(Self { root })
    }
}

/// The KQL inside the double quotes of `$search="…"`, where `\"` and `\\` stand for a quote and a backslash. Without
/// quotes OData allows plain words only.
fn unquoted(value: &str) -> Result<String, String> {
    let value = value.trim();
    let Some(inner) = value.strip_prefix('"') else {
        if let Some(at) = value
            .char_indices()
            .find_map(|(at, c)| (!(c.is_alphanumeric() || c.is_whitespace() || c == '_')).then_some(at))
        {
            let character = value[at..].chars().next().unwrap_or_default();
            return Err(format!(
                "character '{character}' is not valid at position {at} in '{value}'"
            ));
        }
        return Ok(value.to_owned());
    };
    let mut clause = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('"' | '\\')) => clause.push(escaped),
                Some(other) => {
                    clause.push('\\');
                    clause.push(other);
                }
                None => return Err("the search ends within an escape".to_owned()),
            },
            '"' => {
                let rest = characters.as_str().trim();
                // Several quoted parts joined by operators are OData's own spelling: they are read as one clause of
                // phrases.
                return if rest.is_empty() {
                    Ok(clause)
                } else {
                    Ok(value.to_owned())
                };
            }
            _ => clause.push(character),
        }
    }
    Err(format!("there is an unterminated string literal in '{value}'"))
}
