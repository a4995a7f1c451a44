//! What came back, and what must be true of every answer.

#![allow(clippy::missing_panics_doc, reason = "checks that panic are what these methods are for")]

use std::ops::Index;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use scimwright_core::urns;
use serde_json::Value;

use crate::BASE;

/// The one password that tests send. It is in no answer, whatever was asked.
pub const PASSWORD: &str = "t1meMa$heen";

/// An answer that keeps to what holds for all of them.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null when there is none.
    pub body: Value,
}

impl Answer {
    /// Reads an answer and checks what holds whatever was asked.
    #[track_caller]
    pub(crate) fn read(method: &Method, response: Response<Bytes>) -> Self {
        let (parts, bytes) = response.into_parts();
        let text = String::from_utf8(bytes.to_vec()).unwrap_or_else(|error| panic!("the body is not UTF-8: {error}"));
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|error| panic!("the body is not JSON: {error}: {text}")),
        };
        let answer = Self { status: parts.status.as_u16(), headers: parts.headers, text, body };
        answer.check(method);
        answer
    }

    #[track_caller]
    fn check(&self, method: &Method) {
        assert!(!self.text.contains(PASSWORD), "a password was shown: {}", self.text);
        let media_type = self.header("content-type");
        if *method == Method::HEAD {
            assert_eq!(self.text, "", "HEAD has no body");
            return;
        }
        if matches!(self.status, 204 | 304) {
            assert_eq!((self.text.as_str(), media_type), ("", None), "{} has no body", self.status);
            return;
        }
        if self.status == 200 && self.body["openapi"].is_string() {
            assert_eq!(media_type, Some("application/json"), "the description is no SCIM");
            return;
        }
        assert_eq!(media_type, Some("application/scim+json"), "{}", self.text);
        let schemas = self.body["schemas"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert!(!schemas.is_empty(), "every body says what it is: {}", self.text);
        for (at, urn) in schemas.iter().enumerate() {
            assert!(urn.is_string() && !schemas[..at].contains(urn), "a list of URIs, each once: {}", self.text);
        }
        if self.status >= 400 {
            self.check_error();
        }
        let version = self.body["meta"]["version"].as_str();
        if let Some(version) = version {
            assert_eq!(self.header("etag"), Some(version), "meta.version is the ETag");
        }
        for name in ["location", "content-location"] {
            if let (Some(header), Some(location)) = (self.header(name), self.body["meta"]["location"].as_str()) {
                assert_eq!(header, location, "meta.location is {name}");
            }
        }
    }

    #[track_caller]
    fn check_error(&self) {
        assert_eq!(self.body["schemas"], serde_json::json!([urns::ERROR]), "{}", self.text);
        assert_eq!(self.body["status"], self.status.to_string(), "the status is a string: {}", self.text);
        assert!(self.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{}", self.text);
        let scim_type = &self.body["scimType"];
        assert!(scim_type.is_null() || scim_type.is_string(), "{}", self.text);
        if self.status == 401 {
            let challenge = self.header("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Bearer "), "401 says how to authenticate, not {challenge:?}");
        }
        if self.status == 405 {
            assert!(self.header("allow").is_some(), "405 says what is allowed");
        }
    }

    /// A header, when it is there.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The entity tag.
    #[must_use]
    #[track_caller]
    pub fn etag(&self) -> &str {
        self.header("etag").unwrap_or_else(|| panic!("there is no ETag: {} {}", self.status, self.text))
    }

    /// The `id` of the resource.
    #[must_use]
    #[track_caller]
    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_else(|| panic!("there is no id: {} {}", self.status, self.text))
    }

    /// Where the resource is, below the base.
    #[must_use]
    #[track_caller]
    pub fn path(&self) -> &str {
        let location = self.body["meta"]["location"].as_str().or_else(|| self.header("location")).unwrap_or_default();
        location.strip_prefix(BASE).unwrap_or_else(|| panic!("there is no location: {} {}", self.status, self.text))
    }

    /// The resources of a list.
    #[must_use]
    #[track_caller]
    pub fn resources(&self) -> &[Value] {
        self.body["Resources"].as_array().unwrap_or_else(|| panic!("there is no list: {} {}", self.status, self.text))
    }

    /// The values of one member of all resources of a list, sorted.
    #[must_use]
    #[track_caller]
    pub fn names(&self, member: &str) -> Vec<&str> {
        let mut names: Vec<&str> = self.resources().iter().filter_map(|resource| resource[member].as_str()).collect();
        assert_eq!(names.len(), self.resources().len(), "every resource has {member}: {}", self.text);
        names.sort_unstable();
        names
    }

    /// The names of the members of the body, sorted.
    #[must_use]
    #[track_caller]
    pub fn keys(&self) -> Vec<&str> {
        keys(&self.body)
    }
}

/// The names of the members of an object, sorted.
#[track_caller]
fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

impl Index<&str> for Answer {
    type Output = Value;

    /// A member of the body; null when it is not there.
    fn index(&self, name: &str) -> &Value {
        &self.body[name]
    }
}
