//! What can go wrong between a client and a server.

use std::fmt;
use std::time::Duration;

use scimwright_core::ScimType;
use serde_json::Value;
use url::Url;

use crate::{ETag, TransportError};

/// Why a request did not lead to what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered with an error (RFC 7644 section 3.12).
    #[error("the server refuses: {0}")]
    Refused(Refusal),
    /// There is no answer.
    #[error("there is no answer")]
    Transport(#[from] TransportError),
    /// There is an answer, but not one that RFC 7644 has.
    #[error("the answer of status {status} makes no sense: {reason}")]
    Malformed {
        /// The HTTP status.
        status: u16,
        /// What was expected. Quotes nothing of the answer, which may be about people; the source does.
        reason: String,
        /// What the parser said.
        source: Option<serde_json::Error>,
    },
    /// It was done, but the server does not show the resource: an answer without a body, such as 204 to a PUT (RFC 7644
    /// section 3.5.1 wants one). Whoever needs it reads it.
    #[error("the server answers {status} and does not show the resource")]
    NotShown {
        /// The HTTP status.
        status: u16,
        /// `Location`, where the server says it: the URI of what was created.
        location: Option<String>,
        /// The version, where the server says it.
        version: Option<ETag>,
    },
    /// The server sends elsewhere, where the client does not follow: to another origin, or by a status that would turn
    /// the request into another one (RFC 7644 section 3.12 knows 307 and 308).
    #[error("the server answers {status} and sends to {location}, where the request is not taken")]
    Redirected {
        /// The HTTP status.
        status: u16,
        /// `Location`.
        location: Location,
    },
    /// The request could not be made, so nothing was sent.
    #[error("the request cannot be sent: {0}")]
    Request(String),
}

/// Where a server sends to. Only the origin is shown, for the rest may be about people; [`Location::as_str`] has it all.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    text: String,
    origin: Option<String>,
}

impl Location {
    /// As the server of that URI wrote it.
    pub(crate) fn new(text: &str, from: &Url) -> Self {
        let origin = from.join(text).ok().filter(|_| !text.is_empty()).map(|to| to.origin().ascii_serialization());
        Self { text: text.to_owned(), origin }
    }

    /// As the server wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.origin.as_deref().unwrap_or("nowhere"))
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Location").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// The error of a server: the HTTP status, and what the body of RFC 7644 section 3.12 says, where it is one.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// `scimType`, as the server wrote it.
    pub scim_type: Option<String>,
    /// `detail`, as the server wrote it.
    pub detail: Option<String>,
    /// How long the server wants to be left alone, from `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Boxed, so that errors stay small.
    content: Option<Box<Content>>,
}

/// What the server said, as bytes.
#[derive(Clone, PartialEq, Eq)]
struct Content {
    media_type: Option<String>,
    body: Vec<u8>,
}

impl Refusal {
    /// The `scimType`, where it is one of those that are registered.
    #[must_use]
    pub fn kind(&self) -> Option<ScimType> {
        self.scim_type.as_deref().and_then(ScimType::named)
    }

    /// What it was refused with, whatever it is, up to [`Refusal::MAX_BODY`]: the page of a proxy, for one. It may be
    /// about people, so neither `Display` nor `Debug` shows it. Of an operation of a bulk job it is empty.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.content.as_ref().map_or(&[], |content| &content.body)
    }

    /// The `Content-Type` of the body, as the server wrote it.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content.as_ref()?.media_type.as_deref()
    }

    /// So many bytes of the body are kept.
    pub const MAX_BODY: usize = 8 << 10;

    pub(crate) fn with_body(mut self, content_type: Option<&str>, body: &[u8]) -> Self {
        let (media_type, body) = (content_type.map(str::to_owned), body.get(..Self::MAX_BODY).unwrap_or(body).to_vec());
        self.content = Some(Box::new(Content { media_type, body }));
        self
    }

    /// From a body, whatever it is. The status of the answer counts, not the one in the body.
    pub(crate) fn new(status: u16, body: Option<&Value>) -> Self {
        let text = |name: &str| body.and_then(|body| member(body, name)).and_then(Value::as_str).map(str::to_owned);
        Self { status, scim_type: text("scimType"), detail: text("detail"), retry_after: None, content: None }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, scim_type, detail, retry_after, content: _ } = self;
        let mut debug = out.debug_struct("Refusal");
        debug.field("status", status).field("scim_type", scim_type).field("detail", detail);
        debug.field("retry_after", retry_after).field("content_type", &self.content_type());
        debug.finish_non_exhaustive()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.status)?;
        if let Some(scim_type) = &self.scim_type {
            write!(out, " {scim_type}")?;
        }
        match &self.detail {
            Some(detail) => write!(out, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl Error {
    /// The HTTP status of the answer, where there was one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            Self::Malformed { status, .. } | Self::NotShown { status, .. } | Self::Redirected { status, .. } => {
                Some(*status)
            }
            Self::Transport(_) | Self::Request(_) => None,
        }
    }

    /// What the server said, where it refused.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    pub(crate) fn malformed(status: u16, reason: impl Into<String>) -> Self {
        Self::Malformed { status, reason: reason.into(), source: None }
    }

    pub(crate) fn unreadable(status: u16, reason: impl Into<String>, source: serde_json::Error) -> Self {
        Self::Malformed { status, reason: reason.into(), source: Some(source) }
    }

    pub(crate) fn request(reason: impl fmt::Display) -> Self {
        Self::Request(reason.to_string())
    }
}

/// The member of an object, in the spelling of the RFC or another case of it (RFC 7643 section 2.1).
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}
