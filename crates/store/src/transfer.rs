//! Everything of a tenant, from one store to another: for moving organisations, for backups and for doctors.

use std::io;

use async_trait::async_trait;
use scimwright_core::Instant;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Draft, Logged, Member, Store, StoreError, TenantId, Version};

mod intake;

pub use intake::{Intake, Misfit};

/// One thing that a store keeps for a tenant. Serializes, so that a file of them, one a line, is an archive of the tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Item {
    /// The last position of the tenant's log. It comes first, and once.
    #[serde(rename_all = "camelCase")]
    Head {
        /// The position.
        position: u64,
        /// Whether the tenant is closed: see [`Change::close`](crate::Change::close).
        #[serde(default)]
        closed: bool,
    },
    /// A record without its members, as it was written last.
    #[serde(rename_all = "camelCase")]
    Record {
        /// What was written; `created` is there.
        draft: Draft,
        /// Its version.
        version: Version,
        /// When it was last written.
        modified: Instant,
        /// How many members the store says it has.
        member_count: u64,
    },
    /// A row of a membership. All of them come behind all records.
    Member {
        /// The `id` of the group.
        group: String,
        /// The member.
        member: Member,
    },
    /// A fact.
    Fact {
        /// Its name.
        name: String,
        /// What is known.
        value: Value,
    },
    /// An entry of the log, in the order of positions.
    Entry(Logged),
    /// Derived: how many records of a type the store says there are.
    #[serde(rename_all = "camelCase")]
    Count {
        /// The type.
        resource_type: String,
        /// How many.
        count: u64,
    },
    /// Derived: how many keys of a path the store says the records of a type have. Stores that keep no such number have none of these.
    #[serde(rename_all = "camelCase")]
    Keyed {
        /// The type.
        resource_type: String,
        /// Which attribute.
        path: String,
        /// How many.
        count: u64,
    },
    /// Derived: a key by which the store finds a record.
    #[serde(rename_all = "camelCase")]
    Key {
        /// The type.
        resource_type: String,
        /// Which attribute.
        path: String,
        /// The folded value.
        value: String,
        /// The `id` of the record.
        id: String,
    },
    /// Derived: a key that may stand once only, and who has it.
    #[serde(rename_all = "camelCase")]
    Unique {
        /// Whether it may stand once over all tenants, and not only in this one. Then it has no type.
        global: bool,
        /// The type; empty for a global one.
        resource_type: String,
        /// Which attribute.
        path: String,
        /// The folded value.
        value: String,
        /// The `id` of the record.
        id: String,
    },
}

impl Item {
    /// Whether it says nothing that does not follow from others: an import passes it over.
    #[must_use]
    pub const fn is_derived(&self) -> bool {
        matches!(self, Self::Count { .. } | Self::Keyed { .. } | Self::Key { .. } | Self::Unique { .. })
    }
}

/// Where exported items go. An error ends the export.
pub type Sink = Box<dyn FnMut(Item) -> io::Result<()> + Send>;

/// Where imported items come from. An error ends the import.
pub type Source = Box<dyn Iterator<Item = io::Result<Item>> + Send>;

/// A store whose tenants can be taken out whole and brought in whole.
///
/// # Contract
///
/// - What [`export`](Transfer::export) gives is one snapshot, in memory that does not grow with it. [`Item::Head`] comes first, then
///   records in the order of type and `id`, members in the order of group and member, facts by name, entries by position, and last
///   what is derived, in any order of its kinds.
/// - What [`import`](Transfer::import) has taken in is what was exported: ids, versions, times, members, facts, log and hashes. It
///   passes derived items over and makes them of the drafts.
/// - Only a closed tenant can be erased, and then it stays closed: a commit that comes too late does not bring it back. A change that
///   opens it begins it anew, and an import takes its place.
/// - Imports and erasures are all or nothing. They do not enter the log: it is part of what is moved.
#[async_trait]
pub trait Transfer: Store {
    /// All tenants that have ever committed anything and were not erased, in the order of their names.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the data cannot be read.
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError>;

    /// Everything of a tenant. Of one that is not there, nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the data cannot be read or the sink fails.
    async fn export(&self, tenant: &TenantId, sink: Sink) -> Result<(), StoreError>;

    /// Takes everything in for a tenant that is not there yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::TenantExists`] when it is there, [`StoreError::Conflict`] when a key that may stand once only is taken, or
    /// [`StoreError::Unavailable`] when the source fails, its items do not fit together, or the store cannot write. Then nothing has changed.
    async fn import(&self, tenant: &TenantId, source: Source) -> Result<(), StoreError>;

    /// Forgets a tenant whole, as if it had never been, but that it stays closed. One that was never there is none to be forgotten.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] when it is there and not closed; then nothing has changed.
    /// [`StoreError::Unavailable`] when the store cannot write.
    async fn erase(&self, tenant: &TenantId) -> Result<(), StoreError>;
}
