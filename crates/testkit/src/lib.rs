//! Vectors, recorded scenarios, laws and a suite for stores: what SCIM crates, servers and databases are tested by.
//!
//! ```
//! let report = scimwright_testkit::vectors::run(r#"{"vectors": [{"filter": "userName pr", "valid": true}]}"#)?;
//! assert_eq!((report.passed, report.failed.len()), (1, 0));
//! # Ok::<(), scimwright_testkit::vectors::VectorError>(())
//! ```
//!
//! # A store of one's own
//!
//! [`store_suite!`] makes a test of every line of the contract of [`Store`](scimwright_store::Store), for any store that a function
//! makes. In a file below `tests`:
//!
//! ```
//! use scimwright_store::InMemory;
//!
//! /// A store with nothing in it. Where it needs a folder or a database of its own, `suite::Kept` keeps that beside it.
//! fn fresh_store() -> InMemory {
//!     InMemory::default()
//! }
//!
//! scimwright_testkit::store_suite!(fresh_store);
//! # fn main() {
//! #     let subject = scimwright_testkit::suite::Subject::new(fresh_store).cases(1);
//! #     let (name, case) = scimwright_testkit::suite::CASES[0];
//! #     assert!(name.starts_with("a_change"));
//! #     case(&subject);
//! # }
//! ```
//!
//! `store_suite!(fresh_store, cases = 20, reopen = reopen)` says how many random cases a law looks at, and asks besides whether what was
//! acknowledged is there when `reopen`, a function from the store to the same store opened again, has closed it or cut it off.
//! [`transfer_suite!`] is the same for stores that are [`Transfer`](scimwright_store::Transfer). A case that fails names what it asked
//! for; [`suite`] has them all, to be called one by one.
//!
//! # Scope
//!
//! Data in, verdicts out: [`vectors`] for the engines, [`scenario`] for whole servers in process, [`suite`] for stores, [`races`] for
//! several clients at once, judged by [`linearizability`]. [`postgres`] starts a database for tests. The binary `vectors` runs files.
//! Nothing here is needed to serve.

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
