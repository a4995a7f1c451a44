//! SCIM 2.0 PATCH: read the message, apply its operations to a resource, say what changed; or make the message that is needed.
//!
//! ```
//! use scimwright_core::{Admit, Catalog};
//! use scimwright_patch::{PatchOptions, PatchRequest, apply};
//!
//! let catalog = Catalog::standard();
//! let users = catalog.resource_type("User").ok_or("no such type")?;
//! let barbara = Admit::new(users).trusted(serde_json::json!({
//!     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
//!     "userName": "bjensen",
//!     "emails": [{"type": "work", "value": "bjensen@example.com", "primary": true}],
//! }))?;
//! let options = PatchOptions::default();
//! let request = PatchRequest::from_json(serde_json::json!({
//!     "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
//!     "Operations": [
//!         {"op": "add", "path": "emails", "value": {"type": "home", "value": "babs@jensen.org"}},
//!         {"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true},
//!     ],
//! }), &options)?;
//!
//! let patched = apply(users, &barbara, &request, &options)?;
//! assert_eq!(patched.touched, ["emails"]);
//! assert_eq!(patched.resource.as_map()["emails"][0]["primary"], false, "only one value is primary");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! RFC 7644 section 3.5.2 with its errata: `add`, `remove` and `replace`, with a path and without, on every kind of attribute that
//! RFC 7643 knows, all operations or none. Strict, unless [`PatchOptions`] says what to forgive; what was forgiven is named.
//! [`PatchRequest::members_needed`] and [`membership_delta`] let a store keep the members of a group as rows and read only those
//! that a request is about. [`diff()`] goes the other way: from two states of a resource to the smallest message that makes the one
//! of the other, for clients. Nothing here loads, stores, stamps `meta` or knows who asks: whether another resource has a unique
//! value already, or whether a member exists, is for the caller to say.

mod add;
mod amend;
mod apply;
mod diff;
mod document;
mod error;
mod list;
mod members;
mod merge;
mod options;
mod remove;
mod replace;
mod request;
mod target;
mod value;

pub use apply::{Patched, apply};
pub use diff::diff;
pub use error::PatchError;
pub use members::{MembersNeeded, MembershipDelta, membership_delta};
pub use options::PatchOptions;
pub use request::{Op, Operation, PatchRequest, Path};
