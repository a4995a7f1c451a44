//! Vectors, recorded scenarios and laws for SCIM crates and servers.
//!
//! ```
//! let report = scimwright_testkit::vectors::run(r#"{"vectors": [{"filter": "userName pr", "valid": true}]}"#)?;
//! assert_eq!((report.passed, report.failed.len()), (1, 0));
//! # Ok::<(), scimwright_testkit::vectors::VectorError>(())
//! ```
//!
//! # Scope
//!
//! Data in, verdicts out: [`vectors`] for the engines, [`scenario`] for whole servers in process, [`races`] for several clients at
//! once, judged by [`linearizability`]. [`postgres`] starts a database for tests. The binary `vectors` runs files. Nothing here is
//! needed to serve.

mod catalog;
pub mod laws;
pub mod linearizability;
#[cfg(unix)]
pub mod postgres;
pub mod races;
mod random;
pub mod scenario;
pub mod suite;
pub mod vectors;

pub use catalog::vector_catalog;
