//! Bodies of requests: read to their end or not at all, and JSON.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use scimwright_core::{ScimError, ScimType};
use serde_json::Value;

/// The JSON of a request, of at most `limit` bytes: for endpoints that an application has beside SCIM.
///
/// # Errors
///
/// 413 when it is longer, 415 when it is not said to be JSON, 400 when it is none.
pub async fn read_json<B>(parts: &Parts, body: B, limit: usize) -> Result<Value, ScimError>
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if !check_media_type(parts)? {
        return Err(ScimError::new(415, "Content-Type is missing: send the body as application/scim+json"));
    }
    parse(&read(parts, body, limit).await?)
}

/// The whole body, of at most `limit` bytes.
pub(crate) async fn read<B>(parts: &Parts, body: B, limit: usize) -> Result<Bytes, ScimError>
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let too_large = || ScimError::new(413, format!("the body is larger than {} bytes", limit));
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(ScimError::new(400, "the body could not be read to its end")),
    }
}

/// Whether a media type is given; an error where it is none of JSON (RFC 7644 sections 3.1 and 8.1).
pub(crate) fn check_media_type(parts: &Parts) -> Result<bool, ScimError> {
    let Some(media_type) = parts.headers.get(CONTENT_TYPE) else { return Ok(false) };
    let essence = String::from_utf8_lossy(media_type.as_bytes());
    let essence = essence.split(';').next().unwrap_or_default().trim();
    let known = ["application/scim+json", "application/json"].iter().any(|known| known.eq_ignore_ascii_case(essence));
    if known { Ok(true) } else { Err(ScimError::new(415, "send the body as application/scim+json")) }
}

pub(crate) fn parse(body: &Bytes) -> Result<Value, ScimError> {
    serde_json::from_slice(body).map_err(|error| {
        // The words of the parser name a place, never the text that stands there.
        ScimError::bad(ScimType::InvalidSyntax, format!("the body is not JSON: {error}"))
    })
}
