//! The suite that every [`Store`](scimwright_store::Store) passes: its contract line by line, and the store in memory as the oracle
//! for the rest.
//!
//! [`store_suite!`](crate::store_suite) makes a test of each case. A case is a function that takes a [`Subject`] and panics when the
//! store breaks its promise, so that it can be called by itself too:
//!
//! ```
//! use scimwright_store::InMemory;
//! use scimwright_testkit::suite::{Subject, find};
//!
//! find::lists_have_their_totals(&Subject::new(InMemory::default));
//! ```
//!
//! # Scope
//!
//! - The contract: [`atomic`], [`versions`], [`keys`], [`members`], [`documents`], [`facts`], [`log`] and its chain, [`tenants`].
//! - Many at once: [`together`] in threads, and [`orders`], where an order must explain what each thread has seen of a group.
//! - Crash points: [`crash`] puts a service over a store that is [`Failing`], [`reopened`] opens a store again.
//! - Random cases, with [`InMemory`](scimwright_store::InMemory) as the oracle: [`find`] and [`histories`]. `SCIM_TEST_CASES` in the
//!   environment says how many. They share one store, each in tenants of its own.
//! - Whole tenants: [`transfer`].
//!
//! How fast a store is, and by which index, is no part of it.

#![allow(clippy::unwrap_used, reason = "the cases are tests, and fail by panicking")]

mod asked;
mod at;
pub mod atomic;
pub mod closing;
pub mod crash;
pub mod documents;
pub mod facts;
mod failing;
mod filters;
pub mod find;
pub mod histories;
pub mod keys;
pub mod log;
mod macros;
pub mod members;
pub mod orders;
mod plan;
pub mod reopened;
mod resources;
pub mod sample;
mod subject;
pub mod tenants;
pub mod together;
pub mod transfer;
pub mod versions;

pub use failing::{Failing, Moment};
pub use subject::{Kept, Subject};

/// A case of the suite: it panics when the store breaks its promise.
pub type Case = fn(&Subject);

/// The cases that [`store_suite!`](crate::store_suite) makes tests of, by their names.
pub const CASES: &[(&str, Case)] = crate::__store_cases!(__store_table!());

/// The cases that [`transfer_suite!`](crate::transfer_suite) makes tests of, by their names.
pub const TRANSFER_CASES: &[(&str, transfer::Case)] = crate::__transfer_cases!(__store_table!());
