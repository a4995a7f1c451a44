//! RFC 7644 section 3 without HTTP: operations in, replies out.
//!
//! ```
//! use scimwright_core::{Catalog, Selection};
//! use scimwright_service::{Context, Operation, Service};
//! use scimwright_store::InMemory;
//!
//! let service = Service::new(Catalog::standard(), InMemory::default());
//! let context = Context::new("acme".parse()?, "docs", "https://example.com/v2");
//! let body = serde_json::json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"});
//! let create = Operation::Create { resource_type: service.resource_type("User")?, body, selection: Selection::default() };
//! let reply = pollster::block_on(service.handle(&context, create))?;
//! assert_eq!(reply.status, 201);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! Every write goes one road: repair, admit, decide, commit, show. Deciding is pure; only loading and committing await. What an
//! application adds to the protocol (seats, adopting existing accounts, one team for each user) is a [`Policy`]. Nothing here
//! knows HTTP, tokens or SQL.

mod bulk;
mod carriers;
mod context;
mod cursor;
mod decide;
mod discovery;
mod doctor;
mod index;
mod list;
mod operation;
mod outcome;
mod policy;
mod render;
mod secrets;
mod service;
mod write;

pub use carriers::Carriers;
pub use context::Context;
pub use discovery::Features;
pub use doctor::{Diagnosis, Doctor, Finding};
pub use index::index_keys;
pub use operation::{Expect, ListQuery, Operation, Reply};
pub use policy::{Adoption, Conflicting, Deletion, Plain, Policy, Writing};
pub use service::{Limits, Service};
