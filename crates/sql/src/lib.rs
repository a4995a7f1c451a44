//! From SCIM queries to SQL: what a database can decide of a query, as text and values, for SQLite and for PostgreSQL.

mod find;
mod pushdown;
mod read;
mod search;
mod source;
mod statement;

pub use find::{find, statements};
pub use read::get;
pub use source::{Cell, Damaged, Row, Source, Walk};
pub use statement::{Dialect, Statement, Value};
