//! What can go wrong: opening a file, and everything after.

use std::error::Error;

use scimwright_store::StoreError;

/// Why a file cannot be opened as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A later version of this crate has written the file, and this one would not understand it.
    #[error("the file has schema version {found} and this program knows up to {known}")]
    Newer {
        /// The file's version.
        found: i64,
        /// The last version that is known here.
        known: i64,
    },
    /// The file cannot have a write-ahead log: it is in memory, or on a file system without shared memory.
    #[error("the database cannot keep a write-ahead log, its journal mode stays `{0}`")]
    Journal(String),
    /// The file's texts are not in UTF-8, so that SQLite would order them otherwise.
    #[error("the database keeps its texts in {0}, and this store needs UTF-8: give it a file of its own")]
    Encoding(String),
    /// An entry of the log is not what an earlier version wrote, so that the log cannot become a chain.
    #[error("entry {position} of the log of {tenant} cannot be read")]
    Log {
        /// Whose log.
        tenant: String,
        /// Which entry.
        position: u64,
        /// What is wrong with it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// SQLite cannot open the file, or it is no database.
    #[error("the database cannot be opened")]
    Database(#[source] Box<dyn Error + Send + Sync>),
    /// The threads that read and write cannot be started.
    #[error("a thread cannot be started")]
    Thread(#[source] std::io::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Why something was not done: an outcome that the caller can act on, or a failure that it can only report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Outcome(#[from] StoreError),
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    #[error("what is stored is not what was written")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Damaged(#[from] scimwright_sql::Damaged),
    #[error("entry {0} of the log is missing, so that nothing can follow it")]
    Log(u64),
    #[error("a thread of the store has panicked")]
    Panic,
    #[error("the store's threads have stopped")]
    Stopped,
    #[error(transparent)]
    Transfer(std::io::Error),
    #[error("the name of a tenant is none")]
    Tenant(#[source] Box<dyn Error + Send + Sync>),
    #[error("the time of the change is not between the years 1678 and 2261")]
    Time,
    #[error("the change needs something that this store does not know")]
    Unknown,
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Outcome(outcome) => outcome,
            Failure::Database(error) => Self::unavailable(error),
            Failure::Transfer(error) => Self::unavailable(error),
            other => Self::unavailable(other),
        }
    }
}
