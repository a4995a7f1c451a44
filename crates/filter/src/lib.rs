//! SCIM 2.0 filters: parse them, print them, bind them to a schema, ask whether a resource matches.
//!
//! ```
//! use scimwright_core::{Admit, Catalog};
//! use scimwright_filter::{Binding, Filter};
//!
//! let filter: Filter = r#"emails[type eq "work" and value ew "@example.com"] and not (active eq false)"#.parse()?;
//! assert_eq!(filter.to_string().parse::<Filter>()?, filter);
//!
//! let catalog = Catalog::standard();
//! let users = catalog.resource_type("User").ok_or("no such type")?;
//! let bound = filter.bind(&Binding::new(users))?;
//! let barbara = Admit::new(users).trusted(serde_json::json!({
//!     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
//!     "userName": "bjensen",
//!     "emails": [{"type": "work", "value": "BJensen@Example.com"}],
//! }))?;
//! assert!(bound.matches(&barbara));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! RFC 7644 section 3.4.2.2 with its errata, and the paths of PATCH (section 3.5.2, figure 7): [`Filter`] and
//! [`PatchPath`] are syntax, [`Syntax`] says how they are read, [`BoundFilter`] is what they mean for one resource
//! type, and [`SortBy`] what an order means for it (section 3.4.2.3). Each step knows more than the last, and what a step has settled is not looked at again. Nothing here reads a
//! database: a store takes the [`Test`] of a [`BoundFilter`] and translates it as far as it can. Nothing here changes a
//! resource either.

mod ast;
mod bind;
mod bound;
mod display;
mod error;
mod lex;
mod matches;
mod number;
mod parse;
mod path;
mod sort;
mod syntax;

pub use ast::{Expr, Filter, Literal, Op};
pub use bind::Binding;
pub use bound::{BoundFilter, Field, Operand, Test};
pub use error::{BindError, BuildError, ParseError};
pub use number::{Number, NumberError};
pub use path::PatchPath;
pub use sort::{SortBy, SortKey};
pub use syntax::{Leniency, Parsed, Syntax};
