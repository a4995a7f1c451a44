//! What a filter means for a resource type: the tests that are left when every name and type is settled.

use scimwright_core::{DataType, Instant};
use serde_json::Value;

use crate::Op;

/// A filter that is known to make sense for one resource type.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BoundFilter {
    /// What is tested.
    pub test: Test,
    /// Whether a string was taken for a boolean.
    pub coerced_booleans: bool,
    pub(crate) equalities: Option<Vec<(String, Value)>>,
}

/// What a bound filter tests. Exhaustive, for a store that translates it should notice when it grows.
///
/// It is as deep as its filter was at most, so that walking it is safe.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// All hold.
    And(Vec<Self>),
    /// At least one holds.
    Or(Vec<Self>),
    /// It does not hold. Two-valued: the negation of a comparison with nothing is true.
    Not(Box<Self>),
    /// Holds for nothing: a comparison of an attribute that only other served types have.
    Never,
    /// Holds for everything, as `ne` does for an attribute that only other served types have (rulings ).
    Always,
    /// Some value compares with the operand. `ne` also holds when there is no value (ruling R-1); with
    /// [`Operand::Null`] it is asked whether there is a value.
    Compare(Field, Op, Operand),
    /// There is a value that is not the empty string (ruling R-4).
    Present(Field),
    /// The inner test, whose fields are relative to one value, holds for some value.
    Within(Field, Box<Self>),
}

/// An attribute, found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// The URI of the extension that it stands in. None inside brackets.
    pub container: Option<String>,
    /// The attribute in the schema's spelling; inside brackets the sub-attribute.
    pub name: String,
    /// The sub-attribute in the schema's spelling: the one that the filter names, or `value` where it leaves that out
    /// (ruling R-6). None inside brackets.
    pub sub: Option<String>,
    /// The path from the top of the resource, also inside brackets, in the spelling of
    /// [`IndexSpec::path`](scimwright_core::IndexSpec): `emails.value` for `value` in `emails[value eq "x"]`. In a
    /// selection there is no container in front.
    pub path: String,
    /// The type of the values.
    pub data_type: DataType,
    /// Whether strings are compared as they are. Operands are folded where they are not.
    pub case_exact: bool,
    /// Whether the attribute or the sub-attribute is a list.
    pub multi_valued: bool,
    /// Whether it is the value that the brackets select from: `value` in `tags[value eq "x"]` (ruling R-11).
    pub element: bool,
    /// Whether a missing value counts as false: `primary` of a multi-valued attribute (ruling R-16).
    pub assumed_false: bool,
}

/// What a field is compared with, ready to be compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// No value.
    Null,
    /// For booleans.
    Bool(bool),
    /// For decimals and integers.
    Number(serde_json::Number),
    /// For strings, references and binary data; folded already unless the field is case exact.
    Text(String),
    /// For dateTimes.
    Instant(Instant),
}

impl BoundFilter {
    /// Whether the filter looks at that attribute or extension at the top of the resource, so that what is costly is
    /// loaded only when it is needed.
    #[must_use]
    pub fn mentions(&self, top_level: &str) -> bool {
        self.test.mentions(top_level)
    }

    /// Whether the filter asks for a sub-attribute of that name, of whatever attribute.
    #[must_use]
    pub fn mentions_sub(&self, name: &str) -> bool {
        self.test.mentions_sub(name, false)
    }

    /// The values that a selection fixes, when it is `eq` terms joined by `and` and nothing else: what is needed to
    /// create a value that it describes (ruling R-17). Names in the schema's spelling, values in the filter's; `value`
    /// is the value itself where the attribute is simple. None for everything else.
    #[must_use]
    pub fn equalities(&self) -> Option<&[(String, Value)]> {
        self.equalities.as_deref()
    }
}

impl Test {
    fn mentions(&self, top_level: &str) -> bool {
        match self {
            Self::And(tests) | Self::Or(tests) => tests.iter().any(|test| test.mentions(top_level)),
            Self::Not(test) => test.mentions(top_level),
            Self::Never | Self::Always => false,
            Self::Compare(field, ..) | Self::Present(field) | Self::Within(field, _) => {
                field.container.as_ref().unwrap_or(&field.name).eq_ignore_ascii_case(top_level)
            }
        }
    }

    fn mentions_sub(&self, name: &str, inside: bool) -> bool {
        match self {
            Self::And(tests) | Self::Or(tests) => tests.iter().any(|test| test.mentions_sub(name, inside)),
            Self::Not(test) => test.mentions_sub(name, inside),
            Self::Within(_, test) => test.mentions_sub(name, true),
            Self::Never | Self::Always => false,
            // Inside brackets the attribute is the sub-attribute.
            Self::Compare(field, ..) | Self::Present(field) => {
                field.sub.as_deref() == Some(name) || (inside && field.name == name)
            }
        }
    }

    /// All of them, said with as few tests as will do.
    pub(crate) fn all(tests: Vec<Self>) -> Self {
        Self::join(tests, Self::Never, Self::Always, Self::And)
    }

    /// Any of them, said with as few tests as will do.
    pub(crate) fn any(tests: Vec<Self>) -> Self {
        Self::join(tests, Self::Always, Self::Never, Self::Or)
    }

    pub(crate) fn negate(test: Self) -> Self {
        match test {
            Self::Never => Self::Always,
            Self::Always => Self::Never,
            test => Self::Not(Box::new(test)),
        }
    }

    fn join(mut tests: Vec<Self>, decides: Self, says_nothing: Self, join: fn(Vec<Self>) -> Self) -> Self {
        if tests.contains(&decides) {
            return decides;
        }
        tests.retain(|test| *test != says_nothing);
        if tests.len() > 1 { join(tests) } else { tests.pop().unwrap_or(says_nothing) }
    }
}
