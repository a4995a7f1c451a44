//! What identity providers really send, set right at the door: named quirks, gathered in profiles.
//!
//! ```
//! use scimwright_compat::{Profile, Quirk};
//! use scimwright_core::{Admit, Catalog};
//!
//! let catalog = Catalog::standard();
//! let users = catalog.resource_type("User").ok_or("no such type")?;
//! let mut body = serde_json::json!({
//!     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "active": "True",
//! });
//! let fired = Profile::entra().repair(users, &mut body);
//! assert!(fired.contains(&Quirk::BooleanStrings));
//! assert_eq!(Admit::new(users).create(body)?.resource.get("active"), Some(&true.into()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! The only crate that names a vendor. A quirk has a name, a reason and a place where it is mended: bodies here, filters and
//! PATCH in the options of their engines. Profiles are values chosen per tenant at run time, never features of a build. Every
//! quirk that a request needed is reported, so that an administrator can see what his provider sends.

mod body;
mod profile;
mod quirk;

pub use profile::{Profile, UnknownProfile};
pub use quirk::{Quirk, Quirks};
