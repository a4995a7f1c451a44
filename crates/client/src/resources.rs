//! Resources by their endpoint: RFC 7644 sections 3.3 to 3.6.

use std::fmt;
use std::marker::PhantomData;

use http::Method;
use scimwright_core::{is_assigned, urns};
use scimwright_patch::PatchRequest;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::request::path_of;
use crate::send::Call;
use crate::{Client, ETag, Error, Patched, Query, Request, Versioned};

/// The resources at one endpoint, such as `/Users`, seen as `T`.
///
/// `T` is what comes back; what is sent may be anything that serialises to an object. What it says is null, or an empty
/// list or object, is left out, which is the same (RFC 7643 section 2.5), and `schemas` is added where it is missing
/// and known.
pub struct Resources<T> {
    client: Client,
    /// Begins with a slash, ends without.
    endpoint: String,
    schema: Option<String>,
    resource: PhantomData<fn() -> T>,
}

/// Whoever asks: RFC 7644 section 3.11.
pub struct Me<T> {
    resources: Resources<T>,
}

impl<T> Resources<T> {
    pub(crate) fn new(client: &Client, endpoint: &str, schema: Option<&str>) -> Self {
        let endpoint = format!("/{}", endpoint.trim_matches('/'));
        let schema = schema.map(str::to_owned);
        Self { client: client.clone(), endpoint, schema, resource: PhantomData }
    }

    /// With the base schema that bodies without `schemas` are of.
    #[must_use]
    pub fn schema(mut self, urn: &str) -> Self {
        self.schema = Some(urn.to_owned());
        self
    }

    /// The same resources, seen as something else.
    #[must_use]
    pub fn seen_as<U>(&self) -> Resources<U> {
        Resources::new(&self.client, &self.endpoint, self.schema.as_deref())
    }

    /// Creates one (RFC 7644 section 3.3). A server that made it and does not show it gives [`Error::NotShown`], with
    /// where it is.
    pub fn create(&self, resource: &(impl Serialize + ?Sized)) -> Request<Versioned<T>> {
        self.write(Method::POST, Ok(self.endpoint.clone()), resource)
    }

    /// Reads one (RFC 7644 section 3.4.1).
    pub fn get(&self, id: &str) -> Request<Versioned<T>> {
        self.call(Method::GET, path_of(&self.endpoint, id))
    }

    /// Reads one, unless that is its version still (RFC 7644 section 3.14).
    pub fn get_unless(&self, id: &str, version: &ETag) -> Request<Option<Versioned<T>>> {
        let version = version.clone();
        self.call(Method::GET, path_of(&self.endpoint, id)).change(|call| call.if_none_match = Some(version))
    }

    /// Replaces one (RFC 7644 section 3.5.1): everything that is left out is cleared, also what `T` does not show.
    pub fn replace(&self, id: &str, resource: &(impl Serialize + ?Sized)) -> Request<Versioned<T>> {
        self.write(Method::PUT, path_of(&self.endpoint, id), resource)
    }

    /// Changes one (RFC 7644 section 3.5.2). [`diff`](crate::diff()) makes the PATCH from two states.
    pub fn patch(&self, id: &str, patch: &PatchRequest) -> Request<Patched<T>> {
        let call = path_of(&self.endpoint, id).map(|path| Call::new(Method::PATCH, path).with_body(&patch.to_json()));
        Request::new(&self.client, call)
    }

    /// Deletes one (RFC 7644 section 3.6).
    pub fn delete(&self, id: &str) -> Request<()> {
        self.call(Method::DELETE, path_of(&self.endpoint, id))
    }

    /// All of them, or those that a filter selects (RFC 7644 section 3.4.2).
    pub fn list(&self) -> Query<T> {
        Query::new(&self.client, &self.endpoint)
    }

    /// The same by POST (RFC 7644 section 3.4.3): for filters that are too long, or too private, for a URI.
    pub fn search(&self) -> Query<T> {
        self.list().by_post()
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn call<A>(&self, method: Method, path: Result<String, Error>) -> Request<A> {
        Request::new(&self.client, path.map(|path| Call::new(method, path)))
    }

    fn write<A>(&self, method: Method, path: Result<String, Error>, body: &(impl Serialize + ?Sized)) -> Request<A> {
        let call = path.and_then(|path| Ok(Call::new(method, path).with_body(&self.body(body)?)));
        Request::new(&self.client, call)
    }

    /// What is sent of a resource.
    pub(crate) fn body(&self, resource: &(impl Serialize + ?Sized)) -> Result<Value, Error> {
        let Value::Object(object) = serde_json::to_value(resource).map_err(Error::request)? else {
            return Err(Error::request("a resource is a JSON object"));
        };
        let mut body = assigned(object);
        // A view that was not filled says so; it is the server's to give anyway.
        if body.get("id").and_then(Value::as_str) == Some("") {
            body.remove("id");
        }
        if let Some(schema) =
            self.schema.as_deref().filter(|_| !body.keys().any(|key| key.eq_ignore_ascii_case("schemas")))
        {
            // An extension stands in an object that its URI names (RFC 7643 section 3.3).
            let extensions = body.iter().filter(|(key, value)| key.contains(':') && value.is_object());
            let used = std::iter::once(schema).chain(extensions.map(|(key, _)| key.as_str()));
            let schemas: Vec<Value> = used.map(Value::from).collect();
            body.insert("schemas".to_owned(), schemas.into());
        }
        Ok(body.into())
    }
}

/// An object without what is no value.
fn assigned(object: Map<String, Value>) -> Map<String, Value> {
    let clean = |value: Value| match value {
        Value::Object(object) => assigned(object).into(),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::Object(object) => assigned(object).into(),
                other => other,
            })
            .filter(is_assigned)
            .collect(),
        other => other,
    };
    let cleaned = object.into_iter().map(|(name, value)| (name, clean(value)));
    cleaned.filter(|(_, value)| is_assigned(value)).collect()
}

impl<T> Me<T> {
    pub(crate) fn new(client: &Client) -> Self {
        Self { resources: Resources::new(client, "/Me", None).with_default_schema() }
    }

    /// With the base schema that bodies without `schemas` are of; `User` unless said otherwise.
    #[must_use]
    pub fn schema(self, urn: &str) -> Self {
        Self { resources: self.resources.schema(urn) }
    }

    fn path(&self) -> Result<String, Error> {
        Ok(self.resources.endpoint.clone())
    }

    /// Makes the resource of whoever asks.
    pub fn create(&self, resource: &(impl Serialize + ?Sized)) -> Request<Versioned<T>> {
        self.resources.create(resource)
    }

    /// Reads it.
    pub fn get(&self) -> Request<Versioned<T>> {
        self.resources.call(Method::GET, self.path())
    }

    /// Replaces it.
    pub fn replace(&self, resource: &(impl Serialize + ?Sized)) -> Request<Versioned<T>> {
        self.resources.write(Method::PUT, self.path(), resource)
    }

    /// Changes it.
    pub fn patch(&self, patch: &PatchRequest) -> Request<Patched<T>> {
        let call = self.path().map(|path| Call::new(Method::PATCH, path).with_body(&patch.to_json()));
        Request::new(&self.resources.client, call)
    }

    /// Deletes it.
    pub fn delete(&self) -> Request<()> {
        self.resources.call(Method::DELETE, self.path())
    }
}

impl<T> Resources<T> {
    fn with_default_schema(self) -> Self {
        self.schema(urns::USER)
    }
}

impl<T> Clone for Resources<T> {
    fn clone(&self) -> Self {
        self.seen_as()
    }
}

impl<T> fmt::Debug for Resources<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, endpoint, schema, resource: _ } = self;
        let mut debug = out.debug_struct("Resources");
        debug.field("client", client).field("endpoint", endpoint).field("schema", schema).finish()
    }
}

impl<T> fmt::Debug for Me<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Me").field("client", &self.resources.client).finish()
    }
}
