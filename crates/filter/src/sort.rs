//! What a list is sorted by: RFC 7644 section 3.4.2.3.

use std::cmp::Ordering;

use scimwright_core::{DataType, Instant, Resource, fold};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::Field;
use crate::number::compare_numbers;

/// The attribute whose values order the resources of one type. Made by [`SortBy::bind`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SortBy {
    /// The attribute. Of several values the primary one counts, else the first.
    pub field: Field,
}

/// A value in the form in which values are ordered.
///
/// Texts are ordered by code point, folded unless the attribute is case exact; numbers by what they are worth; `false` comes before
/// `true`. Values of different kinds meet only where types disagree about an attribute, and are ordered by kind then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum SortKey {
    /// Of a boolean.
    Bool(bool),
    /// Of a decimal or an integer.
    Number(#[serde(with = "exact")] Number),
    /// Of a dateTime.
    Instant(Instant),
    /// Of everything else.
    Text(String),
}

impl SortBy {
    /// The key of a resource; none when it has no value for the attribute.
    #[must_use]
    pub fn key(&self, resource: &Resource) -> Option<SortKey> {
        let Field { container, name, sub, .. } = &self.field;
        let value = match container {
            None => resource.get(name)?,
            Some(urn) => resource.get(urn)?.get(name)?,
        };
        let value = preferred(value)?;
        let value = match sub {
            None => value,
            Some(sub) => preferred(value.get(sub)?)?,
        };
        self.key_of(value)
    }

    fn key_of(&self, value: &Value) -> Option<SortKey> {
        match value {
            Value::Bool(value) => Some(SortKey::Bool(*value)),
            Value::Number(number) => Some(SortKey::Number(number.clone())),
            Value::String(text) if self.field.data_type == DataType::DateTime => {
                text.parse().ok().map(SortKey::Instant)
            }
            Value::String(text) if self.field.case_exact => Some(SortKey::Text(text.clone())),
            Value::String(text) => Some(SortKey::Text(fold(text))),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Whether the order depends on that attribute or extension at the top of the resource.
    #[must_use]
    pub fn mentions(&self, top_level: &str) -> bool {
        self.field.container.as_ref().unwrap_or(&self.field.name).eq_ignore_ascii_case(top_level)
    }
}

/// Of several values the primary one, else the first; a single value is itself.
fn preferred(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(values) => {
            let primary = values.iter().find(|value| value.get("primary") == Some(&Value::Bool(true)));
            primary.or_else(|| values.first())
        }
        one => Some(one),
    }
}

impl SortKey {
    const fn kind(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Number(_) => 1,
            Self::Instant(_) => 2,
            Self::Text(_) => 3,
        }
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            // A number of JSON is never NaN.
            (Self::Number(left), Self::Number(right)) => compare_numbers(left, right).unwrap_or(Ordering::Equal),
            (Self::Instant(left), Self::Instant(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => self.kind().cmp(&other.kind()),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for SortKey {}

/// A number as text: `serde_json` alone may read a float back as its neighbour, and a page would begin one resource too late.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use serde_json::Number;

    pub(super) fn serialize<S: Serializer>(number: &Number, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        let text = String::deserialize(deserializer)?;
        let whole = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok();
        let float = || text.parse().ok().and_then(Number::from_f64);
        whole.or_else(float).ok_or_else(|| D::Error::custom("not a number"))
    }
}

#[cfg(test)]
mod tests;
