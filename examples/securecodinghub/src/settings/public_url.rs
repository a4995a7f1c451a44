//! The root URL under which providers reach the server.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::Scheme;

/// Where SCIM lives below the public URL.
pub const SCIM_PATH: &str = "/api/sch/scim/v2";

/// The root of the server as seen from outside, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The URL of a server with nothing in front of it.
    pub(super) fn of_address(address: SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }

    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is reached by TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PublicUrl {
    type Err = BadPublicUrl;

    fn from_str(text: &str) -> Result<Self, BadPublicUrl> {
        // The parser of `http` takes a fragment and drops it without a word.
        if text.contains(['?', '#']) {
            return Err(BadPublicUrl::NotARoot);
        }
        let uri: Uri = text.parse().map_err(|_| BadPublicUrl::Unreadable)?;
        let scheme = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS => scheme,
            _ => return Err(BadPublicUrl::Unreadable),
        };
        let authority = uri.authority().ok_or(BadPublicUrl::Unreadable)?;
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(BadPublicUrl::Unreadable);
        }
        let path = uri.path().trim_end_matches('/');
        if path.ends_with(SCIM_PATH) {
            return Err(BadPublicUrl::WithScimPath);
        }
        Ok(Self(format!("{scheme}://{authority}{path}")))
    }
}

/// Why a text is no public URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPublicUrl {
    /// No URL, or not one of http.
    #[error("this is no public URL: write one such as https://hub.example.com")]
    Unreadable,
    /// A query or a fragment.
    #[error("a public URL has no `?` and no `#`: write one such as https://hub.example.com")]
    NotARoot,
    /// The path of SCIM is added by the server.
    #[error("the public URL is the root of the server: leave {SCIM_PATH} out")]
    WithScimPath,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_read() {
        for (text, url) in [
            ("https://hub.example", "https://hub.example"),
            ("https://hub.example/", "https://hub.example"),
            ("HTTPS://hub.example:8443//", "https://hub.example:8443"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://example.com/hub/", "https://example.com/hub"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().as_str(), url);
        }
    }

    /// Proves: E-1.
    #[test]
    fn what_is_no_root_is_refused() {
        for (text, error) in [
            ("", BadPublicUrl::Unreadable),
            ("hub.example", BadPublicUrl::Unreadable),
            ("/hub", BadPublicUrl::Unreadable),
            ("ftp://hub.example", BadPublicUrl::Unreadable),
            ("https://", BadPublicUrl::Unreadable),
            ("https://:8443", BadPublicUrl::Unreadable),
            ("https://user:word@hub.example", BadPublicUrl::Unreadable),
            ("https://hub.example?x=1", BadPublicUrl::NotARoot),
            ("https://hub.example/#top", BadPublicUrl::NotARoot),
            ("https://hub.example/api/sch/scim/v2/", BadPublicUrl::WithScimPath),
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(error), "{text:?}");
        }
    }
}
