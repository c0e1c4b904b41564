//! Judging a filter before it is applied.
//!
//! Owns the walk over every branch against one example of the resource that has a value for everything: a name, an
//! enumeration member or a type that cannot be right is refused even when no element would ever come to it.

use super::evaluate::{Scope, compare, incompatible, items, text_test, value};
use super::{Comparison, Expr, Operand, Subject, Value};
use crate::odata::error::ODataError;

/// Refuses a condition that could not be evaluated on `example`.
pub fn check<'a>(expr: &'a Expr, example: &'a dyn Subject, scope: &Scope<'a>) -> Result<(), ODataError> {
    match expr {
        Expr::And(left, right) | Expr::Or(left, right) => {
            check(left, example, scope)?;
            check(right, example, scope)
        }
        Expr::Not(inner) => check(inner, example, scope),
        Expr::Compare(left, comparison, right) => {
            let (left, right) = (checked(left, example, scope)?, checked(right, example, scope)?);
            compare(&left, *comparison, &right).map(|_| ())
        }
        Expr::Text(test, text, part) => {
            let (text, part) = (checked(text, example, scope)?, checked(part, example, scope)?);
            text_test(*test, &text, &part).map(|_| ())
        }
        Expr::In(operand, list) => {
            let wanted = checked(operand, example, scope)?;
            for item in list {
                compare(&wanted, Comparison::Equal, &checked(item, example, scope)?)?;
            }
            Ok(())
        }
        Expr::Truth(operand) => match checked(operand, example, scope)? {
            Value::Bool(_) | Value::Null => Ok(()),
            _ => Err(incompatible()),
        },
        Expr::Any(path, _, None) => items(path, example, scope).map(|_| ()),
        Expr::Any(path, variable, Some(predicate)) | Expr::All(path, variable, predicate) => {
            for item in &items(path, example, scope)? {
                let mut inner = scope.clone();
                inner.push((variable, item.as_ref()));
                check(predicate, example, &inner)?;
            }
            Ok(())
        }
    }
}

/// The value of an operand, after the conditions inside it were judged.
fn checked<'a>(operand: &'a Operand, example: &'a dyn Subject, scope: &Scope<'a>) -> Result<Value<'a>, ODataError> {
    if let Operand::Condition(inner) = operand {
        check(inner, example, scope)?;
    }
    value(operand, example, scope)
}
