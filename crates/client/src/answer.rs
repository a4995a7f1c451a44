//! What comes back: a resource with its version.

use std::fmt;

use http::header::{CONTENT_LOCATION, ETAG, LOCATION};
use scimwright_core::{Admit, AdmitError, Resource, ResourceType};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Error;
use crate::error::member;
use crate::send::Answer;

/// The version of a resource as its server writes it, such as `W/"42"`: RFC 7644 section 3.14.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(String);

impl ETag {
    /// A tag as a server wrote it. `*` in [`Request::if_match`](crate::Request::if_match) means whichever version there
    /// is.
    #[must_use]
    pub fn new(tag: impl Into<String>) -> Self {
        Self(tag.into())
    }

    /// The tag as the server wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A resource as the server shows it, and which version of it that is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Versioned<T> {
    /// The resource.
    pub resource: T,
    /// Its version, where the server has versions: from the header, or from `meta.version`.
    pub version: Option<ETag>,
    /// Its URI: from `meta.location`, or from the header.
    pub location: Option<String>,
}

/// What a PATCH answers (RFC 7644 section 3.5.2): the resource, or only that it was done.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Patched<T> {
    /// The resource, unless the server answered 204.
    pub resource: Option<T>,
    /// Its version after the PATCH, where the server said it.
    pub version: Option<ETag>,
}

impl Versioned<Value> {
    /// The resource in canonical form, read-only attributes and all: what [`diff`](crate::diff()) compares.
    ///
    /// # Errors
    ///
    /// When the server's answer is no resource of that type.
    pub fn admit(self, resource_type: &ResourceType) -> Result<Versioned<Resource>, AdmitError> {
        let Self { resource, version, location } = self;
        Ok(Versioned { resource: Admit::new(resource_type).any_length().trusted(resource)?, version, location })
    }
}

impl<T: DeserializeOwned> Versioned<T> {
    /// From JSON, wherever in an answer it stood.
    pub(crate) fn read(status: u16, json: Value) -> Result<Self, Error> {
        let meta = |name: &str| member(&json, "meta").and_then(|meta| member(meta, name)?.as_str()).map(str::to_owned);
        let (version, location) = (meta("version").map(ETag), meta("location"));
        Ok(Self { resource: view(status, json)?, version, location })
    }

    /// From an answer that is a resource.
    pub(crate) fn of(answer: &Answer) -> Result<Self, Error> {
        let header = answer.header(LOCATION).or_else(|| answer.header(CONTENT_LOCATION)).map(str::to_owned);
        if answer.body.is_empty() {
            return Err(Error::NotShown { status: answer.status, location: header, version: tag(answer) });
        }
        let mut read = Self::read(answer.status, answer.json()?)?;
        read.version = tag(answer).or(read.version);
        read.location = read.location.or(header);
        Ok(read)
    }
}

/// The typed look at an object. Null is the same as no value (RFC 7643 section 2.5), which not every type knows.
pub(crate) fn view<T: DeserializeOwned>(status: u16, json: Value) -> Result<T, Error> {
    if !json.is_object() {
        return Err(Error::malformed(status, "it is no JSON object"));
    }
    let read = serde_json::from_value(without_nulls(json));
    read.map_err(|error| Error::unreadable(status, "the resource does not fit the view", error))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let given = object.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(given.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => items.into_iter().filter(|item| !item.is_null()).map(without_nulls).collect(),
        other => other,
    }
}

pub(crate) fn tag(answer: &Answer) -> Option<ETag> {
    answer.header(ETAG).map(ETag::new)
}

/// What an answer can be read as: [`Versioned`], [`Patched`], or nothing. No other type can.
pub trait FromAnswer: Sized {
    #[doc(hidden)]
    fn from_answer(answer: Raw) -> Result<Self, Error>;
}

/// An answer on its way to becoming something.
#[doc(hidden)]
#[derive(Debug)]
pub struct Raw(pub(crate) Answer);

impl<T: DeserializeOwned> FromAnswer for Versioned<T> {
    fn from_answer(Raw(answer): Raw) -> Result<Self, Error> {
        Self::of(&answer)
    }
}

impl<T: DeserializeOwned> FromAnswer for Option<Versioned<T>> {
    fn from_answer(Raw(answer): Raw) -> Result<Self, Error> {
        if answer.status == 304 { Ok(None) } else { Versioned::of(&answer).map(Some) }
    }
}

impl<T: DeserializeOwned> FromAnswer for Patched<T> {
    fn from_answer(Raw(answer): Raw) -> Result<Self, Error> {
        if answer.status == 204 || answer.body.is_empty() {
            return Ok(Self { resource: None, version: tag(&answer) });
        }
        let Versioned { resource, version, .. } = Versioned::of(&answer)?;
        Ok(Self { resource: Some(resource), version })
    }
}

impl FromAnswer for () {
    fn from_answer(_: Raw) -> Result<Self, Error> {
        Ok(())
    }
}
