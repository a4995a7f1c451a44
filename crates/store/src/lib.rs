//! The storage seam of a SCIM server: what a store promises, and [`InMemory`], the store that every other is measured by.
//!
//! ```
//! use scimwright_store::{InMemory, Key, Members, Store, TenantId};
//!
//! let store = InMemory::default();
//! let tenant: TenantId = "acme".parse()?;
//! let nobody = pollster::block_on(store.get(&tenant, &Key::new("User", "1"), Members::None))?;
//! assert!(nobody.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! The trait [`Store`] and the plain data that cross it: records, queries, changes, events. A store knows no schema, no HTTP and
//! no PATCH; it keeps documents, looks them up by keys that were worked out for it, and commits changes whole or not at all.

pub mod chain;
mod change;
mod error;
mod event;
mod memory;
mod query;
mod record;
mod represent;
mod store;
mod transfer;

pub use chain::{ChainHash, Checkpoint, Cut};
pub use change::{Change, Committed, Delta, Displaced, Draft, Fact, Guard, IndexKey, Scope, When, Write};
pub use error::StoreError;
pub use event::{Event, Logged, Transition};
pub use memory::InMemory;
pub use query::{Mark, Page, Part, Place, Query, Start};
pub use record::{Key, Member, Members, Membership, Record, TenantId, TenantIdError, Version};
pub use represent::Endpoints;
pub use store::Store;
pub use transfer::{Intake, Item, Misfit, Sink, Source, Transfer};
