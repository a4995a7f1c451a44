//! The seam itself.

use async_trait::async_trait;
use serde_json::Value;

use crate::{Change, Committed, Key, Logged, Members, Page, Query, Record, StoreError, TenantId};

/// Where resources are kept. `scimwright-testkit` has a suite, `store_suite!`, that tests every line of the contract for any store.
///
/// # Contract
///
/// - Nothing is asked or told without a tenant, and no answer depends on another tenant's data, except that a key of
///   [`Scope::Global`](crate::Scope::Global) is taken once over all tenants.
/// - [`commit`](Store::commit) is atomic and durable: no caller sees part of a change, and when it answers `Ok` the change
///   survives the death of the process. When it answers an error nothing has changed.
/// - The commits of one tenant have an order. Each takes the next positions of the tenant's log, one for each of its events,
///   without gaps, and the position of its last event is the [`Version`](crate::Version) of every record that it wrote.
/// - The log is a chain: the hash of an entry follows from that of the entry before as [`ChainHash`](crate::ChainHash) says.
/// - A change with a [`cut`](crate::Change::cut) takes the oldest entries out of the log, up to one that must be there with that hash, else the
///   change fails with [`StoreError::NoSuchEntry`]. Positions and hashes go on as if nothing had been cut.
/// - A tenant is open until a change [closes](crate::Change::close) it, and then closed until one opens it. While it is closed, every change
///   that does neither fails with [`StoreError::Closed`]. That is asked in the transaction of the commit: what was not committed
///   before the tenant was closed never is, however long it was under way. Reading goes on.
/// - `modified` of a record grows with every write: it is the time of the change, or a millisecond after what it was.
/// - A `Replace` or `Delete` that expects a version fails with [`StoreError::Stale`] unless the record has just that version.
/// - Keys that are unique are checked by the commit itself, before its guards. Two commits at once cannot both take a key.
/// - Who joins where he is, or leaves where he is not, changes nothing: a write of members alone that changes nothing leaves the
///   group's version and time as they are.
/// - A membership is a row: adding or removing one reads and writes no other. A record that is deleted leaves every group, and
///   the groups that it leaves get the commit's version.
/// - [`find`](Store::find) answers exactly what [`Query::run`] answers over every record of the tenant, from one snapshot.
/// - Writes are done in their order, and each sees those before it. What stops a change is the first obstacle: that the tenant is closed, the cut, then of each
///   write whether the record is there, its version, its keys in their order and its members, and at last the guards.
/// - Ids, keys, names and all other texts are any that JSON can hold, NUL too. They are equal when they are so character by character.
/// - A clone of a handle, where there is one, is a handle to the same data.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// One record, with the members that were asked for and every membership of its own.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the data cannot be read.
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError>;

    /// One page of the records that a query selects, and how many it selects in all.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the data cannot be read.
    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError>;

    /// All of the change or nothing; its events join the tenant's log in the same transaction.
    ///
    /// # Errors
    ///
    /// The outcome that stopped it: see each variant of [`StoreError`].
    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError>;

    /// The tenant's log after a position, oldest first, at most `limit` entries. Those that were cut off are passed over.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the data cannot be read.
    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError>;

    /// A fact that the application keeps beside its resources, written by [`Change::facts`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the data cannot be read.
    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError>;
}
