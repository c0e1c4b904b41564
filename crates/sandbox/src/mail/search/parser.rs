//! Tokens of a search into conditions.
//!
//! Owns precedence (`NOT`, then `AND`, then `OR`; terms beside each other are joined by `AND`, but by `OR` when they
//! restrict the same property), the properties of contract §2.2 and the values each takes. Invariant: every token is
//! consumed or the text is refused.

use jiff::Timestamp;

use super::dates;
use super::lexer::{Relation, Token};
use super::matcher::words;
use super::{Field, MessageKind, MomentField, Node, Phrase, Role, Span};
use crate::mail::message::Importance;

/// Parses all of `tokens`.
pub fn parse(tokens: &[Token], now: Timestamp, depth: usize) -> Result<Node, String> {
    let mut parser = Parser {
        tokens,
        next: 0,
        now,
        depth,
    };
    parser.space();
    if parser.peek().is_none() {
        return Err("the search is empty".to_owned());
    }
    let node = parser.or()?;
    match parser.peek() {
        None => Ok(node),
        Some(token) => Err(format!("syntax error near {}", shown(token))),
    }
}

/// A property that can be named before a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Property {
    Text(Field),
    Address(Role),
    HasAttachment,
    Importance,
    Kind,
    Moment(MomentField),
    Size,
}

fn property(name: &str) -> Option<Property> {
    Some(match name.to_ascii_lowercase().as_str() {
        "subject" => Property::Text(Field::Subject),
        "body" => Property::Text(Field::Body),
        "attachment" | "attachmentnames" => Property::Text(Field::Attachment),
        "from" => Property::Address(Role::From),
        "to" => Property::Address(Role::To),
        "cc" => Property::Address(Role::Cc),
        "bcc" => Property::Address(Role::Bcc),
        "recipients" => Property::Address(Role::Recipients),
        "participants" => Property::Address(Role::Participants),
        "hasattachment" | "hasattachments" => Property::HasAttachment,
        "importance" => Property::Importance,
        "kind" => Property::Kind,
        "received" => Property::Moment(MomentField::Received),
        "sent" => Property::Moment(MomentField::Sent),
        "size" => Property::Size,
        _ => return None,
    })
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    now: Timestamp,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    fn space(&mut self) {
        if self.peek() == Some(&Token::Space) {
            self.next += 1;
        }
    }

    fn taken(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.depth = self.depth.checked_sub(1).ok_or("the search is nested too deeply")?;
        let result = inner(self);
        self.depth += 1;
        result
    }

    fn or(&mut self) -> Result<Node, String> {
        let mut terms = vec![self.and()?];
        loop {
            self.space();
            if !self.taken(&Token::Or) {
                return Ok(one_or(terms, Node::Any));
            }
            terms.push(self.and()?);
        }
    }

    fn and(&mut self) -> Result<Node, String> {
        // Terms joined by AND; each is a list of neighbours that restrict the same property.
        let (property, node) = self.unary()?;
        let mut groups = vec![(property, vec![node])];
        loop {
            self.space();
            let spelled = self.taken(&Token::And);
            match self.peek() {
                None | Some(Token::Or | Token::Close) if !spelled => break,
                Some(Token::Relation(_) | Token::Range) if !spelled => break,
                _ => {}
            }
            let (property, node) = self.unary()?;
            match groups.last_mut() {
                Some((last, nodes)) if !spelled && property.is_some() && *last == property => nodes.push(node),
                _ => groups.push((property, vec![node])),
            }
        }
        let terms = groups.into_iter().map(|(_, nodes)| one_or(nodes, Node::Any)).collect();
        Ok(one_or(terms, Node::All))
    }

    fn unary(&mut self) -> Result<(Option<Property>, Node), String> {
        self.space();
        if self.taken(&Token::Not) {
            let (_, node) = self.deeper(Self::unary)?;
            return Ok((None, Node::Not(Box::new(node))));
        }
        if self.taken(&Token::Open) {
            let node = self.deeper(Self::or)?;
            self.space();
            return if self.taken(&Token::Close) {
                Ok((None, node))
            } else {
                Err("a parenthesis is not closed".to_owned())
            };
        }
        let token = self.peek().ok_or("the search ends too early")?;
        self.next += 1;
        match (token, self.peek()) {
            (Token::Word(name), Some(Token::Relation(relation))) => {
                self.next += 1;
                let property =
                    property(name).ok_or_else(|| format!("'{name}' is not a property that can be searched"))?;
                let node = self.restriction(name, property, *relation)?;
                Ok((Some(property), node))
            }
            (Token::Word(word), _) => Ok((None, text(Field::Default, word, false)?)),
            (Token::Phrase(phrase, star), _) => Ok((None, text(Field::Default, phrase, *star)?)),
            (other, _) => Err(format!("syntax error near {}", shown(other))),
        }
    }

    fn restriction(&mut self, name: &str, property: Property, relation: Relation) -> Result<Node, String> {
        if relation == Relation::Is && self.taken(&Token::Open) {
            return self.deeper(|parser| parser.values(name, property));
        }
        let (value, star) = self.value(name)?;
        if relation == Relation::IsNot {
            let node = self.single(name, property, Relation::Is, &value, star)?;
            return Ok(Node::Not(Box::new(node)));
        }
        self.single(name, property, relation, &value, star)
    }

    /// `from:(ada OR bob)`
    fn values(&mut self, name: &str, property: Property) -> Result<Node, String> {
        let (mut any, mut all) = (Vec::new(), Vec::new());
        loop {
            self.space();
            let negated = self.taken(&Token::Not);
            self.space();
            let (value, star) = self.value(name)?;
            let node = self.single(name, property, Relation::Is, &value, star)?;
            all.push(if negated { Node::Not(Box::new(node)) } else { node });
            self.space();
            if self.taken(&Token::Close) {
                any.push(one_or(all, Node::All));
                return Ok(one_or(any, Node::Any));
            }
            if self.taken(&Token::Or) {
                any.push(one_or(std::mem::take(&mut all), Node::All));
            } else {
                self.taken(&Token::And);
            }
        }
    }

    fn value(&mut self, name: &str) -> Result<(String, bool), String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                self.next += 1;
                Ok((word.clone(), false))
            }
            Some(Token::Phrase(phrase, star)) => {
                self.next += 1;
                Ok((phrase.clone(), *star))
            }
            Some(Token::Range) => Ok((String::new(), false)),
            _ => Err(format!("the property '{name}' has no value")),
        }
    }

    fn single(
        &mut self,
        name: &str,
        property: Property,
        relation: Relation,
        value: &str,
        star: bool,
    ) -> Result<Node, String> {
        let ordered = matches!(property, Property::Moment(_) | Property::Size);
        let upper = if ordered && relation == Relation::Is && self.taken(&Token::Range) {
            Some(self.value(name)?.0)
        } else {
            None
        };
        if !ordered && relation != Relation::Is {
            return Err(format!("the property '{name}' cannot be compared by size"));
        }
        let bad = || format!("'{value}' is not a value of the property '{name}'");
        Ok(match property {
            Property::Text(field) => text(field, value, star)?,
            Property::Address(role) => Node::Address(role, phrase(value, star)?),
            Property::HasAttachment => match value.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Node::HasAttachment(true),
                "false" | "0" | "no" => Node::HasAttachment(false),
                _ => return Err(bad()),
            },
            Property::Importance => Node::Importance(match value.to_ascii_lowercase().as_str() {
                "low" => Importance::Low,
                "medium" | "normal" => Importance::Normal,
                "high" => Importance::High,
                _ => return Err(bad()),
            }),
            Property::Kind => Node::Kind(match value.to_ascii_lowercase().as_str() {
                "email" => MessageKind::Email,
                "meetings" => MessageKind::Meetings,
                "contacts" | "docs" | "externaldata" | "faxes" | "im" | "journals" | "microsoftteams" | "notes"
                | "posts" | "rssfeeds" | "tasks" | "voicemail" => MessageKind::Elsewhere,
                _ => return Err(bad()),
            }),
            Property::Moment(field) => {
                let span = |text: &str| dates::span(text, self.now);
                let whole = match &upper {
                    Some(upper) => between(value, upper, &span),
                    None => span(value).map(|day| bounded(relation, day)),
                };
                Node::Moment(field, whole.ok_or_else(bad)?)
            }
            Property::Size => {
                let one = |text: &str| {
                    bytes(text).map(|size| Span {
                        start: Some(size),
                        end: size.checked_add(1),
                    })
                };
                let whole = match &upper {
                    Some(upper) => between(value, upper, &one),
                    None => one(value).map(|size| bounded(relation, size)),
                };
                Node::Size(whole.ok_or_else(bad)?)
            }
        })
    }
}

fn one_or(mut nodes: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    match nodes.pop() {
        Some(node) if nodes.is_empty() => node,
        Some(node) => {
            nodes.push(node);
            many(nodes)
        }
        None => many(nodes),
    }
}

fn text(field: Field, value: &str, star: bool) -> Result<Node, String> {
    Ok(Node::Words(field, phrase(value, star)?))
}

fn phrase(value: &str, star: bool) -> Result<Phrase, String> {
    if value.trim_start().starts_with('*') {
        return Err(format!("'{value}' begins with a wildcard, which is not supported"));
    }
    let prefix = star || value.ends_with('*');
    let words: Vec<String> = words(value).collect();
    if words.is_empty() {
        return Err(format!("'{value}' has no word to search for"));
    }
    Ok(Phrase { words, prefix })
}

/// What a relation makes of the span that a value stands for: a day, or one size.
fn bounded<T: Copy>(relation: Relation, value: Span<T>) -> Span<T> {
    let Span { start, end } = value;
    let (start, end) = match relation {
        Relation::Is | Relation::IsNot => (start, end),
        Relation::Less => (None, start),
        Relation::LessOrEqual => (None, end),
        Relation::Greater => (end, None),
        Relation::GreaterOrEqual => (start, None),
    };
    Span { start, end }
}

/// `a..b`, with both ends included; one may be missing.
fn between<T: Copy>(from: &str, to: &str, read: &dyn Fn(&str) -> Option<Span<T>>) -> Option<Span<T>> {
    let start = if from.is_empty() { None } else { read(from)?.start };
    let end = if to.is_empty() { None } else { read(to)?.end };
    (!from.is_empty() || !to.is_empty()).then_some(Span { start, end })
}

/// A number of bytes, with `kb`, `mb` or `gb` behind it if it is large.
fn bytes(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &lower[digits.len()..] {
        "" | "b" => 1,
        "kb" | "k" => 1024,
        "mb" | "m" => 1024 * 1024,
        "gb" | "g" => 1024 * 1024 * 1024,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => format!("'{word}'"),
        Token::Phrase(phrase, _) => format!("'\"{phrase}\"'"),
        Token::Relation(_) => "an operator without a property".to_owned(),
        Token::Range => "'..'".to_owned(),
        Token::And => "'AND'".to_owned(),
        Token::Or => "'OR'".to_owned(),
        Token::Not => "'NOT'".to_owned(),
        Token::Open => "'('".to_owned(),
        Token::Close => "')'".to_owned(),
        Token::Space => "a space".to_owned(),
    }
}
