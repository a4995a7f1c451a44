//! How texts are read: limits, and what is forgiven.

use std::str::FromStr;

use crate::error::{Kind, Of};
use crate::lex::{Fault, Rule};
use crate::parse::{Rules, Seen};
use crate::{Filter, ParseError, PatchPath};

/// How filters and paths are read: limits, and whether some slips are forgiven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The longest text that is looked at.
    pub max_bytes: usize,
    /// How deep parentheses and brackets may be nested. More than [`Filter::MAX_DEPTH`] has no effect.
    pub max_depth: usize,
    /// How many comparisons (`attrExp`) a filter may have.
    pub max_terms: usize,
    /// Whether the slips in [`Leniency`] are read as what they mean. No text has another meaning than without.
    pub tolerant: bool,
}

/// What was read, and what had to be forgiven.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed<T> {
    /// The filter or path.
    pub value: T,
    /// Each kind of slip that was forgiven, once, in the order of the text. Always empty unless the syntax is tolerant.
    pub leniencies: Vec<Leniency>,
}

/// A slip that a tolerant [`Syntax`] forgives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leniency {
    /// A string without quotes, `userName eq ada`, as in the examples of RFC 7644 section 3.4.2.1. It ends at the next
    /// blank, `)` or `]`.
    UnquotedValue,
    /// `true`, `false` or `null` in other case: `active eq True`.
    LiteralCase,
    /// A string in single quotes, `displayName eq 'ada'`, as in the example of RFC 7644 section 3.7.1. It has no
    /// escapes.
    SingleQuotes,
    /// A sub-attribute behind brackets, `emails[type eq "work"].value eq "x"`, read as `emails[type eq "work" and value
    /// eq "x"]`.
    AttributeAfterBracket,
}

impl Default for Syntax {
    /// The strict grammar: 8 KiB of text, 32 levels, 200 comparisons.
    fn default() -> Self {
        Self { max_bytes: 8192, max_depth: 32, max_terms: 200, tolerant: false }
    }
}

impl Syntax {
    /// The default limits, with slips forgiven.
    #[must_use]
    pub fn tolerant() -> Self {
        Self { tolerant: true, ..Self::default() }
    }

    /// Reads a filter.
    ///
    /// # Errors
    ///
    /// When the text is no filter, or larger than the limits.
    pub fn filter(&self, text: &str) -> Result<Parsed<Filter>, ParseError> {
        self.read(text, Of::Filter, |rules, input| rules.filter(input))
    }

    /// Reads the path of a PATCH operation.
    ///
    /// # Errors
    ///
    /// When the text is no path, or larger than the limits.
    pub fn path(&self, text: &str) -> Result<Parsed<PatchPath>, ParseError> {
        self.read(text, Of::Path, |rules, input| rules.path(input))
    }

    fn read<T>(
        &self,
        text: &str,
        of: Of,
        rule: for<'i> fn(Rules<'_>, &'i str) -> Rule<'i, T>,
    ) -> Result<Parsed<T>, ParseError> {
        if text.len() > self.max_bytes {
            return Err(ParseError { kind: Kind::TooLong { max: self.max_bytes }, of, at: self.max_bytes });
        }
        let seen = Seen::default();
        match rule(Rules::new(self, &seen), text) {
            Ok((_, value)) => Ok(Parsed { value, leniencies: seen.leniencies.into_inner() }),
            Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(fault.explain(text, of)),
            Err(nom::Err::Incomplete(_)) => Err(Fault::expected("more", "").explain(text, of)),
        }
    }
}

impl FromStr for Filter {
    type Err = ParseError;

    /// By the strict grammar and default limits.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Syntax::default().filter(text).map(|parsed| parsed.value)
    }
}
