//! Whether a resource, or one value of an attribute, is what a bound filter asks for.

use std::borrow::Cow;
use std::cmp::Ordering;

use scimwright_core::{Instant, Resource, fold};
use serde_json::{Map, Value};

use crate::number::compare_numbers;
use crate::{BoundFilter, Field, Op, Operand, Test};

impl BoundFilter {
    /// Whether the filter holds for the resource.
    #[must_use]
    pub fn matches(&self, resource: &Resource) -> bool {
        Subject::Resource(resource.as_map()).passes(&self.test)
    }

    /// Whether a selection (see [`Filter::bind_selection`](crate::Filter::bind_selection)) holds for one value of its
    /// attribute.
    #[must_use]
    pub fn selects(&self, element: &Value) -> bool {
        Subject::Value(element).passes(&self.test)
    }
}

/// What is asked.
#[derive(Clone, Copy)]
enum Subject<'a> {
    /// A whole resource, canonical.
    Resource(&'a Map<String, Value>),
    /// One value of an attribute, as inside brackets.
    Value(&'a Value),
}

impl<'a> Subject<'a> {
    // Recursion is bounded, for a test is as deep as its filter at most.
    fn passes(self, test: &Test) -> bool {
        match test {
            Test::And(tests) => tests.iter().all(|test| self.passes(test)),
            Test::Or(tests) => tests.iter().any(|test| self.passes(test)),
            Test::Not(test) => !self.passes(test),
            Test::Never => false,
            Test::Always => true,
            Test::Compare(field, op, operand) => self.compares(field, *op, operand),
            Test::Present(field) => self.any(field, is_present),
            Test::Within(field, test) => each(self.find(field)).iter().any(|value| Subject::Value(value).passes(test)),
        }
    }

    fn compares(self, field: &Field, op: Op, operand: &Operand) -> bool {
        match op {
            // Null is no value; the empty string is one (ruling R-3).
            Op::Eq if *operand == Operand::Null => !self.any(field, |value| !value.is_null()),
            Op::Ne if *operand == Operand::Null => self.any(field, |value| !value.is_null()),
            // Any value that differs, or none that could be equal (rulings ).
            Op::Ne => {
                let mut some = false;
                let differs = self.any_or_assumed(field, |value| {
                    some = true;
                    !fits(field, value, Op::Eq, operand)
                });
                differs || !some
            }
            _ => self.any_or_assumed(field, |value| fits(field, value, op, operand)),
        }
    }

    /// The attribute's value or list of values.
    fn find(self, field: &Field) -> Option<&'a Value> {
        match (self, &field.container) {
            (Self::Resource(resource), None) => resource.get(&field.name),
            (Self::Resource(resource), Some(urn)) => resource.get(urn)?.get(&field.name),
            (Self::Value(value), _) if field.element => Some(value),
            (Self::Value(value), _) => value.get(&field.name),
        }
    }

    /// Whether one of the values passes.
    fn any(self, field: &Field, mut passes: impl FnMut(&Value) -> bool) -> bool {
        let values = each(self.find(field));
        match &field.sub {
            None => values.iter().any(passes),
            Some(sub) => values.iter().any(|value| each(value.get(sub)).iter().any(&mut passes)),
        }
    }

    /// Whether one of the values passes, where a value that does not say whether it is primary is not (ruling R-16).
    fn any_or_assumed(self, field: &Field, mut passes: impl FnMut(&Value) -> bool) -> bool {
        let lacks = || match &field.sub {
            Some(sub) => each(self.find(field)).iter().any(|value| value.get(sub).is_none()),
            None => self.find(field).is_none(),
        };
        (field.assumed_false && lacks() && passes(&Value::Bool(false))) || self.any(field, passes)
    }
}

/// A list's values, or the one value.
fn each(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(values)) => values,
        Some(value) => std::slice::from_ref(value),
        None => &[],
    }
}

/// RFC 7644 section 3.4.2.2: "non-empty or non-null". Neither the empty string nor an empty object is present (ruling
///
fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(is_present),
        Value::Object(parts) => parts.values().any(is_present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Whether one value compares with the operand.
fn fits(field: &Field, value: &Value, op: Op, operand: &Operand) -> bool {
    let order = match (operand, value) {
        (Operand::Text(operand), Value::String(text)) => {
            let text = folded(field, text);
            match op {
                Op::Eq => return *text == **operand,
                Op::Co => return text.contains(operand.as_str()),
                Op::Sw => return text.starts_with(operand.as_str()),
                Op::Ew => return text.ends_with(operand.as_str()),
                // UTF-8 orders as code points do.
                _ => Some((*text).cmp(operand)),
            }
        }
        (Operand::Bool(operand), Value::Bool(value)) => Some(value.cmp(operand)),
        (Operand::Number(operand), Value::Number(value)) => compare_numbers(value, operand),
        (Operand::Instant(operand), Value::String(text)) => {
            text.parse::<Instant>().ok().map(|value| value.cmp(operand))
        }
        _ => None,
    };
    match op {
        Op::Eq => order == Some(Ordering::Equal),
        Op::Ne => order != Some(Ordering::Equal),
        Op::Gt => order == Some(Ordering::Greater),
        Op::Ge => order.is_some_and(Ordering::is_ge),
        Op::Lt => order == Some(Ordering::Less),
        Op::Le => order.is_some_and(Ordering::is_le),
        Op::Co | Op::Sw | Op::Ew => false,
    }
}

/// The text as the operand was folded. Most values are folded already, and then nothing is copied.
fn folded<'v>(field: &Field, text: &'v str) -> Cow<'v, str> {
    let as_it_is = field.case_exact || text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if as_it_is { Cow::Borrowed(text) } else { Cow::Owned(fold(text)) }
}

#[cfg(test)]
mod tests;
