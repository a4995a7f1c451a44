//! One call from its first attempt to its answer: retries, redirects, errors.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;
use url::Url;

use crate::retry::{may_have_acted, retry_after};
use crate::{Client, ETag, Error, Location, Refusal};

/// What is asked of the server.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path below the base, encoded.
    pub(crate) path: String,
    /// The query, encoded, without its question mark.
    pub(crate) query: String,
    pub(crate) body: Option<Bytes>,
    pub(crate) if_match: Option<ETag>,
    pub(crate) if_none_match: Option<ETag>,
    /// Whether a POST changes nothing, as a search.
    pub(crate) reads: bool,
}

/// What the server answered when nothing failed.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/scim+json");
const ACCEPTED: HeaderValue = HeaderValue::from_static("application/scim+json, application/json;q=0.9");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("scimwright-client/", env!("CARGO_PKG_VERSION")));
/// How many redirects one attempt follows.
const MAX_REDIRECTS: usize = 5;

impl Call {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: String::new(),
            body: None,
            if_match: None,
            if_none_match: None,
            reads: false,
        }
    }

    pub(crate) fn with_body(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string().into());
        self
    }
}

impl Answer {
    /// The body, which must be JSON.
    pub(crate) fn json(&self) -> Result<Value, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::unreadable(self.status, "the body is no JSON", error))
    }

    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Sends a call, again where that is safe, until there is an answer or no hope.
pub(crate) async fn send(client: &Client, call: &Call) -> Result<Answer, Error> {
    let mut attempt = 1;
    let mut may_be_done = false;
    loop {
        let error = match attempt_once(client, call).await {
            // The attempt before has removed it.
            Err(Error::Refused(refusal)) if refusal.status == 404 && may_be_done && call.method == Method::DELETE => {
                return Ok(Answer { status: 204, headers: HeaderMap::new(), body: Bytes::new() });
            }
            Err(error) => error,
            answered => return answered,
        };
        may_be_done |= may_have_acted(&error);
        let settings = client.settings();
        let Some(clock) = settings.clock.as_deref() else { return Err(error) };
        let Some(wait) = settings.retry.wait(call, &error, attempt, clock) else { return Err(error) };
        clock.sleep(wait).await;
        attempt += 1;
    }
}

/// One attempt, redirects of the same origin followed (RFC 7644 section 3.12: 307 and 308 repeat the request at
/// `Location`).
async fn attempt_once(client: &Client, call: &Call) -> Result<Answer, Error> {
    let settings = client.settings();
    let start = settings.target(&call.path, &call.query)?;
    let mut target = start.clone();
    for _ in 0..=MAX_REDIRECTS {
        let request = request(client, call, &target)?;
        let response = settings.transport.send(request, settings.max_response).await?;
        if response.status().is_success() && response.body().len() > settings.max_response {
            return Err(crate::TransportError::too_large().into());
        }
        let status = response.status();
        if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
            return settle(client, call, response);
        }
        target = elsewhere(&start, &target, &response)?;
    }
    Err(Error::malformed(308, format!("more than {MAX_REDIRECTS} redirects")))
}

fn request(client: &Client, call: &Call, target: &Url) -> Result<Request<Bytes>, Error> {
    let mut request = Request::new(call.body.clone().unwrap_or_default());
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = target.as_str().parse().map_err(Error::request)?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, ACCEPTED);
    headers.insert(USER_AGENT, AGENT);
    if call.body.is_some() {
        headers.insert(CONTENT_TYPE, MEDIA_TYPE);
    }
    for (name, tag) in [(IF_MATCH, &call.if_match), (IF_NONE_MATCH, &call.if_none_match)] {
        if let Some(tag) = tag {
            headers.insert(name, HeaderValue::try_from(tag.as_str()).map_err(Error::request)?);
        }
    }
    for (name, value) in &client.settings().headers {
        headers.insert(name, value.clone());
    }
    Ok(request)
}

/// Where a redirect leads, if the same request may go there.
fn elsewhere(start: &Url, from: &Url, response: &Response<Bytes>) -> Result<Url, Error> {
    let status = response.status();
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let repeats = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    match from.join(location) {
        Ok(to) if repeats && !location.is_empty() && to.origin() == start.origin() => Ok(to),
        _ => Err(Error::Redirected { status: status.as_u16(), location: Location::new(location, from) }),
    }
}

/// The answer, or the error that it is.
fn settle(client: &Client, call: &Call, response: Response<Bytes>) -> Result<Answer, Error> {
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    // Nothing can be as it was for who did not say how it was.
    if status == 304 && call.if_none_match.is_none() {
        return Err(Error::malformed(status, "nobody asked whether something changed"));
    }
    if parts.status.is_success() || status == 304 {
        return Ok(Answer { status, headers: parts.headers, body });
    }
    if parts.status.is_informational() {
        return Err(Error::malformed(status, "it is not final"));
    }
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut refusal = Refusal::new(status, json.as_ref()).with_body(content_type, &body);
    refusal.retry_after = retry_after(&parts.headers, || client.settings().now());
    Err(Error::Refused(refusal))
}
