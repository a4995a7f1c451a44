//! The same product on PostgreSQL: what the other files say of a database in a file holds here, test by test.
//!
//! What is so because the database is a file stays out: `own_file.rs` and `crash.rs`; and so does what no database has a part in.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::duplicate_mod,
    reason = "each of these files is a program of its own elsewhere, and brings what it needs"
)]

mod support;

#[path = "commands.rs"]
mod commands;
#[path = "extensions.rs"]
mod extensions;
#[path = "lifecycle.rs"]
mod lifecycle;
#[path = "limits.rs"]
mod limits;
#[path = "linking.rs"]
mod linking;
#[path = "paging.rs"]
mod paging;
#[path = "races.rs"]
mod races;
#[path = "seats.rs"]
mod seats;
#[path = "teams.rs"]
mod teams;
#[path = "tenancy.rs"]
mod tenancy;
#[path = "tokens.rs"]
mod tokens;
