//! The outcomes of asking a store.

use crate::Key;

/// What came of it, other than success. A database's own words stay in the source; no client reads them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The record to be replaced or deleted is not there.
    #[error("{0} is not here")]
    NotFound(Key),
    /// The record has another version than was expected: somebody was faster.
    #[error("{0} has changed meanwhile")]
    Stale(Key),
    /// A unique key is taken.
    #[error("`{path}` is taken")]
    Conflict {
        /// The key's path, as in [`IndexKey::path`](crate::IndexKey::path), or `id`.
        path: String,
        /// Who holds it, which may be a record that an earlier write of the same change has brought; none when it is held in another
        /// tenant, or when it is the `id` that is taken.
        holder: Option<Key>,
    },
    /// Records that were to become members do not exist in this tenant.
    #[error("{} of the members do not exist", .0.len())]
    NoSuchMembers(Vec<String>),
    /// A guard does not hold after the change.
    #[error("no more than {limit} of {resource_type} are allowed")]
    Guard {
        /// What is counted.
        resource_type: String,
        /// How many there may be.
        limit: u64,
    },
    /// The log has no entry at the position up to which it was to be cut, or one with another hash.
    #[error("the log has no such entry {0} to be cut at")]
    NoSuchEntry(u64),
    /// The tenant is closed, and the change neither closes nor opens it.
    #[error("the tenant is closed")]
    Closed,
    /// The tenant that was to be erased is open.
    #[error("the tenant is open: close it first")]
    Open,
    /// The tenant that was to be taken in is there already.
    #[error("there is a tenant of this name already")]
    TenantExists,
    /// The store cannot answer now.
    #[error("the store is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// The store cannot answer now, and this is why.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}
