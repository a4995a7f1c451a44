//! From SCIM queries to SQL, for SQLite and for PostgreSQL: what a database can decide of a query, and how a page comes of it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use scimwright_core::Catalog;
//! use scimwright_filter::{Binding, Filter};
//! use scimwright_sql::{Dialect, Value, statements};
//! use scimwright_store::Query;
//!
//! let catalog = Catalog::standard();
//! let users = catalog.resource_type("User").ok_or("no users")?;
//! let filter: Filter = r#"userName eq "BJensen""#.parse()?;
//! let mut query = Query::new(Arc::clone(users), 10);
//! query.parts[0].filter = Some(filter.bind(&Binding::new(users))?);
//!
//! let count = &statements(Dialect::Postgres, &"acme".parse()?, &query)[0];
//! assert_eq!(
//!     count.text,
//!     "SELECT count(*) FROM scim_key AS d WHERE d.tenant = $1 AND d.type = $2 AND d.path = $3 AND d.value = $4"
//! );
//! assert_eq!(count.values, ["acme", "User", "userName", "bjensen"].map(Value::from));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! Reading records: [`find`] and [`get`] ask a [`Source`], which is a store's read transaction, and decode its rows. There are no
//! connections here and no runtime. Writing is each store's own, and so is keeping what is read here:
//!
//! - A record has a row in `scim_key` for every value of every indexed attribute, folded unless the attribute is case exact, and `true`
//!   or `false` for a boolean; and the same keys in `scim_record.keys`, as JSON `[[scope, path, value], …]`.
//! - `scim_count` has the number of records of each type, `scim_keyed` the number of keys of each path, `scim_record.members` the number
//!   of a group's rows in `scim_member`.
//! - Texts are compared byte for byte.
//!
//! # The law
//!
//! What a database selects may be wider than the filter; then each candidate is asked again, in batches of some hundreds. It is never
//! narrower.

mod find;
mod pushdown;
mod read;
mod search;
mod source;
mod statement;
mod time;

pub use find::{find, statements};
pub use read::get;
pub use source::{Cell, Damaged, Row, Source, Walk};
pub use statement::{Dialect, Statement, Value};
pub use time::{instant, nanos};
