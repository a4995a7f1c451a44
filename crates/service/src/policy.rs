//! What an application adds to the protocol: values and pure decisions, enforced in the commit.

use std::fmt;

use scimwright_core::{Resource, ResourceType, ScimError};
use scimwright_store::{Fact, Guard, IndexKey, Record, Scope, StoreError};
use serde_json::{Map, Value};

/// The application's say in every write. All methods decide, none of them waits; each has the plain protocol as its default.
pub trait Policy: fmt::Debug + Send + Sync {
    /// More keys by which a resource is known, perhaps unique over all tenants: the e-mail address a person signs in with.
    fn keys(&self, resource_type: &ResourceType, resource: &Resource) -> Vec<IndexKey> {
        let _ = (resource_type, resource);
        Vec::new()
    }

    /// A resource that is to be created is there already. The default is 409.
    fn adopt(&self, conflict: &Conflicting<'_>) -> Adoption {
        let _ = conflict;
        Adoption::Refuse
    }

    /// The last word before a write: it may change the resource and the application's notes, or refuse.
    ///
    /// # Errors
    ///
    /// Whatever the client shall be told.
    fn before_write(&self, writing: &mut Writing<'_>) -> Result<(), ScimError> {
        let _ = writing;
        Ok(())
    }

    /// Which facts [`Policy::before_write`] wants to know about a resource that is to be created.
    fn facts_wanted(&self, resource_type: &ResourceType, resource: &Resource) -> Vec<String> {
        let _ = (resource_type, resource);
        Vec::new()
    }

    /// What must hold after a change, such as a limit of seats.
    fn guards(&self, resource_type: &ResourceType) -> Vec<Guard> {
        let _ = resource_type;
        Vec::new()
    }

    /// What the client is told when a guard does not hold.
    fn guard_failed(&self, resource_type: &str, limit: u64) -> ScimError {
        ScimError::new(403, format!("the limit of {limit} is reached for {resource_type}"))
    }

    /// What DELETE does.
    fn deletion(&self, record: &Record) -> Deletion {
        let _ = record;
        Deletion::Remove
    }

    /// Whether who joins a group of this type leaves every other one.
    fn exclusive_membership(&self, resource_type: &ResourceType) -> bool {
        let _ = resource_type;
        false
    }

    /// The types whose resources may be members of one of this type; any type that is served, where this is empty.
    fn member_types(&self, resource_type: &ResourceType) -> Vec<String> {
        let _ = resource_type;
        Vec::new()
    }

    /// Whether an account may be used, for the log's transitions. RFC 7643 section 4.1.1 leaves the meaning of `active` to the
    /// service; by default only `false` switches an account off.
    fn is_active(&self, resource: &Resource) -> bool {
        resource.get("active") != Some(&Value::Bool(false))
    }

    /// The store could not answer, and the client is told 503. This is for the application's own log.
    fn store_failed(&self, error: &StoreError) {
        let _ = error;
    }

    /// The keys that a retired record keeps, so that a creation meets it: all of [`Scope::Global`], which is the only kind that
    /// is found from another type.
    fn retired_keys(&self, resource_type: &ResourceType, resource: &Resource) -> Vec<IndexKey> {
        let mut keys = self.keys(resource_type, resource);
        keys.retain(|key| key.scope == Scope::Global);
        keys
    }

    /// Whether a client may set a secret such as `password` to this: where an application has a policy for passwords, it is
    /// applied here (RFC 7643 section 4.1.1). Asked before [`Policy::secret`], and only for what is new.
    ///
    /// # Errors
    ///
    /// Whatever the client shall be told, which is `invalidValue` and does not quote the secret.
    fn check_secret(&self, resource_type: &ResourceType, attribute: &str, value: &Value) -> Result<(), ScimError> {
        let _ = (resource_type, attribute, value);
        Ok(())
    }

    /// What is stored of a secret such as `password` (RFC 7643 section 9.2): a hash, or nothing, which is the default.
    fn secret(&self, resource_type: &ResourceType, attribute: &str, value: &Value) -> Option<Value> {
        let _ = (resource_type, attribute, value);
        None
    }
}

/// The protocol and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Policy for Plain {}

/// A creation that met a record with one of its unique keys.
#[derive(Debug)]
#[non_exhaustive]
pub struct Conflicting<'a> {
    /// Of which type.
    pub resource_type: &'a ResourceType,
    /// What was to be created.
    pub incoming: &'a Resource,
    /// Who is there.
    pub holder: &'a Record,
    /// The key that they share.
    pub path: &'a str,
    /// Whether the record was retired by a DELETE: nobody sees it until somebody takes it over.
    pub retired: bool,
}

/// What becomes of a creation that met an existing record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// 409 uniqueness.
    Refuse,
    /// The record takes over what the request says and keeps the rest, and is answered with this status (201 or 200).
    Adopt(u16),
}

/// A resource on its way into the store.
#[derive(Debug)]
#[non_exhaustive]
pub struct Writing<'a> {
    /// Of which type.
    pub resource_type: &'a ResourceType,
    /// What is there now; none when it is created.
    pub before: Option<&'a Record>,
    /// The top-level names that the request spelled out, also where it gave null; in the request's own spelling.
    pub given: &'a [String],
    /// To be set when the provider takes over a record that was not its own: the log says so.
    pub linked: &'a mut bool,
    /// What a creation said that adopts `before`.
    pub adopts: Option<&'a Resource>,
    /// What shall be there.
    pub resource: &'a mut Resource,
    /// The application's notes about it.
    pub notes: &'a mut Map<String, Value>,
    /// The facts that were wanted, those that are known.
    pub known: &'a [Fact],
    /// Facts to be written with it.
    pub facts: &'a mut Vec<Fact>,
}

/// What DELETE does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The resource goes.
    Remove,
    /// `active` becomes false and the resource stays, in sight of everybody.
    Deactivate,
    /// `active` becomes false and the record stays, but every request finds nothing there (RFC 7644 section 3.6), until a creation
    /// with one of its keys of [`Scope::Global`](scimwright_store::Scope) adopts it: then it is the same resource again.
    Retire,
}
