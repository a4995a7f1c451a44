//! Texts as parts of URIs.

use std::fmt::Write as _;

/// A text as one segment of a URI's path (RFC 3986 section 3.3): a name, an id or a URI that a client finds a resource by.
#[must_use]
pub fn uri_segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'@') {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_path_is_escaped() {
        assert_eq!(
            uri_segment("urn:ietf:params:scim:schemas:core:2.0:User"),
            "urn:ietf:params:scim:schemas:core:2.0:User"
        );
        assert_eq!(uri_segment("a/b?c#d e%ö"), "a%2Fb%3Fc%23d%20e%25%C3%B6");
    }
}
