//! Paths of PATCH operations: RFC 7644 section 3.5.2, figure 7.

use std::fmt;
use std::str::FromStr;

use scimwright_core::{AttrName, AttrPath};

use crate::{Filter, ParseError, Syntax};

/// `PATH = attrPath / valuePath [subAttr]`: where a PATCH operation works.
///
/// A sub-attribute without brackets, as in `name.givenName`, belongs to the attribute path; `sub` is the one behind
/// brackets, as `display` in `members[value eq "2819"].display`. `FromStr` and `Display` are inverses.
///
/// What a path names is for the schema to say. Two of its readings are left to whoever resolves it: a bare schema URI
/// reads as a URI and an attribute (`…:2.0` and `User`), and brackets may follow a sub-attribute (`name.x[…]`), which
/// never has a meaning (ruling R-42).
#[derive(Clone, Debug, PartialEq)]
pub struct PatchPath {
    /// The attribute, or the sub-attribute where there are no brackets.
    pub attribute: AttrPath,
    /// Which values of the attribute: the filter in brackets, about one value at a time.
    pub selection: Option<Filter>,
    /// The sub-attribute of the selected values. Stands behind brackets only.
    pub sub: Option<AttrName>,
}

impl FromStr for PatchPath {
    type Err = ParseError;

    /// By the strict grammar and default limits.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Syntax::default().path(text).map(|parsed| parsed.value)
    }
}

impl fmt::Display for PatchPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attribute, selection, sub } = self;
        write!(out, "{attribute}")?;
        if let Some(selection) = selection {
            write!(out, "[{selection}]")?;
        }
        match sub {
            Some(sub) => write!(out, ".{sub}"),
            None => Ok(()),
        }
    }
}
