//! Replies and errors as HTTP responses: those of the endpoint, and of what an application has beside it.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LOCATION, CONTENT_TYPE, ETAG, HeaderName, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use scimwright_core::ScimError;
use scimwright_service::Reply;
use serde_json::{Map, Value};

use crate::Denied;
use crate::openapi::MEDIA_TYPE_OF_DESCRIPTION;

/// The media type of everything that is answered: RFC 7644 section 8.1, without parameters.
pub const MEDIA_TYPE: &str = "application/scim+json";

/// An answer with its whole body.
pub type ScimResponse = Response<Full<Bytes>>;

/// What was asked, with its `ETag` and `Location`.
#[must_use]
pub fn of_reply(reply: Reply) -> ScimResponse {
    let quirks = reply.quirks;
    let has_body = reply.body.is_some();
    let mut response = with_body(reply.status, reply.body);
    set(&mut response, ETAG, reply.etag);
    // Location belongs to a creation, Content-Location to any other representation (ruling R-44).
    let name = if reply.status == 201 { LOCATION } else { CONTENT_LOCATION };
    set(&mut response, name, reply.location.filter(|_| has_body || reply.status == 304));
    response.extensions_mut().insert(quirks);
    response
}

/// The response with the URI that it is about.
pub(crate) fn located(mut response: ScimResponse, location: String) -> ScimResponse {
    set(&mut response, LOCATION, Some(location));
    response
}

/// An error in the body of RFC 7644 section 3.12.
#[must_use]
pub fn of_error(error: &ScimError) -> ScimResponse {
    let mut response = with_body(error.status(), Some(error.to_json()));
    if error.status() == 503 {
        set(&mut response, RETRY_AFTER, Some("1".to_owned()));
    }
    response
}

/// The answer to somebody who goes no further, with the challenge of RFC 6750 section 3 where one is due.
#[must_use]
pub fn of_denied(denied: Denied) -> ScimResponse {
    match denied {
        Denied::Unauthorized { presented } => {
            let mut response = of_error(&ScimError::new(401, "a valid bearer token is needed"));
            let challenge =
                if presented { "Bearer realm=\"scim\", error=\"invalid_token\"" } else { "Bearer realm=\"scim\"" };
            set(&mut response, WWW_AUTHENTICATE, Some(challenge.to_owned()));
            response
        }
        Denied::TooManyRequests { retry_after } => {
            let detail = format!("too many requests: try again after {retry_after} s");
            let mut response = of_error(&ScimError::new(429, detail));
            set(&mut response, RETRY_AFTER, Some(retry_after.max(1).to_string()));
            response
        }
        Denied::InsufficientScope => {
            let mut response = of_error(&ScimError::new(403, "this token is for something else"));
            let challenge = "Bearer realm=\"scim\", error=\"insufficient_scope\"";
            set(&mut response, WWW_AUTHENTICATE, Some(challenge.to_owned()));
            response
        }
        Denied::Refused(error) => of_error(&error),
    }
}

/// 405 with the methods that the endpoint knows (RFC 9110 section 15.5.6).
#[must_use]
pub fn method_not_allowed(allow: &'static str) -> ScimResponse {
    let mut response = of_error(&ScimError::new(405, format!("this endpoint knows {allow} only")));
    set(&mut response, ALLOW, Some(allow.to_owned()));
    response
}

pub(crate) fn of_description(description: &Value) -> ScimResponse {
    let mut response = Response::new(Full::new(Bytes::from(description.to_string())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE_OF_DESCRIPTION));
    response
}

fn with_body(status: u16, body: Option<Map<String, Value>>) -> ScimResponse {
    let bytes = body.map(|body| Bytes::from(Value::Object(body).to_string()));
    let typed = bytes.is_some();
    let mut response = Response::new(Full::new(bytes.unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if typed {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    }
    response
}

fn set(response: &mut ScimResponse, name: HeaderName, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
        response.headers_mut().insert(name, value);
    }
}
