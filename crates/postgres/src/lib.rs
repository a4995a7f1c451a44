//! A SCIM store in PostgreSQL: [`scimwright_store::Store`] for many servers over one database.
//!
//! ```
//! use scimwright_postgres::{PostgresOptions, PostgresStore, migrate};
//! use scimwright_store::{Change, Event, Store, TenantId};
//!
//! # let Some(cluster) = scimwright_testkit::postgres::Cluster::shared() else { return Ok(()) };
//! # let database = cluster.database();
//! # let url = database.url();
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! // Once, by an operator: a server never changes the tables.
//! migrate(url).await?;
//!
//! let store = PostgresStore::connect(url, PostgresOptions::default()).await?;
//! let tenant: TenantId = "acme".parse()?;
//! let change = Change::new("2026-01-01T00:00:00Z".parse()?, Event::default());
//! assert_eq!(store.commit(&tenant, change).await?.version.0, 1);
//! assert_eq!(store.log(&tenant, 0, 10).await?.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! One database, any number of tenants, any number of servers. The commits of one tenant come one after the other, by the lock of the
//! tenant's row; those of others never wait for them. What a filter asks of indexed attributes, `id`, `meta.lastModified` and memberships
//! is answered from indexes; the rest is asked of one candidate after the other, in memory that does not grow with their number.
//!
//! Nothing is kept on a connection between transactions, so `PgBouncer` may stand before the server in transaction mode. The tenant comes
//! first in every key and stands in every condition, so the tables may be distributed by it: see [`DISTRIBUTE`].
//!
//! Transactions that others were in the way of are tried again, some times. When connections break, reads are tried again, and so are
//! commits, for as long as [`PostgresOptions::patience`] lasts: while another server takes over, requests wait. A commit whose answer was
//! lost is looked up before it is repeated, so that nothing is done twice.
//!
//! # Limits
//!
//! - PostgreSQL 13 or later, in UTF-8. It is tested with 15.
//! - Times are kept in 64 bits of nanoseconds: a change that says it happens before 1678 or after 2261 is refused.
//! - An attribute that gets an index later is looked up among the records that were written since, for keys are worked
//!   out when a record is written. Write the others again. Sorted lists notice them when the walk comes to those without a value.
//! - A decimal of more than fifteen digits may be read as its neighbour, for that is how `serde_json` reads them. A program that minds
//!   switches on its feature `float_roundtrip`; a library must not.

mod bind;
mod commit;
mod connect;
mod error;
mod migrate;
mod options;
mod read;
mod retry;
mod session;
mod store;
mod text;
mod transfer;
mod turns;

pub use error::{OpenError, Remedy};
pub use migrate::{DISTRIBUTE, Migrated, Schema, migrate};
pub use options::PostgresOptions;
pub use retry::Retry;
pub use store::PostgresStore;
