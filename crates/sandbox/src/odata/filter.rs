//! The `$filter` language: parsed text, evaluated over anything that can name its properties.
//!
//! Owns the syntax tree and the rules of comparison (text ignores case, as Exchange and the directory do; a property
//! or function nobody knows is a 400, never "no match"). It knows no resource: a resource shows itself through
//! [`Subject`]. Nesting is bounded, so hostile input cannot exhaust the stack.

mod check;
mod evaluate;
mod functions;
mod lexer;
mod parser;

pub(crate) use evaluate::compare_text;
pub use evaluate::{JsonSubject, Subject, Value};
pub use functions::ValueFunction;

use jiff::Timestamp;

use crate::odata::error::ODataError;

/// How deep parentheses and `not` may nest; real filters stay below ten.
const MAX_DEPTH: usize = 60;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    root: Expr,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// Both.
    And(Box<Expr>, Box<Expr>),
    /// Either.
    Or(Box<Expr>, Box<Expr>),
    /// Not.
    Not(Box<Expr>),
    /// `left op right`.
    Compare(Operand, Comparison, Operand),
    /// `contains(text, part)` and its relatives.
    Text(TextTest, Operand, Operand),
    /// `operand in ('a','b')`.
    In(Operand, Vec<Operand>),
    /// `path/any(variable: predicate)`; no predicate asks for any element.
    Any(String, String, Option<Box<Expr>>),
    /// `path/all(variable: predicate)`.
    All(String, String, Box<Expr>),
    /// A Boolean property or literal by itself.
    Truth(Operand),
}

/// A value inside a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A property path in lower case, parts joined by `/`.
    Path(String),
    /// Quoted text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// A moment; a bare date is midnight UTC.
    Time(Timestamp),
    /// A function and its arguments.
    Call(ValueFunction, Vec<Operand>),
    /// `cast(value, Edm.Type)`.
    Cast(Box<Operand>, CastTarget),
    /// A condition used as a value: `contains(a,'b') eq true`.
    Condition(Box<Expr>),
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

/// Functions that test text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTest {
    /// `contains`
    Contains,
    /// `startswith`
    StartsWith,
    /// `endswith`
    EndsWith,
}

/// Types that `cast` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CastTarget {
    /// `Edm.Int16`, `Edm.Int32`, `Edm.Int64`
    Int,
    /// `Edm.Double`, `Edm.Single`, `Edm.Decimal`
    Double,
    /// `Edm.Boolean`
    Bool,
    /// `Edm.DateTimeOffset`, `Edm.Date`
    Time,
    /// `Edm.String`, `Edm.Guid`
    Text,
}

impl Filter {
    /// Parses the text of a `$filter`; 400 when it is not one.
    pub fn parse(text: &str) -> Result<Self, ODataError> {
        let tokens = lexer::tokens(text).map_err(|error| invalid(&error, text))?;
        let root = parser::parse(&tokens, MAX_DEPTH).map_err(|error| invalid(&error, text))?;
        Ok(Self { root })
    }

    /// Whether a JSON entity passes. Property names are compared without case; a property it lacks is null.
    pub fn matches(&self, entity: &serde_json::Value) -> Result<bool, ODataError> {
        self.accepts(&JsonSubject(entity))
    }

    /// Whether a resource passes.
    pub fn accepts(&self, subject: &dyn Subject) -> Result<bool, ODataError> {
        evaluate::accepts(&self.root, subject)
    }

    /// Refuses a filter that could not be evaluated on `example`, a resource that has a value for everything: whether
    /// a filter is wrong must not depend on what there is to filter.
    pub fn check(&self, example: &dyn Subject) -> Result<(), ODataError> {
        check::check(&self.root, example, &evaluate::Scope::new())
    }

    /// The syntax tree, for callers that understand only some forms.
    #[must_use]
    pub fn root(&self) -> &Expr {
        &self.root
    }

    /// The properties the filter names, in order of appearance, each once.
    #[must_use]
    pub fn properties(&self) -> Vec<&str> {
        let mut found = Vec::new();
        collect(&self.root, &mut found);
        found
    }

    /// Replaces text that is compared with the property `path` (lower case): `parentFolderId eq 'inbox'` becomes the
    /// folder's id. `collection/property` reaches into `collection/any(x: x/property eq '…')`.
    pub fn rewrite_text(&mut self, path: &str, rewrite: &dyn Fn(&str) -> Option<String>) {
        rewrite_in(&mut self.root, path, rewrite);
    }
}

fn invalid(problem: &str, text: &str) -> ODataError {
    ODataError::bad_request(format!("Invalid filter clause: {problem} in '{text}'."))
}

fn collect<'a>(expr: &'a Expr, found: &mut Vec<&'a str>) {
    match expr {
        Expr::And(left, right) | Expr::Or(left, right) => {
            collect(left, found);
            collect(right, found);
        }
        Expr::Not(inner) => collect(inner, found),
        Expr::Compare(left, _, right) | Expr::Text(_, left, right) => {
            collect_operand(left, found);
            collect_operand(right, found);
        }
        Expr::In(operand, _) | Expr::Truth(operand) => collect_operand(operand, found),
        Expr::Any(path, _, _) | Expr::All(path, _, _) => note(path, found),
    }
}

fn collect_operand<'a>(operand: &'a Operand, found: &mut Vec<&'a str>) {
    match operand {
        Operand::Path(path) => note(path, found),
        Operand::Call(_, arguments) => {
            for argument in arguments {
                collect_operand(argument, found);
            }
        }
        Operand::Cast(inner, _) => collect_operand(inner, found),
        Operand::Condition(inner) => collect(inner, found),
        Operand::Text(_)
        | Operand::Int(_)
        | Operand::Double(_)
        | Operand::Bool(_)
        | Operand::Null
        | Operand::Time(_) => {}
    }
}

fn note<'a>(path: &'a str, found: &mut Vec<&'a str>) {
    if !found.contains(&path) {
        found.push(path);
    }
}

fn rewrite_in(expr: &mut Expr, path: &str, rewrite: &dyn Fn(&str) -> Option<String>) {
    match expr {
        Expr::And(left, right) | Expr::Or(left, right) => {
            rewrite_in(left, path, rewrite);
            rewrite_in(right, path, rewrite);
        }
        Expr::Not(inner) => rewrite_in(inner, path, rewrite),
        Expr::Compare(Operand::Path(name), _, Operand::Text(text))
        | Expr::Compare(Operand::Text(text), _, Operand::Path(name))
            if name == path =>
        {
            if let Some(better) = rewrite(text) {
                *text = better;
            }
        }
        Expr::In(Operand::Path(name), list) if name == path => {
            for item in list {
                if let Operand::Text(text) = item
                    && let Some(better) = rewrite(text)
                {
                    *text = better;
                }
            }
        }
        Expr::Any(collection, variable, Some(predicate)) | Expr::All(collection, variable, predicate) => {
            if let Some(rest) = path
                .strip_prefix(collection.as_str())
                .and_then(|rest| rest.strip_prefix('/'))
            {
                rewrite_in(predicate, &format!("{variable}/{rest}"), rewrite);
            }
        }
        Expr::Compare(..) | Expr::Text(..) | Expr::In(..) | Expr::Any(..) | Expr::Truth(_) => {}
    }
}

#[cfg(test)]
mod tests;
