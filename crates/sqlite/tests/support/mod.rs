//! What the tests of this crate share: a store in a folder of its own.
#![allow(dead_code, reason = "every test file uses a part")]

use scimwright_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

/// A store, and the folder that goes with it.
pub(crate) struct Temporary {
    pub store: SqliteStore,
    pub folder: TempDir,
}

impl Temporary {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        Self { store, folder }
    }
}

/// Opens the store of a folder, as often as one likes.
pub(crate) fn open(folder: &TempDir) -> SqliteStore {
    SqliteStore::open(folder.path().join("scim.db"), SqliteOptions::default()).unwrap()
}
