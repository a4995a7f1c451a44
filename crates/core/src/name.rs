//! Attribute names: RFC 7643 section 2.1.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// The name of an attribute or sub-attribute.
///
/// Compared, ordered and hashed without regard to case (RFC 7643 section 2.1), printed as it was written. A leading `$` is
/// taken although the grammar of the RFC forgot it, for the RFC itself defines `$ref` (erratum 8924).
#[derive(Clone)]
pub struct AttrName(Box<str>);

/// Why a text is no attribute name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an attribute name: a letter comes first, then letters, digits, `-`, `_` or `$`")]
pub struct NameError {
    text: String,
}

impl AttrName {
    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text is this name, whatever its case.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }

    /// Whether the text is an attribute name, without keeping it.
    #[must_use]
    pub fn is_valid(text: &str) -> bool {
        let bytes = text.as_bytes();
        let rest = match bytes.split_first() {
            Some((b'$', rest)) => rest,
            _ => bytes,
        };
        matches!(rest.split_first(), Some((first, rest))
            if first.is_ascii_alphabetic()
            && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'$')))
    }
}

impl FromStr for AttrName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if Self::is_valid(text) { Ok(Self(text.into())) } else { Err(NameError { text: text.to_owned() }) }
    }
}

impl fmt::Display for AttrName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for AttrName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

impl PartialEq for AttrName {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for AttrName {}

impl Hash for AttrName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        crate::urn::hash_without_case(&self.0, state);
    }
}

impl PartialOrd for AttrName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for AttrName {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = |name: &Self| name.0.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>();
        lower(self).cmp(&lower(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ignore_case_and_keep_their_spelling() {
        let name: AttrName = "userName".parse().unwrap();
        assert_eq!(name, "USERNAME".parse().unwrap());
        assert_eq!(name.to_string(), "userName");
    }

    /// Proves: A-2, erratum 8924.
    #[test]
    fn the_grammar_of_names_holds_with_erratum_8924() {
        for good in ["a", "$ref", "a-b", "a_b", "a$b", "x509"] {
            assert!(AttrName::is_valid(good), "{good}");
        }
        for bad in ["", "$", "1a", "-a", "é", "a@b", "a.b", "a b", "$1"] {
            assert!(bad.parse::<AttrName>().is_err(), "{bad}");
        }
    }
}
