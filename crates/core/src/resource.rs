//! The resource: a schema-described document that is always canonical.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Instant;

/// A resource of some type, always canonical: the schema's spelling of every name, no null, no empty list or object.
///
/// Only [`Admit`](crate::Admit) makes one from what a client sent; a store that reads back what it wrote may use
/// [`Resource::from_stored`], or deserialize it. Typed views look at it without changing it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resource(Map<String, Value>);

/// Why a document does not fit a typed view.
#[derive(Debug, thiserror::Error)]
#[error("the resource does not fit the view")]
pub struct ViewError(#[from] serde_json::Error);

impl Resource {
    /// Takes back a document that was a canonical resource when it was stored. Nothing is checked.
    #[must_use]
    pub const fn from_stored(document: Map<String, Value>) -> Self {
        Self(document)
    }

    /// The document.
    #[must_use]
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The document, given away.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// The top-level attribute or extension container in the schema's spelling.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The server's identifier (RFC 7643 section 3.1). Empty until the server gave one.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.get("id").and_then(Value::as_str).unwrap_or_default()
    }

    /// A typed look at the document.
    ///
    /// # Errors
    ///
    /// When an attribute that the view needs is missing or of another type.
    pub fn view<T: DeserializeOwned>(&self) -> Result<T, ViewError> {
        Ok(serde_json::from_value(Value::Object(self.0.clone()))?)
    }

    /// Sets what only the server sets: `id` and the stored part of `meta` (`resourceType`, `created`, `lastModified`).
    /// `meta.location` and `meta.version` depend on who asks and are added on the way out.
    pub fn stamp(&mut self, id: &str, resource_type: &str, created: Instant, modified: Instant) {
        let mut meta = Map::new();
        meta.insert("resourceType".to_owned(), resource_type.into());
        meta.insert("created".to_owned(), created.to_string().into());
        meta.insert("lastModified".to_owned(), modified.to_string().into());
        self.0.insert("id".to_owned(), id.into());
        self.0.insert("meta".to_owned(), meta.into());
    }

    /// Takes a top-level attribute out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Puts a canonical value that the server worked out (`groups`, members kept as rows) at the top level. Null and empty
    /// lists take the attribute out, so that the resource stays canonical.
    pub fn put(&mut self, name: &str, value: Value) {
        if crate::is_assigned(&value) {
            self.0.insert(name.to_owned(), value);
        } else {
            self.0.remove(name);
        }
    }

    /// The moment in `meta.created` or `meta.lastModified`.
    #[must_use]
    pub fn meta_instant(&self, name: &str) -> Option<Instant> {
        self.0.get("meta")?.get(name)?.as_str()?.parse().ok()
    }
}
