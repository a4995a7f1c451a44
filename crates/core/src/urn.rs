//! Schema URIs: RFC 7643 section 3 and RFC 7644 section 3.10.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// The URI of a schema, in practice a URN.
///
/// Compared and hashed without regard to case (RFC 7644 section 3.10), printed as it was written.
#[derive(Clone)]
pub struct Urn(Box<str>);

/// Why a text is no schema URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a schema URI: a scheme, `:` and more, without blanks, quotes or brackets")]
pub struct UrnError {
    text: String,
}

impl Urn {
    /// The URI as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text is this URI, whatever its case.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }

    /// Whether the text can be a schema URI, without keeping it.
    #[must_use]
    pub fn is_valid(text: &str) -> bool {
        let Some((scheme, rest)) = text.split_once(':') else { return false };
        let scheme = scheme.as_bytes();
        !rest.is_empty()
            && scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
            && rest.bytes().all(|byte| {
                byte.is_ascii_graphic()
                    && !matches!(
                        byte,
                        b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'[' | b']' | b'(' | b')'
                    )
            })
    }
}

/// Hashes what `eq_ignore_ascii_case` calls equal alike.
pub(crate) fn hash_without_case<H: Hasher>(text: &str, state: &mut H) {
    for byte in text.bytes() {
        state.write_u8(byte.to_ascii_lowercase());
    }
    state.write_u8(0xff);
}

impl FromStr for Urn {
    type Err = UrnError;

    fn from_str(text: &str) -> Result<Self, UrnError> {
        if Self::is_valid(text) { Ok(Self(text.into())) } else { Err(UrnError { text: text.to_owned() }) }
    }
}

impl fmt::Display for Urn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Urn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

impl PartialEq for Urn {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for Urn {}

impl Hash for Urn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_without_case(&self.0, state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_of_schemas_ignore_case() {
        let urn: Urn = crate::urns::USER.parse().unwrap();
        assert_eq!(urn, crate::urns::USER.to_uppercase().parse().unwrap());
        for bad in ["", "urn:", "User", "urn:a b", "1:x", "urn:a[b]", ":x"] {
            assert!(bad.parse::<Urn>().is_err(), "{bad}");
        }
    }
}
