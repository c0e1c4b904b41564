//! Evaluation of a filter over a resource.
//!
//! Owns comparison: text and GUIDs ignore case, numbers compare as numbers, moments as moments, and null equals only
//! null. Types that cannot be compared are a 400, as Graph answers, so that a filter is never silently wrong.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;

use super::lexer::moment;
use super::{Comparison, Expr, Operand, TextTest, functions};
use crate::odata::error::ODataError;

/// A property's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Absent.
    Null,
    /// Boolean.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Number with a fraction.
    Double(f64),
    /// Text or GUID.
    Text(Cow<'a, str>),
    /// A member of an enumeration, by its place among all of them.
    Member(usize, &'static [&'static str]),
    /// A moment.
    Time(Timestamp),
}

/// Something a filter can be asked about.
pub trait Subject {
    /// The value of a property path in lower case; `None` when there is no such property. The empty path is the
    /// subject itself (`c eq 'x'` inside a lambda).
    fn value(&self, path: &str) -> Option<Value<'_>>;
    /// The elements of a collection; `None` when there is no such collection.
    fn items(&self, path: &str) -> Option<Vec<Box<dyn Subject + '_>>>;
}

/// A JSON document as a subject.
#[derive(Debug)]
pub struct JsonSubject<'a>(pub &'a serde_json::Value);

impl Subject for JsonSubject<'_> {
    fn value(&self, path: &str) -> Option<Value<'_>> {
        if let Some(collection) = path.strip_suffix("/$count") {
            let count = member(self.0, collection)
                .and_then(serde_json::Value::as_array)
                .map_or(0, Vec::len);
            return Some(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)));
        }
        Some(match member(self.0, path) {
            None | Some(serde_json::Value::Null) => Value::Null,
            Some(serde_json::Value::Bool(value)) => Value::Bool(*value),
            Some(serde_json::Value::Number(number)) => match number.as_i64() {
                Some(value) => Value::Int(value),
                None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Some(serde_json::Value::String(text)) => Value::Text(Cow::Borrowed(text)),
            Some(serde_json::Value::Array(_) | serde_json::Value::Object(_)) => return None,
        })
    }

    fn items(&self, path: &str) -> Option<Vec<Box<dyn Subject + '_>>> {
        match member(self.0, path) {
            None | Some(serde_json::Value::Null) => Some(Vec::new()),
            Some(serde_json::Value::Array(items)) => Some(
                items
                    .iter()
                    .map(|item| Box::new(JsonSubject(item)) as Box<dyn Subject>)
                    .collect(),
            ),
            Some(_) => None,
        }
    }
}

fn member<'a>(value: &'a serde_json::Value, path: &str) -> Option<&'a serde_json::Value> {
    if path.is_empty() {
        return Some(value);
    }
    path.split('/').try_fold(value, |value, part| {
        value
            .as_object()?
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(part))
            .map(|(_, value)| value)
    })
}

/// Lambda variables in scope, innermost last.
pub(super) type Scope<'a> = Vec<(&'a str, &'a dyn Subject)>;

/// Whether `subject` passes.
pub fn accepts(expr: &Expr, subject: &dyn Subject) -> Result<bool, ODataError> {
    evaluate(expr, subject, &Scope::new())
}

fn evaluate<'a>(expr: &'a Expr, subject: &'a dyn Subject, scope: &Scope<'a>) -> Result<bool, ODataError> {
    match expr {
        Expr::And(left, right) => Ok(evaluate(left, subject, scope)? && evaluate(right, subject, scope)?),
        Expr::Or(left, right) => Ok(evaluate(left, subject, scope)? || evaluate(right, subject, scope)?),
        Expr::Not(inner) => Ok(!evaluate(inner, subject, scope)?),
        Expr::Compare(left, comparison, right) => compare(
            &value(left, subject, scope)?,
            *comparison,
            &value(right, subject, scope)?,
        ),
        Expr::Text(test, text, part) => {
            let (text, part) = (value(text, subject, scope)?, value(part, subject, scope)?);
            text_test(*test, &text, &part)
        }
        Expr::In(operand, list) => {
            let wanted = value(operand, subject, scope)?;
            for item in list {
                if compare(&wanted, Comparison::Equal, &value(item, subject, scope)?)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Expr::Truth(operand) => match value(operand, subject, scope)? {
            Value::Bool(value) => Ok(value),
            Value::Null => Ok(false),
            _ => Err(incompatible()),
        },
        Expr::Any(path, variable, predicate) => {
            let items = items(path, subject, scope)?;
            let Some(predicate) = predicate else {
                return Ok(!items.is_empty());
            };
            for item in &items {
                let mut inner = scope.clone();
                inner.push((variable, item.as_ref()));
                if evaluate(predicate, subject, &inner)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Expr::All(path, variable, predicate) => {
            for item in &items(path, subject, scope)? {
                let mut inner = scope.clone();
                inner.push((variable, item.as_ref()));
                if !evaluate(predicate, subject, &inner)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
    }
}

/// The subject and the rest of a path, after a lambda variable at its head has been resolved.
fn resolve<'a, 'p>(path: &'p str, subject: &'a dyn Subject, scope: &Scope<'a>) -> (&'a dyn Subject, &'p str) {
    let (head, rest) = path.split_once('/').unwrap_or((path, ""));
    match scope.iter().rev().find(|(variable, _)| *variable == head) {
        Some((_, item)) => (*item, rest),
        None => (subject, path),
    }
}

pub(super) fn items<'a>(
    path: &str,
    subject: &'a dyn Subject,
    scope: &Scope<'a>,
) -> Result<Vec<Box<dyn Subject + 'a>>, ODataError> {
    let (owner, rest) = resolve(path, subject, scope);
    owner.items(rest).ok_or_else(|| unknown_property(path))
}

pub(super) fn value<'a>(
    operand: &'a Operand,
    subject: &'a dyn Subject,
    scope: &Scope<'a>,
) -> Result<Value<'a>, ODataError> {
    Ok(match operand {
        Operand::Path(path) => {
            let (owner, rest) = resolve(path, subject, scope);
            owner.value(rest).ok_or_else(|| unknown_property(path))?
        }
        Operand::Text(text) => Value::Text(Cow::Borrowed(text)),
        Operand::Int(value) => Value::Int(*value),
        Operand::Double(value) => Value::Double(*value),
        Operand::Bool(value) => Value::Bool(*value),
        Operand::Null => Value::Null,
        Operand::Time(value) => Value::Time(*value),
        Operand::Condition(inner) => Value::Bool(evaluate(inner, subject, scope)?),
        Operand::Call(function, arguments) => {
            let arguments: Vec<Value<'_>> = arguments
                .iter()
                .map(|argument| value(argument, subject, scope))
                .collect::<Result<_, _>>()?;
            functions::call(*function, &arguments)?
        }
        Operand::Cast(inner, target) => functions::cast(value(inner, subject, scope)?, *target),
    })
}

pub(super) fn text_test(test: TextTest, text: &Value<'_>, part: &Value<'_>) -> Result<bool, ODataError> {
    match (text, part) {
        (Value::Null, _) | (_, Value::Null) => Ok(false),
        (Value::Text(text), Value::Text(part)) => {
            let (text, part) = (text.to_lowercase(), part.to_lowercase());
            Ok(match test {
                TextTest::Contains => text.contains(&part),
                TextTest::StartsWith => text.starts_with(&part),
                TextTest::EndsWith => text.ends_with(&part),
            })
        }
        _ => Err(incompatible()),
    }
}

pub(super) fn compare(left: &Value<'_>, comparison: Comparison, right: &Value<'_>) -> Result<bool, ODataError> {
    let ordering = match (left, right) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(compare_text(left, right)),
        (Value::Member(left, _), Value::Member(right, _)) => Some(left.cmp(right)),
        (Value::Member(left, members), Value::Text(right)) => Some(left.cmp(&place(members, right)?)),
        (Value::Text(left), Value::Member(right, members)) => Some(place(members, left)?.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Time(right)) => Some(moment(left).ok_or_else(incompatible)?.cmp(right)),
        (Value::Time(left), Value::Text(right)) => Some(left.cmp(&moment(right).ok_or_else(incompatible)?)),
        (Value::Int(_) | Value::Double(_), Value::Int(_) | Value::Double(_)) => {
            number(left).partial_cmp(&number(right))
        }
        _ => return Err(incompatible()),
    };
    Ok(match (comparison, ordering) {
        (Comparison::Equal, ordering) => ordering == Some(Ordering::Equal),
        (Comparison::NotEqual, ordering) => ordering != Some(Ordering::Equal),
        (_, None) => false,
        (Comparison::Greater, Some(ordering)) => ordering.is_gt(),
        (Comparison::GreaterOrEqual, Some(ordering)) => ordering.is_ge(),
        (Comparison::Less, Some(ordering)) => ordering.is_lt(),
        (Comparison::LessOrEqual, Some(ordering)) => ordering.is_le(),
    })
}

/// The place of a member that a filter names.
fn place(members: &[&str], name: &str) -> Result<usize, ODataError> {
    members
        .iter()
        .position(|member| member.eq_ignore_ascii_case(name))
        .ok_or_else(|| {
            ODataError::bad_request(format!(
                "Invalid filter clause: The string '{name}' is not a valid enumeration type constant."
            ))
        })
}

/// Orders text without case.
pub(crate) fn compare_text(left: &str, right: &str) -> Ordering {
    if left.eq_ignore_ascii_case(right) {
        return Ordering::Equal;
    }
    left.chars()
        .flat_map(char::to_lowercase)
        .cmp(right.chars().flat_map(char::to_lowercase))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "mixed comparison of whole and broken numbers is approximate by nature"
)]
fn number(value: &Value<'_>) -> f64 {
    match value {
        Value::Int(value) => *value as f64,
        Value::Double(value) => *value,
        _ => f64::NAN,
    }
}

pub(super) fn incompatible() -> ODataError {
    ODataError::bad_request("A binary operator with incompatible types was detected.")
}

fn unknown_property(path: &str) -> ODataError {
    ODataError::new(
        http::StatusCode::BAD_REQUEST,
        "RequestBroker--ParseUri",
        format!("Could not find a property named '{path}'."),
    )
}
