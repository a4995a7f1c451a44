//! A fresh database of each kind, for tests that hold for all of them.

use std::sync::Arc;

use super::Directory;

/// A database that several directories can be opened on, as by several processes.
#[derive(Clone, Debug)]
pub(crate) enum Case {
    /// A file, and the folder that goes with the last of the case's clones.
    Sqlite(Arc<tempfile::TempDir>),
    /// A database of its own in the throw-away cluster.
    Postgres(Arc<scimwright_testkit::postgres::Database>),
}

impl Case {
    /// One case for each kind of database that there is here.
    pub(crate) fn each() -> Vec<Self> {
        let mut cases = vec![Self::Sqlite(Arc::new(tempfile::tempdir().unwrap()))];
        cases.extend(super::postgres::testing::database().map(|database| Self::Postgres(Arc::new(database))));
        cases
    }

    /// Opens the database. Of the first who open it at one moment, one makes its tables.
    pub(crate) async fn open(&self) -> Directory {
        match self {
            Self::Sqlite(folder) => Directory::open(folder.path().join("hub.db")).unwrap(),
            Self::Postgres(database) => super::postgres::testing::open(database.url()).await,
        }
    }
}
