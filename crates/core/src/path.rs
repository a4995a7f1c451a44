//! Attribute paths: `attrPath` of RFC 7644 section 3.4.2.2, figure 1.

use std::fmt;
use std::str::FromStr;

use crate::{AttrName, Urn};

/// `attrPath = [URI ":"] ATTRNAME ["." ATTRNAME]`: which attribute, perhaps qualified by its schema, perhaps a sub-attribute.
///
/// A URI has colons and dots of its own, so the grammar is read like this: everything before the last `:` is the URI, and the
/// sub-attribute is what follows the first `.` after it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttrPath {
    /// The schema's URI, where the name is qualified.
    pub urn: Option<Urn>,
    /// The attribute.
    pub name: AttrName,
    /// The sub-attribute, where one is named.
    pub sub: Option<AttrName>,
}

/// Why a text is no attribute path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an attribute path: expected `[schema:]name[.sub]`")]
pub struct PathError {
    text: String,
}

impl AttrPath {
    /// The path of a plain attribute.
    #[must_use]
    pub const fn of(name: AttrName) -> Self {
        Self { urn: None, name, sub: None }
    }
}

impl FromStr for AttrPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let error = || PathError { text: text.to_owned() };
        let (urn, rest) = match text.rsplit_once(':') {
            Some((urn, rest)) => (Some(urn.parse().map_err(|_| error())?), rest),
            None => (None, text),
        };
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub.parse().map_err(|_| error())?)),
            None => (rest, None),
        };
        Ok(Self { urn, name: name.parse().map_err(|_| error())?, sub })
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            write!(out, "{urn}:")?;
        }
        write!(out, "{}", self.name)?;
        match &self.sub {
            Some(sub) => write!(out, ".{sub}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn parts(text: &str) -> (Option<String>, String, Option<String>) {
        let path: AttrPath = text.parse().unwrap();
        assert_eq!(path.to_string(), text);
        (path.urn.map(|urn| urn.to_string()), path.name.to_string(), path.sub.map(|sub| sub.to_string()))
    }

    #[test]
    fn the_last_colon_ends_the_uri_and_the_first_dot_after_it_the_name() {
        assert_eq!(parts("userName"), (None, "userName".into(), None));
        assert_eq!(parts("manager.$ref"), (None, "manager".into(), Some("$ref".into())));
        assert_eq!(
            parts("urn:ietf:params:scim:schemas:core:2.0:User:name.givenName"),
            (Some(crate::urns::USER.into()), "name".into(), Some("givenName".into()))
        );
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for bad in ["", ".a", "a.", "a..b", "a.b.c", ":userName", "urn:ietf:params:scim:schemas:core:2.0:User:", "1a"] {
            assert!(bad.parse::<AttrPath>().is_err(), "{bad}");
        }
    }
}
