//! The seam between the client and whatever carries its requests.

#[cfg(feature = "reqwest")]
mod over_reqwest;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

use crate::Clock;

#[cfg(feature = "reqwest")]
pub use over_reqwest::Reqwest;

/// Carries one request to the server and one answer back.
///
/// # Contract
///
/// - Nothing is repeated and no redirect is followed: the client decides about both, for it knows what is safe.
/// - An answer of any status is an answer; an error is only that there is none.
/// - Of a body no more than `limit` bytes are read; what is longer is [`TransportError::too_large`]. Where the status is
///   none of success it is cut there instead, for the status says more than the rest of an error page.
/// - [`TransportError::not_sent`] is said only where the server cannot have seen any of the request.
/// - It ends: how long an answer may take is the transport's to say.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends the request and reads the answer.
    ///
    /// # Errors
    ///
    /// [`TransportError`], when there is no whole answer.
    async fn send(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>, TransportError>;

    /// The clock of the runtime that it needs, if it needs one: what a client waits by that was given no other
    /// ([`ClientBuilder::clock`](crate::ClientBuilder::clock)).
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        None
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("{}", match kind {
    TransportErrorKind::NotSent => "the server cannot be reached",
    TransportErrorKind::Broken => "the connection broke before the answer was there",
    TransportErrorKind::TooLarge => "the answer is larger than allowed",
})]
pub struct TransportError {
    kind: TransportErrorKind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What the server may have seen of a request that has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// None of it.
    NotSent,
    /// Perhaps all of it: it may have acted.
    Broken,
    /// All of it, and its answer was longer than the limit.
    TooLarge,
}

impl TransportError {
    /// The server cannot have seen any of the request.
    #[must_use]
    pub fn not_sent(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: TransportErrorKind::NotSent, source: Some(source.into()) }
    }

    /// The server may have acted, but its answer did not come, or not in time.
    #[must_use]
    pub fn broken(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: TransportErrorKind::Broken, source: Some(source.into()) }
    }

    /// The body of the answer is longer than the limit.
    #[must_use]
    pub const fn too_large() -> Self {
        Self { kind: TransportErrorKind::TooLarge, source: None }
    }

    /// What the server may have seen.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}
