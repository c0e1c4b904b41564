//! Text of a search into tokens.
//!
//! Owns quoting, the characters that end a word and the recognition of operators. It never looks at properties.

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A word as written, with its `*` if it has one.
    Word(String),
    /// A quoted phrase, and whether a `*` follows it.
    Phrase(String, bool),
    /// The operator after a property.
    Relation(Relation),
    /// `..`
    Range,
    And,
    Or,
    Not,
    Open,
    Close,
    /// White space before the next token; kept because it ends a property.
    Space,
}

/// How a property relates to its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `:` or `=`
    Is,
    IsNot,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Splits `text`.
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found: Vec<Token> = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (token, length) = match character {
            _ if character.is_whitespace() => (Token::Space, character.len_utf8()),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' | '\'' if character == '"' || starts_value(&found) => match phrase(rest, character) {
                Some(found) => found,
                None if character == '\'' => word(rest),
                None => return Err(format!("there is an unterminated phrase in '{text}'")),
            },
            ':' | '=' => (Token::Relation(Relation::Is), 1),
            '<' | '>' => relation(rest),
            '.' if rest.starts_with("..") => (Token::Range, 2),
            '-' | '+' if begins_term(&found) && rest.len() > 1 => {
                if character == '-' {
                    (Token::Not, 1)
                } else {
                    (Token::Space, 1)
                }
            }
            _ => word(rest),
        };
        if token != Token::Space || found.last().is_some_and(|last| *last != Token::Space) {
            found.push(token);
        }
        rest = &rest[length..];
    }
    if found.last() == Some(&Token::Space) {
        found.pop();
    }
    Ok(found)
}

/// Whether what follows begins a term: there is nothing, a space, an operator or an opening parenthesis before it.
fn begins_term(found: &[Token]) -> bool {
    matches!(found.last(), None | Some(Token::Space | Token::Open))
}

/// An apostrophe quotes only where a value begins; inside a word it belongs to it.
fn starts_value(found: &[Token]) -> bool {
    begins_term(found) || matches!(found.last(), Some(Token::Relation(_) | Token::Not | Token::Range))
}

fn phrase(rest: &str, quote: char) -> Option<(Token, usize)> {
    let end = rest[1..].find(quote)? + 1;
    let star = rest[end + 1..].starts_with('*');
    Some((
        Token::Phrase(rest[1..end].to_owned(), star),
        end + 1 + usize::from(star),
    ))
}

fn relation(rest: &str) -> (Token, usize) {
    for (text, relation) in [
        ("<>", Relation::IsNot),
        ("<=", Relation::LessOrEqual),
        (">=", Relation::GreaterOrEqual),
        ("<", Relation::Less),
        (">", Relation::Greater),
    ] {
        if rest.starts_with(text) {
            return (Token::Relation(relation), text.len());
        }
    }
    (Token::Relation(Relation::Is), 1)
}

fn word(rest: &str) -> (Token, usize) {
    let mut length = 0;
    for (at, character) in rest.char_indices() {
        let ends = character.is_whitespace()
            || matches!(character, '(' | ')' | '"' | '<' | '>' | '=')
            || (character == ':' && !inside_time(&rest[..at], &rest[at..]))
            || rest[at..].starts_with("..");
        if ends && at > 0 {
            break;
        }
        length = at + character.len_utf8();
        if ends {
            break;
        }
    }
    let text = &rest[..length];
    let token = match text {
        "AND" => Token::And,
        "OR" => Token::Or,
        "NOT" => Token::Not,
        _ => Token::Word(text.to_owned()),
    };
    (token, length)
}

/// A colon between digits belongs to a time of day: `2026-03-01T10:00`.
fn inside_time(before: &str, from: &str) -> bool {
    before.ends_with(|c: char| c.is_ascii_digit())
        && before.starts_with(|c: char| c.is_ascii_digit())
        && from[1..].starts_with(|c: char| c.is_ascii_digit())
}
