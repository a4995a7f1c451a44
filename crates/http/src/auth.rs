//! The seam between a request and who sent it.

use std::fmt;

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::request::Parts;
use scimwright_core::ScimError;
use scimwright_service::Context;

/// Says who sends a request. Asked before anything else about the request is looked at.
#[async_trait]
pub trait Authenticate: fmt::Debug + Send + Sync + 'static {
    /// The caller, with the tenant that the credential alone decides.
    ///
    /// # Errors
    ///
    /// [`Denied`], which says as little as possible.
    async fn authenticate(&self, request: &Parts) -> Result<Context, Denied>;

    /// The same caller once more, when the body of the request has arrived: what was revoked or changed meanwhile holds. Asked for
    /// requests with a body only, and answered with the context as it was unless said otherwise.
    ///
    /// # Errors
    ///
    /// [`Denied`], when the caller would not be let in any more.
    async fn still(&self, request: &Parts, context: Context) -> Result<Context, Denied> {
        let _ = request;
        Ok(context)
    }

    /// What discovery answers to callers without good credentials (ruling R-43); none where discovery needs them too.
    fn anonymous(&self, request: &Parts) -> Option<Context> {
        let _ = request;
        None
    }
}

/// Why a request goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denied {
    /// 401: there is no credential, or none that is good. Which of the two, and why, is not told.
    Unauthorized {
        /// Whether a credential was there at all (RFC 6750 section 3.1 then names the error).
        presented: bool,
    },
    /// 429: too many requests; try again after so many seconds.
    TooManyRequests {
        /// Whole seconds, at least 1.
        retry_after: u64,
    },
    /// 403: the credential is good, but not for this (RFC 6750 section 3.1, `insufficient_scope`).
    InsufficientScope,
    /// Any other answer, such as 403 where SCIM is switched off.
    Refused(ScimError),
}

/// The token of an `Authorization: Bearer` header (RFC 6750 section 2.1).
///
/// # Errors
///
/// [`Denied::Unauthorized`] when there is no such header, or one of another scheme.
pub fn bearer(request: &Parts) -> Result<&str, Denied> {
    let header = request.headers.get(AUTHORIZATION).ok_or(Denied::Unauthorized { presented: false })?;
    let presented = Denied::Unauthorized { presented: true };
    let text = header.to_str().map_err(|_| presented.clone())?;
    match text.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => Ok(token.trim()),
        // An error code belongs to our own scheme (RFC 6750 section 3.1).
        Some((scheme, _)) if !scheme.eq_ignore_ascii_case("bearer") => Err(Denied::Unauthorized { presented: false }),
        _ => Err(presented),
    }
}

/// One token for one caller: for examples and tests.
#[derive(Clone)]
pub struct StaticToken {
    token: String,
    context: Context,
}

impl StaticToken {
    /// Whoever has the token is this caller.
    #[must_use]
    pub fn new(token: &str, context: Context) -> Self {
        Self { token: token.to_owned(), context }
    }
}

impl fmt::Debug for StaticToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("StaticToken").field("context", &self.context).finish_non_exhaustive()
    }
}

#[async_trait]
impl Authenticate for StaticToken {
    async fn authenticate(&self, request: &Parts) -> Result<Context, Denied> {
        let token = bearer(request)?;
        // Every byte is looked at whatever the first ones are, so that time tells nothing.
        let differs = token.bytes().zip(self.token.bytes()).fold(0, |differs, (left, right)| differs | (left ^ right));
        if differs == 0 && token.len() == self.token.len() {
            Ok(self.context.clone())
        } else {
            Err(Denied::Unauthorized { presented: true })
        }
    }

    fn anonymous(&self, _request: &Parts) -> Option<Context> {
        Some(self.context.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn token(header: Option<&str>) -> Result<String, Denied> {
        let mut request = http::Request::get("/");
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        bearer(&parts).map(str::to_owned)
    }

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        assert_eq!(token(Some("Bearer abc")).as_deref(), Ok("abc"));
        assert_eq!(token(Some("bEARER   abc ")).as_deref(), Ok("abc"));
        assert_eq!(token(None), Err(Denied::Unauthorized { presented: false }));
        assert_eq!(token(Some("Basic abc")), Err(Denied::Unauthorized { presented: false }));
        for bad in ["Bearer", "Bearer ", "abc"] {
            assert_eq!(token(Some(bad)), Err(Denied::Unauthorized { presented: true }), "{bad}");
        }
    }
}
