//! The transport that is ready to use.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};

use crate::{Clock, TokioClock, Transport, TransportError};

/// Requests over `reqwest`: TLS by rustls, the system's certificates, connections kept. Needs a tokio runtime around
/// it.
#[derive(Clone, Debug)]
pub struct Reqwest {
    client: reqwest::Client,
    timeout: Duration,
}

impl Reqwest {
    /// How long a connection may take.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
    /// How long an answer may take, from its first byte sent to the last one read.
    pub const TIMEOUT: Duration = Duration::from_secs(60);

    /// With the timeouts above.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, TransportError> {
        Self::of(Self::builder())
    }

    /// Whatever the environment says of proxies.
    pub(crate) fn without_proxy() -> Result<Self, TransportError> {
        Self::of(Self::builder().no_proxy())
    }

    fn builder() -> reqwest::ClientBuilder {
        reqwest::Client::builder().connect_timeout(Self::CONNECT_TIMEOUT)
    }

    /// As the builder says: shorter timeouts, certificates of one's own, a proxy. Redirects are left to
    /// [`Client`](crate::Client), which takes the token to no other origin.
    ///
    /// A builder of `reqwest` has no timeouts unless told, so [`Reqwest::TIMEOUT`] holds here, too;
    /// [`Reqwest::timeout`] makes it longer or shorter.
    ///
    /// # Errors
    ///
    /// When what the builder says cannot be set up.
    pub fn of(builder: reqwest::ClientBuilder) -> Result<Self, TransportError> {
        let builder = builder.redirect(reqwest::redirect::Policy::none());
        Ok(Self { client: builder.build().map_err(TransportError::not_sent)?, timeout: Self::TIMEOUT })
    }

    /// With another longest time for an answer. The builder's own timeout, where it has one, holds as well.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn exchange(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>, TransportError> {
        let request = reqwest::Request::try_from(request).map_err(|error| TransportError::not_sent(quiet(error)))?;
        let mut answer = self.client.execute(request).await.map_err(failed)?;
        let cut = !answer.status().is_success();
        if !cut && answer.content_length().is_some_and(|length| length > limit as u64) {
            return Err(TransportError::too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            match chunk.get(..limit - body.len()) {
                Some(fits) if cut => {
                    body.extend_from_slice(fits);
                    break;
                }
                Some(fits) if fits.len() < chunk.len() => return Err(TransportError::too_large()),
                _ => body.extend_from_slice(&chunk),
            }
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

#[async_trait]
impl Transport for Reqwest {
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::new(TokioClock))
    }

    async fn send(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>, TransportError> {
        // The server may have seen it all by then.
        let exchange = tokio::time::timeout(self.timeout, self.exchange(request, limit));
        exchange.await.unwrap_or_else(|elapsed| Err(TransportError::broken(elapsed)))
    }
}

fn failed(error: reqwest::Error) -> TransportError {
    // Nothing is sent before there is a connection.
    let connecting = error.is_connect();
    let error = quiet(error);
    if connecting { TransportError::not_sent(error) } else { TransportError::broken(error) }
}

/// Without the URL: a filter in it may name people.
fn quiet(error: reqwest::Error) -> reqwest::Error {
    error.without_url()
}
