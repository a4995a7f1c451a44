//! When a request is sent again, and after how long.

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, Method};

use crate::send::Call;
use crate::{Clock, Error, TransportErrorKind};

/// How often, and how patiently, the client tries again what failed for the moment: 429, 502, 503, 504, 500 with
/// `Retry-After`, and connections that fail.
///
/// Waiting times double from attempt to attempt up to the longest, and are cut at random, so that clients that failed
/// together do not come back together. A `Retry-After` of the server is kept to, unless it is longer than the longest:
/// then the error is given back at once and says for how long ([`Refusal::retry_after`](crate::Refusal::retry_after)).
///
/// # What is safe
///
/// GET, searches, DELETE, and PUT and PATCH with the version in `If-Match` are sent again whatever happened. Everything
/// else, such as the POST that creates, is sent again only where the server has hardly acted: it said 429, which it says
/// of requests that it did not take, or there was no connection at all. A 503 proves nothing, not even with
/// `Retry-After`: a proxy may say it of a server that has acted.
///
/// What is sent again may meet its own effect. DELETE then finds nothing, and that is taken for success. A PUT or PATCH
/// with `If-Match` meets the version that it made itself and is refused with 412: whoever gets that reads the resource,
/// and sees.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// How often a request is sent at most, the first time included.
    pub attempts: u32,
    /// The longest waiting time after the first attempt; it doubles after each.
    pub first: Duration,
    /// What no waiting time exceeds.
    pub longest: Duration,
}

impl Default for Retry {
    /// Four attempts, with up to a quarter, half and a whole second between them, and up to half a minute where the
    /// server asks for it.
    fn default() -> Self {
        Self { attempts: 4, first: Duration::from_millis(250), longest: Duration::from_secs(30) }
    }
}

impl Retry {
    /// Every request is sent once.
    #[must_use]
    pub const fn never() -> Self {
        Self { attempts: 1, first: Duration::ZERO, longest: Duration::ZERO }
    }

    /// With so many attempts, the first included.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// With these waiting times: the longest after the first attempt, and the longest at all.
    #[must_use]
    pub const fn waiting(mut self, first: Duration, longest: Duration) -> Self {
        self.first = first;
        self.longest = longest;
        self
    }

    /// How long to wait before sending the call again; none when it is not to be sent again.
    pub(crate) fn wait(&self, call: &Call, error: &Error, attempt: u32, clock: &dyn Clock) -> Option<Duration> {
        if attempt >= self.attempts || !(hopeful(error) && (untouched(error) || repeatable(call))) {
            return None;
        }
        let doubled = 2_u32.checked_pow(attempt.saturating_sub(1)).and_then(|times| self.first.checked_mul(times));
        let backoff = doubled.unwrap_or(self.longest).min(self.longest).mul_f64(clock.random().clamp(0.0, 1.0));
        match error.refusal().and_then(|refusal| refusal.retry_after) {
            Some(asked) if asked > self.longest => None,
            Some(asked) => Some(asked.max(backoff)),
            None => Some(backoff),
        }
    }
}

/// Whether another attempt may end otherwise.
fn hopeful(error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => match refusal.status {
            429 | 502 | 503 | 504 => true,
            // Who says when to come back expects to be well again.
            500 => refusal.retry_after.is_some(),
            _ => false,
        },
        Error::Transport(error) => error.kind() != TransportErrorKind::TooLarge,
        _ => false,
    }
}

/// Whether the server has not acted, as far as anybody can tell.
fn untouched(error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => refusal.status == 429,
        Error::Transport(error) => error.kind() == TransportErrorKind::NotSent,
        _ => false,
    }
}

/// Whether the server may have acted although there is no answer that says so.
pub(crate) fn may_have_acted(error: &Error) -> bool {
    hopeful(error) && !untouched(error)
}

/// Whether doing it twice is doing it once.
fn repeatable(call: &Call) -> bool {
    match call.method {
        Method::GET | Method::DELETE => true,
        // `*` holds whatever another attempt, or anybody else, has made of the resource.
        Method::PUT | Method::PATCH => call.if_match.as_ref().is_some_and(|tag| tag.as_str().trim() != "*"),
        _ => call.reads,
    }
}

/// `Retry-After`: RFC 9110 section 10.2.3, seconds or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: impl FnOnce() -> SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        // What has passed already is now.
        Err(_) => httpdate::parse_http_date(text).ok().map(|date| date.duration_since(now()).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn the_header_says_seconds_or_a_date() {
        let read = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            // Sun, 06 Nov 1994 08:49:37 GMT
            retry_after(&headers, || UNIX_EPOCH + Duration::from_secs(784_111_777)).map(|wait| wait.as_secs())
        };
        assert_eq!(read("120"), Some(120));
        assert_eq!(read(" 0 "), Some(0));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:00 GMT"), Some(23));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:00 GMT"), Some(0));
        assert_eq!(read("Sunday, 06-Nov-94 08:50:00 GMT"), Some(23));
        for nothing in ["soon", "-1", "", "1.5", "99999999999999999999"] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }
}
