//! Why a text is no filter, a tree no filter, or a filter of no use for a resource type.

use std::fmt;

use scimwright_core::{AttrPath, DataType, ScimError, ScimType};

use crate::{Filter, Literal, Op};

/// Why a text is no filter or path.
///
/// It says what was expected where, and what is there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    pub(crate) kind: Kind,
    pub(crate) of: Of,
    pub(crate) at: usize,
}

/// What went wrong while reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Expected { what: &'static str, found: Found },
    TooLong { max: usize },
    TooDeep { max: usize },
    TooManyTerms { max: usize },
}

/// What is there instead of what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    End,
    Text(String),
}

/// What was being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Filter,
    Path,
}

impl ParseError {
    /// The byte of the text at which the fault is. For limits, where the limit was crossed.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The type that the client is told (RFC 7644 section 3.12, table 9): `invalidFilter` for a filter, `invalidPath`
    /// for a path, also where the filter inside the path is at fault.
    #[must_use]
    pub const fn scim_type(&self) -> ScimType {
        match self.of {
            Of::Filter => ScimType::InvalidFilter,
            Of::Path => ScimType::InvalidPath,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = match self.of {
            Of::Filter => "filter",
            Of::Path => "path",
        };
        let at = self.at;
        match &self.kind {
            Kind::Expected { what, found: Found::End } => write!(out, "expected {what} at byte {at}, found the end"),
            Kind::Expected { what, found: Found::Text(text) } => {
                write!(out, "expected {what} at byte {at}, found `{text}`")
            }
            Kind::TooLong { max } => write!(out, "the {of} is longer than {max} bytes"),
            Kind::TooDeep { max } => write!(out, "the {of} is nested deeper than {max} levels at byte {at}"),
            Kind::TooManyTerms { max } => write!(out, "the {of} has more than {max} terms at byte {at}"),
        }
    }
}

impl std::error::Error for ParseError {}

impl From<ParseError> for ScimError {
    fn from(error: ParseError) -> Self {
        Self::bad(error.scim_type(), error.to_string())
    }
}

/// Why an expression is no [`Filter`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// It is nested deeper than [`Filter::MAX_DEPTH`].
    #[error("the filter is nested deeper than {} levels", Filter::MAX_DEPTH)]
    TooDeep,
    /// `and` or `or` joins nothing.
    #[error("a chain of `and` or `or` needs a term")]
    Empty,
    /// Brackets stand inside brackets (erratum 4690).
    #[error("the brackets of `{0}` hold a filter that has brackets itself")]
    BracketsInBrackets(String),
}

/// Why a filter cannot be asked of a resource type. Every variant names the attribute.
///
/// Told before anything is evaluated, whatever `and` and `or` would have skipped (ruling R-12).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// No served resource type has the attribute (rulings ).
    #[error("there is no attribute `{path}`{}", in_full(.meant.as_deref()))]
    UnknownAttribute {
        /// The attribute.
        path: String,
        /// The attribute of that name in an extension, where there is one.
        meant: Option<String>,
    },
    /// The operator does not go with the attribute's type (ruling R-5; RFC 7644 section 3.4.2.2 for `gt` and its like).
    #[error("`{op}` cannot be used on `{path}`, {}: expected {}", kind(*.data_type), operators(*.data_type))]
    Operator {
        /// The attribute.
        path: String,
        /// The operator.
        op: Op,
        /// The attribute's type.
        data_type: DataType,
    },
    /// What it is compared with is not of the attribute's type (ruling R-7).
    #[error("expected {expected} to compare `{path}` with, found `{found}`")]
    Operand {
        /// The attribute.
        path: String,
        /// What goes with the attribute and operator.
        expected: &'static str,
        /// What stands there, as it is printed.
        found: String,
    },
    /// The attribute is complex and has no `value` to stand for it (ruling R-6).
    #[error("`{path}` is complex: expected one of its sub-attributes{}", such_as(.meant.as_deref()))]
    NotComparable {
        /// The attribute.
        path: String,
        /// One of its sub-attributes, to show how.
        meant: Option<String>,
    },
    /// Brackets stand behind what has no values to choose from.
    #[error("brackets cannot stand behind `{path}`: expected a complex or multi-valued attribute in front of them")]
    NotSelectable {
        /// The attribute.
        path: String,
    },
    /// Brackets stand behind a sub-attribute (ruling R-42).
    #[error("brackets cannot stand behind the sub-attribute `{path}`: expected the attribute itself in front of them")]
    SubBeforeBracket {
        /// The attribute.
        path: String,
    },
    /// The attribute is never shown, so that a filter must not probe it either (ruling R-14). A server says
    /// `sensitive` with 403 where the filter came in a URI.
    #[error("`{path}` is never shown and can be neither filtered nor sorted by")]
    Secret {
        /// The attribute.
        path: String,
    },
}

impl BindError {
    /// The type that the client is told: RFC 7644 section 3.12, table 9.
    #[must_use]
    pub const fn scim_type(&self) -> ScimType {
        ScimType::InvalidFilter
    }

    pub(crate) fn operand(path: &AttrPath, data_type: DataType, literal: &Literal) -> Self {
        let expected = match data_type {
            DataType::String | DataType::Reference => "a string",
            DataType::Boolean => "`true` or `false`",
            DataType::Decimal | DataType::Integer => "a number",
            DataType::DateTime => "a dateTime such as \"2011-05-13T04:42:34Z\"",
            DataType::Binary => "a base64 string",
            DataType::Complex => "`null`",
        };
        Self::Operand { path: path.to_string(), expected, found: short(&literal.to_string()) }
    }

    /// The attribute at fault.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::UnknownAttribute { path, .. }
            | Self::Operator { path, .. }
            | Self::Operand { path, .. }
            | Self::NotComparable { path, .. }
            | Self::NotSelectable { path }
            | Self::SubBeforeBracket { path }
            | Self::Secret { path } => path,
        }
    }
}

impl From<BindError> for ScimError {
    fn from(error: BindError) -> Self {
        Self::bad(error.scim_type(), error.to_string())
    }
}

fn such_as(meant: Option<&str>) -> String {
    meant.map(|meant| format!(", such as `{meant}`")).unwrap_or_default()
}

fn in_full(meant: Option<&str>) -> String {
    meant.map(|meant| format!(": expected the whole name where it is in an extension, `{meant}`")).unwrap_or_default()
}

const fn kind(data_type: DataType) -> &'static str {
    match data_type {
        DataType::String => "a string",
        DataType::Boolean => "a boolean",
        DataType::Decimal => "a decimal number",
        DataType::Integer => "an integer",
        DataType::DateTime => "a dateTime",
        DataType::Binary => "binary data",
        DataType::Reference => "a reference",
        DataType::Complex => "a complex attribute",
    }
}

const fn operators(data_type: DataType) -> &'static str {
    match data_type {
        DataType::String | DataType::Reference => "any operator",
        DataType::Boolean | DataType::Binary => "`eq`, `ne` or `pr`",
        DataType::Decimal | DataType::Integer | DataType::DateTime => "`eq`, `ne`, `gt`, `ge`, `lt`, `le` or `pr`",
        DataType::Complex => "`pr`",
    }
}

/// The text, or as much of it as shows which one it is. Control characters become escapes, for errors go to logs and
/// terminals.
pub(crate) fn short(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown = String::with_capacity(text.len().min(LONGEST));
    for letter in text.chars().take(LONGEST) {
        if letter.is_control() { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
