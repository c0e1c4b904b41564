//! Recipient filters: the language of `-RecipientRestrictionFilter`.
//!
//! Owns reading and evaluating them (OPATH: `-eq -ne -like -notlike -gt -ge -lt -le`, `-and -or -not`, parentheses,
//! `$true $false $null`). A property or operator that Exchange does not have is refused when the filter is set, never
//! taken for "no match". Comparison ignores case; of a property with several values one suffices, with `-ne` and
//! `-notlike` none may match.

use serde::{Deserialize, Serialize};

/// Longest filter, as Exchange bounds stored text; nesting is bounded by [`MAX_DEPTH`].
const MAX_LENGTH: usize = 32_768;
/// How deep parentheses and `-not` may nest.
const MAX_DEPTH: usize = 50;

/// Properties a filter may name (Exchange's filterable properties of mailboxes), as Exchange spells them.
pub const PROPERTIES: [&str; 42] = [
    "Alias",
    "City",
    "Company",
    "CountryOrRegion",
    "CustomAttribute1",
    "CustomAttribute2",
    "CustomAttribute3",
    "CustomAttribute4",
    "CustomAttribute5",
    "CustomAttribute6",
    "CustomAttribute7",
    "CustomAttribute8",
    "CustomAttribute9",
    "CustomAttribute10",
    "CustomAttribute11",
    "CustomAttribute12",
    "CustomAttribute13",
    "CustomAttribute14",
    "CustomAttribute15",
    "Department",
    "DisplayName",
    "DistinguishedName",
    "EmailAddresses",
    "ExternalDirectoryObjectId",
    "FirstName",
    "Guid",
    "HiddenFromAddressListsEnabled",
    "LastName",
    "MemberOfGroup",
    "Name",
    "Notes",
    "Office",
    "Phone",
    "PostalCode",
    "PrimarySmtpAddress",
    "RecipientType",
    "RecipientTypeDetails",
    "StateOrProvince",
    "Title",
    "UserPrincipalName",
    "WindowsEmailAddress",
    "WindowsLiveID",
];

/// What a filter is asked about.
pub trait Subject {
    /// The values of a property of [`PROPERTIES`]; none when it is empty.
    fn values(&self, property: &str) -> Vec<String>;
}

/// A filter and its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Restriction {
    text: String,
    root: Condition,
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Test(&'static str, Operator, Option<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Like,
    NotLike,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
enum Word {
    Open,
    Close,
    /// `-and`, `-eq` and so on, in lower case without the dash.
    Dashed(String),
    /// A property.
    Name(String),
    /// A literal; `$null` is none.
    Literal(Option<String>),
}

impl From<Restriction> for String {
    fn from(restriction: Restriction) -> Self {
        restriction.text
    }
}

impl TryFrom<String> for Restriction {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl Restriction {
    /// Reads a filter.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("the filter is longer than {MAX_LENGTH} characters"));
        }
        let words = words(text)?;
        let mut reader = Reader {
            words: &words,
            depth: 0,
        };
        let root = reader.either()?;
        match reader.words {
            [] => Ok(Self {
                text: text.trim().to_owned(),
                root,
            }),
            [word, ..] => Err(format!("{word:?} was not expected")),
        }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds for the subject.
    #[must_use]
    pub fn matches(&self, subject: &dyn Subject) -> bool {
        holds(&self.root, subject)
    }
}

fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '(' => (Word::Open, &rest[1..]),
            ')' => (Word::Close, &rest[1..]),
            '{' | '}' => return Err("a filter is text, not a script block".to_owned()),
            '\'' | '"' => quoted(rest, first)?,
            _ => {
                let end = rest
                    .find(|character: char| character.is_whitespace() || matches!(character, '(' | ')' | '\'' | '"'))
                    .unwrap_or(rest.len());
                (bare(&rest[..end]), &rest[end..])
            }
        };
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

/// A literal in quotes; a doubled quote stands for itself.
fn quoted(text: &str, quote: char) -> Result<(Word, &str), String> {
    let mut value = String::new();
    let mut rest = &text[1..];
    loop {
        let end = rest
            .find(quote)
            .ok_or_else(|| "the string is missing its terminator".to_owned())?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(quote) {
            Some(more) => {
                value.push(quote);
                rest = more;
            }
            None => return Ok((Word::Literal(Some(value)), rest)),
        }
    }
}

fn bare(word: &str) -> Word {
    match word.to_ascii_lowercase().as_str() {
        "$null" => Word::Literal(None),
        "$true" => Word::Literal(Some("True".to_owned())),
        "$false" => Word::Literal(Some("False".to_owned())),
        lower => match lower.strip_prefix('-') {
            Some(dashed) if dashed.starts_with(|character: char| character.is_ascii_alphabetic()) => {
                Word::Dashed(dashed.to_owned())
            }
            _ if lower.starts_with(|character: char| character.is_ascii_digit() || character == '-') => {
                Word::Literal(Some(word.to_owned()))
            }
            _ => Word::Name(word.to_owned()),
        },
    }
}

struct Reader<'a> {
    words: &'a [Word],
    depth: usize,
}

impl Reader<'_> {
    fn take_dashed(&mut self, wanted: &str) -> bool {
        match self.words {
            [Word::Dashed(word), rest @ ..] if word == wanted => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn either(&mut self) -> Result<Condition, String> {
        let mut left = self.both()?;
        while self.take_dashed("or") {
            left = Condition::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Condition, String> {
        let mut left = self.single()?;
        while self.take_dashed("and") {
            left = Condition::And(Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Condition, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("the filter is nested deeper than {MAX_DEPTH} levels"));
        }
        let condition = self.nested();
        self.depth -= 1;
        condition
    }

    fn nested(&mut self) -> Result<Condition, String> {
        if self.take_dashed("not") {
            return Ok(Condition::Not(Box::new(self.single()?)));
        }
        match self.words {
            [Word::Open, rest @ ..] => {
                self.words = rest;
                let inner = self.either()?;
                match self.words {
                    [Word::Close, rest @ ..] => {
                        self.words = rest;
                        Ok(inner)
                    }
                    _ => Err("a closing parenthesis is missing".to_owned()),
                }
            }
            [
                Word::Name(name),
                Word::Dashed(operator),
                Word::Literal(literal),
                rest @ ..,
            ] => {
                let condition = test(name, operator, literal.clone())?;
                self.words = rest;
                Ok(condition)
            }
            [Word::Name(name), ..] => Err(format!("an operator and a value are missing after '{name}'")),
            _ => Err("a property name is missing".to_owned()),
        }
    }
}

fn test(name: &str, operator: &str, literal: Option<String>) -> Result<Condition, String> {
    let property = PROPERTIES
        .iter()
        .copied()
        .find(|property| property.eq_ignore_ascii_case(name))
        .ok_or_else(|| format!("\"{name}\" isn't a filterable property"))?;
    let operator = match operator {
        "eq" => Operator::Equal,
        "ne" => Operator::NotEqual,
        "like" => Operator::Like,
        "notlike" => Operator::NotLike,
        "gt" => Operator::Greater,
        "ge" => Operator::GreaterOrEqual,
        "lt" => Operator::Less,
        "le" => Operator::LessOrEqual,
        other => return Err(format!("\"-{other}\" isn't a valid operator")),
    };
    if literal.is_none() && !matches!(operator, Operator::Equal | Operator::NotEqual) {
        return Err("$null can only be compared with -eq and -ne".to_owned());
    }
    if property == "MemberOfGroup" {
        let is_name = literal
            .as_deref()
            .is_some_and(|value| value.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("cn=")));
        if !is_name || !matches!(operator, Operator::Equal | Operator::NotEqual) {
            return Err("MemberOfGroup is compared with -eq or -ne to the distinguished name of a group".to_owned());
        }
    }
    Ok(Condition::Test(property, operator, literal))
}

fn holds(condition: &Condition, subject: &dyn Subject) -> bool {
    match condition {
        Condition::And(left, right) => holds(left, subject) && holds(right, subject),
        Condition::Or(left, right) => holds(left, subject) || holds(right, subject),
        Condition::Not(inner) => !holds(inner, subject),
        Condition::Test(property, operator, literal) => {
            let values = subject.values(property);
            let Some(literal) = literal else {
                return values.is_empty() == (*operator == Operator::Equal);
            };
            let wanted = literal.to_lowercase();
            let any = |test: &dyn Fn(&str) -> bool| values.iter().any(|value| test(&value.to_lowercase()));
            match operator {
                Operator::Equal => any(&|value| value == wanted),
                Operator::NotEqual => !any(&|value| value == wanted),
                Operator::Like => any(&|value| like(value, &wanted)),
                Operator::NotLike => !any(&|value| like(value, &wanted)),
                Operator::Greater => any(&|value| value > wanted.as_str()),
                Operator::GreaterOrEqual => any(&|value| value >= wanted.as_str()),
                Operator::Less => any(&|value| value < wanted.as_str()),
                Operator::LessOrEqual => any(&|value| value <= wanted.as_str()),
            }
        }
    }
}

/// `*` stands for anything, anywhere in the pattern.
fn like(value: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = value.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Person;

    impl Subject for Person {
        fn values(&self, property: &str) -> Vec<String> {
            match property {
                "Department" => vec!["Support".to_owned()],
                "EmailAddresses" => vec!["SMTP:a@contoso.example".to_owned(), "smtp:b@contoso.example".to_owned()],
                "MemberOfGroup" => vec!["CN=Team,OU=contoso".to_owned()],
                _ => Vec::new(),
            }
        }
    }

    fn says(text: &str) -> bool {
        Restriction::parse(text).expect(text).matches(&Person)
    }

    #[test]
    fn filters_mean_what_they_say() {
        for yes in [
            "Department -eq 'support'",
            "department -LIKE \"Sup*\"",
            "MemberOfGroup -eq 'CN=team,OU=Contoso'",
            "EmailAddresses -like '*b@contoso*'",
            "(Title -eq 'VP') -or (Department -eq 'Support' -and Title -eq $null)",
            "-not (Department -eq 'Sales')",
            "Title -ne 'VP'",
            "Department -ge 'a'",
        ] {
            assert!(says(yes), "{yes}");
        }
        for no in [
            "Department -eq 'Sup'",
            "Department -like 'port*'",
            "Department -eq $null",
            "EmailAddresses -notlike '*b@*'",
            "Department -eq 'Support' -and Title -eq 'VP'",
        ] {
            assert!(!says(no), "{no}");
        }
    }

    #[test]
    fn what_exchange_does_not_have_is_refused() {
        for bad in [
            "",
            "Colour -eq 'red'",
            "Department -contains 'x'",
            "Department -eq 'x",
            "(Department -eq 'x'",
            "Department -eq 'x' Title -eq 'y'",
            "Department -like $null",
            "MemberOfGroup -eq 'Team'",
            "Department eq 'x'",
            "Department -eq",
        ] {
            assert!(Restriction::parse(bad).is_err(), "{bad}");
        }
        let deep = format!("{}Department -eq 'x'", "-not ".repeat(1_000));
        assert!(Restriction::parse(&deep).is_err());
    }

    #[test]
    fn a_quote_is_doubled_inside_a_literal() {
        struct Named;
        impl Subject for Named {
            fn values(&self, _: &str) -> Vec<String> {
                vec!["O'Neil".to_owned()]
            }
        }
        assert!(
            Restriction::parse("LastName -eq 'O''Neil'")
                .expect("a filter")
                .matches(&Named)
        );
    }
}
