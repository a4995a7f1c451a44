//! SCIM 2.0 names, schemas and resources: what RFC 7643 says, as Rust types.
//!
//! ```
//! use scimwright_core::{Admit, Catalog, Selection, User, show};
//!
//! let catalog = Catalog::standard();
//! let users = catalog.resource_type("User").ok_or("no such type")?;
//! let body = serde_json::json!({
//!     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
//!     "USERNAME": "bjensen",
//!     "password": "t1meMa$heen",
//!     "emails": null,
//! });
//!
//! let admitted = Admit::new(users).create(body)?;
//! assert_eq!(admitted.resource.view::<User>()?.user_name, "bjensen");
//! let shown = show(users, &admitted.resource, &Selection::default(), &[]);
//! assert_eq!(shown.get("userName"), Some(&"bjensen".into()));
//! assert_eq!(shown.get("password"), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! Attribute names, schema URNs and paths; schemas with every characteristic, loaded from JSON at run time; the catalog of
//! resource types; a [`Resource`] that is always canonical; [`Admit`] (what may come in) and [`show()`] (what may go out);
//! the data types; folding of text; the error a SCIM client reads. Nothing here filters, patches, stores or serves.

mod admit;
mod catalog;
mod datetime;
mod error;
mod fold;
mod folder;
mod hints;
mod name;
mod path;
mod resource;
mod schema;
mod segment;
mod show;
mod types;
mod urn;
mod views;

pub use admit::{Admit, AdmitError, Admitted, Unknown, is_assigned, same_value};
pub use catalog::{Catalog, CatalogError, Extension, IndexSpec, ResourceType, ResourceTypeSpec, Target};
pub use datetime::{DateTimeError, Instant};
pub use error::{ScimError, ScimType};
pub use fold::{fold, prepare_password, user_name_is_allowed};
pub use folder::FolderError;
pub use name::{AttrName, NameError};
pub use path::{AttrPath, PathError};
pub use resource::{Resource, ViewError};
pub use schema::{Attribute, DataType, Mutability, Returned, Schema, SchemaError, Uniqueness};
pub use segment::uri_segment;
pub use show::{Selection, SelectionError, View, show};
pub use types::{ValueError, check_simple};
pub use urn::{Urn, UrnError};
pub use views::{Address, EnterpriseUser, Group, Manager, Member, Meta, MultiValue, Name, User};

/// URNs that RFC 7643 and RFC 7644 register.
pub mod urns {
    /// RFC 7643 section 4.1.
    pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    /// RFC 7643 section 4.2.
    pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
    /// RFC 7643 section 4.3.
    pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    /// RFC 7643 section 5.
    pub const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
    /// RFC 7643 section 6.
    pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
    /// RFC 7643 section 7.
    pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
    /// RFC 7644 section 3.4.2.
    pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
    /// RFC 7644 section 3.5.2.
    pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    /// RFC 7644 section 3.4.3.
    pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
    /// RFC 7644 section 3.7.
    pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
    /// RFC 7644 section 3.7.
    pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
    /// RFC 7644 section 3.12.
    pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
}
