//! Reads what is left of a request that was answered before its end.
//!
//! Who is refused for his token, his pace or his path is refused before his body is looked at. Hyper then closes the
//! connection without having said so, and what still arrives on a closed connection resets it: the client loses the next
//! request that it sends there, or even the answer that would have told it what was wrong.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONNECTION, EXPECT};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;

/// How long a client may go on sending. It is not the bytes that cost, for nothing keeps them.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers a request only when all of it has arrived, or else says that the connection ends.
pub(crate) async fn read_first(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Such a client waits for a word before it sends the body. Reading would be that word.
    let waits = expects(request.headers());
    let returned = Arc::new(Mutex::new(None));
    let (parts, body) = request.into_parts();
    let lent = Lent { body: Some(body), returned: Arc::clone(&returned) };
    let mut response = next.run(Request::from_parts(parts, Body::new(lent))).await;
    let leftover = returned.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut leftover) = leftover else { return response };
    let finished = !waits && tokio::time::timeout(PATIENCE, discard(&mut leftover)).await == Ok(true);
    if !finished {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn expects(headers: &HeaderMap) -> bool {
    headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Reads to the end and keeps nothing. Answers whether there was an end.
async fn discard(body: &mut Body) -> bool {
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return false;
        }
    }
    true
}

/// A body that comes back when its reader has had enough of it.
struct Lent {
    body: Option<Body>,
    returned: Arc<Mutex<Option<Body>>>,
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let leftover = self.body.take().filter(|body| !body.is_end_stream());
        *self.returned.lock().unwrap_or_else(PoisonError::into_inner) = leftover;
    }
}
