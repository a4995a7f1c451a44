//! A SCIM store in an SQLite file: [`scimwright_store::Store`] on disk, durable and quick at any size.
//!
//! ```
//! use scimwright_core::Resource;
//! use scimwright_sqlite::{SqliteOptions, SqliteStore};
//! use scimwright_store::{Change, Delta, Draft, Event, Key, Members, Store, TenantId, Write};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("scim.db");
//! let store = SqliteStore::open(&path, SqliteOptions::default())?;
//! let tenant: TenantId = "acme".parse()?;
//! let document = serde_json::json!({"userName": "bjensen"}).as_object().cloned().unwrap_or_default();
//! let draft = Draft {
//!     key: Key::new("User", "2819c223"),
//!     resource: Resource::from_stored(document),
//!     index: Vec::new(),
//!     display: None,
//!     notes: serde_json::Map::new(),
//!     created: None,
//! };
//! let insert = Write::Insert { draft, members: Delta::default() };
//! let change = Change::new("2026-01-01T00:00:00Z".parse()?, Event::default()).write(insert);
//! pollster::block_on(store.commit(&tenant, change))?;
//! drop(store);
//!
//! let store = SqliteStore::open(&path, SqliteOptions::default())?;
//! let user = pollster::block_on(store.get(&tenant, &Key::new("User", "2819c223"), Members::None))?;
//! assert_eq!(user.ok_or("gone")?.resource.id(), "2819c223");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! One file, any number of tenants, any number of processes on one machine. Commits are durable (`synchronous=FULL`)
//! and those that wait are gathered into one transaction; readers never wait for them. What a filter asks of indexed
//! attributes, `id`, `meta.lastModified` and memberships is answered from indexes; the rest is asked of one candidate
//! after the other, in memory that does not grow with their number.
//!
//! The crate needs no runtime: threads of its own talk to SQLite, and answers are plain futures.
//!
//! # Limits
//!
//! - Times are kept in 64 bits of nanoseconds: a change that says it happens before 1678 or after 2261 is refused.
//! - An attribute that gets an index later is looked up among the records that were written since, for keys are worked
//!   out when a record is written. Write the others again. Sorted lists notice them when the walk comes to those without a value.
//! - A decimal of more than fifteen digits may be read as its neighbour, for that is how `serde_json` reads them. A program that minds
//!   switches on its feature `float_roundtrip`; a library must not.
//! - Network file systems are none for SQLite's write-ahead log.

mod commit;
mod error;
mod find;
mod open;
mod read;
mod readers;
mod store;
#[cfg(test)]
mod testing;
mod transfer;
mod writer;

pub use error::OpenError;
pub use open::SqliteOptions;
pub use store::SqliteStore;
