//! The error that a SCIM client reads: RFC 7644 section 3.12.

use serde_json::{Map, Value, json};

use crate::urns;

/// `scimType`: RFC 7644 section 3.12, table 9, and RFC 9865 section 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScimType {
    /// The filter is malformed or compares what cannot be compared.
    InvalidFilter,
    /// The result would be larger than the server answers.
    TooMany,
    /// A value is taken already.
    Uniqueness,
    /// The change is against an attribute's mutability.
    Mutability,
    /// The message is malformed.
    InvalidSyntax,
    /// The path of a PATCH operation is malformed.
    InvalidPath,
    /// The path of a PATCH operation selects nothing.
    NoTarget,
    /// A value is missing or does not fit.
    InvalidValue,
    /// The protocol version is not spoken here.
    InvalidVers,
    /// The request's URI holds what must not stand in a URI.
    Sensitive,
    /// RFC 9865: the cursor is not one of ours.
    InvalidCursor,
    /// RFC 9865: the cursor is too old.
    ExpiredCursor,
    /// RFC 9865: the page size does not suit the cursor.
    InvalidCount,
}

impl ScimType {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::InvalidFilter,
        Self::TooMany,
        Self::Uniqueness,
        Self::Mutability,
        Self::InvalidSyntax,
        Self::InvalidPath,
        Self::NoTarget,
        Self::InvalidValue,
        Self::InvalidVers,
        Self::Sensitive,
        Self::InvalidCursor,
        Self::ExpiredCursor,
        Self::InvalidCount,
    ];

    /// The type of that word; words are case exact (RFC 7643 section 2.3.1).
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scim_type| scim_type.as_str() == word)
    }

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

/// What a client is told when its request fails: an HTTP status, perhaps a `scimType`, and a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {detail}")]
pub struct ScimError {
    status: u16,
    scim_type: Option<ScimType>,
    detail: String,
}

impl ScimError {
    /// An error with the given HTTP status.
    #[must_use]
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, scim_type: None, detail: detail.into() }
    }

    /// A 400 of that type.
    #[must_use]
    pub fn bad(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self::new(400, detail).with_type(scim_type)
    }

    /// The resource is not there, or not for this caller: the two are told alike.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(404, format!("{what} is not here"))
    }

    /// The same error with a `scimType`.
    #[must_use]
    pub const fn with_type(mut self, scim_type: ScimType) -> Self {
        self.scim_type = Some(scim_type);
        self
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The `scimType`, where the RFC has one for the case.
    #[must_use]
    pub const fn scim_type(&self) -> Option<ScimType> {
        self.scim_type
    }

    /// The sentence for a person.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The body of RFC 7644 section 3.12. The status is a string there.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut json = Map::new();
        json.insert("schemas".to_owned(), json!([urns::ERROR]));
        json.insert("status".to_owned(), self.status.to_string().into());
        if let Some(scim_type) = self.scim_type {
            json.insert("scimType".to_owned(), scim_type.as_str().into());
        }
        json.insert("detail".to_owned(), self.detail.as_str().into());
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: ER-4.
    #[test]
    fn the_words_are_those_of_the_tables() {
        use ScimType::*;

        let rfc_7644 = [
            InvalidFilter,
            TooMany,
            Uniqueness,
            Mutability,
            InvalidSyntax,
            InvalidPath,
            NoTarget,
            InvalidValue,
            InvalidVers,
            Sensitive,
        ];
        let words = |types: &[ScimType]| types.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
        insta::assert_snapshot!(words(&rfc_7644), @"invalidFilter tooMany uniqueness mutability invalidSyntax invalidPath noTarget invalidValue invalidVers sensitive");
        insta::assert_snapshot!(words(&[InvalidCursor, ExpiredCursor, InvalidCount]), @"invalidCursor expiredCursor invalidCount");
    }

    #[test]
    fn every_type_is_found_by_its_word() {
        assert!(ScimType::ALL.iter().all(|scim_type| ScimType::named(scim_type.as_str()) == Some(*scim_type)));
        assert_eq!(ScimType::named("invalidCount"), Some(ScimType::InvalidCount));
        assert_eq!(ScimType::named("UNIQUENESS"), None);
    }

    #[test]
    fn the_body_is_the_rfcs() {
        let body = serde_json::to_string(&ScimError::bad(ScimType::Mutability, "id is readOnly").to_json()).unwrap();
        insta::assert_snapshot!(body,
            @r#"{"detail":"id is readOnly","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"mutability","status":"400"}"#);
    }
}
