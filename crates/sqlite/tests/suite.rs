//! What every store promises, asked of SQLite: see `scimwright_testkit::suite`.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use scimwright_sqlite::SqliteStore;
use scimwright_testkit::suite::Kept;
use support::{Temporary, open};
use tempfile::TempDir;

/// A store in a folder of its own, which goes with it.
fn fresh_store() -> Kept<SqliteStore, TempDir> {
    let Temporary { store, folder } = Temporary::new();
    Kept::new(store, folder)
}

/// Closes the file and opens it again.
fn reopen(Kept { store, with: folder }: Kept<SqliteStore, TempDir>) -> Kept<SqliteStore, TempDir> {
    drop(store);
    Kept::new(open(&folder), folder)
}

scimwright_testkit::store_suite!(fresh_store, reopen = reopen);

scimwright_testkit::transfer_suite!(fresh_store);
